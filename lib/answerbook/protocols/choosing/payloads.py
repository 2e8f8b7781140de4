"""What every protocol carries: a document of 1,000 bytes, with its number and when it was sent.

Used by the notebook on choosing and by benchmarks/protocols.py. A sender is given `Payloads` and
goes through them; when it asks for the next one, it is done with the one before.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Self

BYTES = 1_000
TEXT = "To whom it may concern: the lamp that you ordered has left our house today. " * 13


def payload(number: int) -> str:
    """A JSON document of BYTES bytes, all ASCII; `sent` is the monotonic clock, in seconds.

    On one machine all processes read the same monotonic clock, so a receiver may subtract.
    """
    head = f'{{"number": {number}, "sent": {time.monotonic():.6f}, "text": "'
    return f'{head}{TEXT[: BYTES - len(head) - 2]}"}}'


def read(document: str | bytes) -> tuple[int, float]:
    """The number of a payload, and when it was sent. Raises ValueError for what is none."""
    content = json.loads(document)
    if not isinstance(content, dict) or not {"number", "sent"} <= content.keys():
        raise ValueError("This is no payload: it has no number, or no time.")
    return int(content["number"]), float(content["sent"])


class Payloads:
    """Payloads one after the other: so many, or for so long. Each is stamped when it is taken."""

    def __init__(
        self,
        count: int | None = None,
        *,
        seconds: float | None = None,
        first: int = 0,
        before: Mapping[int, Callable[[], object]] | None = None,
    ) -> None:
        """End after `count` payloads, or once `seconds` have passed since the first was taken.

        `before` has what is to happen before a payload of that number is handed out, such as a
        receiver's end in the middle of everything.
        """
        self._count = count
        self._seconds = seconds
        self._first = first
        self._before = before or {}
        self.taken: list[float] = []
        """When each was taken, by the monotonic clock."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._is_over():
            raise StopIteration
        number = self._first + len(self.taken)
        self._before.get(number, lambda: None)()
        self.taken.append(time.monotonic())
        return payload(number)

    @classmethod
    def again(cls, number: int) -> Self:
        """One payload under a number that was sent before."""
        return cls(1, first=number)

    @property
    def waits(self) -> list[float]:
        """Seconds from taking each payload but the last to asking for the next."""
        return [later - earlier for earlier, later in pairwise(self.taken)]

    def _is_over(self) -> bool:
        if self._count is not None and len(self.taken) >= self._count:
            return True
        if self._seconds is None or not self.taken:
            return False
        return time.monotonic() - self.taken[0] >= self._seconds
