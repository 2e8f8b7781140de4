"""What a run with a fault says of itself, from looks that were written down."""

from types import SimpleNamespace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from answerbook.load.sent import Totals
from answerbook.notebook import fault_runs, show
from answerbook.notebook.fault_runs import COLUMNS, Sample, Struck
from answerbook.notebook.faults import Fault

LOOKS = (
    Sample(0.0, 0, 0, 0, 0, 0),
    Sample(1.0, 100, 90, 80, 0, 10),
    Sample(2.0, 200, 90, 80, 3, 110),
    Sample(4.0, 400, 90, 80, 5, 310),
    Sample(5.0, 400, 400, 400, 5, 0),
    Sample(9.0, 400, 400, 400, 5, 0),
)


def struck() -> Struck:
    report = SimpleNamespace(
        events=SimpleNamespace(no_outcome=2),
        notifications=SimpleNamespace(pending=1),
        fcm=SimpleNamespace(duplicates=7),
    )
    totals = Totals("r1", accepted=400, done=True)
    return Struck(Fault("a fault"), totals, LOOKS, 1.5, 3.5, 4, report)


def test_pause_is_the_longest_time_without_a_send_while_something_waits() -> None:
    assert 3.0 == struck().pause


def test_row_has_a_value_for_each_column() -> None:
    row = struck().row()
    assert len(COLUMNS) == len(row)
    assert ("a fault", 400, "3.0 s", 3, 7) == row


def test_timeline_shows_rates_and_when_the_fault_was_there() -> None:
    drawn = fault_runs.timeline(struck())
    assert isinstance(drawn, Figure)
    rates, lag, errors = drawn.axes
    assert [100, 100, 100, 0, 0] == heights(rates)
    assert [10, 110, 310, 0, 0] == heights(lag)
    assert [0, 3, 1, 0, 0] == heights(errors)
    assert "a fault" in rates.get_title("left")
    show(drawn, alt="what happened to a run")


def heights(axes: Axes) -> list[float]:
    return [round(float(height), 3) for height in np.asarray(axes.lines[0].get_ydata())]


def test_counters_read_what_delivery_exports_and_nobody_else() -> None:
    counters = fault_runs._Counters()
    page = (
        'answerbook_deliver_sends_total{code="OK"} 10.0\n'
        'answerbook_deliver_sends_total{code="CUT"} %d.0\n'
        "answerbook_deliver_duplicates_total %d.0\n"
    )
    counters.see("notify-deliver 1", page % (1, 2))
    counters.see("notify-deliver 1", page % (4, 7))
    counters.see("notify-api 1", page % (100, 100))
    counters.see("notify-deliver 1", page % (1, 0))
    assert (4, 5) == (counters.errors.total, counters.held_back.total)
