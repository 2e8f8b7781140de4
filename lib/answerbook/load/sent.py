"""What the fast sender is asked to do, and what it says of it: for it and for whoever starts it."""

from dataclasses import dataclass, field
from pathlib import Path

BATCHES_A_SECOND = 10
"""At least, where a rate is asked for: a batch is then smaller, so that events come evenly."""


@dataclass(frozen=True)
class Plan:
    """What to send, and where."""

    url: str
    run_id: str
    ledger: Path
    """The ledger's folder."""
    count: int
    rate: float = 0.0
    """Events a second; 0: as fast as the API takes them."""
    batch: int = 250
    """Events of a request, at most."""
    connections: int = 8
    """Requests under way at once, at most."""
    first: int = 1
    """The number of the first event, so that a run can be continued."""

    @property
    def size(self) -> int:
        """Events of a request."""
        if not self.rate:
            return self.batch
        return max(1, min(self.batch, int(self.rate / BATCHES_A_SECOND)))


@dataclass
class Totals:
    """What the sender says, each half second and at its end (`done`). Times in seconds."""

    run_id: str
    accepted: int = 0
    """In the ledger, on disk."""
    refused: int = 0
    """By the API, for good: these were never promised anything."""
    unanswered: int = 0
    """Taken up and neither accepted nor refused, as when it was told to end."""
    requests: int = 0
    again: int = 0
    """Events that were sent again, each time counted."""
    failures: dict[str, int] = field(default_factory=dict)
    """Requests by what went wrong: an HTTP status, or a network's error."""
    reasons: dict[str, int] = field(default_factory=dict)
    """Refused events by the API's reason; the first twenty."""
    seconds: float = 0.0
    rate: float = 0.0
    """Accepted a second, since the last report; at the end, of the whole."""
    connections: int = 0
    """Requests that may be under way at once, now."""
    cpu_seconds: float = 0.0
    p50: float | None = None
    """Of a request: from its start until its answer was read."""
    p99: float | None = None
    done: bool = False
    interrupted: bool = False
