"""What a payload costs: how many a second, how long until it is there, how many bytes.

Used by the notebook on choosing and by benchmarks/protocols.py. A payload counts when two things
hold: its sender's function has returned without an error, so that the sender has whatever
acknowledgement its protocol gives, and the receiver has it in its ledger. Nothing is measured of a
run in which a payload got lost.
"""

import asyncio
import inspect
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from answerbook.protocols.choosing import ledger
from answerbook.protocols.choosing.contestants import Brokers, Contestant
from answerbook.protocols.choosing.line import WiredLine
from answerbook.protocols.choosing.payloads import Payloads
from answerbook.protocols.choosing.way import Way

PATIENCE_SECONDS = 60.0
"""How long the receiver may take after the sender has finished."""
POLL_SECONDS = 0.01
FEW, MANY = 20, 220
"""Payloads of the two runs whose difference is what a payload takes in bytes."""
QUIET_SECONDS = 0.1


class Lost(Exception):
    """The sender was told that all is well, and the receiver has not got everything."""


@dataclass(frozen=True)
class Speed:
    """Of the payloads of one run."""

    count: int
    a_second: float
    """From taking the first to the last one's entry in the ledger, or to the last acknowledgement
    in the sender's hands, whichever is later."""
    p50: float
    """Milliseconds from the moment the sender takes a payload until the receiver has it."""
    p99: float
    wait: float
    """Milliseconds, the median, until the sender may go on to the next."""


def send(way: Way, payloads: Payloads) -> None:
    """Let the sender go through `payloads`, in a thread and, where it needs one, a loop of its own.

    Raises whatever the sender does.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(_sent, way, payloads).result()


def speed(way: Way, payloads: Payloads) -> Speed:
    """Raises Lost, after PATIENCE_SECONDS, when something does not arrive."""
    send(way, payloads)
    told = time.monotonic()
    count = len(payloads.taken)
    arrived(way, range(count))
    entries = list(ledger.entries(way.folder))
    delays = sorted(1_000 * (entry.arrived - entry.sent) for entry in entries)
    last = max(told, *(entry.arrived for entry in entries))
    return Speed(
        count=count,
        a_second=count / (last - payloads.taken[0]),
        p50=delays[len(delays) // 2],
        p99=delays[len(delays) * 99 // 100],
        wait=1_000 * statistics.median(payloads.waits),
    )


def arrived(way: Way, sent: range) -> None:
    """Wait until all these numbers are in the receiver's ledger, once or more often.

    Raises Lost when the receiver is gone, or PATIENCE_SECONDS have passed.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while missing := _missing(way, sent):
        if time.monotonic() > deadline or not way.receiver.running:
            raise Lost(f"Of {len(sent)} payloads that were sent, the receiver lacks {missing}.")
        time.sleep(POLL_SECONDS)


def bytes_on_the_wire(contestant: Contestant, brokers: Brokers | None = None) -> float:
    """Bytes of a payload, both ways, from the sender to the receiver, over a broker or not.

    With headers, framing and acknowledgements, as TCP carries them. Two runs of different length
    are compared, so that opening connections is not counted.
    """
    with WiredLine() as line, contestant.open(brokers, line) as way:
        passed = [line.passed]
        for numbers in (range(FEW), range(FEW, FEW + MANY)):
            send(way, Payloads(len(numbers), first=numbers.start))
            arrived(way, numbers)
            passed.append(_settled(line))
    few, many = passed[1] - passed[0], passed[2] - passed[1]
    return (many - few) / (MANY - FEW)


def lines(contestant: Contestant) -> int:
    """Lines of source of the functions that were measured: the client's, on either side."""
    return sum(len(inspect.getsource(part).splitlines()) for part in contestant.client)


def _missing(way: Way, sent: range) -> int:
    # The file's size tells most of the time, without reading it.
    if (short := len(sent) - ledger.count(way.folder)) > 0:
        return short
    return len(set(sent).difference(ledger.numbers(way.folder)))


def _sent(way: Way, payloads: Payloads) -> None:
    sending: Any = way.send(payloads)
    if inspect.isawaitable(sending):
        asyncio.run(_awaited(sending))


async def _awaited(sending: Any) -> None:
    await sending


def _settled(line: WiredLine) -> int:
    """The bytes that passed, once none have for QUIET_SECONDS."""
    passed, since = line.passed, time.monotonic()
    while time.monotonic() - since < QUIET_SECONDS:
        time.sleep(POLL_SECONDS)
        if line.passed != passed:
            passed, since = line.passed, time.monotonic()
    return passed
