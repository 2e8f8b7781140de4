"""What a reader meets on a machine that is not as it should be: one paragraph on what to do."""

import os
import socket
import subprocess
import sys
import textwrap
from contextlib import ExitStack
from pathlib import Path

import pytest

from answerbook import services
from answerbook.config import SettingsError
from answerbook.services import (
    MissingProgram,
    Postgres,
    RabbitMQ,
    StartFailed,
    StateFolderError,
    WrongPassword,
)

RABBITMQ_SERVER = "answerbook.services.native.programs.rabbitmq_server"
HARD_TO_QUOTE = 'it\'s / my @ own: pass%word # "$HOME" ${PATH} é \\n \\'


def command(
    *words: str, wrapper: tuple[str, ...] = (), **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run `answerbook words…` with these variables changed."""
    return subprocess.run(
        [*wrapper, sys.executable, "-m", "answerbook", *words],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def assert_one_paragraph(done: "subprocess.CompletedProcess[str]", *contents: str) -> None:
    assert 1 == done.returncode, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for content in contents:
        assert content in done.stderr


def test_taken_ports_are_replaced_by_free_ones(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[services.ServiceName] = ["rabbitmq", "kafka", "postgres"]
    with ExitStack() as others:
        taken = {}
        for name in names:
            other = others.enter_context(socket.create_server(("127.0.0.1", 0)))
            taken[name] = other.getsockname()[1]
            monkeypatch.setenv(f"ANSWERBOOK_{name.upper()}_PORT", str(taken[name]))
        for service in services.require_all(names):
            assert taken[service.name] != service.port
            service.round_trip()


def test_missing_java_and_no_network_is_said_in_one_paragraph(
    fresh_home: Path, tmp_path: Path
) -> None:
    done = command(
        "up",
        "kafka",
        ANSWERBOOK_PROGRAMS=str(fresh_home / "programs"),
        PATH=str(tmp_path),
        JAVA_HOME="",
        # Whatever client is used, it finds a closed door.
        UV_DEFAULT_INDEX="http://127.0.0.1:9/simple",
        UV_CACHE_DIR=str(tmp_path / "cache"),
        UV_HTTP_TIMEOUT="2",
        UV_HTTP_RETRIES="0",
        HTTPS_PROXY="http://127.0.0.1:9",
        HTTP_PROXY="http://127.0.0.1:9",
    )
    assert_one_paragraph(done, "answerbook up kafka")


def test_missing_rabbitmq_where_there_is_no_package_manager(
    fresh_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSWERBOOK_PROGRAMS", str(fresh_home / "programs"))
    monkeypatch.setenv("PATH", str(tmp_path))
    # Wherever this machine has one of its own.
    monkeypatch.setattr(f"{RABBITMQ_SERVER}._prefixes", lambda _: iter(()))
    with pytest.raises(MissingProgram, match="conda install"):
        services.require("rabbitmq")


@pytest.mark.parametrize("name", ["rabbitmq", "postgres"])
def test_wrong_password_in_the_environment_is_named(
    name: services.ServiceName, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = services.require(name)
    variable = f"ANSWERBOOK_{name.upper()}_PASSWORD"
    monkeypatch.setenv(variable, "not the one")
    with pytest.raises(WrongPassword, match=variable) as caught:
        services.require(name)
    assert "not the one" not in str(caught.value)
    assert "running" == service.nodes()[0].condition, "a wrong password must not end a service"


@pytest.mark.parametrize("name", ["rabbitmq", "postgres"])
def test_wrong_password_for_data_that_is_kept_is_named_and_nothing_is_left(
    name: services.ServiceName, fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.require(name).kill()
    services.down([name])
    variable = f"ANSWERBOOK_{name.upper()}_PASSWORD"
    monkeypatch.setenv(variable, "not the one")
    with pytest.raises(WrongPassword, match=f"Unset {variable}.*answerbook down --delete-data"):
        services.require(name)
    assert [] == services.running()

    monkeypatch.delenv(variable)
    (fresh_home / "secrets" / name).write_text("nor this one")
    with pytest.raises(WrongPassword, match="in the state folder.*answerbook down --delete-data"):
        services.require(name)


@pytest.mark.parametrize("name", ["rabbitmq", "postgres"])
def test_password_of_the_readers_own_is_used_whatever_is_in_it(
    name: services.ServiceName, fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ANSWERBOOK_{name.upper()}_PASSWORD", HARD_TO_QUOTE)
    service = services.require(name)
    assert isinstance(service, RabbitMQ | Postgres)
    assert HARD_TO_QUOTE == service.password
    service.round_trip()


def test_setting_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSWERBOOK_KAFKA_PORT", "ninety")
    with pytest.raises(SettingsError, match="ANSWERBOOK_KAFKA_PORT is set to 'ninety'"):
        services.require("kafka")


def test_user_that_does_not_exist_is_named(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSWERBOOK_POSTGRES_USER", "no-such-user")
    if os.geteuid() == 0:
        with pytest.raises(StartFailed, match="ANSWERBOOK_POSTGRES_USER"):
            services.require("postgres")
    else:  # only root has to become another
        services.require("postgres").round_trip()


@pytest.mark.parametrize(
    ("options", "reason"),
    [("ro", "Read-only file system"), ("size=1m", "1 MB free")],
    ids=["read-only", "full"],
)
def test_state_folder_that_cannot_be_used(options: str, reason: str, tmp_path: Path) -> None:
    # A file system of its own: root may write where permissions forbid it.
    script = f'mount -t tmpfs -o {options} none "$0" && exec "$@"'
    wrapper = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(tmp_path))
    done = command("up", "postgres", wrapper=wrapper, ANSWERBOOK_HOME=str(tmp_path))
    assert_one_paragraph(done, reason, "export ANSWERBOOK_HOME=")


def test_root_that_may_not_become_another_user_is_told(fresh_home: Path) -> None:
    # As in a container whose root is nobody outside of it: no other user is mapped.
    wrapper = ("unshare", "--user", "--map-root-user")
    done = command("up", "postgres", wrapper=wrapper)
    assert_one_paragraph(done, "may not hand files to another user", "ANSWERBOOK_POSTGRES_USER")


def test_file_in_the_way_is_told_in_one_paragraph(fresh_home: Path) -> None:
    services.require("postgres")
    services.down(["postgres"])
    (fresh_home / "services" / "postgres" / "data" / "postmaster.pid").mkdir()
    with pytest.raises(StateFolderError, match="export ANSWERBOOK_HOME="):
        services.require("postgres")
    assert [] == services.running()


def test_state_folder_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ANSWERBOOK_HOME", str(tmp_path / "file"))
    with pytest.raises(StateFolderError, match="Not a directory"):
        services.require("postgres")


def test_path_with_a_space_and_too_long_for_a_unix_socket_is_no_hindrance(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = fresh_home / ("a long name " * 6).strip() / ("and-another-" * 6)
    assert len(str(deep)) > 107
    monkeypatch.setenv("ANSWERBOOK_HOME", str(deep))
    for service in services.require_all(["rabbitmq", "kafka", "postgres"]):
        service.round_trip()
    services.down()


def test_broker_that_dies_while_starting_says_why(fresh_home: Path) -> None:
    services.require("kafka")
    services.down(["kafka"])
    meta = fresh_home / "services" / "kafka" / "data" / "meta.properties"
    meta.write_text(meta.read_text().replace("node.id=1", "node.id=7"))
    with pytest.raises(StartFailed) as caught:
        services.require("kafka")
    assert "the last lines of its log" in str(caught.value).lower()
    assert "Stored node id 7 doesn't match" in str(caught.value)
    assert [] == services.running()


def test_data_of_another_time_that_postgres_cannot_read(fresh_home: Path) -> None:
    services.require("postgres")
    services.down(["postgres"])
    (fresh_home / "services" / "postgres" / "data" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(StartFailed, match="initialized by PostgreSQL version 9.6"):
        services.require("postgres")


def test_initialising_that_was_killed_is_begun_anew(fresh_home: Path) -> None:
    folder = fresh_home / "services" / "postgres"
    half = folder / "initialising-killed" / "data"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    services.require("postgres").round_trip()
    assert [] == list(folder.glob("initialising-*"))


def test_private_folder_above_the_state_is_said_to_root(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = fresh_home / "private"
    private.mkdir(mode=0o700)
    monkeypatch.setenv("ANSWERBOOK_HOME", str(private / "state"))
    if os.geteuid() == 0:
        with pytest.raises(StateFolderError, match="refuses to run as root"):
            services.require("postgres")
    else:  # no other user has to reach it
        services.require("postgres").round_trip()
        services.down()


def test_words_that_are_wrong_are_answered_with_the_right_ones() -> None:
    done = command("up", "kafak")
    assert 2 == done.returncode
    assert "rabbitmq, rabbitmq-3, kafka, kafka-3, postgres" in " ".join(
        done.stderr.replace("│", "").split()
    )


def test_help_names_every_command() -> None:
    help_text = command("--help").stdout
    for name in textwrap.dedent("up down status logs doctor env").split():
        assert f" {name} " in help_text
