"""Runs the notebooks live, each in a fresh kernel, and says what came of it.

    python -m answerbook.notebook.run [--question 1] [NAME…]

`make notebooks` and the tests call this. It runs copies in the state folder and changes nothing in
the tree. Services are taken down before each notebook and at the end, because a notebook's cost is
stated with all that it starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer
from filelock import FileLock, Timeout
from nbformat import NotebookNode
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from answerbook import services
from answerbook.config import Profile, Settings
from answerbook.notebook.anatomy.prose import SERVICES, cost
from answerbook.notebook.command_line import Names, Question, WithProfile, explained_errors
from answerbook.notebook.kernel import Failure, Run, run_notebook
from answerbook.notebook.source import Source, code_cells, find
from answerbook.services import ServiceError
from answerbook.services.state import StateFolder


def run_all(
    sources: Sequence[Source], console: Console, profile: Profile | None = None
) -> list[Run]:
    """Run each of `sources`; a line on the console while it runs, and why when it fails."""
    runs = []
    with _only_run_here(console):
        try:
            for source in sources:
                services.down()
                runs.append(run_one(source, console, profile))
        finally:
            services.down()
    return runs


def run_one(source: Source, console: Console, profile: Profile | None = None) -> Run:
    """Run one notebook among whatever services are up, and leave up what it started."""
    notebook = source.notebook()
    try:
        fetch(notebook)
    except ServiceError as error:  # no network, say: the other notebooks may need nothing of it
        run = _not_started(source.name, notebook, error)
        _print_failure(run.failure, source.name, console)
        return run
    with _line(source.name, len(code_cells(notebook)), console) as line:
        run = run_notebook(notebook, source.name, profile, line.at_cell)
        line.end(run)
    if run.failure:
        _print_failure(run.failure, source.name, console)
    return run


def fetch(notebook: NotebookNode) -> None:
    """Get the programs of the services that its cost line names: a download is no part of a run."""
    stated = cost(notebook)
    named = stated.services if stated else ()
    services.fetch(SERVICES[name] for name in named if name in SERVICES)


def _not_started(name: str, notebook: NotebookNode, error: ServiceError) -> Run:
    failure = Failure(cell=0, source="", error=str(error))
    return Run(name, notebook, assertions=0, seconds=0, memory=0, measure="", failure=failure)


def closing_table(runs: Sequence[Run]) -> Table:
    """One row a notebook; the caption says how memory was measured."""
    measures = " / ".join(sorted({run.measure for run in runs if run.measure}))
    table = Table(
        caption=f"Memory: the kernel and all that the notebook started, {measures}, at the peak.",
        caption_justify="left",
    )
    table.add_column("notebook")
    for name in ("code cells", "assertions", "seconds", "peak memory"):
        table.add_column(name, justify="right")
    for run in runs:
        failed = run.failure is not None
        table.add_row(
            f"{run.name} (failed)" if failed else run.name,
            str(len(code_cells(run.notebook))),
            str(run.assertions),
            f"{run.seconds:.0f}",
            f"{run.memory / 1e6:.0f} MB",
            style="red" if failed else None,
        )
    return table


def command(names: Names = None, question: Question = None, profile: WithProfile = None) -> None:
    """Run notebooks live and end with a table; exit code 1 when one fails."""
    console = Console()
    with explained_errors():
        runs = run_all(find(names or (), question), console, profile)
    console.print(closing_table(runs))
    raise typer.Exit(int(any(run.failure for run in runs)))


@contextmanager
def _only_run_here(console: Console) -> Iterator[None]:
    """Wait for another run in this state folder: each would take down the other's services."""
    runs = StateFolder.open(Settings.load()).path / "runs"
    runs.mkdir(exist_ok=True)
    running = FileLock(runs / ".lock")
    try:
        running.acquire(timeout=0)
    except Timeout:
        console.print("Waiting for another run of the notebooks in the same state folder.")
        running.acquire()
    try:
        yield
    finally:
        running.release()


class _Line:
    """What a person sees of a notebook that runs."""

    def __init__(self, name: str, cells: int, progress: Progress) -> None:
        self._progress = progress
        self._cells = cells
        self._task = progress.add_task(name, total=cells, state="kernel starts")

    def at_cell(self, number: int) -> None:
        state = f"cell {number}/{self._cells}"
        self._progress.update(self._task, completed=number - 1, state=state)

    def end(self, run: Run) -> None:
        if run.failure is None:
            state = f"{self._cells} cells, {run.assertions} assertions"
            self._progress.update(self._task, completed=self._cells, state=state)
        else:
            state = f"[red]failed in cell {run.failure.cell}/{self._cells}"
            self._progress.update(self._task, state=state)


@contextmanager
def _line(name: str, cells: int, console: Console) -> Iterator[_Line]:
    columns = (
        TextColumn("{task.description:24}"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("{task.fields[state]}"),
    )
    with Progress(*columns, console=console, redirect_stdout=False) as progress:
        yield _Line(name, cells, progress)


def _print_failure(failure: Failure | None, name: str, console: Console) -> None:
    """The cell and its error without a frame, so that both can be copied."""
    assert failure is not None
    where = f"code cell {failure.cell}" if failure.cell else "before its first cell"
    console.print(f"\n{name}, {where}:", style="bold red")
    if failure.cell:
        console.print(Syntax(failure.source, "python", background_color="default"))
        console.print()
    console.print(Text(failure.error), soft_wrap=True)
    console.print()


if __name__ == "__main__":
    typer.run(command)
