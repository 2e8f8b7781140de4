"""The `answerbook` command as a reader types it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from answerbook import service_commands, services


def answerbook(*words: str) -> str:
    """Run the command, which has to succeed; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "answerbook", *words],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def test_up_starts_what_is_named_and_shows_it(fresh_home: Path) -> None:
    shown = answerbook("up", "postgres")
    service = services.find("postgres")
    assert f"127.0.0.1:{service.port}" in shown
    assert str(service.nodes()[0].pid) in shown


def test_status_tells_address_version_engine_process_uptime_and_memory() -> None:
    service = services.require("postgres")
    (told,) = json.loads(answerbook("status", "postgres", "--json"))
    (node,) = told["nodes"]
    assert ("postgres", "native", service.version) == (
        told["service"],
        told["engine"],
        told["version"],
    )
    assert ("running", f"127.0.0.1:{service.port}") == (node["condition"], node["address"])
    assert service.nodes()[0].pid == node["pid"]
    assert node["uptime"] > 0
    assert 5e6 < node["memory"] < 5e8


def test_status_of_a_killed_service_says_stopped() -> None:
    services.require("postgres").kill()
    assert "stopped" in answerbook("status", "postgres")


def test_status_of_a_service_that_was_never_ready_says_starting() -> None:
    state = services.require("postgres").state
    record = state.read_record("postgres")
    assert record is not None
    state.write_record(record.model_copy(update={"phase": "starting"}))
    assert "starting" in answerbook("status", "postgres")
    assert "never been ready" in answerbook("doctor")
    assert "running" in answerbook("up", "postgres")


@pytest.mark.parametrize("command", ["status", "logs", "env"])
def test_command_without_anything_running_says_how_to_start(command: str, fresh_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "answerbook", command], capture_output=True, text=True, check=True
    )
    assert "Nothing is running. Start the services with `answerbook up`." in (
        done.stdout if command == "status" else done.stderr
    )
    assert "" == done.stdout or command == "status", "a shell evaluates what env prints"


def test_doctor_cuts_nothing_off_in_a_narrow_terminal(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fresh_home / "file").write_text("")
    monkeypatch.setenv("ANSWERBOOK_HOME", str(fresh_home / "file"))
    done = subprocess.run(
        [sys.executable, "-m", "answerbook", "doctor"],
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 1 == done.returncode
    assert "exportANSWERBOOK_HOME=/a/folder/of/yours" in "".join(done.stdout.split())


def test_env_prints_an_address_that_a_client_takes() -> None:
    services.require("postgres")
    line = answerbook("env", "postgres")
    done = subprocess.run(
        ["sh", "-c", f'{line}\nprintf %s "$DATABASE_URL"'],
        capture_output=True,
        text=True,
        check=True,
    )
    with psycopg.connect(done.stdout) as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()


def test_env_prints_values_that_a_shell_takes_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    value = '/home/o\'brien/$(echo run) `echo run` "quoted"'
    monkeypatch.setattr(services, "find_all", lambda names: ["one"])
    monkeypatch.setattr(service_commands, "_variables", lambda service: {"SITE_FOLDER": value})
    service_commands.env(["postgres"])
    line = capsys.readouterr().out
    printed = subprocess.check_output(["sh", "-c", f'{line}\nprintf %s "$SITE_FOLDER"'], text=True)
    assert value == printed


def test_logs_show_the_services_own_words() -> None:
    services.require("postgres")
    assert "database system is ready to accept connections" in answerbook("logs", "postgres")


def test_followed_log_shows_each_line_once_and_ends_at_ctrl_c() -> None:
    postgres = services.require("postgres")
    following = subprocess.Popen(
        [sys.executable, "-m", "answerbook", "logs", "--follow", "postgres"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert following.stdout
    told = [following.stdout.readline()]
    for word in ("first", "second"):
        with postgres.connect() as connection, pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute(f"SELECT * FROM {word}_{following.pid}")
        while f'{word}_{following.pid}" does not exist' not in told[-1]:
            told.append(following.stdout.readline())
    following.send_signal(signal.SIGINT)
    rest, complaint = following.communicate(timeout=60)
    assert (0, "") == (following.returncode, complaint)
    for word in ("first", "second"):
        assert 1 == "".join([*told, rest]).count(f'{word}_{following.pid}" does not exist')


def test_doctor_finds_this_machine_fit() -> None:
    shown = answerbook("doctor")
    for what in ("Python", "memory", "state folder", "engine", "java", "kafka", "rabbitmq"):
        assert what in shown


def test_down_ends_what_is_named_and_nothing_else(fresh_home: Path) -> None:
    services.require("postgres")
    assert "Nothing was running" in answerbook("down", "kafka")
    assert "running" == services.find("postgres").nodes()[0].condition
    assert "Ended: postgres." in answerbook("down")


def test_down_with_delete_data_leaves_no_data(fresh_home: Path) -> None:
    with services.require("postgres").connect() as connection:
        connection.execute("CREATE TABLE gone (id int)")
    answerbook("down", "--delete-data", "postgres")
    with services.require("postgres").connect() as connection:
        assert (None,) == connection.execute("SELECT to_regclass('gone')").fetchone()
