"""The steps of a long command: a bar for each, and the seconds that each took."""

import time
from typing import Self

from tqdm import tqdm

READING = "reading the file"


class Steps:
    """Used by import_documents; the first step reads a file of `size` bytes."""

    def __init__(self, name: str, size: int) -> None:
        self.seconds: dict[str, float] = {}
        self._step, self._began = READING, time.monotonic()
        self._bar = tqdm(total=size, unit="B", unit_scale=True, leave=False, desc=name)

    def read(self, size: int) -> None:
        """So many bytes more."""
        self._bar.update(size)

    def doing(self, step: str, so_far: int = 0, total: int = 0) -> None:
        """Go on with a step, or to the next."""
        if step != self._step:
            self._end()
            self._step, self._began = step, time.monotonic()
            what = f"{step}: {{percentage:3.0f}}% of {{total_fmt}}, {{remaining}} left"
            self._bar = tqdm(total=total, leave=False, bar_format=what if total else f"{step} …")
        self._bar.update(so_far - self._bar.n)

    def _end(self) -> None:
        self.seconds[self._step] = round(time.monotonic() - self._began, 1)
        self._bar.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
