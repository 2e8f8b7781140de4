"""A run of many events from a cell, and the figures of load tests."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from answerbook.load.sent import Plan, Totals
from answerbook.notebook import backlog, load_figures, million
from answerbook.notebook.backlog import STAGES


class Run:
    """Three looks at 100 events."""

    def __init__(self, _system: Any, plan: Plan, users: int) -> None:
        self.plan, self.users, self.began = plan, users, 0.0
        self.looks = 0
        self.lag = {"events": 0}

    @property
    def done(self) -> bool:
        return self.looks == 3

    @property
    def counts(self) -> dict[str, int]:
        done = {"accepted": 100, "rendered": 40 * self.looks, "sent": 30, "recorded": 20}
        return done | {"retried": 0}

    def watch(self) -> None:
        self.looks += 1
        self.lag = {"events": 100 - 33 * self.looks}

    def outcome(self) -> Any:
        return Totals(self.plan.run_id, accepted=100)

    def audit(self) -> str:
        return "balanced"

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: object) -> None:
        return


def test_a_cell_gets_the_outcome_the_audit_and_each_look(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("answerbook.million.Million", Run)
    monkeypatch.setattr(backlog, "SAMPLE_SECONDS", 0.01)
    system: Any = SimpleNamespace(
        url="http://127.0.0.1:1", ledger_folder=None, lag=lambda: {"events": 0}
    )
    run = million.run(system, 100)
    assert "balanced" == run.report
    assert [0, 40, 80, 120] == list(run.seconds.rendered)
    assert [0, 100, 100, 100] == list(run.seconds.accepted)
    assert ["second", *million.COLUMNS] == list(run.seconds.columns)
    bar = capsys.readouterr().err
    assert "100/100" in bar
    assert "1 waiting" in bar


def test_latencies_stand_over_the_backlog_of_the_same_seconds() -> None:
    seconds = pd.DataFrame(
        {"second": range(3), "p50": [0.002] * 3, "p95": [0.01] * 3, "p99": [0.02, None, 0.03]}
    )
    waiting = pd.DataFrame(
        {"second": [-1.0, 0.5, 9.0], **{stage: [1, 2, 0] for stage in STAGES.values()}}
    )
    above, below = load_figures.timeline(seconds, waiting).axes
    assert ["p50", "p95", "p99"] == [line.get_label() for line in above.lines]
    drawn: Any = above.lines[0].get_ydata()
    assert [2.0] * 3 == pytest.approx(list(drawn))
    assert list(STAGES.values()) == [line.get_label() for line in below.lines]
    assert above.get_shared_x_axes().joined(above, below)
    assert (0, 9) == below.get_xlim() == above.get_xlim()


def test_each_stage_has_a_line_and_receipts_have_none() -> None:
    rows = [{"second": each, **dict.fromkeys(million.COLUMNS, each)} for each in range(30)]
    (axes,) = load_figures.stages(pd.DataFrame(rows)).axes
    assert ["events accepted", "rendered", "notifications sent"] == [
        line.get_label() for line in axes.lines
    ]
