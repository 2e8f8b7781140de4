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


NOTIFY = {
    "floors": {
        "api, events a second": {"median": 6123.4, "floor": 5000, "met": True},
        "deliver, times firebase-admin": {"value": 4.51, "floor": 5, "met": False},
    },
    "million": {
        "events": 1_000_000,
        "seconds": 212.3,
        "events_a_second": 4710.0,
        "times": 16.96,
        "lost": 0,
        "duplicates": 3,
        "p50": 20.0,
        "p95": 60.0,
        "p99": 70.125,
    },
    "steady": {"p50": 0.4, "p95": 0.7, "p99": 0.91},
    "memory": {"study_gb": 1.51, "full_gb": 3.2},
}


def test_what_the_notification_system_reached_stands_beside_its_floors() -> None:
    rows = notify_rows(NOTIFY)
    assert ("api, events a second", "6,123", "5,000", "yes") == rows[0]
    assert ("deliver, times firebase-admin", "4.51", "5", "NO") == rows[1]
    values = {what: measured for what, measured, *_ in rows}
    assert "17.0" == values["the million, times the question's rate"]
    assert "0 · 3" == values["the million, lost · twice at FCM"]
    assert "0.40 · 0.91" == values["at 278/s, door → FCM p50 · p99, s"]
    assert "1.51 · 3.20" == values["memory, study · full, GB"]
