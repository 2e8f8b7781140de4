"""The peak of what a notebook takes: its kernel, the kernel's children and the services it started.

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
    def watching(self) -> Iterator[None]:
        """Look every half second, in a thread, until the block ends, and then once more."""
        finished = Event()

        def watch() -> None:
            while not finished.wait(SAMPLE_SECONDS):
                self.sample()

        thread = Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.sample()
            finished.set()
            thread.join()


def _size(process: psutil.Process) -> tuple[str, int]:
    try:
        full = process.memory_full_info()
    except psutil.AccessDenied:
        return "RSS", process.memory_info().rss
    return ("PSS", full.pss) if hasattr(full, "pss") else ("USS", full.uss)
