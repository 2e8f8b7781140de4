"""What a kernel leaves behind is ended, and gone when we say so."""

import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from answerbook.notebook import processes
from answerbook.services.native.processes import lives


class Unkillable(psutil.Process):
    """One that waits inside the kernel for a disk does not hear SIGKILL."""

    def kill(self) -> None:
        pass


@pytest.fixture
def child() -> Iterator[int]:
    """The pid of a process that takes its time to die: its 300 MB are taken back first."""
    code = "held = b'x' * 300_000_000; print(flush=True); input()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as started:
        assert started.stdout is not None
        started.stdout.readline()
        yield started.pid
        started.kill()


def test_killed_process_is_gone_when_we_are_told_of_it(
    child: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "SECONDS_TO_END", 0)
    process = psutil.Process(child)
    name = process.name()

    assert [name] == processes.end([process])
    assert not lives(process)


def test_process_that_sigkill_does_not_end_is_told_with_its_pid(
    child: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "SECONDS_TO_END", 0)
    monkeypatch.setattr(processes, "SECONDS_TO_DIE", 0)
    process = Unkillable(child)

    (told,) = processes.end([process])
    assert f"{process.name()} ({child}, still there 0 s after SIGKILL)" == told


def test_process_that_ends_by_itself_is_not_told(child: int) -> None:
    process = psutil.Process(child)
    process.terminate()
    assert [] == processes.end([process])
