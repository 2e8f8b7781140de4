"""When events arrive: shapes as rates over time, and the schedule of arrivals that follows.

A schedule does not know whether earlier arrivals were answered (an *open* model): callers of a
real system do not wait for each other either. A test whose callers each wait for their answer
before they send again slows down with the server that it measures, and so hides the very seconds
in which nothing worked (*coordinated omission*, Gil Tene).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

ShapeName = Literal["steady", "spike", "soak", "ramp"]
NAMES: Final = get_args(ShapeName)

RATE: Final = 1_000_000 / 3_600
"""Events a second: one million an hour."""
SPIKE_FACTOR: Final = 10.0
SPIKE_SECONDS: Final = 15.0
RAMP_DOUBLES_SECONDS: Final = 10.0
SECONDS: Final[dict[ShapeName, float]] = {
    "steady": 60.0,
    "spike": 60.0,
    "soak": 3_600.0,
    "ramp": 120.0,
}
"""How long each lasts where nobody says."""


@dataclass(frozen=True)
class Shape:
    """A rate of events over `seconds`.

    steady and soak keep `rate`, soak for an hour; spike is ten times as much for 15 s in its
    midst (for a quarter of the time, where all of it is less than a minute); ramp starts at `rate`
    and grows by as much again each 10 s, until the Locust file sees the system fail.
    """

    name: ShapeName
    seconds: float
    rate: float = RATE

    def __post_init__(self) -> None:
        """Raises ValueError for a name, duration or rate that is none."""
        if self.name not in NAMES:
            raise ValueError(f"There is no shape {self.name!r}; there are {', '.join(NAMES)}.")
        if self.seconds <= 0 or self.rate <= 0:
            raise ValueError("A shape lasts longer than 0 s, at more than 0 events a second.")

    @property
    def spike(self) -> tuple[float, float]:
        """From when to when the spike lasts, in seconds from the start."""
        width = min(SPIKE_SECONDS, self.seconds / 4)
        start = (self.seconds - width) / 2
        return start, start + width

    def rate_at(self, second: float) -> float:
        """Events a second, `second` seconds after the start."""
        if self.name == "ramp":
            return self.rate * (1 + second / RAMP_DOUBLES_SECONDS)
        start, end = self.spike
        if self.name == "spike" and start <= second < end:
            return self.rate * SPIKE_FACTOR
        return self.rate

    def arrivals(self, batch: int = 1) -> Iterator[float]:
        """When requests of `batch` events are due, in seconds from the start, in order."""
        due = 0.0
        while due < self.seconds - 1e-6:  # what sums of floating point numbers are off by
            yield due
            due = self._after(due, batch)

    def _after(self, due: float, events: float) -> float:
        """When `events` more have arrived, by the rate in steps of a hundredth of a second."""
        step = 0.01
        while due < self.seconds:
            arriving = self.rate_at(due) * step
            if arriving >= events:
                return due + events / self.rate_at(due)
            events -= arriving
            due += step
        return due


def shape(name: ShapeName, seconds: float | None = None, rate: float | None = None) -> Shape:
    """A shape with the duration and rate that it usually has, where none is given."""
    return Shape(name, seconds or SECONDS.get(name, 0.0), rate or RATE)
