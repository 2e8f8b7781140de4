"""What the programs in benchmarks/ measured, for a cell that draws it beside its own figures."""

import json
from collections.abc import Mapping
from typing import Any


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
    """What `results("notify")` holds, as rows: what, measured, floor, whether that was reached.

    Floors are those of benchmarks/notify.py. The run of a million and the steady hour's rate have
    none in the file, and stand below as they were measured.
    """
    rows = [
        (
            name,
            _rounded(_measured(floor)),
            _rounded(floor["floor"]),
            "yes" if floor["met"] else "NO",
        )
        for name, floor in measured["floors"].items()
    ]
    million, steady, memory = measured["million"], measured["steady"], measured["memory"]
    for name, value in (
        ("the million, seconds", f"{million['seconds']:,.0f}"),
        ("the million, events a second", f"{million['events_a_second']:,.0f}"),
        ("the million, times the question's rate", f"{million['times']:.1f}"),
        ("the million, lost · twice at FCM", f"{million['lost']:,} · {million['duplicates']:,}"),
        ("the million, door → FCM p50 · p99, s", f"{million['p50']:.2f} · {million['p99']:.2f}"),
        ("at 278/s, door → FCM p50 · p99, s", f"{steady['p50']:.2f} · {steady['p99']:.2f}"),
        ("memory, study · full, GB", f"{memory['study_gb']:.2f} · {memory['full_gb']:.2f}"),
    ):
        rows.append((name, value, "", ""))
    return rows


def _measured(floor: Mapping[str, Any]) -> float:
    return float(floor["median"] if "median" in floor else floor["value"])


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
