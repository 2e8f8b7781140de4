"""How long calls of less than a microsecond take, and whether a clock tells two of them apart.

Notebook 3_1_hashing compares digests with it. What else runs on the machine only ever adds time, so
the fastest of many calls says what the call itself takes; whether *one* call gives anything away is
another question, which `told_apart` answers.
"""

import random
from collections.abc import Callable, Mapping
from time import perf_counter_ns
from typing import TypeVar

Name = TypeVar("Name")
Call = Callable[[], object]


def fastest_nanoseconds(
    calls: Mapping[Name, Call],
    *,
    rounds: int = 300,
    batch: int = 50,
    clock: Callable[[], int] = perf_counter_ns,
) -> dict[Name, float]:
    """Nanoseconds that one of each of `calls` takes, in the fastest of `rounds` batches.

    The calls take turns, so that a busy moment hits them all. The time includes that of the loop
    around them.
    """
    fastest = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            fastest[name] = min(fastest[name], _clocked(call, batch, clock) / batch)
    return fastest


def told_apart(
    quick: Call,
    slow: Call,
    *,
    pairs: int = 2_000,
    batch: int = 1,
    clock: Callable[[], int] = perf_counter_ns,
) -> float:
    """The share of `pairs` in which `slow` took longer than `quick`; equal times count half.

    0.5 is what guessing gives, 1 is certainty. `batch` calls of each are clocked together. Which
    comes first is drawn by lot.
    """
    right = 0.0
    for _ in range(pairs):
        taken = {}
        for call in random.sample((quick, slow), 2):
            taken[call] = _clocked(call, batch, clock)
        right += 0.5 if taken[quick] == taken[slow] else taken[slow] > taken[quick]
    return right / pairs


def _clocked(call: Call, batch: int, clock: Callable[[], int]) -> int:
    repeated = range(batch)
    began = clock()
    for _ in repeated:
        call()
    return clock() - began
