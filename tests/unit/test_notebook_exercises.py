"""Exercises: right answers are right, wrong ones wrong, and no answer makes a check raise."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from answerbook.notebook.exercises import Exercise, registered

MODULES = sorted({module for module, _, _ in registered()})


def hint(answer: int) -> str | None:
    return None if answer + 1 == 4 else "Count again."


THREE = Exercise(solution=3, wrong=(4, "three"), test=hint, because="Three & no more.")


@pytest.fixture(scope="module", autouse=True)
def shell() -> Iterator[None]:
    """The shell that `display` publishes to, as in a kernel."""
    InteractiveShell.instance()
    yield
    InteractiveShell.clear_instance()


def verdict(answer: object) -> tuple[str, str]:
    with capture_output() as captured:
        THREE.check(answer)
    (output,) = captured.outputs
    return output.metadata["answerbook"]["verdict"], output.data["text/plain"]


def test_exercise_is_open_until_the_dots_are_replaced() -> None:
    assert ("open", "Open.") == (verdict(...)[0], verdict(...)[1].split()[0])


def test_right_answer_is_told_why_and_a_wrong_one_gets_the_hint() -> None:
    assert ("right", "Right. Three & no more.") == verdict(3)
    assert ("wrong", "Not yet. Count again.") == verdict(4)


anything = st.one_of(
    st.none(), st.text(), st.binary(), st.floats(), st.lists(st.integers()), st.functions(),
)  # fmt: skip


@given(anything)
def test_check_never_raises_whatever_the_answer(answer: object) -> None:
    assert "wrong" == verdict(answer)[0] or answer == 3


class Awkward:
    """An answer that refuses everything one may do with it."""

    def __add__(self, other: object) -> object:
        raise SystemExit

    def __repr__(self) -> str:
        raise RuntimeError

    __eq__ = __add__  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


def test_answer_that_ends_the_program_is_only_wrong() -> None:
    found, text = verdict(Awkward())
    assert "wrong" == found
    assert "Awkward" in text


@pytest.mark.parametrize("module", MODULES)
def test_every_exercise_has_wrong_answers_and_says_why_the_right_one_is(module: str) -> None:
    mine = [exercise for found, _, exercise in registered() if found == module]
    assert mine
    for exercise in mine:
        assert len(exercise.wrong) >= 2
        assert exercise.because.endswith((".", "!"))
        assert "open" == exercise.judge(...)[0]
