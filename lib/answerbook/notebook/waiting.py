"""For cells that wait or measure: a text bar, a condition with a deadline, a watch."""

import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
Found = TypeVar("Found")

POLL_SECONDS = 0.05


def progress(iterable: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
    """Go through `iterable` and draw a bar, as text, so that no widget is saved in a notebook.

    `total` is needed only where the iterable has no length.
    """
    bar = tqdm(iterable, desc=what, total=total, file=sys.stderr, ncols=79, mininterval=0.2)
    return iter(bar)


def wait_for(condition: Callable[[], Found], what: str, seconds: float = 10.0) -> Found:
    """Call `condition` until it returns something truthy, and return that.

    `what` completes the sentence "waited 10 s until …". Raises TimeoutError after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {seconds:g} s until {what}; the last answer: {found!r}.")
        time.sleep(POLL_SECONDS)
    return found


class Stopwatch:
    """What `stopwatch` gives: `seconds` so far, and the whole once its block has ended.

    `cpu_seconds` are those that this process computed meanwhile, in all its threads.
    """

    def __init__(self) -> None:
        self._began = _clocks()
        self._ended: tuple[float, float] | None = None

    @property
    def seconds(self) -> float:
        return (self._ended or _clocks())[0] - self._began[0]

    @property
    def cpu_seconds(self) -> float:
        return (self._ended or _clocks())[1] - self._began[1]

    def stop(self) -> None:
        self._ended = _clocks()


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """`with stopwatch() as watch: …`, then `watch.seconds`."""
    watch = Stopwatch()
    try:
        yield watch
    finally:
        watch.stop()


def median_seconds(function: Callable[[], object], repeat: int = 5) -> float:
    """The median of `repeat` runs, after one that warms caches up and is not counted."""
    function()
    samples = []
    for _ in range(repeat):
        with stopwatch() as watch:
            function()
        samples.append(watch.seconds)
    return statistics.median(samples)
