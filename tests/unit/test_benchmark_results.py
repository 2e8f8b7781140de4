"""What is committed of a benchmark is of this code, and reaches its floors."""

import ast

from answerbook import config
from answerbook.notebook import results
from answerbook.notebook.benchmarks import crypto_rows, notify_rows, search_costs, search_rows
from answerbook.protocols.choosing.contestants import CONTESTANTS, OVER_TLS
from answerbook.services.compose.layout import LAYOUTS


def test_the_services_benchmark_has_every_service_of_today_and_reaches_its_goals() -> None:
    figures = results("services")["figures"]
    for name in LAYOUTS:
        assert {f"start {name}", f"start {name} after a kill", f"stop {name}"} <= figures.keys()
    goals = {name: figure for name, figure in figures.items() if "goal" in figure}
    assert 11 == len(goals)
    assert [] == [name for name, figure in goals.items() if figure["median"] > figure["goal"]]


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


def test_what_encrypting_a_file_takes_stands_beside_its_goals() -> None:
    measured = {
        "goals": {
            "encrypt: of the bare loop's rate": goal(0.904, 0.8, met=True),
            "decrypt: peak memory, MB": goal(112.3, 100, met=False, at_most=True),
        },
        "figures": {
            "bare": {"mb_per_second": {"median": 412.6, "min": 380.0, "max": 430.0}},
            "encrypt": {"mb_per_second": {"median": 98.765, "min": 90.0, "max": 99.0}},
        },
        "passphrase": {"seconds": 0.31, "peak_mb_above_empty": 81.0},
    }
    assert [
        ("encrypt: of the bare loop's rate", "0.904", "at least 0.8", "yes"),
        ("decrypt: peak memory, MB", "112", "below 100", "NO"),
        ("bare: MB/s", "413", "", ""),
        ("encrypt: MB/s", "98.8", "", ""),
        ("a small file with a passphrase: s", "0.31", "", ""),
    ] == crypto_rows(measured)


def test_the_search_benchmark_is_a_whole_one_of_every_class_and_way() -> None:
    found = results("search")
    assert 1_000_000 == found["documents"]
    assert list(goals_of_searches()) == list(found["classes"])
    assert {"did you mean", "suggestion"} == found["words"].keys()
    for name, goal in goals_of_searches().items():
        each = found["classes"][name]
        assert goal == each["goal_ms"], name
        assert 40 == each["site"]["searches"] == each["tantivy"]["searches"], name
        assert 0 < each["obvious"]["p50_ms"], name
        assert 0.9 <= each["overlap"], name
    assert 0 == found["pages"]["failures"]
    assert all("naive" in found["classes"][name] for name in ("rare word", "word in a third"))


def goals_of_searches() -> dict[str, int]:
    """Milliseconds of each class; read and not imported, since that would want Django set up."""
    root = config.repository()
    assert root is not None
    tree = ast.parse((root / "benchmarks" / "search_queries.py").read_text())
    (goals,) = [
        statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "GOALS"
    ]
    found: dict[str, int] = ast.literal_eval(goals)
    return found


SEARCHES = {
    "documents": 1_000_000,
    "classes": {
        "rare word": {
            "goal_ms": 10,
            "site": {"p50_ms": 3.0, "p95_ms": 10.0},
            "obvious": {"p50_ms": 4.0, "p95_ms": 6.04},
            "tantivy": {"p50_ms": 0.1, "p95_ms": 0.123},
            "overlap": 1.0,
            "naive": {"p50_ms": 40000.0, "p95_ms": 41234.5},
        },
        "two common words": {
            "goal_ms": 60,
            "site": {"p50_ms": 50.0, "p95_ms": 60.01},
            "obvious": {"p50_ms": 600.0, "p95_ms": 812.4},
            "tantivy": {"p50_ms": 7.0, "p95_ms": 14.98},
            "overlap": 0.963,
        },
    },
    "words": {"suggestion": {"goal_ms": 20, "site": {"p50_ms": 2.0, "p95_ms": 3.5}}},
}


def test_a_search_stands_beside_its_goal_and_other_ways_and_says_what_was_missed() -> None:
    assert [
        ("rare word", "10", 10.0, 6.04, 0.123),
        ("two common words", "60, missed", 60.01, 812.4, 14.98),
        ("suggestion", "20", 3.5, None, None),
        ("rare word, parsed as it is searched", "", None, 41234.5, None),
    ] == search_rows(SEARCHES)


def test_costs_of_searching_stand_beside_their_goals_and_name_the_class_of_least_overlap() -> None:
    goals = {
        "pages a second": goal(61.3, 100, met=False),
        "size": goal(3.64, 4, met=True, at_most=True),
    }
    assert [
        ("documents", "1,000,000", "", ""),
        ("of the exact first ten, least (two common words)", "96%", "at least 90%", "yes"),
        ("pages a second", "61.3", "at least 100", "NO"),
        ("size", "3.64", "below 4", "yes"),
    ] == search_costs(SEARCHES | {"goals": goals})


def goal(value: float, wanted: float, *, met: bool, at_most: bool = False) -> dict[str, object]:
    return {"value": value, "goal": wanted, "at_most": at_most, "met": met}
