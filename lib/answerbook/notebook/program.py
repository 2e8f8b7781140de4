"""A Python program as a process of its own, read line by line, that a cell can kill.

For notebook 1_5_kafka, whose consumer is killed in the midst of its work. When the program has
ended where a line was expected, what it wrote to stderr is the error's message.
"""

from __future__ import annotations

import subprocess
import sys
import weakref
from collections.abc import Iterator


class Program:
    """Runs `code` with `arguments` at once; its lines are read by iterating over it."""

    def __init__(self, code: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-c", code, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        # Also when a cell runs again and the variable that held this program is replaced.
        self._end = weakref.finalize(self, _killed, self._process)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """The next line, without its end. Raises RuntimeError when the program has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            return line.rstrip("\n")
        _, errors = self._process.communicate()
        raise RuntimeError(f"The program ended with status {self._process.returncode}.\n{errors}")

    def kill(self) -> int:
        """End it by SIGKILL, which it cannot notice, and return its status: -9."""
        self._end()
        return int(self._process.returncode)


def _killed(process: subprocess.Popen[str]) -> None:
    with process:  # closes its pipes, and waits
        process.kill()
