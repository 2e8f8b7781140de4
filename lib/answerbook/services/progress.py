"""What a reader sees while something is fetched or started: one text line, in cells and terminals.

Everything in `services` that waits longer than a blink reports here.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Never

from tqdm import tqdm


def is_watched() -> bool:
    """Whether somebody looks on: at a terminal, or in a notebook. A log wants no moving lines."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules


def say(text: str) -> None:
    """Print one line above whatever bar is being drawn."""
    tqdm.write(text)


@contextmanager
def download(what: str, total_bytes: int, *folders: Path, every: float = 0.2) -> Iterator[None]:
    """Announce `what` with its size and draw how much of it has arrived in `folders`.

    The clients that download (uv, jgo, apt) each have a display of their own, or none; watching
    the folders that they fill gives the same bar for all of them, in a terminal and in a cell. They
    are looked at `every` so many seconds.
    """
    say(f"Fetching {what}, {total_bytes / 1e6:.0f} MB, once.")
    before = sum(_size(folder) for folder in folders)

    def arrived() -> int:
        return min(sum(_size(folder) for folder in folders) - before, total_bytes)

    with tqdm(
        total=total_bytes,
        desc=what,
        unit="B",
        unit_scale=True,
        leave=False,
        miniters=1,
        disable=not is_watched(),
    ) as bar:
        with _repeating(lambda: _advance(bar, arrived()), every):
            yield
        _advance(bar, total_bytes)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Draw `what` and the seconds it has taken, until the block ends."""
    start = time.monotonic()
    with tqdm(bar_format="{desc}", leave=False, miniters=1, disable=not is_watched()) as line:

        def draw() -> None:
            line.set_description_str(f"{what} … {time.monotonic() - start:.0f} s")

        with _repeating(draw, every=0.5):
            yield


@contextmanager
def quiet_clients() -> Iterator[None]:
    """A client that cannot connect yet logs each attempt, which is what waiting looks like."""
    loggers = [logging.getLogger(name) for name in ("pika", "kafka")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _advance(bar: "tqdm[Never]", value: int) -> None:
    bar.update(value - bar.n)


@contextmanager
def _repeating(action: Callable[[], None], every: float) -> Iterator[None]:
    finished = Event()

    def run() -> None:
        while not finished.wait(every):
            action()

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def _size(folder: Path) -> int:
    """Bytes of every file under `folder`, which may be changing as we look."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += (Path(parent) / name).lstat().st_size
    return total
