"""What the audit looks for and how it says what it found, for the modules beside this one."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
"""Ids as 64-bit hashes."""
Source = Literal["ledger", "events", "named", "notifications", "accepted"]


@dataclass(frozen=True)
class Rule:
    """One thing that is looked for."""

    name: str
    says: str
    source: Source
    """Where its ids can be found in full."""
    fails: bool = True


NO_OUTCOME: Final = Rule("no outcome", "events answered 202 that have no receipt", "ledger")
EVENT_CONTRADICTED: Final = Rule(
    "event contradicted", "events that are dead and something else", "events"
)
INTO_NOTHING: Final = Rule("into nothing", "events expanded into no notification", "events")
EVENT_WITHOUT_LETTER: Final = Rule(
    "event without letter", "dead events that are not in the dead letters", "events"
)
PENDING: Final = Rule("pending", "notifications without a receipt", "named")
WITHDRAWN: Final = Rule(
    "withdrawn",
    "notifications of a decision that Spark made again before it had written them",
    "named",
    fails=False,
)
CONTRADICTED: Final = Rule(
    "notification contradicted", "notifications with two outcomes", "notifications"
)
WITHOUT_LETTER: Final = Rule(
    "notification without letter",
    "dead notifications that are not in the dead letters",
    "notifications",
)
STRAY: Final = Rule("stray", "notifications whose event has no receipt", "notifications")
NOT_ACCEPTED: Final = Rule(
    "not accepted", "notifications recorded as sent that FCM never accepted", "notifications"
)
UNKNOWN: Final = Rule("unknown", "messages that FCM accepted and nobody knows", "accepted")
DUPLICATES: Final = Rule(
    "duplicates", "notifications that FCM accepted twice or more", "accepted", fails=False
)
UNRECORDED: Final = Rule(
    "unrecorded",
    "notifications that FCM accepted and whose receipt does not say sent",
    "accepted",
    fails=False,
)
UNCONFIRMED: Final = Rule(
    "unconfirmed", "events with a receipt whose 202 the sender never saw", "events", fails=False
)
DECIDED_TWICE: Final = Rule(
    "decided twice", "events that a replay decided otherwise", "events", fails=False
)
REVISED: Final = Rule(
    "revised",
    "notifications of a decision that left no receipt of its own",
    "notifications",
    fails=False,
)


@dataclass(frozen=True)
class Finding:
    """What a rule found."""

    rule: Rule
    total: int
    """Distinct ids."""
    ids: Ids
    """The first of them, at most MOST_NAMED, in the order in which they were read."""
    fails: bool


@dataclass(frozen=True)
class EventCounts:
    """Events in the ledger, by outcome."""

    accepted: int
    expanded: int
    suppressed: int
    expired: int
    dead: int
    no_outcome: int


@dataclass(frozen=True)
class NotificationCounts:
    """Notifications that were named or have a receipt, by outcome."""

    total: int
    sent: int
    suppressed: int
    expired: int
    dead: int
    pending: int


@dataclass(frozen=True)
class FcmCounts:
    """Messages of the run in the emulator's record."""

    accepted: int
    duplicates: int
    """Messages beyond the first of each notification."""


@dataclass(frozen=True)
class Balance:
    """How the run came out."""

    events: EventCounts
    notifications: NotificationCounts
    fcm: FcmCounts | None
    findings: list[Finding]
    """Those that found something."""

    @property
    def balanced(self) -> bool:
        return not any(finding.fails for finding in self.findings)
