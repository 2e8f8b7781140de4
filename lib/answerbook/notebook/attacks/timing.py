"""A tag guessed byte by byte, by how long its check takes to say no.

Notebook 3_1_hashing carries it out. The attacker sends his message with tags of his own and clocks
each refusal. A check that stops at the first byte that differs takes a step longer where one more
byte is right, so a tag costs 256 candidates a byte instead of 256 to the power of its length. He
gets the tag of one message, not the key.

The notebook's clock counts compared bytes, so that the result is the same on every machine. The
real one needs an idle machine, or more repetitions: noise hides steps.
"""

from collections.abc import Callable
from time import perf_counter_ns


def recover_tag(
    length: int,
    accepts: Callable[[bytes], object],
    *,
    rounds: int = 32,
    attempts: int = 4,
    clock: Callable[[], int] = perf_counter_ns,
) -> bytes | None:
    """A tag of `length` bytes that `accepts(tag)` says yes to, or None after that many `attempts`.

    Each candidate for a byte is clocked `rounds` times; the slowest quarter stays, for four times
    as many. Each attempt takes twice the clockings of the one before. `clock` gives nanoseconds, or
    whatever else grows with the time that a check takes.
    """
    for attempt in range(attempts):
        found = _attempt(length, accepts, rounds << attempt, clock)
        if found is not None:
            return found
    return None


def _attempt(
    length: int, accepts: Callable[[bytes], object], rounds: int, clock: Callable[[], int]
) -> bytes | None:
    known = b""
    while len(known) < length - 1:
        known += _slowest(known, length, accepts, rounds, clock)
    last = (known + bytes([value]) for value in range(256))
    return next((tag for tag in last if accepts(tag)), None)


def _slowest(
    known: bytes,
    length: int,
    accepts: Callable[[bytes], object],
    rounds: int,
    clock: Callable[[], int],
) -> bytes:
    """The next byte after `known`: the one that takes longest to be refused.

    Of each candidate's clockings the tenth part is faster than the one that counts: what disturbs a
    clocking makes it slower. Candidates take turns, so that a busy moment hits them all.
    """
    candidates = [bytes([value]) for value in range(256)]
    while len(candidates) > 1:
        tags = [(known + each).ljust(length, b"\0") for each in candidates]
        clocked: list[list[int]] = [[] for _ in candidates]
        for _ in range(rounds):
            for tag, times in zip(tags, clocked, strict=True):
                began = clock()
                accepts(tag)
                taken = clock() - began
                times.append(taken)
        scores = {
            candidate: sorted(times)[len(times) // 10]
            for candidate, times in zip(candidates, clocked, strict=True)
        }
        candidates = sorted(candidates, key=scores.__getitem__)[-(len(candidates) // 4) :]
        rounds *= 4
    return candidates[0]
