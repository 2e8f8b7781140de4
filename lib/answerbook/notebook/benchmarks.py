"""What the programs in benchmarks/ measured, for a cell that draws it beside its own figures."""

import json
from collections.abc import Mapping
from typing import Any

RATE = 1_000_000 / 3600
"""The question's, events a second."""


def results(name: str) -> dict[str, Any]:
    """The committed results of `make bench BENCH=name`.

    Raises FileNotFoundError outside of the repository, where there are none.
    """
    from answerbook import config  # imports pydantic, which most cells do not need

    root = config.repository()
    if root is None:
        raise FileNotFoundError(
            "There are no results here: run this notebook in a clone of the repository."
        )
    found: dict[str, Any] = json.loads(
        (root / "benchmarks" / "results" / f"{name}.json").read_text()
    )
    return found


def notify_rows(measured: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """What `results("notify")` holds, as rows: what, measured, goal, whether it was reached.

    Goals are those of benchmarks/notify.py; what has none stands below, as it was measured.
    """
    rows = _beside_goals(measured)
    million, steady = measured["million"], measured["steady"]
    for name, value in (
        ("the million: events a second", f"{million['events_a_second']:,.0f}"),
        ("the million: times the question's rate", f"{million['events_a_second'] / RATE:.1f}"),
        ("the million: lost · twice at FCM", f"{million['lost']:,} · {million['duplicates']:,}"),
        ("the million: audited in, s", f"{million['audit_seconds']:.0f}"),
        ("the million: door → FCM p50 · p99, s", f"{million['p50']:.2f} · {million['p99']:.2f}"),
        ("at 278/s: door → FCM p50 · p99, s", f"{steady['p50']:.2f} · {steady['p99']:.2f}"),
    ):
        rows.append((name, value, "", ""))
    return rows


def crypto_rows(measured: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """What `results("crypto")` holds, as rows: what, measured, goal, whether it was reached.

    Goals are those of benchmarks/crypto.py; the rates behind them stand below: the median of its
    runs, in 10**6 bytes a second.
    """
    rows = _beside_goals(measured)
    for name, figures in measured["figures"].items():
        rows.append((f"{name}: MB/s", _rounded(figures["mb_per_second"]["median"]), "", ""))
    asked = measured["passphrase"]
    rows.append(("a small file with a passphrase: s", _rounded(asked["seconds"]), "", ""))
    return rows


def search_rows(
    measured: Mapping[str, Any],
) -> list[tuple[str, str, float | None, float | None, float | None]]:
    """What `results("search")` holds of searches: class, goal, and three ways.

    Each is the milliseconds that 95 of 100 searches keep: the site's, those of a tsvector ranked by
    ts_rank_cd, those of tantivy; None where nobody tried. A goal that the site missed says so.
    """
    rows: list[tuple[str, str, float | None, float | None, float | None]] = []
    for name, each in measured["classes"].items():
        site, obvious, tantivy = (each[way]["p95_ms"] for way in ("site", "obvious", "tantivy"))
        rows.append((name, _goal(each), site, obvious, tantivy))
    for name, each in measured["words"].items():
        rows.append((name, _goal(each), each["site"]["p95_ms"], None, None))
    for name, each in measured["classes"].items():
        if "naive" in each:
            took = each["naive"]["p95_ms"]
            rows.append((f"{name}, parsed as it is searched", "", None, took, None))
    return rows


def search_costs(measured: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """The rest of `results("search")`, as rows: what, measured, goal, whether it was reached."""
    classes = measured["classes"]
    worst = min(classes, key=lambda name: classes[name]["overlap"])
    overlap = classes[worst]["overlap"]
    of_first = f"of the exact first ten, least ({worst})"
    return [
        ("documents", f"{measured['documents']:,}", "", ""),
        (of_first, f"{overlap:.0%}", "at least 90%", _met(overlap >= 0.9)),
        *_beside_goals(measured),
    ]


def _beside_goals(measured: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    return [
        (
            name,
            _rounded(goal["value"]),
            ("below " if goal["at_most"] else "at least ") + _rounded(goal["goal"]),
            _met(goal["met"]),
        )
        for name, goal in measured["goals"].items()
    ]


def _met(met: bool) -> str:
    return "yes" if met else "NO"


def _goal(each: Mapping[str, Any]) -> str:
    goal = _rounded(each["goal_ms"])
    return goal if each["site"]["p95_ms"] <= each["goal_ms"] else f"{goal}, missed"


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
