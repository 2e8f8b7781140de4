"""A program that a cell starts, reads and kills."""

import gc

import psutil
import pytest

from answerbook.notebook.program import Program

COUNTING = """
import itertools, os, sys, time
print(os.getpid())
print(sys.argv[1])
for number in itertools.count():
    print(number)
"""


def test_lines_come_one_by_one_and_the_arguments_were_passed() -> None:
    program = Program(COUNTING, "hello")
    next(program)

    assert ["hello", "0", "1"] == [next(program) for _ in range(3)]
    program.kill()


def test_killed_program_has_ended_by_signal_9() -> None:
    program = Program(COUNTING, "")
    pid = int(next(program))

    assert -9 == program.kill()
    assert not psutil.pid_exists(pid)


def test_program_that_ended_says_what_it_wrote_to_stderr() -> None:
    program = Program("print(1); raise ValueError('no such topic')")

    assert "1" == next(program)
    with pytest.raises(RuntimeError, match="status 1.\n(.|\n)*no such topic"):
        next(program)


def test_program_does_not_outlive_its_variable() -> None:
    program = Program(COUNTING, "")
    pid = int(next(program))
    del program
    gc.collect()

    assert not psutil.pid_exists(pid)
