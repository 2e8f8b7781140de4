"""Latencies counted by size: small however many there are, and exact to half a percent.

The Locust file makes one for each second and one for the whole; a soak of hours then costs no more
than a minute.
"""

from collections import Counter
from collections.abc import Iterable
from math import ceil, inf, log10


class Latencies:
    """A histogram of seconds whose buckets keep three digits."""

    def __init__(self, seconds: Iterable[float] = ()) -> None:
        self._counts: Counter[float] = Counter()
        self.count = 0
        self.most = 0.0
        for each in seconds:
            self.add(each)

    def add(self, seconds: float) -> None:
        self._counts[_three_digits(seconds)] += 1
        self.count += 1
        self.most = max(self.most, seconds)

    def update(self, other: "Latencies") -> None:
        """Take in all of another."""
        self._counts.update(other._counts)
        self.count += other.count
        self.most = max(self.most, other.most)

    def percentile(self, share: float) -> float | None:
        """Seconds that the share (0 to 1) of all did not pass; None where there are none.

        Raises ValueError for a share outside of that.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"A percentile's share lies between 0 and 1: {share}")
        rank, passed = max(1, ceil(share * self.count)), 0
        for seconds in sorted(self._counts):
            passed += self._counts[seconds]
            if passed >= rank:
                return min(seconds, self.most)
        return None


def _three_digits(seconds: float) -> float:
    if not 0 < seconds < inf:
        return 0.0
    return round(seconds, 2 - int(log10(seconds) // 1))
