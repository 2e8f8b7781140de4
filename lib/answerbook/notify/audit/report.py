"""What an audit found, for people and programs; made by account.py, printed by show.py."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from answerbook.notify.audit.rules import EventCounts, FcmCounts, NotificationCounts


@dataclass(frozen=True)
class Named:
    """A rule that found something, with ids that a person can look for."""

    rule: str
    says: str
    fails: bool
    total: int
    ids: list[str]
    """The first of them, at most 20."""


@dataclass(frozen=True)
class Latency:
    """Milliseconds between two stages, of the notifications that were sent."""

    stage: str
    p50: float
    p95: float
    p99: float
    max: float

    @classmethod
    def of(cls, stage: str, milliseconds: npt.NDArray[np.int64]) -> "Latency":
        p50, p95, p99, most = np.percentile(milliseconds, (50, 95, 99, 100))
        return cls(stage, float(p50), float(p95), float(p99), float(most))


@dataclass(frozen=True)
class Report:
    """Whether a run came out, and what stands in the way."""

    run_id: str
    balanced: bool
    events: EventCounts
    notifications: NotificationCounts
    fcm: FcmCounts | None
    """None where the real FCM was sent to, which keeps no record that we could read."""
    findings: list[Named]
    latency: list[Latency]
    """Empty when nothing was sent."""
    unreadable: list[str]
    """Receipts that could not be read and mention the run: topic/partition/offset, at most 20."""
    seconds: float
    """That the audit took."""

    @property
    def summary(self) -> str:
        """One line."""
        fcm = "" if self.fcm is None else f", {self.fcm.duplicates:,} twice at FCM"
        failed = ", ".join(
            f"{found.total:,} {found.rule}" for found in self.findings if found.fails
        )
        return (
            f"{self.run_id}: {'balanced' if self.balanced else f'NOT BALANCED ({failed})'}; "
            f"{self.events.accepted:,} events accepted; {self.notifications.total:,} "
            f"notifications, {self.notifications.sent:,} sent{fcm}"
        )

    def found(self, rule: str) -> Named:
        """What a rule found; nothing, perhaps."""
        for named in self.findings:
            if named.rule == rule:
                return named
        return Named(rule, "", False, 0, [])
