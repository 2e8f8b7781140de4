"""The parts of an encrypted copy do what is measured of them."""

from functools import partial
from pathlib import Path

from answerbook.notebook.file_rates import CHUNK_BYTES, best_rates, make, read, seal, write


def test_the_ways_take_turns_and_each_gets_its_rate() -> None:
    called: list[str] = []
    rates = best_rates({name: partial(called.append, name) for name in "ab"}, 10**6, 2)
    assert ["a", "b", "a", "b"] == called
    assert ["a", "b"] == list(rates)
    assert all(rate > 0 for rate in rates.values())


def test_what_is_written_has_the_size_that_was_asked_for_and_can_be_read(tmp_path: Path) -> None:
    target = tmp_path / "written"
    write(target, 3 * CHUNK_BYTES)
    assert 3 * CHUNK_BYTES == target.stat().st_size
    read(target)
    seal(3 * CHUNK_BYTES)
    seal(10, 1_024)


def test_a_made_file_has_its_size_and_no_pattern(tmp_path: Path) -> None:
    for size in (0, 1, 2**20, 2**20 + 1):
        assert size == make(tmp_path / "made", size).stat().st_size
    content = (tmp_path / "made").read_bytes()
    assert 256 == len(set(content))
