"""How fast guesses are, counted in the processor's time; how long a list takes, in words."""

import time

import pytest

from answerbook.notebook.guessing import duration, guesses_per_second


def busy(seconds: float) -> None:
    began = time.process_time()
    while time.process_time() - began < seconds:
        pass


def test_rate_is_that_of_the_function_in_processor_time() -> None:
    assert 200 == pytest.approx(guesses_per_second(lambda _: busy(0.005), 0.05), rel=0.3)


def test_slow_guess_is_counted_once_and_not_repeated_for_long() -> None:
    made: list[bytes] = []

    def slow(guess: bytes) -> None:
        made.append(guess)
        busy(0.06)

    assert 20 > guesses_per_second(slow, 0.05)
    assert 2 == len(made)


def test_every_guess_is_another_one() -> None:
    made: list[bytes] = []
    guesses_per_second(made.append, 0.01)
    assert len(made) == len(set(made)) > 1_000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (8.7e-5, "87 µs"),
        (3e-7, "0.3 µs"),
        (0.5, "500 ms"),
        (2, "2 s"),
        (59, "59 s"),
        (90, "1.5 minutes"),
        (3600, "60 minutes"),
        (400_000, "4.6 days"),
        (4e10, "1,300 years"),
    ],
)
def test_duration_is_in_the_unit_that_a_reader_would_take(seconds: float, text: str) -> None:
    assert text == duration(seconds)
