"""Figures of a load test: latencies over backlog, second by second, and a run stage by stage.

For notebook 2_4_a_million_an_hour, with what `load.run`, `backlog.watch` and `million.run` gave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from answerbook.notebook.backlog import STAGES
from answerbook.notebook.figures import figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

DRAWN = {"accepted": "events accepted", "rendered": "rendered", "sent": "notifications sent"}
"""What a run counted → how it is called. Receipts are left out: each event has several."""
MOST_MARKERS = 12
"""On a line, so that the markers tell lines apart and do not hide them."""
STEPS = "steps-post"
"""A value holds for its second. And slopes make a PNG three times as large: a page has 300 KB."""
ABOVE = {"loc": "lower right", "bbox_to_anchor": (1, 0.98), "ncols": 3, "borderaxespad": 0}
"""Where a legend hides no line."""


def timeline(seconds: pd.DataFrame, waiting: pd.DataFrame) -> Figure:
    """p50, p95 and p99 of each second in milliseconds; under them, on one time axis, what waits.

    The axis goes on until nothing waits.
    """
    from matplotlib.ticker import LogLocator

    drawn, (above, below) = figure(height=4.2, rows=2)
    for name in ("p50", "p95", "p99"):
        every = _every(len(seconds))
        above.plot(
            seconds.second, seconds[name] * 1_000, label=name, markevery=every, drawstyle=STEPS
        )
    waiting = waiting[waiting.second >= 0].groupby(waiting.second // 1, as_index=False).max()
    for stage in STAGES.values():
        every = _every(len(waiting))
        below.plot(waiting.second, waiting[stage], label=stage, markevery=every, drawstyle=STEPS)
    above.set(ylabel="202 after, ms", yscale="log")
    below.set(xlabel="seconds since the start", ylabel="records waiting", ylim=(0, None))
    above.sharex(below)
    above.tick_params(labelbottom=False)
    above.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    above.yaxis.set_major_formatter("{x:g}")
    above.yaxis.set_minor_formatter("")
    below.set_xlim(0, max(seconds.second.max(), waiting.second.max()))
    for axes in (above, below):
        axes.legend(**ABOVE)
    return drawn


def stages(seconds: pd.DataFrame) -> Figure:
    """How many each stage had done, over time; the gap between two lines is what waits."""
    drawn, axes = figure(height=3.2)
    for name, what in DRAWN.items():
        every = _every(len(seconds))
        axes.plot(seconds.second, seconds[name], label=what, markevery=every)
    axes.set(xlabel="seconds since the first event was sent", ylabel="so far", ylim=(0, None))
    axes.legend(**ABOVE)
    return drawn


def _every(points: int) -> int:
    return max(1, points // MOST_MARKERS)
