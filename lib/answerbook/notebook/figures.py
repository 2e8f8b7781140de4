"""Figures in cells: one look, and nothing that a colour-blind or blind reader cannot follow.

`figure`, `bars` and `lines` make them, `show` shows them, as PNG on white, which reads the same on
a light and a dark page and needs no JavaScript.
"""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from answerbook.notebook.numbers import readable
from answerbook.notebook.rich_output import show_bundle, show_caption

# matplotlib takes half a second to import: it is imported where it is used.
if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 110

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette for all kinds of colour blindness, without its yellow, which is too faint
on white: https://jfly.uni-koeln.de/color/"""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "++", "oo")


def figure(
    width: float = 7.0, height: float = 3.5, *, rows: int = 1, columns: int = 1
) -> tuple[Figure, Any]:
    """A styled figure of `width` × `height` inches and its axes (an array when there are several).

    It belongs to no pyplot window, so nothing but `show` ever displays it.
    """
    from matplotlib.figure import Figure

    use_style()
    drawn = Figure(figsize=(width, height), layout="constrained")
    return drawn, drawn.subplots(rows, columns)


def lines(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    x: str,
    y: str,
    log: bool = False,
) -> Figure:
    """A line with markers for each of `series`, name → (xs, ys); `x` and `y` are axis labels.

    `log` makes the y axis logarithmic.
    """
    drawn, axes = figure()
    for name, (horizontal, vertical) in series.items():
        axes.plot(horizontal, vertical, label=name)
    axes.set(xlabel=x, ylabel=y, yscale="log" if log else "linear")
    if not log:
        axes.set_ylim(bottom=0)
    if len(series) > 1:
        axes.legend()
    return drawn


def bars(
    values: Mapping[str, float] | Mapping[str, Mapping[str, float]],
    *,
    x: str,
    y: str,
    log: bool = False,
    horizontal: bool = False,
    spread: Mapping[str, Mapping[str, tuple[float, float]]] | None = None,
) -> Figure:
    """A bar for each of `values`, with its number on it; `x` and `y` are axis labels.

    `values` is category → number, or series → {category → number} for bars side by side. `log`
    makes the numbers' axis logarithmic. `horizontal` lays the bars, from top to bottom, for more
    categories than fit side by side; the numbers' axis is x then. `spread` is series → {category →
    (least, most)}, drawn as a line along the bar.
    """
    grouped = _grouped(values)
    categories = list(dict.fromkeys(name for group in grouped.values() for name in group))
    width = 0.8 / len(grouped)
    drawn, axes = figure(height=1.2 + 0.32 * len(categories) if horizontal else 3.5)
    for index, (name, group) in enumerate(grouped.items()):
        present = [position for position, key in enumerate(categories) if key in group]
        heights = [group[categories[position]] for position in present]
        offset = (index - (len(grouped) - 1) / 2) * width
        places = [position + offset for position in present]
        draw = axes.barh if horizontal else axes.bar
        ends = [(spread or {}).get(name, {}).get(categories[each]) for each in present]
        drawn_bars = draw(
            places,
            heights,
            width,
            label=name,
            hatch=HATCHES[index % len(HATCHES)],
            edgecolor="w",
            # Numbers stand beyond what is drawn as an error.
            **{"xerr" if horizontal else "yerr": _away(heights, ends)} if any(ends) else {},
        )
        labels = [readable(height) for height in heights]
        size = 8 if horizontal and len(grouped) > 1 else None
        axes.bar_label(drawn_bars, labels, padding=2, fontsize=size)
    scale = "log" if log else "linear"
    if horizontal:
        axes.set_yticks(range(len(categories)), categories)
        axes.invert_yaxis()
        axes.set(xlabel=x, ylabel=y, xscale=scale)
        axes.margins(x=0.12, y=0.01)
    else:
        axes.set_xticks(range(len(categories)), categories)
        axes.set(xlabel=x, ylabel=y, yscale=scale)
        axes.margins(y=0.12)
    if len(grouped) > 1:
        axes.legend()
    return drawn


def _away(
    heights: Sequence[float], ends: Sequence[tuple[float, float] | None]
) -> list[list[float]]:
    """How far the least and the most are from each height, as Matplotlib takes errors."""
    pairs = [end or (height, height) for height, end in zip(heights, ends, strict=True)]
    return [
        [height - least for height, (least, _) in zip(heights, pairs, strict=True)],
        [most - height for height, (_, most) in zip(heights, pairs, strict=True)],
    ]


def show(drawn: Figure, alt: str, caption: str | None = None) -> None:
    """Display a figure as PNG, with a visible caption under it, and close it.

    `alt` says what a person who cannot see the figure needs to know; it is the caption too, unless
    `caption` is given. Raises ValueError when `alt` is empty, or an axis has no label.
    """
    if not alt.strip():
        raise ValueError(
            "A figure needs alt text: show(fig, alt='what a person who cannot see it must know')."
        )
    for axes in drawn.axes:
        _refuse_unlabelled(axes, drawn)
    show_bundle(
        {"image/png": b64encode(_as_png(drawn)).decode(), "text/plain": alt},
        {"image/png": {"alt": alt}},
        "figure",
    )
    show_caption(caption or alt)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(drawn)


def use_style() -> None:
    """Make matplotlib draw in this collection's style; `figure` calls it."""
    import matplotlib
    from cycler import cycler

    matplotlib.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=COLOURS) + cycler(marker=MARKERS),
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.dpi": DOTS_PER_INCH,
            "font.size": 11,
            "grid.color": "#dddddd",
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "lines.markersize": 6,
        }
    )


def _as_png(drawn: Figure) -> bytes:
    file = BytesIO()
    drawn.savefig(
        file,
        format="png",
        dpi=DOTS_PER_INCH,
        facecolor="white",
        transparent=False,
        metadata={"Software": None},
        pil_kwargs={"optimize": True},
    )
    return file.getvalue()


def _refuse_unlabelled(axes: Axes, drawn: Figure) -> None:
    """Raise ValueError for an axis that is seen and named neither itself nor by one it shares."""
    if not (axes.axison and axes.get_visible()):
        return
    for letter, axis, label, shared, common in (
        ("x", axes.xaxis, axes.get_xlabel, axes.get_shared_x_axes(), drawn.get_supxlabel()),
        ("y", axes.yaxis, axes.get_ylabel, axes.get_shared_y_axes(), drawn.get_supylabel()),
    ):
        if not axis.get_visible() or _is_blank_side_of_colour_bar(axes, letter):
            continue
        named = [label(), common]
        named += [
            sibling.get_xlabel() if letter == "x" else sibling.get_ylabel()
            for sibling in shared.get_siblings(axes)
            # A twin shares its place as well as its axis, and has a label of its own to give.
            if sibling is not axes
        ]
        if not any(text.strip() for text in named):
            raise ValueError(
                f"The {letter} axis has no label. Say what it shows and in which unit: "
                f"ax.set_{letter}label('milliseconds')."
            )


def _is_blank_side_of_colour_bar(axes: Axes, letter: str) -> bool:
    bar = getattr(axes, "_colorbar", None)
    return bar is not None and letter == ("x" if bar.orientation == "vertical" else "y")


def _grouped(
    values: Mapping[str, float] | Mapping[str, Mapping[str, float]],
) -> dict[str, dict[str, float]]:
    """`values` as series → category → number; a single series has an empty name."""
    single: dict[str, float] = {}
    several: dict[str, dict[str, float]] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            several[name] = dict(value)
        else:
            single[name] = value
    if single and several:
        raise ValueError("Give numbers, or a mapping for every series, not both.")
    return several or {"": single}
