"""What a load test measured, second by second and as a whole: from the Locust file to its starter.

Latencies are in seconds and count from when a request was *due*, not from when it was sent: what a
request waited in the load generator because the system was busy with others is the system's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

FAILED_SECONDS: Final = 3
"""A ramp ends when the system failed for as many seconds on end."""
FAILED_P99: Final = 1.0
FAILED_SHARE: Final = 0.05


@dataclass(frozen=True)
class Second:
    """A second of a load test; its latencies are those of the answers that came in it."""

    second: int
    """Since the start; the first is 0."""
    rate: float
    """Events that were due."""
    throughput: float
    """Events that were accepted."""
    requests: int
    """That ended, well or not."""
    errors: int
    """Of these, the ones that were not accepted."""
    p50: float | None
    """None in a second without an answer."""
    p95: float | None
    p99: float | None
    waiting: int
    """Requests due and not answered, at its end."""
    late: float
    """How long after its time the generator itself took a request up, at worst. Where this is not
    small the generator is too slow, and its latencies are its own."""

    @property
    def has_failed(self) -> bool:
        """More than 5 % errors, p99 above 1 s, or no answer while requests wait."""
        if self.p99 is None:
            return self.waiting > 0
        return self.p99 > FAILED_P99 or self.errors > FAILED_SHARE * self.requests


@dataclass(frozen=True)
class Whole:
    """A load test as a whole."""

    run_id: str
    shape: str
    seconds: float
    """From the start to the last answer."""
    requests: int = 0
    accepted: int = 0
    """Events, each in the ledger."""
    errors: int = 0
    """Requests; with what was due and had no answer at the end."""
    throughput: float = 0.0
    """Events accepted a second."""
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    most: float = 0.0
    late: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)
    """Errors by what they said."""
    failed_at: float | None = None
    """Events a second at which a ramp made the system fail."""


def has_failed(seconds: Sequence[Second]) -> bool:
    """Whether the last of these seconds all failed, enough of them to end a ramp."""
    last = seconds[-FAILED_SECONDS:]
    return len(last) == FAILED_SECONDS and all(second.has_failed for second in last)
