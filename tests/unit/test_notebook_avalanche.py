"""The drawing of the avalanche effect."""

import pytest

from answerbook.notebook.avalanche import differing_bits, draw_avalanche


def test_bits_are_compared_from_the_first_bytes_highest() -> None:
    assert [True, *[False] * 14, True] == differing_bits(b"\x80\x00", b"\x00\x01")
    assert not any(differing_bits(b"same", b"same"))
    with pytest.raises(ValueError, match="shorter"):
        differing_bits(b"ab", b"a")


def test_drawing_counts_the_changed_bits_and_names_every_hash() -> None:
    drawn = draw_avalanche(b"\xff\x00" * 4, b"\x00\x00" * 4, {"one": [0.4, 0.5], "other": [0.5]})
    grid, histogram = drawn.axes
    assert "32 of 64 bits changed (dark)" == grid.get_title()
    _, names = histogram.get_legend_handles_labels()
    assert ["one", "other"] == names
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in drawn.axes)
