"""A drawing of boxes and arrows, as PNG like every other figure: architectures in notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from answerbook.notebook.figures import COLOURS, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BOX_WIDTH, BOX_HEIGHT = 0.86, 0.56
"""Of a cell of the grid."""

Place = tuple[float, float]
"""Column and row; row 0 is the uppermost."""
Arrow = tuple[str, str] | tuple[str, str, str]
"""From a box to a box, and what it is called."""


def diagram(
    boxes: Mapping[str, Place], arrows: Iterable[Arrow], *, stores: Iterable[str] = ()
) -> Figure:
    """Boxes on a grid, and arrows between them; those in `stores` keep something and are round.

    A box's name is its text; lines in it are parted by newlines. Raises ValueError when an arrow
    names a box that is not there, or two boxes stand in one place.
    """
    if len(set(boxes.values())) < len(boxes):
        raise ValueError("Two boxes stand in one place.")
    columns = max(column for column, _ in boxes.values()) + 1
    rows = max(row for _, row in boxes.values()) + 1
    drawn, axes = figure(width=min(10.0, 1.9 * columns), height=1.15 * rows)
    axes.set_axis_off()
    axes.set(xlim=(-0.55, columns - 0.45), ylim=(rows - 0.45, -0.55))
    keeps = set(stores)
    for name, (column, row) in boxes.items():
        _draw_box(axes, name, column, row, keeps=name in keeps)
    for start, end, *label in arrows:
        missing = {start, end} - boxes.keys()
        if missing:
            raise ValueError(f"An arrow names what is no box: {', '.join(sorted(missing))}.")
        _draw_arrow(axes, boxes[start], boxes[end], label[0] if label else "")
    return drawn


def _draw_box(axes: Axes, name: str, column: float, row: float, *, keeps: bool) -> None:
    from matplotlib.patches import FancyBboxPatch

    axes.add_patch(
        FancyBboxPatch(
            (column - BOX_WIDTH / 2, row - BOX_HEIGHT / 2),
            BOX_WIDTH,
            BOX_HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.2" if keeps else "square,pad=0",
            edgecolor=COLOURS[2] if keeps else COLOURS[0],
            facecolor="white",
            linewidth=1.8,
        )
    )
    axes.text(column, row, name, ha="center", va="center", fontsize=9)


def _draw_arrow(axes: Axes, start: Place, end: Place, label: str) -> None:
    (x0, y0), (x1, y1) = _leave(start, end), _leave(end, start)
    axes.annotate(
        "", (x1, y1), (x0, y0), arrowprops={"arrowstyle": "->", "color": "black", "linewidth": 1.3}
    )
    if label:
        # Above the boxes where there is no room between them.
        side = BOX_HEIGHT / 2 + 0.05 if start[1] == end[1] else 0.0
        axes.text(
            (x0 + x1) / 2,
            (y0 + y1) / 2 - side,
            label,
            ha="center",
            va="bottom" if side else "center",
            fontsize=8,
            backgroundcolor="white" if not side else (1, 1, 1, 0),
        )


def _leave(box: Place, towards: Place) -> Place:
    """Where a straight line from a box's middle to another's crosses its edge."""
    across, down = towards[0] - box[0], towards[1] - box[1]
    reach = min(
        BOX_WIDTH / 2 / abs(across) if across else float("inf"),
        BOX_HEIGHT / 2 / abs(down) if down else float("inf"),
    )
    return box[0] + across * reach, box[1] + down * reach
