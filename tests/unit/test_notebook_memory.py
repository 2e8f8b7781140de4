"""The peak of memory: which processes count, once each, and by which measure."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from answerbook.notebook import wait_for
from answerbook.notebook.memory import Growth, PeakMemory, memory_growth
from answerbook.notebook.processes import Root

NOBODY = 65_534
PR_SET_DUMPABLE = 4


HELD = 100_000_000
"""Bytes that the child has to itself: far more than what sharing moves to and fro."""


@pytest.fixture
def child() -> Iterator[Root]:
    """A process that has started, and has filled HELD bytes."""
    with waiting_process(f"held = b'x' * {HELD}; ") as root:
        yield root


@pytest.fixture
def guarded() -> Iterator[Root]:
    """A process into whose memory only root may look, as it asked the kernel."""
    with waiting_process(f"import ctypes; ctypes.CDLL(None).prctl({PR_SET_DUMPABLE}, 0); ") as root:
        yield root


@contextmanager
def waiting_process(first: str) -> Iterator[Root]:
    process = subprocess.Popen(
        [sys.executable, "-c", first + "print('up', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process.pid, psutil.Process(process.pid).create_time()
    process.communicate("\n")


def peak(*roots: Root) -> PeakMemory:
    measured = PeakMemory(lambda: roots)
    measured.sample()
    return measured


def test_process_that_two_records_name_counts_once(child: Root) -> None:
    once = peak(child).bytes
    assert once > HELD
    assert once == pytest.approx(peak(child, child).bytes, abs=HELD / 2)


def test_process_counts_with_its_children_and_only_once_among_them(child: Root) -> None:
    mine = (os.getpid(), psutil.Process().create_time())
    together = peak(mine).bytes
    assert together > peak(child).bytes
    assert together == pytest.approx(peak(mine, child).bytes, abs=HELD / 2)


def test_pid_that_belongs_to_another_process_by_now_does_not_count(child: Root) -> None:
    pid, created = child
    assert 0 == peak((pid, created - 60)).bytes


def test_process_that_is_gone_does_not_count(child: Root) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert 0 == peak((gone.pid, child[1])).bytes


def test_peak_is_the_largest_sum_that_was_seen(child: Root) -> None:
    roots = [child]
    measured = PeakMemory(lambda: roots)
    measured.sample()
    seen = measured.bytes
    roots.clear()
    measured.sample()
    assert seen == measured.bytes


def test_where_the_proportional_size_is_denied_the_resident_size_is_taken_and_named(
    guarded: Root,
) -> None:
    reading, writing = os.pipe()
    looker = os.fork()
    if looker == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(NOBODY)
            measured = peak(guarded)
            os.write(writing, f"{measured.measure} {measured.bytes > 0}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        assert "RSS True" == answer.read()
    os.waitpid(looker, 0)


def test_growth_is_what_a_block_took_at_its_peak_beyond_what_was_taken_before() -> None:
    before = bytes(b"x" * 50_000_000)
    with memory_growth() as nothing:
        pass
    with memory_growth() as much:
        taken = bytearray(b"x" * 100_000_000)
        wait_until_seen(much, len(taken))
        taken.clear()
    assert nothing.bytes < 20_000_000 < len(before)
    assert 100_000_000 == pytest.approx(much.bytes, rel=0.2)


def test_growth_counts_processes_that_this_one_started() -> None:
    with memory_growth() as growth, waiting_process("kept = b'x' * 60_000_000; "):
        wait_until_seen(growth, 60_000_000)  # 0.9 of it, at least
    assert growth.bytes >= 50_000_000


def wait_until_seen(growth: Growth, size: int) -> None:
    wait_for(lambda: growth.bytes >= 0.9 * size, "the growth was seen")
