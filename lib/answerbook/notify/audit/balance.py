"""The audit's arithmetic: what a run left behind, held against itself. Pure; for account.py.

Ids stand here as 64-bit hashes, so that a million events fit into little memory. Among 4 million
ids two share a hash in one run of two million (n²/2 ÷ 2⁶⁴), and hiding a lost one takes more than
that: it would have to share the hash of one that is there.

**Events.** Each in the ledger ends expanded, suppressed, expired or dead, as its receipts say.
Spark may do a micro-batch twice. The same outcome again is nothing. `expanded`, `suppressed` and
`expired` beside each other are allowed and stated ("decided twice"): between the two times the
clock and the user's preferences moved on, and each decision was right when it was made; whatever
either of them sent was sent, and the event counts as expanded. `dead` beside another outcome
contradicts it: what makes an event dead does not change with time.

**Notifications.** Each that an event was expanded into ends sent, suppressed, expired or dead, or
is pending: it has no receipt, and every receipt of its event names it. Where one of them does not,
Spark decided again before it had written that notification: it was withdrawn, which is stated.
`dead` may be followed by another outcome if a replay had it; any other two outcomes of the same
notification contradict each other. What is dead stands in the dead letters, else nobody could
replay it; but not where the device is gone, since that would be in vain.

**FCM.** What is `sent` stands in the emulator's record, and what stands there for this run is
known. Sent twice is stated, and so is what was accepted while the receipt says otherwise: FCM has
no idempotency key, and an answer may be lost after it accepted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from answerbook.notify.audit import rules
from answerbook.notify.audit.rules import (
    Balance,
    EventCounts,
    FcmCounts,
    Finding,
    Ids,
    NotificationCounts,
    Rule,
)

Bits = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

MOST_NAMED: Final = 20
EVENT_BITS: Final = {"expanded": 1, "suppressed": 2, "expired": 4, "dead": 8}
NOTIFICATION_BITS: Final = {"sent": 1, "suppressed": 2, "expired": 4, "dead": 8}
"""In the order of how good they are: of several, the lowest bit counts."""
ARRIVED: Final = np.uint8(1)
ALIVE: Final = np.uint8(7)
DEAD: Final = np.uint8(8)


def hashed(ids: Iterable[str]) -> Ids:
    """64 bits of each: Python's own SipHash, keyed anew in each process."""
    return np.fromiter(map(hash, ids), np.int64)


def no_ids() -> Ids:
    return np.empty(0, np.int64)


def no_bits() -> Bits:
    return np.empty(0, np.uint8)


@dataclass
class Records:
    """All that a run left behind; arrays of the same group have the same length."""

    ledger: Ids = field(default_factory=no_ids)

    events: Ids = field(default_factory=no_ids)
    event_outcomes: Bits = field(default_factory=no_bits)
    expanded_into_nothing: Ids = field(default_factory=no_ids)
    named: Ids = field(default_factory=no_ids)
    """The notifications that receipts of events name."""
    named_by: Ids = field(default_factory=no_ids)
    """For each of these, the event whose receipt it is."""

    notifications: Ids = field(default_factory=no_ids)
    notification_events: Ids = field(default_factory=no_ids)
    notification_outcomes: Bits = field(default_factory=no_bits)
    replays: Ids = field(default_factory=no_ids)

    letters_of_events: Ids = field(default_factory=no_ids)
    letters_of_notifications: Ids = field(default_factory=no_ids)
    undeliverable: Ids = field(default_factory=no_ids)
    """Notifications whose device is gone."""

    accepted: Ids | None = None
    """By FCM; None when it kept no record."""


def balance(run: Records, *, allow_pending: bool = False, allow_duplicates: bool = True) -> Balance:
    """Hold the two levels, and FCM, against each other."""
    findings = _Findings({rules.PENDING: not allow_pending, rules.DUPLICATES: not allow_duplicates})
    ledger, named = np.unique(run.ledger), np.unique(run.named)
    events = _Outcomes.of(run.events, run.event_outcomes)
    notifications = _Outcomes.of(run.notifications, run.notification_outcomes)
    no_outcome = findings.add(rules.NO_OUTCOME, run.ledger, _without(ledger, events.ids))
    _check_events(run, events, ledger, findings)
    silent = _without(named, notifications.ids)
    withdrawn = _withdrawn(run, silent)
    findings.add(rules.WITHDRAWN, run.named, withdrawn)
    pending = findings.add(rules.PENDING, run.named, _without(silent, withdrawn))
    _check_notifications(run, notifications, events, named, findings)
    fcm = None if run.accepted is None else _fcm(run, run.accepted, named, notifications, findings)
    return Balance(
        EventCounts(len(ledger), *events.counts(_among(events.ids, ledger)), no_outcome=no_outcome),
        NotificationCounts(
            len(notifications.ids) + pending, *notifications.counts(), pending=pending
        ),
        fcm,
        findings.found,
    )


def _check_events(run: Records, events: "_Outcomes", ledger: Ids, findings: "_Findings") -> None:
    is_dead, is_other = events.bits & DEAD != 0, events.bits & ALIVE != 0
    letters = np.unique(run.letters_of_events)
    for rule, wrong in (
        (rules.EVENT_CONTRADICTED, events.ids[is_dead & is_other]),
        (rules.INTO_NOTHING, np.unique(run.expanded_into_nothing)),
        (rules.EVENT_WITHOUT_LETTER, _without(events.ids[is_dead], letters)),
        (rules.DECIDED_TWICE, events.ids[_several(events.bits & ALIVE)]),
        (rules.UNCONFIRMED, _without(events.ids, ledger)),
    ):
        findings.add(rule, run.events, wrong)


def _check_notifications(
    run: Records, notifications: "_Outcomes", events: "_Outcomes", named: Ids, findings: "_Findings"
) -> None:
    dead = notifications.ids[notifications.best == DEAD]
    letters = np.unique(np.concatenate((run.letters_of_notifications, run.undeliverable)))
    unnamed = _without(notifications.ids, named)
    of_no_event = _without(np.unique(run.notification_events), events.ids)
    stray = np.unique(run.notifications[_among(run.notification_events, of_no_event)])
    for rule, wrong in (
        (rules.CONTRADICTED, _contradicted(run, notifications)),
        (rules.WITHOUT_LETTER, _without(dead, letters)),
        (rules.STRAY, stray),
        (rules.REVISED, _without(unnamed, stray)),
    ):
        findings.add(rule, run.notifications, wrong)


def _fcm(
    run: Records, accepted: Ids, named: Ids, notifications: "_Outcomes", findings: "_Findings"
) -> FcmCounts:
    distinct, times = np.unique(accepted, return_counts=True)
    sent = notifications.bits & ARRIVED != 0
    lost = _without(notifications.ids[sent], distinct)
    findings.add(rules.NOT_ACCEPTED, run.notifications, lost)
    for rule, wrong in (
        (rules.UNKNOWN, _without(_without(distinct, named), notifications.ids)),
        (rules.UNRECORDED, distinct[_among(distinct, notifications.ids[~sent])]),
        (rules.DUPLICATES, distinct[times > 1]),
    ):
        findings.add(rule, accepted, wrong)
    return FcmCounts(len(accepted), len(accepted) - len(distinct))


def _withdrawn(run: Records, silent: Ids) -> Ids:
    """Those of the notifications that some receipt of their event does not name."""
    if not len(silent):
        return silent
    places = np.flatnonzero(_among(run.named, silent))
    names, first, named = np.unique(run.named[places], return_index=True, return_counts=True)
    events, receipts = np.unique(run.events, return_counts=True)
    receipts_of_its_event = receipts[np.searchsorted(events, run.named_by[places][first])]
    return names[named < receipts_of_its_event]


def _contradicted(run: Records, notifications: "_Outcomes") -> Ids:
    """Those with two outcomes, but for `dead` that a later replay bettered."""
    others = notifications.bits & ALIVE
    mixed = notifications.ids[(notifications.bits & DEAD != 0) & (others != 0)]
    latest_death: dict[int, int] = {}
    first_other: dict[int, int] = {}
    for place in np.flatnonzero(_among(run.notifications, mixed)):
        name, replay = int(run.notifications[place]), int(run.replays[place])
        if run.notification_outcomes[place] == DEAD:
            latest_death[name] = max(replay, latest_death.get(name, replay))
        else:
            first_other[name] = min(replay, first_other.get(name, replay))
    unbettered = [name for name, died in latest_death.items() if first_other[name] <= died]
    return np.union1d(notifications.ids[_several(others)], np.array(unbettered, np.int64))


@dataclass(frozen=True)
class _Outcomes:
    """Each distinct id, sorted, with the bits of all its receipts."""

    ids: Ids
    bits: Bits

    @classmethod
    def of(cls, ids: Ids, bits: Bits) -> "_Outcomes":
        if not len(ids):
            return cls(ids, bits)
        order = np.argsort(ids)
        ordered = ids[order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        return cls(ordered[starts], np.bitwise_or.reduceat(bits[order], starts))

    @property
    def best(self) -> Bits:
        """The lowest bit of each."""
        return self.bits & (~self.bits + np.uint8(1))

    def counts(self, among: Mask | slice = slice(None)) -> tuple[int, int, int, int]:
        """How many arrived, were suppressed, expired and died."""
        best = np.bincount(self.best[among], minlength=9)
        return int(best[1]), int(best[2]), int(best[4]), int(best[8])


class _Findings:
    """Collects what the rules find."""

    def __init__(self, fails: Mapping[Rule, bool]) -> None:
        self._fails = fails
        self.found: list[Finding] = []

    def add(self, rule: Rule, read: Ids, wrong: Ids) -> int:
        """The wrong ones, distinct and sorted, of ids in the order they were read in; how many."""
        if len(wrong):
            distinct, first = np.unique(read[_among(read, wrong)], return_index=True)
            named = distinct[np.argsort(first)[:MOST_NAMED]]
            fails = self._fails.get(rule, rule.fails)
            self.found.append(Finding(rule, len(wrong), named, fails))
        return len(wrong)


def _among(ids: Ids, others: Ids) -> Mask:
    """Which of `ids` are among the others, which are sorted. Quick when `ids` are sorted too."""
    if not len(others):
        return np.zeros(len(ids), np.bool_)
    places = np.searchsorted(others, ids)
    places[places == len(others)] = 0
    found: Mask = others[places] == ids
    return found


def _without(ids: Ids, others: Ids) -> Ids:
    """Those of `ids` that are not among the others; all sorted."""
    return ids[~_among(ids, others)]


def _several(bits: Bits) -> Mask:
    """Where more than one bit is set."""
    found: Mask = bits & (bits - (bits != 0).astype(np.uint8)) != 0
    return found
