"""Exercises of notebook 2_1_the_plan."""

from collections.abc import Callable
from math import isclose

from answerbook.notebook.exercises import Exercise

Drain = Callable[[float, float, float], object]


def _campaign(answer: float) -> str | None:
    if isclose(answer, 40_000_000 / 600_000, rel_tol=0.02):
        return None
    if isclose(answer, 40_000_000 / 600_000 / 60, rel_tol=0.02):
        return "That is in hours. How many minutes?"
    return "The quota is 600,000 messages a minute, and each device needs a message."


campaign = Exercise(
    solution=40_000_000 / 600_000,
    wrong=(1.11, 40, 4_000, "an hour"),
    test=_campaign,
    because="Over an hour for what one message to a topic does: there, the fan-out is Google's.",
)


def _workers(answer: int) -> str | None:
    if answer == 7:
        return None
    if answer == 4:
        return "That many would be busy all the time: each is to be at most 60 % busy."
    if answer in (5, 3):
        return "An event becomes 1.5 messages."
    return "Messages a second at the peak, divided by what a worker may be asked for."


workers = Exercise(
    solution=7,
    wrong=(4, 5, 3, 6, 6.25, "7"),
    test=_workers,
    because="7,500 messages, 1,200 a worker: six and a quarter, and a quarter needs a whole one.",
)

CASES = ((1_000.0, 100.0, 50.0, 20.0), (0.0, 10.0, 5.0, 0.0), (500.0, 50.0, 0.0, 10.0))


def _drain(answer: Drain) -> str | None:
    for backlog, capacity, arriving, seconds in CASES:
        found = answer(backlog, capacity, arriving)
        if not isinstance(found, int | float) or not isclose(found, seconds, abs_tol=1e-9):
            return (
                f"{backlog:.0f} waiting, {capacity:.0f} a second done and {arriving:.0f} arriving "
                f"take {seconds:.0f} s, and it gives {found!r}."
            )
    for capacity, arriving in ((50.0, 50.0), (40.0, 50.0)):
        if answer(10.0, capacity, arriving) is not None:
            return "When no more is done than arrives, the backlog is never gone: None."
    return None


def _right(backlog: float, capacity: float, arriving: float) -> object:
    return None if capacity <= arriving else backlog / (capacity - arriving)


def _without_arrivals(backlog: float, capacity: float, arriving: float) -> object:
    return backlog / capacity


def _for_ever(backlog: float, capacity: float, arriving: float) -> object:
    return backlog / abs(capacity - arriving) if capacity != arriving else None


drain = Exercise(
    solution=_right,
    wrong=(_without_arrivals, _for_ever, 20),
    test=_drain,
    because="What is left over is what drains, so a system without room to spare never recovers.",
)
