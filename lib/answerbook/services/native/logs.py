"""What a process of ours wrote, as a person reads it: engine.py shows it, errors quote it."""

import os
import re
from pathlib import Path

ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def tail(log: Path, lines: int) -> str:
    """The last lines of a log; empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 400 * lines))
            text = ANSI_COLOUR.sub("", file.read().decode(errors="replace"))
            return "\n".join(text.splitlines()[-lines:])
    except FileNotFoundError:
        return ""
