"""What an exchange costs through a wire: bytes and time, of connecting and of each after that.

Used by the notebook on devices and files, to compare protocols that have nothing else in common.
"""

import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from answerbook.protocols.wire import Wire


class Cost(NamedTuple):
    """Bytes are of both directions, above TCP."""

    log_in: int
    """Bytes that had passed before the first exchange."""
    exchange: float
    """Bytes of one exchange, in the mean."""
    milliseconds: float
    """How long one exchange took, in the mean."""


async def measure(wire: Wire, exchange: Callable[[int], Awaitable[object]], count: int) -> Cost:
    """Do `exchange` `count` times, one after the other, each with its number from 0 on.

    The client is connected through `wire` already and alone on it. An exchange ends with what the
    client gets: what comes later is counted as the next one's, or not at all.
    """
    log_in = _passed(wire)
    began = time.perf_counter()
    for number in range(count):
        await exchange(number)
    seconds = time.perf_counter() - began
    return Cost(log_in, (_passed(wire) - log_in) / count, 1000 * seconds / count)


def _passed(wire: Wire) -> int:
    return wire.passed("requests") + wire.passed("answers")
