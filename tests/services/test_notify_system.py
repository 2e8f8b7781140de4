"""`services.require("notify")`: the whole system, with real events through it."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from answerbook import services
from answerbook.services import Notify, StartFailed
from answerbook.services.native import processes

UP = [sys.executable, "-m", "answerbook", "up", "notify"]
DEADLINE = 240.0
PARTS = ("notify-emulator", "notify-api", "notify-render", "notify-deliver", "notify-track")

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("small_system")]
"""Spark's start takes most of a minute on a busy machine, and two tests start it anew."""


@pytest.fixture
def notify() -> Notify:
    return services.require("notify")


def post(notify: Notify) -> str:
    """One event for a user who takes all; its id in the system."""
    event = {
        "event_id": uuid.uuid4().hex,
        "user_id": "u000001",
        "kind": "security_alert",
        "priority": "high",
    }
    answer = ask(notify).post("/v1/events", json=event)
    assert 202 == answer.status_code, answer.text
    return event["event_id"]


def ask(notify: Notify) -> httpx.Client:
    key = {"Authorization": f"Bearer {notify.api_key}"}
    return httpx.Client(base_url=notify.url, headers=key, trust_env=False, timeout=30)


def sent(notify: Notify, event_id: str) -> int:
    """How many notifications of the event FCM has accepted, once it has accepted one."""
    found = 0

    def look() -> int:
        nonlocal found
        with suppress(FileNotFoundError):
            found = notify.emulator_record.read_text().count(f"/{event_id}\t")
        return found

    wait_for(look, "FCM to accept a notification of the event")
    return found


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE:.0f} s for {what}"
        time.sleep(0.1)


def pids(notify: Notify) -> dict[str, list[int | None]]:
    return {each.name: [node.pid for node in each.nodes()] for each in notify.members}


def processes_of(notify: Notify) -> list[psutil.Process]:
    """The programs', and Spark's JVM."""
    return processes.with_children(
        psutil.Process(node.pid)
        for program in notify.programs
        for node in program.nodes()
        if node.pid
    )


def test_event_goes_from_the_door_to_fcm_and_its_state_is_told(notify: Notify) -> None:
    event_id = post(notify)
    assert sent(notify, event_id)
    wait_for(
        lambda: ask(notify).get(f"/v1/events/{event_id}").json().get("state") == "expanded",
        "the event's outcome in the store",
    )
    wait_for(lambda: not any(notify.lag().values()), "every group to have committed all")


def test_requiring_it_again_starts_nothing(notify: Notify) -> None:
    before = pids(notify)
    assert before == pids(services.require("notify"))


def test_dead_program_is_started_again_and_nothing_else(notify: Notify) -> None:
    before = pids(notify)
    (pid,) = before.pop("notify-api")
    assert pid
    os.kill(pid, signal.SIGKILL)
    after = pids(services.require("notify"))
    assert [pid] != after.pop("notify-api")
    assert before == after
    assert sent(notify, post(notify))


def test_one_worker_is_killed_alone_and_started_alone(notify: Notify) -> None:
    before = pids(notify)["notify-deliver"]
    notify.deliver.kill(node=2)
    assert ["running", "stopped"] == [node.condition for node in notify.deliver.nodes()]
    assert sent(notify, post(notify)), "the other worker has taken over"
    notify.deliver.start(node=2)
    after = pids(notify)["notify-deliver"]
    assert (before[0], True) == (after[0], after[1] not in (None, before[1]))


def test_program_that_was_told_an_old_address_is_started_anew(notify: Notify) -> None:
    before = pids(notify)
    port = notify.emulator.port
    notify.emulator.stop()
    with socket.create_server(("127.0.0.1", port)):
        services.require("notify")
    assert port != notify.emulator.port
    assert before["notify-deliver"] != pids(notify)["notify-deliver"]
    assert before["notify-api"] == pids(notify)["notify-api"]
    assert sent(notify, post(notify))


def test_paused_system_goes_on_where_it_stood(notify: Notify) -> None:
    before = pids(notify)
    notify.pause()
    conditions = {node.condition for program in notify.programs for node in program.nodes()}
    assert {"paused"} == conditions
    assert before == pids(services.require("notify"))


def test_setting_that_cannot_be_used_is_named_when_a_program_is_started(
    notify: Notify, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify.track.kill()
    monkeypatch.setenv("ANSWERBOOK_NOTIFY_DELIVER_ATTEMPTS", "none")
    with pytest.raises(StartFailed, match="ANSWERBOOK_NOTIFY_DELIVER_ATTEMPTS"):
        services.require("notify")
    monkeypatch.undo()
    assert services.require("notify").track.is_answering()


def test_programs_listen_on_loopback_only(notify: Notify) -> None:
    addresses = {
        connection.laddr.ip
        for process in processes_of(notify)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses
    assert addresses <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}, addresses


def test_no_secret_shows_in_a_list_of_processes_or_in_a_log(notify: Notify) -> None:
    shown = " ".join(word for process in processes_of(notify) for word in process.cmdline())
    for secret in (notify.state.path / "secrets").iterdir():
        assert 0o600 == secret.stat().st_mode & 0o777
        assert secret.read_text() not in shown
        assert secret.read_text() not in notify.logs(1_000)


def test_command_shows_the_parts_and_gives_a_client_what_it_needs(notify: Notify) -> None:
    words = [sys.executable, "-m", "answerbook"]
    status = subprocess.check_output([*words, "status", "notify"], text=True, env=wide())
    assert all(f" {name} " in status for name in ("kafka", "postgres", *PARTS[1:3]))
    line = subprocess.check_output([*words, "env", "notify"], text=True)
    command = f"{line}\n{sys.executable} -m answerbook notify seed --users 1000"
    assert "All there: 1,000 users" in subprocess.check_output(["sh", "-c", command], text=True)


def test_two_that_require_it_at_once_after_it_went_down_start_each_part_once(
    notify: Notify, session_home: Path
) -> None:
    event_id = post(notify)
    assert sent(notify, event_id)
    kafka = notify.kafka.nodes()[0].pid
    below = processes_of(notify)
    assert set(PARTS) == set(services.down(["notify"]))
    assert [] == [process for process in below if lives(process)]
    assert kafka == notify.kafka.nodes()[0].pid, "others may use it"

    both = [
        subprocess.Popen(UP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate()[0] for process in both]
    assert [0, 0] == [process.returncode for process in both], outputs
    for part in PARTS:
        assert 1 == sum(f"{part} " in line for line in starts(outputs)), outputs
    assert "expanded" == ask(notify).get(f"/v1/events/{event_id}").json()["state"]


def lives(process: psutil.Process) -> bool:
    """A zombie, which waits for its parent to look, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def starts(outputs: list[str]) -> list[str]:
    return [line for output in outputs for line in output.splitlines() if " is up (" in line]


def wide() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "200"}


@pytest.mark.thorough
@pytest.mark.timeout(1200)
def test_system_moves_to_three_brokers_and_back_with_its_users(fresh_home: Path) -> None:
    notify = services.require("notify", kafka="kafka-3")
    assert sent(notify, post(notify))
    assert "kafka-3" == services.require("notify").kafka.name, "it stays where it is"
    notify.kafka.kill(node=1)
    assert sent(notify, post(notify)), "two of three brokers are enough"
    back = services.require("notify", kafka="kafka")
    assert sent(back, post(back))
