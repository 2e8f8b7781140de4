"""The peak of what a notebook takes: its kernel, the kernel's children and the services it started.

`kernel` measures a whole run with it; a cell that claims to need little uses `memory_growth`.

Sizes are proportional (PSS): a page that several processes share counts once among them, so that
three brokers on one JVM's files are not counted three times. Where the system does not tell it,
the next best is taken and named: unshared (USS), else resident (RSS), which counts shared pages
again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import psutil

from answerbook.notebook.processes import Root, with_children

SAMPLE_SECONDS = 0.5
CELL_SAMPLE_SECONDS = 0.02
"""What a cell does may be over in less than a second."""


class PeakMemory:
    """The largest sum of sizes seen, in bytes, and how it was measured."""

    def __init__(self, roots: Callable[[], Iterable[Root]]) -> None:
        self._roots = roots
        self.bytes = 0
        self.measures: set[str] = set()

    @property
    def measure(self) -> str:
        """`PSS`, or the weaker measures that had to do for some process."""
        return " and ".join(sorted(self.measures)) or "PSS"

    def sample(self) -> None:
        """Look once."""
        total = 0
        for process in with_children(self._roots()):
            try:
                measure, size = _size(process)
            except psutil.NoSuchProcess:
                continue
            self.measures.add(measure)
            total += size
        self.bytes = max(self.bytes, total)

    @contextmanager
    def watching(self, seconds: float = SAMPLE_SECONDS) -> Iterator[None]:
        """Look every so often, in a thread, until the block ends, and then once more."""
        finished = Event()

        def watch() -> None:
            while not finished.wait(seconds):
                self.sample()

        thread = Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.sample()
            finished.set()
            thread.join()


class Growth:
    """What `memory_growth` gives: `bytes` beyond what was taken before the block, at the peak."""

    def __init__(self) -> None:
        own = psutil.Process()
        self._peak = PeakMemory(lambda: [(own.pid, own.create_time())])
        self._peak.sample()
        self._before = self._peak.bytes

    @property
    def bytes(self) -> int:
        return self._peak.bytes - self._before

    @contextmanager
    def watching(self) -> Iterator[None]:
        with self._peak.watching(CELL_SAMPLE_SECONDS):
            yield


@contextmanager
def memory_growth() -> Iterator[Growth]:
    """`with memory_growth() as growth: …`, then `growth.bytes`.

    It counts this process and those it started, such as the peer at the other end.
    """
    growth = Growth()
    with growth.watching():
        yield growth


def _size(process: psutil.Process) -> tuple[str, int]:
    try:
        full = process.memory_full_info()
    except psutil.AccessDenied:
        return "RSS", process.memory_info().rss
    return ("PSS", full.pss) if hasattr(full, "pss") else ("USS", full.uss)
