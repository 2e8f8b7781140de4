"""Makes a run's outputs fit to be read: what a terminal would have overwritten goes, streams join.

`publish` calls `tidy` on what `run` gave it.
"""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from answerbook.notebook.source import code_cells

if TYPE_CHECKING:
    from nbformat import NotebookNode


BAR = re.compile(r"\d+%\|.*\||\d+\S* \[\d+:\d+|^\S+: [\w, ]+ … \d+ s\s*$")
"""A state of a tqdm bar, with or without a total, or of a service that starts."""
UP = "\x1b[A"
"""What tqdm moves to the line above with, where several bars stand under each other."""


def tidy(notebook: NotebookNode) -> None:
    """Drop progress bars, join broken streams, count executions from 1, shorten tracebacks."""
    for number, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = number
        cell.outputs = _joined(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number
            if output.output_type == "error":
                output.traceback = [_without_folders(line) for line in output.traceback]


def without_bars(text: str) -> str:
    """`text` without what carriage returns overwrote, and without what is left of a bar.

    A finished bar tells a reader nothing, and looks like an error where it is shown on red.
    """
    several = UP in text  # then the gaps between them are left of bars, too
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.replace(UP, "").split("\n")]
    kept = [line for line in lines if not BAR.search(line)]
    return "\n".join(line for line in kept if line.strip() or not several)


def _joined(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """`outputs` with all of standard error in its first place, and neighbouring prints in one."""
    joined: list[NotebookNode] = []
    errors: NotebookNode | None = None
    for output in outputs:
        before = joined[-1] if joined else None
        if output.output_type != "stream":
            joined.append(output)
        elif output.name == "stderr" and errors is not None:
            errors.text += output.text
        elif output.name == "stdout" and _is_stream(before, "stdout"):
            before.text += output.text  # type: ignore[union-attr]
        else:
            joined.append(output)
            errors = output if output.name == "stderr" else errors
    for output in joined:
        if output.output_type == "stream":
            output.text = without_bars(output.text)
    return [output for output in joined if output.output_type != "stream" or output.text.strip()]


def _is_stream(output: NotebookNode | None, name: str) -> bool:
    return output is not None and output.output_type == "stream" and output.name == name


def _without_folders(line: str) -> str:
    """A line of a traceback with `pika/channel.py` in place of the full path of an installation."""
    for folder in _installations():
        line = line.replace(f"{folder}/", "")
    return line


def _installations() -> list[str]:
    """Folders of installed code, the innermost first, also as IPython writes them, from `~`."""
    folders = {sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")}
    folders.add(str(Path(__file__).resolve().parents[2]))
    home = str(Path.home())
    folders |= {folder.replace(home, "~", 1) for folder in folders if folder.startswith(home)}
    return sorted(folders, key=len, reverse=True)
