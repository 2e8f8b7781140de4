"""How fast passwords are guessed, and how long a list of them takes; notebook 3.2."""

import time
from collections.abc import Callable

UNITS = (
    ("years", 365.25 * 86_400),
    ("days", 86_400),
    ("hours", 3600),
    ("minutes", 60),
    ("s", 1),
    ("ms", 1e-3),
    ("µs", 1e-6),
)


def guesses_per_second(guess: Callable[[bytes], object], seconds: float = 0.3) -> float:
    """How often one core computes `guess` of another password in a second of its time.

    It is tried for `seconds` or a little longer, and at least twice, the first not counted. The
    time is the processor's for this process and all its threads, so that what else is running on
    the machine hardly counts; a guess that takes two threads counts both.
    """
    guess(b"guess")
    done, batch = 0, 1
    began = time.process_time()
    while True:
        for number in range(done, done + batch):
            guess(b"guess %d" % number)
        done += batch
        taken = time.process_time() - began
        if taken >= seconds:
            return done / taken
        # As many as fill what is left, at the pace so far, and no more than as many again.
        left = (seconds - taken) / max(taken / done, 1e-9)
        batch = max(1, min(done, int(left) + 1))


def duration(seconds: float) -> str:
    """`seconds` in the unit that a reader would take, with two significant digits.

    >>> [duration(n) for n in (8.7e-5, 0.5, 59, 3600, 400_000, 4e9)]
    ['87 µs', '500 ms', '59 s', '60 minutes', '4.6 days', '130 years']
    """
    for name, length in UNITS:
        if seconds >= 1.5 * length or name == UNITS[-1][0]:
            number = float(f"{seconds / length:.2g}")
            return f"{number:,.0f} {name}" if number >= 10 else f"{number:g} {name}"
    raise AssertionError("the last unit takes all")
