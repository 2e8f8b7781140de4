"""The record of what the emulator accepted: `accepted.tsv`, for the audit.

A line has the fields of `records.EMULATOR_FIELDS`, parted by tabs. Lines are written together,
every WRITE_SECONDS at the latest and when the program ends; a line that a kill has torn is cut off
at the next start.
"""

import asyncio
import mmap
import os
from pathlib import Path
from typing import Final

import structlog

from answerbook.notify import records

WRITE_SECONDS: Final = 0.05
MOST_SEARCHED: Final = 256 * 2**20
"""Bytes at the end of the record that a look-up reads."""
MOST_FOUND: Final = 100
MOST_UNWRITTEN: Final = 16 * 2**20
"""Bytes that wait for a disk that refuses them, before nothing more is accepted."""
RETRY_SECONDS: Final = 1.0


class Record:
    """The open file. `add` is called for each message, from the loop's thread."""

    def __init__(self, folder: Path, log: structlog.stdlib.BoundLogger) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "accepted.tsv"
        cut = repair(self.path)
        if cut:
            log.warning("a torn line was cut off the record", bytes=cut)
        self._log = log
        self._lines: list[str] = []
        self._unwritten = b""
        self._timer: asyncio.TimerHandle | None = None
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def add(
        self, name: str, at: int, target: str, run_id: str, event_id: str, notification_id: str
    ) -> None:
        """Record a message; on disk within WRITE_SECONDS."""
        if not f"{target}{run_id}{event_id}{notification_id}".isprintable():
            target, run_id, event_id, notification_id = map(
                cleaned, (target, run_id, event_id, notification_id)
            )
        self._lines.append(f"{name}\t{at}\t{target}\t{run_id}\t{event_id}\t{notification_id}\n")
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WRITE_SECONDS, self.write)

    @property
    def stuck(self) -> bool:
        """Whether the disk has refused so much that nothing more may be accepted."""
        return len(self._unwritten) > MOST_UNWRITTEN

    def write(self) -> None:
        """Hand all lines to the operating system; what it refuses waits for the next time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        content = self._unwritten + "".join(self._lines).encode()
        self._lines.clear()
        try:
            while content:
                content = content[os.write(self._file, content) :]
        except OSError as error:
            self._log.error("the record cannot be written", error=str(error))
            self._timer = asyncio.get_running_loop().call_later(RETRY_SECONDS, self.write)
        self._unwritten = content

    def find(self, notification_id: str) -> list[dict[str, str]]:
        """The lines for a notification, oldest first: at most MOST_FOUND, from the record's end."""
        self.write()
        if not self.path.stat().st_size:
            return []
        wanted = f"\t{cleaned(notification_id)}\n".encode()
        found: list[dict[str, str]] = []
        with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as all_:
            last, first = len(all_), max(0, len(all_) - MOST_SEARCHED)
            while len(found) < MOST_FOUND and (at := all_.rfind(wanted, first, last)) >= 0:
                last = all_.rfind(b"\n", 0, at) + 1
                line = all_[last:at] + wanted[:-1]
                found.append(
                    dict(zip(records.EMULATOR_FIELDS, line.decode().split("\t"), strict=True))
                )
        return found[::-1]

    def close(self) -> None:
        self.write()
        if self._timer is not None:
            self._timer.cancel()
        os.close(self._file)


def cleaned(text: str) -> str:
    r"""The text with control characters and line separators as escapes: `\t` becomes `\\t`."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def repair(path: Path) -> int:
    """Cut a last line without its end off the file; returns how many bytes that were."""
    if not path.exists() or not path.stat().st_size:
        return 0
    with path.open("r+b") as file:
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as content:
            size, end = len(content), content.rfind(b"\n") + 1
        if end < size:
            file.truncate(end)
        return size - end
