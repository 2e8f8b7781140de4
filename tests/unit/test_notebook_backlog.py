"""Where work waits, as notebooks see it, without a system."""

import pytest
from kafka.errors import KafkaConnectionError

from answerbook.notebook import backlog

LAG = {
    "events": 5,
    "notifications.high": 1,
    "notifications.normal": 2,
    "retries.5s": 4,
    "receipts.events": 7,
    "receipts.notifications": 8,
}


class System:
    """Lags as a test wants them, the last one for ever."""

    def __init__(self, *lags: dict[str, int] | Exception) -> None:
        self._lags = list(lags)

    def lag(self) -> dict[str, int]:
        lag = self._lags.pop(0) if len(self._lags) > 1 else self._lags[0]
        if isinstance(lag, Exception):
            raise lag
        return lag


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "SAMPLE_SECONDS", 0.01)


def test_lags_are_added_up_by_what_the_records_wait_for() -> None:
    seen = backlog.Backlog(System(LAG, {"events": 3}))
    assert 27 == seen.look()
    assert 3 == seen.look()
    assert {"for render": 5, "for FCM": 7, "for the store": 15} == seen.most
    frame = seen.frame(began=seen.samples[0][0] - 2)
    assert ["second", "for render", "for FCM", "for the store"] == list(frame.columns)
    assert [2.0, 5, 7, 15] == list(frame.iloc[0])


def test_one_empty_look_does_not_end_the_wait() -> None:
    empty = {"events": 0}
    with backlog.watch(System(LAG, empty, {"receipts.events": 2}, empty)) as waiting:
        seconds = waiting.until_empty(seconds=30)
    assert 0 < seconds < waiting.samples[-1][0] - waiting.samples[0][0]
    sums = [sum(lag.values()) for _, lag in waiting.samples]
    assert [0, 0, 0, 0] == sums[-4:]
    assert 2 in sums


def test_looks_before_the_wait_do_not_count() -> None:
    seen = backlog.Backlog(System({"events": 0}))
    for _ in range(9):
        seen.look()
    with pytest.raises(TimeoutError, match="no record waits anywhere"):
        seen.until_empty(seconds=0.1)


def test_a_look_that_no_broker_answers_is_left_out() -> None:
    with backlog.watch(System(KafkaConnectionError(), {"events": 0})) as waiting:
        waiting.until_empty(seconds=30)
    assert all(lag == {"events": 0} for _, lag in waiting.samples)


def test_nothing_seen_is_nothing_waiting() -> None:
    seen = backlog.Backlog(System(LAG))
    assert {"for render": 0, "for FCM": 0, "for the store": 0} == seen.most
    assert 0 == len(seen.frame(0.0))
