"""What notebook 3.1 clocks with, by a clock that the calls themselves move."""

import pytest

from answerbook.notebook.clocking import fastest_nanoseconds, told_apart


class Clock:
    """Stands still until a call moves it."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def step(self, nanoseconds: int) -> None:
        self.now += nanoseconds


def test_fastest_batch_counts_for_each_call() -> None:
    clock = Clock()
    steps = iter([100, 100, 40, 60, 500, 500])

    fastest = fastest_nanoseconds(
        {"steady": lambda: clock.step(7), "disturbed": lambda: clock.step(next(steps))},
        rounds=3,
        batch=2,
        clock=clock,
    )

    assert {"steady": 7, "disturbed": 50} == fastest


def test_calls_of_different_length_are_told_apart_and_equal_ones_are_a_guess() -> None:
    clock = Clock()
    quick, same, slow = (lambda by=by: clock.step(by) for by in (1, 1, 2))

    assert 1 == told_apart(quick, slow, pairs=50, clock=clock)
    assert 0 == told_apart(slow, quick, pairs=50, clock=clock)
    assert 0.5 == told_apart(quick, same, pairs=50, clock=clock)


@pytest.mark.parametrize("batch", [1, 10])
def test_a_batch_is_clocked_together(batch: int) -> None:
    clock = Clock()
    calls = []

    told_apart(lambda: calls.append("a"), lambda: calls.append("b"), pairs=5, batch=batch)

    assert 5 * batch == calls.count("a") == calls.count("b")
    assert 0 == clock.now
