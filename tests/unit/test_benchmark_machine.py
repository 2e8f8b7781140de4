"""benchmarks/machine.py: a busy machine is not measured, unless that is what was asked for."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from answerbook.notebook import wait_for

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PROGRAMS = [path.name for path in BENCHMARKS.glob("*.py") if "__main__" in path.read_text()]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, which looks for a short while only."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.delitem(sys.modules, "machine", raising=False)
    module = importlib.import_module("machine")
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.3)
    return module


@contextmanager
def all_busy() -> Iterator[list[int]]:
    """A program on each processor, that does nothing else than use it."""
    words = [sys.executable, "-c", "print(flush=True)\nwhile True: pass"]
    programs = [
        subprocess.Popen(words, stdout=subprocess.PIPE) for _ in range(psutil.cpu_count() or 1)
    ]
    try:
        for program in programs:
            assert program.stdout is not None
            program.stdout.readline()
        yield [program.pid for program in programs]
    finally:
        for program in programs:
            program.kill()
            program.communicate()


def test_a_busy_machine_is_refused_with_who_is_busy_and_what_to_do(
    machine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "PATIENCE_SECONDS", 0)
    with all_busy() as programs, pytest.raises(SystemExit) as refused:
        machine.description(anyway=False)
    assert "end them, or measure beside them with --anyway" in str(refused.value)
    assert any(f"(process {program})" in str(refused.value) for program in programs)


def test_what_is_measured_anyway_says_how_busy_the_machine_was(machine: Any) -> None:
    with all_busy():
        described = machine.description(anyway=True)
    assert machine.AT_REST < described["processors_busy_before"]


def test_a_machine_that_comes_to_rest_is_waited_for(
    machine: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Half of it rests when these programs have ended, whatever else runs beside this test.
    monkeypatch.setattr(machine, "AT_REST", (psutil.cpu_count() or 1) / 2)
    with ThreadPoolExecutor(1) as pool:
        with all_busy():
            described = pool.submit(machine.description, anyway=False)
            wait_for(lambda: "waiting until they rest" in capsys.readouterr().out, "it waits")
            assert not described.done()
        assert described.result()["processors_busy_before"] <= machine.AT_REST


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_benchmark_can_be_told_where_to_write_and_to_measure_anyway(program: str) -> None:
    shown = subprocess.run(
        [sys.executable, BENCHMARKS / program, "--help"], capture_output=True, text=True, check=True
    )
    assert "--anyway" in shown.stdout
    assert "--folder" in shown.stdout
