import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from answerbook.load import ledger
from answerbook.load.ledger import Ledger


def test_an_event_counts_once_it_is_on_disk(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledgers", "r1") as kept:
        kept.append(["key/r1-1", "key/r1-2"], 1_764_000_000_000)
        assert (kept.count, kept.waiting) == (0, 2)
        assert kept.path.read_bytes() == b""
        assert kept.commit() == 2
        assert (kept.count, kept.waiting) == (2, 0)
        assert list(ledger.read(kept.path)) == [
            ("key/r1-1", 1_764_000_000_000),
            ("key/r1-2", 1_764_000_000_000),
        ]


class Full:
    """A file on a disk with room for so many bytes more."""

    def __init__(self, file: Any, room: int) -> None:
        self._file, self.room = file, room

    def write(self, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written: int = self._file.write(data[: self.room])
        self.room -= written
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def test_a_full_disk_leaves_no_half_line_and_loses_nothing_that_waits(tmp_path: Path) -> None:
    with Ledger(tmp_path, "r1") as kept:
        kept.append(["a"], 1)
        kept.commit()
        full: Any = Full(kept._file, room=6)
        kept._file = full
        kept.append(["b", "c"], 2)
        with pytest.raises(OSError, match="No space left"):
            kept.commit()
        assert kept.path.read_bytes() == b"a\t1\n"
        assert (kept.count, kept.waiting) == (1, 2)
        full.room = 1_000
    assert list(ledger.read(kept.path)) == [("a", 1), ("b", 2), ("c", 2)]


def test_closing_commits_what_is_left(tmp_path: Path) -> None:
    with Ledger(tmp_path, "r1") as kept:
        kept.append(["a"], 1)
    assert list(ledger.read(tmp_path / "r1.ledger")) == [("a", 1)]
    assert kept.count == 1


@pytest.mark.parametrize(
    ("content", "left", "torn"),
    [
        (b"", b"", 0),
        (b"a\t1\n", b"a\t1\n", 0),
        (b"a\t1\nb\t", b"a\t1\n", 2),
        (b"a\t1", b"", 3),
        (b"x" * 70_000 + b"\nb\t2", b"x" * 70_000 + b"\n", 3),
    ],
)
def test_a_torn_last_line_is_cut_off(
    tmp_path: Path, content: bytes, left: bytes, torn: int
) -> None:
    path = tmp_path / "r1.ledger"
    path.write_bytes(content)
    assert ledger.repair(path) == torn
    assert path.read_bytes() == left


def test_a_ledger_is_continued_after_a_torn_line(tmp_path: Path) -> None:
    (tmp_path / "r1.ledger").write_bytes(b"a\t1\nb\t")
    with Ledger(tmp_path, "r1") as kept:
        kept.append(["c"], 3)
    assert list(ledger.read(kept.path)) == [("a", 1), ("c", 3)]


def test_a_reader_leaves_a_torn_line_out(tmp_path: Path) -> None:
    path = tmp_path / "r1.ledger"
    path.write_bytes(b"a\t1\nb\t2")
    assert list(ledger.read(path)) == [("a", 1)]


WRITER = """
import sys
from pathlib import Path
from answerbook.load.ledger import Ledger
kept = Ledger(Path(sys.argv[1]), "r1")
for number in range(10_000_000):
    kept.append([f"r1-{number}"], number)
    if number % 100 == 99:
        kept.commit()
        print(kept.count, flush=True)
"""


def test_what_was_counted_before_a_kill_is_read_after_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, tmp_path], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        while int(writer.stdout.readline()) < 2_000:
            pass
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read().split("\n")
        counted = max([2_000, *(int(line) for line in rest[:-1])])
    with Ledger(tmp_path, "r1") as kept:
        pass
    entries = list(ledger.read(kept.path))
    assert len(entries) >= counted
    assert entries == [(f"r1-{number}", number) for number in range(len(entries))]
