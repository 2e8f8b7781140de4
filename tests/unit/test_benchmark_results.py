"""What is committed of a benchmark is of this code, and reaches its floors."""

from answerbook.notebook import results
from answerbook.notebook.benchmarks import notify_rows
from answerbook.protocols.choosing.contestants import CONTESTANTS, OVER_TLS


def test_the_protocols_benchmark_has_every_contestant_of_today() -> None:
    measured = results("protocols")["figures"]
    assert {each.name for each in (*CONTESTANTS, *OVER_TLS)} <= measured.keys()
    assert all(0 < figures["a_second"]["median"] for figures in measured.values())


def test_the_protocols_benchmark_is_a_whole_one_and_reaches_its_floors() -> None:
    found = results("protocols")
    assert (10_000, 3) == (found["payloads"], found["runs"])
    assert all(floor["floor"] <= floor["min"] for floor in found["floors"].values())


def test_the_notification_benchmark_is_a_whole_one_with_nothing_lost() -> None:
    found = results("notify")
    assert 1_000_000 == found["events"] == found["million"]["events"]
    assert 0 == found["million"]["lost"]
    assert {"api", "render", "deliver", "track"} == found["rates"].keys()


def test_what_the_notification_system_reached_stands_beside_its_goals() -> None:
    measured = {
        "goals": {
            "api, events a second": goal(6123.4, 5000, met=True),
            "sender, times": goal(4.51, 5, met=False),
            "the million, seconds": goal(180.66, 240, met=True, at_most=True),
        },
        "million": {
            "events_a_second": 4710.0,
            "lost": 0,
            "duplicates": 3,
            "audit_seconds": 12.4,
            "p50": 20.0,
            "p99": 70.125,
        },
        "steady": {"p50": 0.4, "p99": 0.91},
    }
    rows = notify_rows(measured)
    assert ("api, events a second", "6,123", "at least 5,000", "yes") == rows[0]
    assert ("sender, times", "4.51", "at least 5", "NO") == rows[1]
    assert ("the million, seconds", "181", "below 240", "yes") == rows[2]
    values = {what: measured for what, measured, *_ in rows}
    assert "17.0" == values["the million: times the question's rate"]
    assert "0 · 3" == values["the million: lost · twice at FCM"]
    assert "0.40 · 0.91" == values["at 278/s: door → FCM p50 · p99, s"]


def goal(value: float, wanted: float, *, met: bool, at_most: bool = False) -> dict[str, object]:
    return {"value": value, "goal": wanted, "at_most": at_most, "met": met}
