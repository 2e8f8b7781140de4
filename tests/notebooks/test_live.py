"""Every notebook runs live, from top to bottom, with what its exercises are answered."""

import copy
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from nbformat import NotebookNode

from answerbook import services
from answerbook.config import Settings
from answerbook.notebook import kernel
from answerbook.notebook.anatomy.prose import SERVICES, Cost, cost
from answerbook.notebook.exercises import Exercise
from answerbook.notebook.kernel import Run, run_notebook
from answerbook.notebook.run import fetch
from answerbook.notebook.source import Source, checked_exercise, code_cells
from answerbook.services.state import StateFolder

ROUNDING = 50_000_000
"""Bytes: the cost line gives memory to a tenth of a GB."""


@pytest.fixture(autouse=True)
def services_are_taken_down(home: Path) -> Iterator[None]:
    """After each notebook: its memory is stated with all that it starts, and with nothing else."""
    yield
    services.down()


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """`make notebooks` and `make publish` hold each to three minutes; a test asserts no time."""
    monkeypatch.setitem(kernel.SECONDS_ALLOWED, "study", 480)


@pytest.mark.timeout(600)
def test_notebook_runs_live_and_its_exercises_tell_right_from_wrong(source: Source) -> None:
    notebook = source.notebook()
    stated = cost(notebook)
    assert stated is not None
    fetch(notebook)

    run = run_notebook(_with_answers(notebook, source), source.name)

    if run.failure is not None:
        pytest.fail(f"{run.failure.source}\n\n{run.failure.error}", pytrace=False)
    assert run.assertions > 0
    assert _services_of(stated) >= _services_started()
    assert stated.gigabytes * 1e9 + ROUNDING >= run.memory, (
        f"it says {stated.gigabytes} GB, and took {run.memory / 1e9:.2f} GB ({run.measure})"
    )
    assert _expected_verdicts(source) == _verdicts(run)


def _with_answers(notebook: NotebookNode, source: Source) -> NotebookNode:
    """`notebook` with each exercise checked again for its solution and every wrong answer."""
    answered = copy.deepcopy(notebook)
    answered.cells = [
        probe
        for cell in answered.cells
        for probe in [cell, *(_probes(cell, source) if cell.cell_type == "code" else [])]
    ]
    return answered


def _probes(cell: NotebookNode, source: Source) -> Iterator[NotebookNode]:
    name = checked_exercise(cell.source)
    if name is None:
        return
    for number, answer in enumerate(_answers(name, _exercise(source, name))):
        probe = copy.deepcopy(cell)
        probe.id = f"{cell.id}-{number}"
        probe.source = f"answer = {answer}\n{cell.source}"
        yield probe


def _answers(name: str, exercise: Exercise) -> list[str]:
    wrong = [f"exercises.{name}.wrong[{index}]" for index in range(len(exercise.wrong))]
    return [f"exercises.{name}.solution", *wrong]


def _expected_verdicts(source: Source) -> list[tuple[str, str]]:
    expected = []
    for cell in code_cells(source.notebook()):
        name = checked_exercise(cell.source)
        if name is not None:
            wrong = len(_exercise(source, name).wrong)
            expected += [(name, verdict) for verdict in ["open", "right", *["wrong"] * wrong]]
    return expected


def _verdicts(run: Run) -> list[tuple[str, str]]:
    found = []
    for cell in code_cells(run.notebook):
        for output in cell.outputs:
            described = output.get("metadata", {}).get("answerbook", {})
            if described.get("role") == "exercise":
                name = re.search(r"exercises\.(\w+)\.check", cell.source)
                found.append((name[1] if name else "", described["verdict"]))
    return found


def _exercise(source: Source, name: str) -> Exercise:
    module = import_module(f"answerbook.notebook.exercises.q{source.name}")
    exercise = getattr(module, name)
    assert isinstance(exercise, Exercise)
    return exercise


def _services_of(stated: Cost) -> set[str]:
    """Names of the services that a cost line allows for; a system of several is all of these."""
    names = [SERVICES[name] for name in stated.services if name != "none"]
    return {service.name for service in services.find_all(names)}


def _services_started() -> set[str]:
    return {record.service for record in StateFolder.open(Settings.load()).recorded()}
