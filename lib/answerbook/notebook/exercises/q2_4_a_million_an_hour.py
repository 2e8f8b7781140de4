"""Exercises of notebook 2_4_a_million_an_hour."""

from collections.abc import Callable, Iterable
from math import inf, isclose

from answerbook.notebook.exercises import Exercise

Corrected = Callable[[list[float], float], Iterable[float]]
Drained = Callable[[float, float, float], float]


def _corrected(answer: Corrected) -> str | None:
    if not _same(answer([3.0], 1.0), [3.0, 2.0, 1.0]):
        return "3.0 with an interval of 1.0 stands for three requests: 3.0, 2.0 and 1.0."
    if not _same(answer([0.25, 0.5], 1.0), [0.25, 0.5]):
        return "A request that was answered within the interval stands for itself alone."
    if not _same(answer([2.5, 0.25], 1.0), [2.5, 1.5, 0.5, 0.25]):
        return "2.5 with an interval of 1.0 is 2.5, 1.5 and 0.5; the next answer is one of its own."
    return None


def _same(found: Iterable[float], expected: list[float]) -> bool:
    given = sorted(found)
    return len(given) == len(expected) and all(
        isclose(a, b) for a, b in zip(given, sorted(expected), strict=True)
    )


def _as_due(latencies: list[float], interval: float) -> list[float]:
    corrected = []
    for latency in latencies:
        left = latency
        while left > 0:
            corrected.append(left)
            left -= interval
    return corrected


def _as_measured(latencies: list[float], _interval: float) -> list[float]:
    return latencies


def _repeated(latencies: list[float], interval: float) -> list[float]:
    return [each for each in latencies for _ in range(max(1, round(each / interval)))]


def _only_the_missing(latencies: list[float], interval: float) -> list[float]:
    return [left for left in _as_due(latencies, interval) if left not in latencies]


corrected = Exercise(
    solution=_as_due,
    wrong=(_as_measured, _repeated, _only_the_missing, [3.0, 2.0, 1.0]),
    test=_corrected,
    because="One slow answer of a closed caller stands for all the requests it did not send.",
)


def _drained(answer: Drained) -> str | None:
    if not isclose(answer(1_000.0, 0.0, 5_000.0), 5.0):
        return "With nothing coming in, 5,000 records at 1,000 a second take 5 s."
    if not isclose(answer(1_000.0, 750.0, 5_000.0), 20.0):
        return "What comes in meanwhile has to be done, too: only the difference drains."
    if answer(1_000.0, 1_000.0, 5_000.0) != inf or answer(500.0, 1_000.0, 5_000.0) != inf:
        return "A stage that is no faster than its input never drains."
    if answer(1_000.0, 1_000.0, 0.0) != 0:
        return "Where nothing waits, it takes no time."
    return None


def _until_nothing_waits(capacity: float, arriving: float, backlog: float) -> float:
    if not backlog:
        return 0.0
    return backlog / (capacity - arriving) if capacity > arriving else inf


def _without_arrivals(capacity: float, _arriving: float, backlog: float) -> float:
    return backlog / capacity


def _unprotected(capacity: float, arriving: float, backlog: float) -> float:
    return backlog / (capacity - arriving)


def _negative(capacity: float, arriving: float, backlog: float) -> float:
    return inf if capacity == arriving else backlog / (capacity - arriving)


def _always_infinite(capacity: float, arriving: float, backlog: float) -> float:
    return backlog / (capacity - arriving) if capacity > arriving else inf


drained = Exercise(
    solution=_until_nothing_waits,
    wrong=(_without_arrivals, _unprotected, _negative, _always_infinite, 20.0),
    test=_drained,
    because="Room to spare is what drains a backlog: at 90 % load it takes ten times as long.",
)
