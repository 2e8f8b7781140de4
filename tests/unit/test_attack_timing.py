"""A check that stops at the first difference gives its tag away; one that does not gives nothing.

The clock counts compared bytes here, so that the result does not depend on how busy a machine is.
"""

import secrets
from collections.abc import Iterator

import pytest

from answerbook.notebook.attacks.timing import recover_tag


class Check:
    """Compares with a random tag, and counts the bytes that it looks at."""

    def __init__(self, length: int, *, stops: bool) -> None:
        self.tag = secrets.token_bytes(length)
        self.compared = 0
        self._stops = stops

    def __call__(self, tag: bytes) -> bool:
        equal = True
        for one, other in zip(self.tag, tag, strict=True):
            self.compared += 1
            equal &= one == other
            if self._stops and not equal:
                break
        return equal


@pytest.mark.parametrize("length", [1, 2, 8, 16])
def test_attack_recovers_the_tag_from_a_check_that_stops_early(length: int) -> None:
    check = Check(length, stops=True)
    assert check.tag == recover_tag(length, check, clock=lambda: check.compared)


def test_check_that_always_looks_at_every_byte_gives_nothing_away() -> None:
    # By luck alone: 2 to the power of -56.
    check = Check(8, stops=False)
    assert recover_tag(8, check, attempts=1, clock=lambda: check.compared) is None


def test_disturbed_attempt_is_made_again_with_more_clockings() -> None:
    check = Check(4, stops=True)

    def attack(attempts: int) -> bytes | None:
        noise = disturbed()
        return recover_tag(4, check, attempts=attempts, clock=lambda: check.compared + next(noise))

    assert attack(1) is None
    assert check.tag == attack(2)


def disturbed() -> Iterator[int]:
    """Steps that look like progress, in all of the first attempt, and then no more."""
    for _ in range(3 * 4 * (256 * 32) * 2):
        yield secrets.randbelow(1_000_000)
    while True:
        yield 0
