"""Parts of the native engine that need no service: ids, ports, logs, processes."""

import random
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Timer

import psutil
import pytest
from psutil import _pslinux

from answerbook.services import ports
from answerbook.services.errors import StartFailed
from answerbook.services.native import logs, processes
from answerbook.services.native.kafka import new_cluster_id
from answerbook.services.native.launch import Launch
from answerbook.services.ports import Reservation


def test_cluster_id_never_looks_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded = random.Random(4)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=seeded.getrandbits(128), version=4))
    made = [new_cluster_id() for _ in range(2_000)]
    assert {22} == set(map(len, made))
    assert [] == [text for text in made if text.startswith("-")]


@pytest.fixture
def reservation() -> Iterator[Reservation]:
    with closing(Reservation()) as reservation:
        yield reservation


@pytest.fixture
def of_another() -> Iterator[Reservation]:
    with closing(Reservation()) as reservation:
        yield reservation


def test_port_that_is_given_back_in_a_moment_is_waited_for() -> None:
    held = socket.create_server(("127.0.0.1", 0))
    number = held.getsockname()[1]
    ports.wait_until_free([number], 0.1)
    assert not ports.is_free(number)

    later = Timer(0.2, held.close)
    later.start()
    ports.wait_until_free([number], 30)
    later.join()
    assert ports.is_free(number)


def test_usual_port_is_chosen_where_it_is_free(reservation: Reservation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        taken = held.getsockname()[1]
        assert not ports.is_free(taken)
        assert taken != ports.choose(taken, set(), reservation)
    reservation.close()
    assert taken == ports.choose(taken, set(), reservation)


def test_port_that_another_service_has_in_its_record_is_not_chosen(
    reservation: Reservation,
) -> None:
    free = ports.choose(0, set(), reservation)
    reservation.close()
    assert free != ports.choose(free, {free}, reservation)


def test_port_that_another_start_has_chosen_is_not_chosen_until_that_is_over(
    reservation: Reservation, of_another: Reservation
) -> None:
    chosen = ports.choose(0, set(), of_another)
    assert chosen != ports.choose(chosen, set(), reservation)
    of_another.close()
    assert chosen == ports.choose(chosen, set(), reservation)


def test_reserved_port_can_be_listened_on(reservation: Reservation) -> None:
    chosen = ports.choose(0, set(), reservation)
    socket.create_server(("127.0.0.1", chosen)).close()


def test_process_listens_on_its_own_port_and_not_on_anothers(tmp_path: Path) -> None:
    serve = "import socket, time; server = socket.create_server(('127.0.0.1', 0)); "
    serve += "print(server.getsockname()[1], flush=True); time.sleep(60)"
    # As a child: a start script may wait beside its service.
    words = ["sh", "-c", '"$@"; true', "sh", sys.executable, "-c", serve]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout
        process = psutil.Process(started.pid)
        try:
            port = int(started.stdout.readline())
            assert processes.listen([process], port)
            with socket.create_server(("127.0.0.1", 0)) as other:
                assert not processes.listen([process], other.getsockname()[1])
        finally:
            processes.kill([process])


def test_last_lines_of_a_log_without_colours(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"\x1b[38;5;87mline {number}\x1b[0m\n" for number in range(1_000)))
    assert "line 998\nline 999" == logs.tail(log, 2)
    assert "" == logs.tail(tmp_path / "none", 2)


def test_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="no-such-program could not be started"):
        processes.spawn(Launch("role", ["no-such-program"], tmp_path), 1, "mark")


def test_preparing_program_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="exited with 3.*\n.*because of this"):
        processes.run(
            Launch("initdb", ["sh", "-c", "echo because of this; exit 3"], tmp_path), "mark"
        )


def test_started_process_is_known_by_pid_start_and_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = processes.spawn(Launch("sleeper", ["sleep", "60"], tmp_path), 2, "folder:name:2")
    try:
        found = processes.alive(record)
        assert found is not None
        assert record.pid == found.pid
        assert [record.pid] == [process.pid for process in processes.marked("folder:name")]
        assert [] == processes.marked("folder:nam")
        assert processes.alive(record.model_copy(update={"started": record.started - 1})) is None
        hour = 3_600  # by which the clock is set: psutil takes the time of the boot from it
        boot = _pslinux.boot_time()
        monkeypatch.setattr(_pslinux, "boot_time", lambda: boot + hour)
        monkeypatch.setattr(psutil, "boot_time", lambda: boot + hour)
        assert processes.alive(record) is not None
    finally:
        processes.kill(processes.marked("folder:name:2"))
    assert processes.alive(record) is None


def test_process_that_ignores_the_request_is_killed_with_its_children(tmp_path: Path) -> None:
    stubborn = "import signal, subprocess; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    stubborn += "subprocess.Popen(['sleep', '60']); print('ready', flush=True); signal.pause()"
    parent = subprocess.Popen(
        [sys.executable, "-c", stubborn], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout
    assert "ready\n" == parent.stdout.readline()
    tree = processes.with_children([psutil.Process(parent.pid)])
    assert 2 == len(tree)
    processes.end([tree[0]], signal.SIGTERM, grace=0.2)
    parent.wait()
    parent.stdout.close()
    # A zombie has ended: it waits for init to bury it.
    alive = [process for process in tree if process.is_running()]
    assert [] == [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
