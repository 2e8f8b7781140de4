"""The file in which a receiver writes what it has, before it acknowledges anything.

Used by all receivers here, each a process of its own, and read by `measure`. What was written
outlives a receiver that is killed. (It is not synced to the disk, so it need not outlive a power
cut: that would measure the disk.)
"""

import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from answerbook.protocols.choosing.payloads import read

NAME = "ledger"
ENTRY = struct.Struct("<Qdd")


@dataclass(frozen=True)
class Entry:
    """A payload that the receiver has: when it was sent, and when it came."""

    number: int
    sent: float
    arrived: float


class Ledger:
    """The receiver's end. Several threads may write at once."""

    def __init__(self, folder: Path) -> None:
        # Unbuffered, so that an entry is one write, which the operating system appends as a whole.
        self._file = (folder / NAME).open("ab", buffering=0)

    def take(self, document: str | bytes) -> int:
        """Write down that this payload is here; its number. Raises ValueError for no payload."""
        number, sent = read(document)
        self._file.write(ENTRY.pack(number, sent, time.monotonic()))
        return number


def entries(folder: Path) -> Iterator[Entry]:
    """What is in the ledger, in the order in which it came; a payload may be there twice."""
    path = folder / NAME
    content = path.read_bytes() if path.exists() else b""
    return (Entry(*fields) for fields in ENTRY.iter_unpack(content))


def numbers(folder: Path) -> list[int]:
    """The numbers of what is in the ledger, in the order in which it came."""
    return [entry.number for entry in entries(folder)]


def count(folder: Path) -> int:
    """How many entries there are."""
    path = folder / NAME
    return path.stat().st_size // ENTRY.size if path.exists() else 0
