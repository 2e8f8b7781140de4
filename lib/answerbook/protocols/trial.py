"""Puts a reader of the prices to the test: an outage at a chosen moment, and a measurement.

Used by the notebook on push, which reads the same `ticks` in three ways. A reader is a coroutine
function that gets an address and a list, and appends to the list what it hears, for ever or until
it has enough.
"""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from answerbook.protocols.wire import Wire

Received = list[tuple[int, float]]
"""The number of each price, and how many seconds after its publishing it came."""
Reader = Callable[[str, Received], Coroutine[Any, Any, None]]

POLL_SECONDS = 0.01
BEFORE = AFTER = 30
"""Messages that have to come before an outage and after it."""
OUTAGE_SECONDS = 0.25


def heard(message: str | bytes, arrived: float | None = None) -> tuple[int, float]:
    """A price's number, and its delay in seconds; `arrived` is by the monotonic clock, now if None.

    Raises ValueError for what is not JSON.
    """
    tick = json.loads(message)
    return tick["number"], (time.monotonic() if arrived is None else arrived) - tick["at"]


def missed_and_twice(received: Sequence[tuple[int, float]]) -> tuple[int, int]:
    """How many numbers are missing between the lowest and the highest, and how many are repeats."""
    numbers = [number for number, _ in received]
    distinct = set(numbers)
    missed = max(numbers) - min(numbers) + 1 - len(distinct) if numbers else 0
    return missed, len(numbers) - len(distinct)


def wired(url: str) -> tuple[Wire, str]:
    """A wire to the server at `url`, and the address under which it is reached through the wire."""
    parts = urlsplit(url)
    assert parts.port is not None, "a local server's address has its port"
    line = Wire(parts.port)
    return line, urlunsplit(parts._replace(netloc=f"{parts.hostname}:{line.port}"))


async def until(condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Wait until `condition` holds, while other tasks go on.

    `what` completes the sentence "waited 30 s until …". Raises TimeoutError.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {seconds:g} s until {what}.")
        await asyncio.sleep(POLL_SECONDS)


async def outage(line: Wire, count: Callable[[], int]) -> None:
    """Lose what the server says, then break the connections, and wait until messages come again.

    `count` says how many have come so far.
    """
    await until(lambda: count() >= BEFORE, f"{BEFORE} messages came")
    line.lose("answers")
    await asyncio.sleep(OUTAGE_SECONDS)
    await until(lambda: line.lost("answers") > 0, "something was lost")
    line.cut()
    enough = count() + AFTER
    await until(lambda: count() >= enough, f"{AFTER} more messages came")


@dataclass(frozen=True)
class Measured:
    """What a message costs, from publishing to receipt."""

    p50: float
    """Milliseconds that half of the messages took at most."""
    p99: float
    bytes: float
    """On the wire, both ways, with headers and what else the protocol adds."""


async def measure(read: Reader, url: str, count: int = 200) -> Measured:
    """Read `count` messages for the delays, and then as many through a wire for the bytes."""
    delays = sorted(delay for _, delay in await _take(read, url, count))
    line, through = wired(url)
    with line:
        received = await _take(read, through, count)
        passed = line.passed("requests") + line.passed("answers")
    return Measured(
        p50=delays[len(delays) // 2] * 1000,
        p99=delays[len(delays) * 99 // 100] * 1000,
        bytes=passed / len(received),
    )


async def _take(read: Reader, url: str, count: int) -> Received:
    received: Received = []
    reading = asyncio.create_task(read(url, received))
    try:
        await until(lambda: reading.done() or len(received) >= count, f"{count} messages came")
        if reading.done():
            await reading  # raises what it raised
        # Before it is told to stop: what comes after this is not counted.
        return list(received)
    finally:
        reading.cancel()
