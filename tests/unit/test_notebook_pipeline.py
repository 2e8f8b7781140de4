"""What notebook 2_2 draws and tabulates, of lags, receipts and an audit."""

from types import SimpleNamespace

from answerbook.notebook import pipeline
from answerbook.notebook.trail import Step


def test_lags_of_topics_are_drawn_as_three_lines() -> None:
    samples = [
        (1.0, {"events": 7, "notifications.high": 1, "notifications.normal": 2}),
        (2.0, {"receipts.events": 3, "receipts.notifications": 4, "retries.5s": 9}),
    ]
    assert {
        "events": ([1.0, 2.0], [7, 0]),
        "notifications": ([1.0, 2.0], [3, 0]),
        "receipts": ([1.0, 2.0], [0, 7]),
    } == pipeline.as_lines(samples)


def test_reasons_are_counted_for_one_run_the_most_frequent_first() -> None:
    def receipt(run: str, outcome: str, **more: str) -> Step:
        return Step("receipts.events", 0, 0, "", {"run_id": run, "outcome": outcome, **more})

    found = [
        receipt("a", "suppressed", reason="quiet_hours"),
        receipt("a", "expanded"),
        receipt("a", "expanded"),
        receipt("b", "dead", reason="malformed"),
    ]
    assert [("expanded", "", 2), ("suppressed", "quiet_hours", 1)] == pipeline.reasons(found, "a")


def test_balance_has_a_row_for_each_outcome_and_one_for_what_fcm_got_twice() -> None:
    report = SimpleNamespace(
        events=SimpleNamespace(
            accepted=9, expanded=5, suppressed=2, expired=1, dead=1, no_outcome=0
        ),
        notifications=SimpleNamespace(total=7, sent=6, suppressed=0, expired=0, dead=1, pending=0),
        fcm=SimpleNamespace(accepted=8, duplicates=2),
    )
    rows = pipeline.balance(report)
    assert ("all", 9, 7, 8) == rows[0]
    assert ("expanded; sent", 5, 6, 6) == rows[1]
    assert ("a second time", None, None, 2) == rows[-1]
    assert 9 == sum(events or 0 for _, events, *_ in rows[1:])
