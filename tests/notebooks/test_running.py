"""The runner: fresh kernels, honest counts, failures told clearly, and nothing left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from io import StringIO
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from answerbook import services
from answerbook.config import repository
from answerbook.notebook import kernel
from answerbook.notebook.kernel import Run, run_notebook
from answerbook.notebook.run import closing_table, run_all
from answerbook.notebook.source import NotebookError, Source, find
from answerbook.services.errors import FetchFailed
from answerbook.services.native import processes

Write = Callable[..., Source]


def run(source: Source) -> Run:
    return run_notebook(source.notebook(), source.name)


def in_subprocess(*words: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "answerbook.notebook.run", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def lives(pid: int) -> bool:
    try:
        return processes.lives(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


def test_only_assertions_that_were_reached_and_held_are_counted(written: Write) -> None:
    source = written(
        "assert True",
        "for number in range(5):\n    assert number < 5",
        "def never():\n    assert True",
        "try:\n    assert False\nexcept AssertionError:\n    pass",
        "if False:\n    assert True",
        "import json\njson.dumps({})",
    )
    assert run(source).assertions == 6


def test_counting_shows_nowhere_in_the_notebook(written: Write) -> None:
    source = written(
        "1", "assert True", "2\nassert True", "sorted(name for name in dir() if 'assert' in name)"
    )
    notebook = run(source).notebook

    assert [1, 2, 3, 4] == [cell.execution_count for cell in notebook.cells]
    texts = [[output.data["text/plain"] for output in cell.outputs] for cell in notebook.cells]
    assert [["1"], [], [], ["[]"]] == texts


def test_failing_cell_ends_its_notebook_and_is_told_with_its_error(written: Write) -> None:
    source = written(
        "before = 1", "# %% [markdown]\n# Prose.", "assert before == 2, 'not two'", "1"
    )
    result = run(source)

    assert result.failure is not None
    assert (2, "assert before == 2, 'not two'") == (result.failure.cell, result.failure.source)
    assert "AssertionError: not two" in result.failure.error
    assert "\x1b" not in result.failure.error
    assert result.notebook.cells[-1].outputs == []


def test_cell_tagged_as_raising_may_raise_and_the_next_one_runs(written: Write) -> None:
    result = run(written('# %% tags=["raises-exception"]\n1 / 0', "assert True"))

    assert result.failure is None
    assert "ZeroDivisionError" == result.notebook.cells[0].outputs[0].ename


def test_next_notebook_runs_after_one_that_failed(written: Write) -> None:
    sources = [written("1 / 0", name="9_1_bad"), written("assert True", name="9_2_good")]
    screen = StringIO()
    console = Console(file=screen, width=100)
    runs = run_all(sources, console)
    console.print(closing_table(runs))

    assert [False, True] == [result.failure is None for result in runs]
    for text in ("9_1_bad, code cell 1", "1 / 0", "division by zero", "9_1_bad (failed)", "PSS"):
        assert text in screen.getvalue()


def test_next_notebook_runs_after_one_whose_service_could_not_be_got(
    written: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(named: Iterable[str]) -> None:
        if "kafka" in named:
            raise FetchFailed("Kafka could not be fetched. Look at the network.")

    monkeypatch.setattr(services, "fetch", offline)
    costs = "# %% [markdown]\n# *1 minute · 0.1 GB · services: {}*"
    sources = [
        written(costs.format("Kafka"), "assert True", name="9_1_kafka"),
        written(costs.format("none"), "assert True", name="9_2_alone"),
    ]
    screen = StringIO()
    console = Console(file=screen, width=100)
    runs = run_all(sources, console)
    console.print(closing_table(runs))

    assert [False, True] == [result.failure is None for result in runs]
    for text in ("9_1_kafka, before its first cell", "Look at the network.", "9_1_kafka (failed)"):
        assert text in screen.getvalue()


def test_notebook_that_takes_too_long_is_ended(
    written: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One cell: on a busy machine the kernel's start may take all of the time.
    monkeypatch.setitem(kernel.SECONDS_ALLOWED, "study", 3)
    result = run(written("while True:\n    pass"))

    assert result.failure is not None
    assert "The 3 s" in result.failure.error


def test_kernel_that_dies_is_told(written: Write) -> None:
    source = written("import os", "os._exit(1)")
    result = run(source)

    assert result.failure is not None
    assert (2, True) == (result.failure.cell, "The kernel died" in result.failure.error)


def test_process_left_running_fails_the_notebook_and_is_killed(written: Write) -> None:
    source = written(
        "import subprocess, sys",
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE,"
        " start_new_session=True)\nprint(child.pid)",
        "import signal, os; os.kill(child.pid, signal.SIGSTOP)",
    )
    result = run(source)

    assert result.failure is not None
    assert "left running" in result.failure.error
    assert not lives(int(result.notebook.cells[1].outputs[0].text))


def test_what_cells_register_for_the_end_of_their_process_is_done(
    written: Write, tmp_path: Path
) -> None:
    done = tmp_path / "done"
    run(written("import atexit, pathlib", f"atexit.register(pathlib.Path({str(done)!r}).touch)"))
    assert done.exists()


def test_peak_memory_counts_the_children_of_the_kernel(written: Write) -> None:
    alone = run(written("1", name="9_1_alone"))
    # It ends when its standard input does, which is when the kernel ends.
    hungry = "held = b'x' * 200_000_000; print('held', flush=True); import sys; sys.stdin.read()"
    source = written(
        "import subprocess, sys",
        f"child = subprocess.Popen([sys.executable, '-c', {hungry!r}],"
        " stdin=subprocess.PIPE, stdout=subprocess.PIPE)\nchild.stdout.readline()",
        name="9_2_with_child",
    )
    with_child = run(source)

    assert with_child.failure is None
    # Once, not twice; what processes share with others on the machine moves a little.
    assert 150e6 < with_child.memory - alone.memory < 300e6
    assert "PSS" == with_child.measure


def test_kernel_has_the_settings_and_a_scratch_folder(written: Write, home: Path) -> None:
    source = written(
        "import os",
        "print(os.environ['ANSWERBOOK_HOME'], os.environ['ANSWERBOOK_PROFILE'])",
        "print(os.getcwd())",
        "import matplotlib; print(matplotlib.get_backend())",
        "get_ipython().profile_dir.location",
    )
    _, settings, folder, backend, profile = run(source).notebook.cells

    assert f"{home} study\n" == settings.outputs[0].text
    assert f"{home}/runs/9_1_trial/cwd\n" == folder.outputs[0].text
    assert "inline" in backend.outputs[0].text
    assert str(home) in profile.outputs[0].data["text/plain"]


def test_run_does_not_change_the_tree(template: Source) -> None:
    root = repository()
    assert root is not None

    def listed() -> dict[Path, float]:
        folders = (root / "notebooks", template.path.parent)
        return {path: path.stat().st_mtime for folder in folders for path in folder.rglob("*")}

    before = listed()
    assert 0 == in_subprocess(template.path).wait()
    assert before == listed()


def test_command_ends_in_a_table_and_its_exit_code_says_whether_all_passed(
    written: Write,
) -> None:
    process = in_subprocess(written("assert True", name="9_1_good").path, written("1 / 0").path)
    screen, _ = process.communicate()

    assert 1 == process.returncode
    assert ["9_1_good", "1", "1"] == screen.splitlines()[-4].replace("│", " ").split()[:3]


def test_unknown_notebook_is_told_in_one_paragraph() -> None:
    process = in_subprocess("9_9_none")
    _, complaint = process.communicate()

    assert 1 == process.returncode
    assert complaint.startswith("There is no notebook 9_9_none.")
    assert "Traceback" not in complaint


def test_interrupted_run_ends_its_kernel_and_says_so(written: Write, tmp_path: Path) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    source = written(
        "import os, subprocess, sys",
        "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])",
        f"with open({str(started)!r}, 'w') as pipe:\n    print(os.getpid(), child.pid, file=pipe)",
        "while True:\n    pass",
    )
    process = in_subprocess(source.path)
    kernel_pid, child_pid = (int(pid) for pid in started.read_text().split())
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=120)

    assert 130 == process.returncode
    assert "Interrupted." in complaint
    assert "Traceback" not in complaint
    assert (False, False) == (lives(kernel_pid), lives(child_pid))


def test_questions_and_names_choose_notebooks(tmp_path: Path) -> None:
    for name in ("00_start", "1_1_rest", "1_3_amqp", "5_1_search"):
        (tmp_path / f"{name}.py").write_text("# %%\n1\n")

    def names(*wanted: str, question: str | None = None) -> list[str]:
        return [source.name for source in find(wanted, question, tmp_path)]

    assert ["00_start", "1_1_rest", "1_3_amqp", "5_1_search"] == names()
    assert ["1_1_rest", "1_3_amqp"] == names(question="1")
    assert ["5_1_search"] == names("5_1_search.ipynb")
    assert ["1_1_rest", "5_1_search"] == names("notebooks/1_1_rest.ipynb", "5_1")
    with pytest.raises(NotebookError, match="There is no notebook 1. There are: 00_start, 1_1"):
        names("1")
    with pytest.raises(NotebookError, match="No notebook of question 4"):
        names(question="4")
