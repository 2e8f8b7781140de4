"""A receiver that is away while something is sent to it: what the sender is told, and what comes.

Used by the notebook on choosing.
"""

import time
from dataclasses import dataclass

from answerbook.protocols.choosing import ledger, measure
from answerbook.protocols.choosing.contestants import Brokers, Contestant
from answerbook.protocols.choosing.payloads import Payloads
from answerbook.protocols.choosing.way import Way

PATIENCE_SECONDS = 30.0
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Away:
    """What became of a payload that was sent while its receiver was away."""

    error: Exception | None
    """What the sender got; None where it was told that all is well."""
    came: bool
    """Whether the receiver had it after it was back."""

    @property
    def told(self) -> str:
        """The same as `error`, as a word or two for a table."""
        return type(self.error).__name__ if self.error else "all is well"


def away(contestant: Contestant, brokers: Brokers | None = None) -> Away:
    """Kill the receiver, send a payload, start a receiver again, and send another one.

    When the second payload is there, the first one is, or is not going to be. Raises whatever the
    sender does with the second.
    """
    with contestant.open(brokers) as way:
        way.kill()
        error = _refusal(way)
        way.restart()
        measure.send(way, Payloads(1, first=1))
        _wait_for_second(way)
        return Away(error, 0 in ledger.numbers(way.folder))


def _refusal(way: Way) -> Exception | None:
    try:
        measure.send(way, Payloads(1))
    except Exception as error:  # noqa: BLE001  each library has its own kinds
        return error
    return None


def _wait_for_second(way: Way) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while 1 not in ledger.numbers(way.folder):
        if time.monotonic() > deadline:
            raise measure.Lost("What was sent to the new receiver has not come.")
        time.sleep(POLL_SECONDS)
