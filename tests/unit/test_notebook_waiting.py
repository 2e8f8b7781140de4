"""Cells that wait, measure or show a refusal; and that importing all this is cheap."""

import subprocess
import sys
from threading import Thread

import pytest

from answerbook.notebook import median_seconds, progress, raises, stopwatch, wait_for


def test_progress_goes_through_everything_and_draws_text_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert [0, 1, 2] == list(progress(range(3), "counting"))
    output = capsys.readouterr()
    assert "counting: 100%" in output.err
    assert "" == output.out


def test_wait_for_returns_the_first_truthy_answer() -> None:
    answers = iter([None, 0, "there"])
    assert "there" == wait_for(lambda: next(answers), "it is there")


def test_wait_for_says_what_it_waited_for() -> None:
    with pytest.raises(TimeoutError, match=r"Waited 0.1 s until the queue is empty.*0"):
        wait_for(lambda: 0, "the queue is empty", seconds=0.1)


def test_stopwatch_runs_until_its_block_ends() -> None:
    with stopwatch() as watch:
        inside = watch.seconds
    assert 0 <= inside <= watch.seconds == watch.seconds


def test_stopwatch_counts_what_all_threads_of_this_process_computed() -> None:
    def compute() -> None:
        while watch.cpu_seconds < 0.2:
            pass

    with stopwatch() as watch:
        thread = Thread(target=compute)
        thread.start()
        thread.join()
    assert 0.2 <= watch.cpu_seconds == watch.cpu_seconds


def test_median_ignores_the_run_that_warms_up() -> None:
    calls: list[int] = []
    assert 0 <= median_seconds(lambda: calls.append(1), repeat=3)
    assert 4 == len(calls)


def test_raises_prints_the_error_in_one_line_and_keeps_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with raises(KeyError, TypeError) as caught:
        raise KeyError("a\nb")
    assert "KeyError: 'a\\nb'\n" == capsys.readouterr().out
    assert "a\nb" == caught.error.args[0]


def test_raises_fails_when_nothing_is_raised() -> None:
    with (
        pytest.raises(AssertionError, match="KeyError or TypeError was expected"),
        raises(KeyError, TypeError),
    ):
        pass


def test_raises_lets_another_error_through() -> None:
    with pytest.raises(ZeroDivisionError), raises(KeyError):
        raise ZeroDivisionError


def test_importing_the_helpers_imports_neither_matplotlib_nor_ipython() -> None:
    program = (
        "import sys, answerbook.notebook; "
        "print(sorted({'matplotlib', 'IPython', 'pydantic', 'nbformat'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert b"[]\n" == done.stdout
