"""Figures of a load test: latencies over backlog, second by second, and a run stage by stage.

For notebook 2_4_a_million_an_hour, with what `load.run`, `backlog.watch` and `million.run` gave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from answerbook.notebook.backlog import STAGES
from answerbook.notebook.figures import MARKERS, figure
from answerbook.notebook.million import COLUMNS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MOST_MARKERS = 12
"""On a line, so that the markers tell lines apart and do not hide them."""


def timeline(seconds: pd.DataFrame, waiting: pd.DataFrame) -> Figure:
    """p50, p95 and p99 of each second in milliseconds; under them, on one time axis, what waits."""
    drawn, (above, below) = figure(height=4.6, rows=2)
    for name in ("p50", "p95", "p99"):
        above.plot(
            seconds.second, seconds[name] * 1_000, label=name, markevery=_every(len(seconds))
        )
    above.set(ylabel="202 after, ms", yscale="log")
    above.legend(ncols=3, loc="upper right")
    for stage in STAGES.values():
        below.plot(waiting.second, waiting[stage], label=stage, markevery=_every(len(waiting)))
    below.set(xlabel="seconds since the start", ylabel="records waiting")
    below.set_ylim(bottom=0)
    below.legend(ncols=3, loc="upper right")
    below.sharex(above)
    above.set_xlabel("seconds since the start")
    above.set_xlim(left=min(0, seconds.second.min()))
    return drawn


def stages(seconds: pd.DataFrame) -> Figure:
    """How many each stage had done, over time; the gap between two lines is what waits."""
    drawn, axes = figure()
    for name, marker in zip(COLUMNS, MARKERS, strict=False):
        axes.plot(
            seconds.second,
            seconds[name],
            label=name,
            marker=marker,
            markevery=_every(len(seconds)),
        )
    axes.set(xlabel="seconds since the first event was sent", ylabel="records so far")
    axes.set_ylim(bottom=0)
    axes.legend()
    return drawn


def _every(points: int) -> int:
    return max(1, points // MOST_MARKERS)
