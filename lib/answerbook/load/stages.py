"""How far each stage of the system has come, from what its programs export and its groups' lag.

Pure; `answerbook notify million` feeds it and draws it. A program that was started anew counts
from 0 again: `Meter` goes on where the old one ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from answerbook.notify import records


@dataclass(frozen=True)
class Stage:
    """What one stage did, and where its work waits."""

    name: str
    does: str
    metric: str
    labels: Mapping[str, str]
    """That a sample must have to count."""
    reads: tuple[str, ...]
    """Topics whose lag is this stage's."""
    program: str
    """As `answerbook logs` names it."""


STAGES: Final = (
    Stage(
        "rendered",
        "events",
        "answerbook_render_events_total",
        {},
        (records.EVENTS,),
        "notify-render",
    ),
    Stage(
        "sent",
        "notifications",
        "answerbook_deliver_notifications_total",
        {"outcome": "sent"},
        records.NOTIFICATIONS,
        "notify-deliver",
    ),
    Stage(
        "retried",
        "notifications",
        "answerbook_deliver_retries_total",
        {},
        tuple(records.RETRIES),
        "notify-deliver",
    ),
    Stage(
        "recorded",
        "receipts",
        "answerbook_track_receipts_total",
        {},
        (records.RECEIPTS_EVENTS, records.RECEIPTS_NOTIFICATIONS),
        "notify-track",
    ),
)
"""After the sender's own count, in the order of the work."""


class Meter:
    """Sums a counter over programs, from when it first saw each; a restart takes nothing away."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}
        self.total = 0.0

    def see(self, program: str, value: float) -> None:
        """What a program's counter says now."""
        last = self._last.get(program)
        if last is not None:
            self.total += value - last if value >= last else value
        self._last[program] = value


class Progress:
    """A meter for each stage."""

    def __init__(self) -> None:
        self._meters = {stage.name: Meter() for stage in STAGES}

    def see(self, program: str, page: str) -> None:
        """Take in a program's /metrics. Raises ValueError for a page that is none."""
        counted = dict.fromkeys(self._meters, 0.0)
        families = {stage.metric.removesuffix("_total") for stage in STAGES}
        for family in text_string_to_metric_families(page):
            if family.name in families:
                for sample in family.samples:
                    for stage in STAGES:
                        if sample.name == stage.metric and stage.labels.items() <= (
                            sample.labels.items()
                        ):
                            counted[stage.name] += sample.value
        for name, value in counted.items():
            self._meters[name].see(program, value)

    def counts(self) -> dict[str, int]:
        """Stage → how many since the first look."""
        return {name: round(meter.total) for name, meter in self._meters.items()}


def behind(stage: Stage, lag: Mapping[str, int]) -> int:
    """Records that wait for a stage."""
    return sum(lag.get(topic, 0) for topic in stage.reads)


class Settling:
    """Whether all work is done, by lags that were read one after the other.

    What one stage finishes appears at the next while that one's lag may have been read already.
    So there must be as many readings of nothing in a row as there are stages.
    """

    def __init__(self) -> None:
        self._empty = 0
        self.since = 0.0
        """When the first of the empty readings was made."""

    def see(self, lag: Mapping[str, int], at: float) -> bool:
        """A reading made at `at` seconds; whether that was the last one needed."""
        if any(lag.values()):
            self._empty = 0
            return False
        if not self._empty:
            self.since = at
        self._empty += 1
        return self._empty > len(STAGES)


class Patience:
    """Says which stage stands still, once nothing at all has moved for `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last: object = None
        self._moved = 0.0

    def see(
        self, at: float, accepted: int, counts: Mapping[str, int], lag: Mapping[str, int]
    ) -> str:
        """What to tell the reader, or nothing."""
        now = (accepted, dict(counts), dict(lag))
        if now != self._last:
            self._last, self._moved = now, at
        if at - self._moved < self._seconds:
            return ""
        for stage in STAGES:
            if waiting := behind(stage, lag):
                return (
                    f"Nothing has moved for {self._seconds:.0f} s. {waiting:,} records wait to be "
                    f"{stage.name}: look at `answerbook logs {stage.program}`."
                )
        return (
            f"Nothing has moved for {self._seconds:.0f} s, and no record waits: the API takes no "
            "events. Look at `answerbook logs notify-api`."
        )
