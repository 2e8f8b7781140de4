"""Runs notebooks and writes NAME.ipynb with the outputs, when everything in it passed.

    python -m answerbook.notebook.publish [--question 1] [NAME…]

`make publish` calls this; nothing else writes a published notebook. Each is stamped with its
source's hash and the profile, so that a test sees when source and outputs part.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import typer
from nbformat import NotebookNode
from rich.console import Console

from answerbook.config import Profile, Settings
from answerbook.notebook.command_line import Names, Question, WithProfile, explained_errors
from answerbook.notebook.files import write_whole
from answerbook.notebook.kernel import Run
from answerbook.notebook.leaks import find_leaks
from answerbook.notebook.outputs import tidy
from answerbook.notebook.run import closing_table, run_all
from answerbook.notebook.source import NotebookError, Source, code_cells, find

MOST_BYTES = 300_000
NAMED_CELLS = 3


def publish(source: Source, run: Run, profile: Profile) -> Path:
    """Write what `run` gave beside `source`, whole or not at all.

    Raises NotebookError, saying which cell, when the run failed, the outputs show something of
    this machine, or the file would be over 300 KB.
    """
    if run.failure is not None:
        cell = run.failure.cell
        what = f"code cell {cell} failed. Mend it" if cell else f"{run.failure.error} Mend that"
        raise NotebookError(
            f"{source.name} is not published: {what}, and `make publish NB={source.name}` again."
        )
    notebook = run.notebook
    tidy(notebook)
    notebook.metadata["answerbook"] = {"source_sha256": source.sha256, "profile": profile}
    text = as_text(notebook)
    _refuse_leaks(source, notebook)
    _refuse_size(source, notebook, text)
    write_whole(source.published, text)
    return source.published


def as_text(notebook: NotebookNode) -> str:
    """The notebook's file, valid in nbformat 4.5."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=4) + "\n"  # type: ignore[no-any-return, no-untyped-call]


def command(names: Names = None, question: Question = None, profile: WithProfile = None) -> None:
    """Run notebooks and write them with their outputs; exit code 1 when one cannot be."""
    console = Console()
    with explained_errors():
        used = profile or Settings.load().profile
        sources = find(names or (), question)
        runs = run_all(sources, console, used)
        console.print(closing_table(runs))
        complaints = []
        for source, run in zip(sources, runs, strict=True):
            try:
                path = publish(source, run, used)
            except NotebookError as error:
                complaints.append(str(error))
            else:
                console.print(f"{path.name}: {path.stat().st_size / 1e3:.0f} KB")
        if complaints:
            raise NotebookError("\n".join(complaints))


def _refuse_leaks(source: Source, notebook: NotebookNode) -> None:
    leaks = find_leaks(notebook, Settings.load())
    if leaks:
        listed = "; ".join(f"code cell {leak.cell} shows {leak.what}" for leak in leaks)
        raise NotebookError(
            f"{source.name} is not published, because it would show what is only of this machine: "
            f"{listed}. Print less in these cells."
        )


def _refuse_size(source: Source, notebook: NotebookNode, text: str) -> None:
    size = len(text.encode())
    if size <= MOST_BYTES:
        return
    sizes = {
        number: len(str(cell).encode()) for number, cell in enumerate(code_cells(notebook), start=1)
    }
    largest = sorted(sizes, key=lambda number: sizes[number], reverse=True)[:NAMED_CELLS]
    listed = ", ".join(
        f"code cell {number} with {sizes[number] / 1e3:.0f} KB" for number in largest
    )
    raise NotebookError(
        f"{source.name} is not published: {size / 1e3:.0f} KB are more than the "
        f"{MOST_BYTES / 1e3:.0f} KB that a page may have. The largest: {listed}."
    )


if __name__ == "__main__":
    typer.run(command)
