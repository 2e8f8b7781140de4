"""The sender's ledger: a line for each event that was answered 202, on disk before it counts.

Written by the Locust file and by the fast sender, read by `answerbook notify audit`. What stands
here is what was promised to a caller, whatever Kafka happens to hold. `append` only remembers;
`commit` writes and fsyncs all that was remembered since, as a group, and must be called by one
thread at a time (at least each COMMIT_SECONDS): the sender does so from a thread beside its loop,
Locust from gevent's thread pool.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Self

from answerbook.notify.records import LEDGER_FIELDS

COMMIT_SECONDS = 0.05
"""Between two commits; what a kill can take is what was answered since the last one."""
SUFFIX = ".ledger"
_TAIL = 65_536


class Ledger:
    """`<folder>/<run id>.ledger`, opened for appending; the folder is made where it is missing.

    A line that a kill tore off in its midst is cut away when the file is opened again: its event
    was never counted.
    """

    def __init__(self, folder: Path, run_id: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = path_of(folder, run_id)
        repair(self.path)
        self._file: IO[bytes] = self.path.open("ab", buffering=0)
        _sync_folder(folder)
        # Emptied from the left and never replaced: `append` and `commit` run in different threads,
        # and a lock of either would be gevent's in one of the two programs.
        self._waiting: deque[str] = deque()
        self.count = 0
        """Events that are on disk, of those that this process appended."""

    def append(self, event_ids: Iterable[str], answered_at: int) -> None:
        """Remember events that were answered 202 at `answered_at`, milliseconds since 1970."""
        self._waiting.extend([f"{event_id}\t{answered_at}\n" for event_id in event_ids])

    @property
    def waiting(self) -> int:
        """Events that `append` got and no commit has written yet."""
        return len(self._waiting)

    def commit(self) -> int:
        """Write and fsync what was appended; how many lines. Raises OSError, say ENOSPC."""
        lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if lines:
            content = memoryview("".join(lines).encode())
            whole = os.fstat(self._file.fileno()).st_size
            try:
                while content:
                    content = content[self._file.write(content) :]
                os.fsync(self._file.fileno())
            except OSError:
                # Half a line would become the beginning of the next one.
                os.ftruncate(self._file.fileno(), whole)
                self._waiting.extendleft(reversed(lines))
                raise
            self.count += len(lines)
        return len(lines)

    def close(self) -> None:
        """Commit what is left and close the file."""
        self.commit()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def path_of(folder: Path, run_id: str) -> Path:
    return folder / f"{run_id}{SUFFIX}"


def read(path: Path) -> Iterator[tuple[str, int]]:
    """Each event's id and when it was answered; a torn last line is left out."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                fields = dict(zip(LEDGER_FIELDS, line[:-1].split("\t"), strict=True))
                yield fields["event_id"], int(fields["answered_at"])


def repair(path: Path) -> int:
    """Cut a torn last line off; how many bytes it had. A file that is not there has none."""
    if not path.exists():
        return 0
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - _TAIL)
        file.seek(start)
        whole = start + file.read().rfind(b"\n") + 1
        if whole < size:
            file.truncate(whole)
            os.fsync(file.fileno())
        return size - whole


def _sync_folder(folder: Path) -> None:
    """So that the file's name is on disk, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
