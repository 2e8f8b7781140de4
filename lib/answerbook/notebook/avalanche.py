"""The avalanche effect of a hash, drawn: which bits of one digest change, and how many in general.

Notebook 3_1_hashing calls `draw_avalanche`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from answerbook.notebook.figures import COLOURS, HATCHES, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 16
"""Bits of a digest in a row of the drawing."""
EDGES = [100 * (61.5 + 5 * step) / 128 for step in range(-7, 9)]
"""Of the histogram's bars, in percent. Each holds as many of the shares that 128 bits can give as
the next, five, with one half in the middle; a rounder width would draw a comb."""


def differing_bits(one: bytes, other: bytes) -> list[bool]:
    """For each bit, from the first byte's highest, whether it differs.

    Raises ValueError for inputs of different lengths.
    """
    return [
        bool((mine ^ yours) >> place & 1)
        for mine, yours in zip(one, other, strict=True)
        for place in range(7, -1, -1)
    ]


def draw_avalanche(before: bytes, after: bytes, shares: Mapping[str, Sequence[float]]) -> Figure:
    """To the left the bits in which two digests differ, to the right a histogram for each hash.

    `shares` is a hash's name → for each flip, the share of its digest's bits that changed, 0 to 1.
    """
    from matplotlib.colors import ListedColormap

    drawn, (grid, histogram) = figure(width=8.0, columns=2)
    bits = differing_bits(before, after)
    rows = [bits[start : start + COLUMNS] for start in range(0, len(bits), COLUMNS)]
    grid.imshow(rows, cmap=ListedColormap(["#eeeeee", COLOURS[0]]), vmin=0, vmax=1)
    grid.grid(visible=False)
    grid.set(xlabel="bit in the row", ylabel=f"row of {COLUMNS} bits")
    grid.set_title(f"{sum(bits)} of {len(bits)} bits changed (dark)", fontsize=11)
    for index, (name, values) in enumerate(shares.items()):
        histogram.hist(
            [100 * value for value in values],
            bins=EDGES,
            weights=[100 / len(values)] * len(values),
            histtype="step",
            linewidth=2,
            hatch=HATCHES[index],
            edgecolor=COLOURS[index],
            label=name,
        )
    histogram.set(xlabel="bits changed, %", ylabel="flips, %")
    histogram.legend()
    return drawn
