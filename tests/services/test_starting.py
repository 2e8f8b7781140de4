"""Starts that are interrupted, killed, or asked for twice at the same moment."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import cast

import psutil
import pytest

from answerbook import services
from answerbook.services import Kafka, Postgres, ServiceName, ports
from answerbook.services.state import StateFolder

StillRunning = Callable[[Path], list[psutil.Process]]
UP = [sys.executable, "-m", "answerbook", "up"]
DEADLINE = 120.0


def starter(name: ServiceName, home: Path | None = None) -> "subprocess.Popen[str]":
    """The command that starts a service, in `home` or the folder of the test."""
    environment = os.environ | ({"ANSWERBOOK_HOME": str(home)} if home else {})
    return subprocess.Popen(
        [*UP, name],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE:.0f} s for {what}"
        time.sleep(0.02)


def broker_is_starting(home: Path) -> bool:
    record = StateFolder(home).read_record("kafka")
    return record is not None and bool(record.processes)


def interrupted_while_starting(home: Path, how: signal.Signals) -> int:
    """Start Kafka with the command, and signal the command while the broker is starting."""
    command = starter("kafka")
    wait_for(lambda: broker_is_starting(home), "Kafka's process to be recorded")
    command.send_signal(how)
    command.communicate(timeout=DEADLINE)
    return command.returncode


def test_two_processes_that_require_at_once_get_one_service(fresh_home: Path) -> None:
    both = [starter("postgres"), starter("postgres")]
    outputs = [process.communicate(timeout=DEADLINE)[0] for process in both]
    assert [0, 0] == [process.returncode for process in both], outputs
    assert 1 == sum(" is up (" in output for output in outputs), outputs
    record = StateFolder(fresh_home).read_record("postgres")
    assert record is not None
    assert 1 == len(record.processes)


def test_start_that_is_interrupted_leaves_nothing(
    fresh_home: Path, still_running: StillRunning
) -> None:
    assert 130 == interrupted_while_starting(fresh_home, signal.SIGINT)
    assert [] == still_running(fresh_home)
    assert [] == services.running()


def test_interrupt_during_the_attempt_that_succeeds_leaves_nothing(
    fresh_home: Path, still_running: StillRunning, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres = services.find("postgres")
    round_trip = postgres.round_trip

    def interrupted_round_trip() -> None:
        round_trip()
        postgres.cancelled.set()

    monkeypatch.setattr(postgres, "round_trip", interrupted_round_trip)
    with pytest.raises(KeyboardInterrupt):
        postgres.start()
    assert [] == still_running(fresh_home)
    assert [] == services.running()


def test_down_ends_what_a_killed_start_left(fresh_home: Path, still_running: StillRunning) -> None:
    assert -signal.SIGKILL == interrupted_while_starting(fresh_home, signal.SIGKILL)
    assert still_running(fresh_home)
    assert ["kafka"] == services.down()
    assert [] == still_running(fresh_home)


def test_require_adopts_what_a_killed_start_left(
    fresh_home: Path, still_running: StillRunning
) -> None:
    interrupted_while_starting(fresh_home, signal.SIGKILL)
    left = [process.pid for process in still_running(fresh_home)]
    kafka = services.require("kafka")
    assert left == [kafka.nodes()[0].pid]


def test_adopted_service_is_ready_after_a_round_trip_alone(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers by itself by now; whoever started it was killed before it was ready."""
    pid = services.require("postgres").nodes()[0].pid
    state = StateFolder(fresh_home)
    record = state.read_record("postgres")
    assert record is not None
    state.write_record(record.model_copy(update={"phase": "starting"}))
    trips: list[Postgres] = []
    round_trip = Postgres.round_trip

    def counted(self: Postgres) -> None:
        trips.append(self)
        round_trip(self)

    monkeypatch.setattr(Postgres, "round_trip", counted)
    assert pid == services.require("postgres").nodes()[0].pid
    assert 1 == len(trips)
    record = state.read_record("postgres")
    assert record is not None
    assert "ready" == record.phase


def test_start_killed_before_it_was_recorded_is_ended_by_down(
    fresh_home: Path, still_running: StillRunning
) -> None:
    interrupted_while_starting(fresh_home, signal.SIGKILL)
    state = StateFolder(fresh_home)
    record = state.read_record("kafka")
    assert record is not None
    # As if the kill had come between the start of the process and the writing of its pid.
    state.write_record(record.model_copy(update={"processes": []}))
    services.down()
    assert [] == still_running(fresh_home)


def test_down_leaves_a_pid_alone_that_belongs_to_another_by_now(fresh_home: Path) -> None:
    services.require("postgres").kill()
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        state = StateFolder(fresh_home)
        record = state.read_record("postgres")
        assert record is not None
        stale = record.processes[0].model_copy(update={"pid": bystander.pid})
        state.write_record(record.model_copy(update={"processes": [stale]}))
        services.require("postgres")
        services.down()
        assert bystander.poll() is None, "a process that is not ours was ended"
    finally:
        bystander.kill()
        bystander.wait()


def test_record_that_is_no_record_is_started_over(fresh_home: Path) -> None:
    services.require("postgres")
    (fresh_home / "services" / "postgres" / "record.json").write_text('{"service": "post')
    services.require("postgres").round_trip()


@pytest.mark.parametrize("missing", ["LANG", "HOME", "PATH"])
def test_service_starts_without_a_variable_that_is_usually_there(
    missing: str, fresh_home: Path
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != missing}
    done = subprocess.run(
        [*UP, "postgres"], env=environment, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr


@pytest.mark.parametrize("name", ["postgres", "kafka"])
def test_port_lost_between_the_look_and_the_bind_is_replaced(
    name: ServiceName, fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = ports.choose
    with socket.create_server(("127.0.0.1", 0)) as other:
        lost = other.getsockname()[1]
        # The first look finds free what is not: as if the other program had come right after it.
        looks = iter([lost])
        monkeypatch.setattr(ports, "choose", lambda *given: next(looks, None) or choose(*given))
        service = services.require(name)
        assert lost != service.port
        service.round_trip()


def test_two_folders_that_start_at_once_share_no_port(two_homes: tuple[Path, Path]) -> None:
    both = [starter("kafka", home) for home in two_homes]
    outputs = [process.communicate(timeout=DEADLINE)[0] for process in both]
    assert [0, 0] == [process.returncode for process in both], outputs

    first, second = (broker_of(home) for home in two_homes)
    assert not {*first.ports(1).values()} & {*second.ports(1).values()}
    assert [own_cluster(home) for home in two_homes] == [cluster(first), cluster(second)]
    # Neither was started a second time, on other ports than it had chosen first.
    for home in two_homes:
        assert [] == list((home / "services" / "kafka").glob("kafka.log.1"))


def test_broker_of_another_folder_is_not_taken_for_our_own(
    two_homes: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = broker_of(two_homes[0]).start()
    choose = ports.choose
    looks = iter([first.port])
    monkeypatch.setattr(ports, "choose", lambda *given: next(looks, None) or choose(*given))
    second = broker_of(two_homes[1]).start()

    assert first.port != second.port
    assert own_cluster(two_homes[1]) == cluster(second) != cluster(first)


def test_service_answers_no_more_when_another_folders_does_so_on_its_port(
    two_homes: tuple[Path, Path],
) -> None:
    first, second = (broker_of(home) for home in two_homes)
    first.start()
    second.start()
    record = second.record()
    swapped = {1: {**record.ports[1], "kafka": first.port}}
    second.state.write_record(record.model_copy(update={"ports": swapped}))
    second.ping()  # the other one does
    assert not second.is_answering()


def broker_of(home: Path) -> Kafka:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANSWERBOOK_HOME", str(home))
        return cast(Kafka, services.find("kafka"))


def own_cluster(home: Path) -> str:
    """The id that the broker of a state folder was formatted with."""
    return (home / "services" / "kafka" / "cluster-id").read_text()


def cluster(kafka: Kafka) -> str:
    """The id of the cluster that answers at the broker's address."""
    with closing(kafka.admin()) as admin:
        return str(admin.describe_cluster()["cluster_id"])
