"""Runs an audit: reads a run into arrays, balances it, and names what is wrong.

For the command, notebooks and load tests. A million events take about half a minute and 300 MB.
"""

import time
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from answerbook.config import NotifySettings
from answerbook.notify import records
from answerbook.notify.audit.balance import (
    EVENT_BITS,
    MOST_NAMED,
    NOTIFICATION_BITS,
    Records,
    balance,
    hashed,
)
from answerbook.notify.audit.report import Latency, Named, Report
from answerbook.notify.audit.rules import Balance, Ids, Source
from answerbook.notify.audit.sources import CannotAudit, Sources


def run(
    settings: NotifySettings,
    run_id: str,
    ledger: Path,
    emulator_record: Path | None,
    *,
    allow_pending: bool = False,
    allow_duplicates: bool = True,
) -> Report:
    """Account for all events and notifications of a run that has ended.

    `ledger` is the sender's, and `emulator_record` the emulator's `accepted.tsv`; None where the
    real FCM was sent to. Raises CannotAudit when one of them or Kafka cannot be read, or nothing
    is known of the run.
    """
    began = time.monotonic()
    sources = Sources(settings.kafka, run_id, ledger, emulator_record)
    reading = _Reading(sources)
    if not any(map(len, (reading.run.ledger, reading.run.events, reading.run.notifications))):
        raise CannotAudit(f"Nothing is known of a run {run_id}: its ledger and Kafka hold none.")
    balanced = balance(reading.run, allow_pending=allow_pending, allow_duplicates=allow_duplicates)
    return Report(
        run_id,
        balanced.balanced,
        balanced.events,
        balanced.notifications,
        balanced.fcm,
        _named(balanced, sources),
        reading.latency,
        reading.unreadable,
        time.monotonic() - began,
    )


class _Reading:
    """The first pass: all of a run, as arrays."""

    def __init__(self, sources: Sources) -> None:
        self.run = Records(ledger=hashed(sources.ledger_ids()))
        self.unreadable: list[str] = []
        self.latency: list[Latency] = []
        self._read_events(sources)
        self._read_notifications(sources)
        self._read_letters(sources)
        if sources.emulator_record is not None:
            self.run.accepted = hashed(sources.accepted_ids())

    def _read_events(self, sources: Sources) -> None:
        events, outcomes, nothing = array("q"), array("B"), array("q")
        named, named_by = array("q"), array("q")
        for receipt in sources.event_receipts(self._unreadable):
            event = hash(receipt.event_id)
            events.append(event)
            outcomes.append(EVENT_BITS[receipt.outcome])
            for name in receipt.notifications:
                named.append(hash(name))
                named_by.append(event)
            if receipt.outcome == "expanded" and not receipt.notifications:
                nothing.append(event)
        self.run.events = _ids(events)
        self.run.named, self.run.named_by = _ids(named), _ids(named_by)
        self.run.expanded_into_nothing = _ids(nothing)
        self.run.event_outcomes = np.frombuffer(outcomes, np.uint8)

    def _read_notifications(self, sources: Sources) -> None:
        names, events, outcomes, replays = array("q"), array("q"), array("B"), array("q")
        accepted, rendered, sent, gone = array("q"), array("q"), array("q"), array("q")
        for receipt in sources.notification_receipts(self._unreadable):
            names.append(hash(receipt.notification_id))
            events.append(hash(receipt.event_id))
            outcomes.append(NOTIFICATION_BITS[receipt.outcome])
            replays.append(receipt.replay)
            if receipt.reason in records.PRUNING:
                gone.append(names[-1])
            if receipt.outcome == "sent" and receipt.accepted_at and receipt.rendered_at:
                accepted.append(receipt.accepted_at)
                rendered.append(receipt.rendered_at)
                sent.append(receipt.at)
        self.run.notifications, self.run.notification_events = _ids(names), _ids(events)
        self.run.notification_outcomes = np.frombuffer(outcomes, np.uint8)
        self.run.replays, self.run.undeliverable = _ids(replays), _ids(gone)
        if sent:
            door, made, answer = _ids(accepted), _ids(rendered), _ids(sent)
            self.latency = [
                Latency.of("door → rendered", made - door),
                Latency.of("rendered → FCM's answer", answer - made),
                Latency.of("door → FCM's answer", answer - door),
            ]

    def _read_letters(self, sources: Sources) -> None:
        events, notifications = array("q"), array("q")
        for letter in sources.dead_letters():
            if letter.notification_id:
                notifications.append(hash(letter.notification_id))
            elif letter.event_id:
                events.append(hash(letter.event_id))
        self.run.letters_of_events = _ids(events)
        self.run.letters_of_notifications = _ids(notifications)

    def _unreadable(self, place: str) -> None:
        if len(self.unreadable) < MOST_NAMED:
            self.unreadable.append(place)


def _ids(numbers: "array[int]") -> Ids:
    """Without a copy."""
    return np.frombuffer(numbers, np.int64)


def _named(balanced: Balance, sources: Sources) -> list[Named]:
    """The second pass: read again where the wrong ones came from, until all are named."""
    names: dict[Source, dict[int, str]] = {}
    for finding in balanced.findings:
        names.setdefault(finding.rule.source, {}).update(dict.fromkeys(finding.ids.tolist(), ""))
    for source, wanted in names.items():
        left = set(wanted)
        for name in _all(source, sources):
            number = hash(name)
            if number in left:
                wanted[number] = name
                left.discard(number)
                if not left:
                    break
    return [
        Named(
            finding.rule.name,
            finding.rule.says,
            finding.fails,
            finding.total,
            [names[finding.rule.source][number] for number in finding.ids.tolist()],
        )
        for finding in balanced.findings
    ]


def _all(source: Source, sources: Sources) -> Iterable[str]:
    if source == "ledger":
        return sources.ledger_ids()
    if source == "accepted":
        return sources.accepted_ids()
    if source == "notifications":
        return (receipt.notification_id for receipt in sources.notification_receipts(_ignored))
    if source == "events":
        return (receipt.event_id for receipt in sources.event_receipts(_ignored))
    return _named_by(sources)


def _named_by(sources: Sources) -> Iterator[str]:
    for receipt in sources.event_receipts(_ignored):
        yield from receipt.notifications


def _ignored(_place: str) -> None:
    """The first pass has noted it."""
