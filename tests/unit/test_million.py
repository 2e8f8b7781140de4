from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from prometheus_client import Counter

from answerbook import million
from answerbook.load.sent import Plan
from answerbook.million import Million, StandsStill
from answerbook.notify.render.metrics import EVENTS as RENDERED
from answerbook.notify.running import Watch
from tests.unit.notify_api import KEY, Server, serving


class OneProgram:
    """What a stage exports, on a port of its own."""

    name = "notify-render"
    host = "127.0.0.1"
    node_count = 1
    usual_ports: ClassVar = {"http": ""}

    def __init__(self) -> None:
        self.watch = Watch(self.host, 0, lambda: None)

    def ports(self, _node: int) -> dict[str, int]:
        return {"http": self.watch.port}


class System:
    """The door of a system, and lags as a test wants them."""

    def __init__(self, api: Server, folder: Path, lags: list[dict[str, int]]) -> None:
        self.url, self.api_key = api.url, KEY
        self.ledger_folder, self.emulator_record = folder, folder / "accepted.tsv"
        self.programs: list[Any] = [OneProgram()]
        self._lags = lags

    def lag(self) -> dict[str, int]:
        RENDERED.labels("expanded").inc(10)
        return self._lags.pop(0) if len(self._lags) > 1 else self._lags[0]

    def settings(self) -> dict[str, str]:
        return {}


@pytest.fixture
def api() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(million, "SAMPLE_SECONDS", 0.05)


def watched(system: System, count: int, patience: float = 30) -> Million:
    plan = Plan(system.url, "r1", system.ledger_folder, count)
    with Million(system, plan, users=100, patience=patience) as run:
        while not run.done:
            run.watch()
        assert "rendered events" in str([*run.table().columns[0].cells])
    return run


def test_a_run_is_done_when_nothing_waits_anywhere(api: Server, tmp_path: Path) -> None:
    run = watched(System(api, tmp_path, [{"events": 1}] * 3 + [{"events": 0}]), 500)
    outcome = run.outcome()
    assert outcome.totals.accepted == len(api.seen()) == 500
    assert outcome.counts["rendered"] > 0
    assert run.lag == {"events": 0}
    summary = outcome.summary()
    assert summary.startswith("r1: 500 events in ")
    assert f"{outcome.rate / (1e6 / 3600):.1f} times a million an hour" in summary


def test_a_stage_that_stands_still_ends_it(
    api: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RENDERED, "labels", lambda *_: Counter("ignored", "", registry=None))
    with pytest.raises(StandsStill, match="7 records wait to be rendered"):
        watched(System(api, tmp_path, [{"events": 7}]), 10, patience=0.5)


def test_a_run_that_is_stopped_still_ends_in_order(api: Server, tmp_path: Path) -> None:
    system = System(api, tmp_path, [{"events": 0}])
    plan = Plan(system.url, "r1", tmp_path, 1_000_000, rate=5_000)
    with Million(system, plan, users=100) as run:
        while not run.totals.accepted:
            run.watch()
        run.stop()
        while not run.done:
            run.watch()
    assert 0 < run.outcome().totals.accepted == len(api.seen()) < 1_000_000


def test_an_audit_is_made_with_the_systems_own_addresses_and_ledger(
    api: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = System(api, tmp_path, [{}])
    monkeypatch.setattr(
        system, "settings", lambda: {"ANSWERBOOK_NOTIFY_KAFKA": "broker:1", "OTHER": "x"}
    )
    monkeypatch.setattr("answerbook.notify.audit.run", lambda *given: given)
    given: Any = million.audit(system, "r1")
    settings, *rest = given
    assert "broker:1" == settings.kafka
    assert ["r1", tmp_path / "r1.ledger", system.emulator_record] == rest
    given = million.audit(system, "r1", tmp_path / "other")
    assert tmp_path / "other" / "r1.ledger" == given[2]
