"""One record of Kafka on its way through the worker, and the bad ones that have no way.

Made by intake.py's thread (Arrival) and worker.py (Flight).
"""

import base64
from typing import NamedTuple

import msgspec

from answerbook.notify import records
from answerbook.notify.deliver.tracker import Tracker
from answerbook.notify.deliver.window import Window
from answerbook.notify.kafka import Item
from answerbook.notify.records import (
    DEAD_LETTERS,
    RECEIPTS_NOTIFICATIONS,
    DeadLetter,
    Malformed,
    Notification,
    NotificationOutcome,
    NotificationReceipt,
    UnsupportedVersion,
)


class Arrival(NamedTuple):
    """A record as it came: `note`, or why it is none."""

    topic: str
    partition: int
    offset: int
    value: bytes
    note: Notification | None
    reason: str = ""
    detail: str = ""


def arrival(topic: str, partition: int, offset: int, value: bytes) -> Arrival:
    """Reads a record; what cannot be read carries its reason instead."""
    try:
        note = records.decode(value, Notification)
    except UnsupportedVersion as error:
        return Arrival(topic, partition, offset, value, None, "unsupported_version", str(error))
    except Malformed as error:
        return Arrival(topic, partition, offset, value, None, "malformed", str(error))
    return Arrival(topic, partition, offset, value, note)


class Flight:
    """A notification that was admitted and has no outcome in Kafka yet."""

    __slots__ = ("arrival", "attempt", "key", "note", "place", "started", "window")

    def __init__(
        self, arrival: Arrival, note: Notification, key: bytes, window: Window, tracker: Tracker
    ) -> None:
        self.arrival = arrival
        self.note = note
        self.key = key
        self.window = window
        self.place = (tracker, arrival.offset)
        self.attempt = note.attempt
        """Sends that failed."""
        self.started = 0.0

    def receipt(self, outcome: NotificationOutcome, reason: str = "", name: str = "") -> Item:
        """Its last word."""
        note = self.note
        receipt = NotificationReceipt(
            run_id=note.run_id,
            notification_id=note.notification_id,
            event_id=note.event_id,
            device_id=note.device_id,
            outcome=outcome,
            at=records.now(),
            accepted_at=note.accepted_at,
            rendered_at=note.rendered_at,
            attempt=self.attempt,
            replay=note.replay,
            reason=reason,
            message_name=name,
        )
        key = note.notification_id.encode()
        return (RECEIPTS_NOTIFICATIONS, key, records.encode(receipt), self.arrival.partition)

    def retry(self, topic: str, not_before: int) -> Item:
        """Itself, to be read again from a retry topic at `not_before`."""
        note = self.note
        again = msgspec.structs.replace(
            note,
            attempt=self.attempt,
            not_before=not_before,
            first_attempt_at=note.first_attempt_at or records.now(),
        )
        return (topic, note.device_id.encode(), records.encode(again), self.arrival.partition)

    def letter(self, reason: str, detail: str) -> Item:
        note = self.note
        return dead_letter(
            self.arrival, reason, detail, _Ids(note.run_id, note.event_id, note.notification_id)
        )


class _Ids(msgspec.Struct):
    """What a record that cannot be read may still say of itself."""

    run_id: str = ""
    event_id: str = ""
    notification_id: str = ""
    device_id: str = ""
    replay: int = 0


_ids = msgspec.json.Decoder(_Ids)


def unreadable(arrival: Arrival) -> list[Item]:
    """The dead letter of a record that is no notification; and where it names one, its receipt."""
    try:
        ids = _ids.decode(arrival.value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        ids = _Ids()
    items = [dead_letter(arrival, arrival.reason, arrival.detail, ids)]
    if ids.notification_id and ids.event_id:
        receipt = NotificationReceipt(
            run_id=ids.run_id,
            notification_id=ids.notification_id,
            event_id=ids.event_id,
            device_id=ids.device_id,
            outcome="dead",
            at=records.now(),
            replay=ids.replay,
            reason=arrival.reason,
        )
        key = ids.notification_id.encode()
        items.append((RECEIPTS_NOTIFICATIONS, key, records.encode(receipt), arrival.partition))
    return items


def dead_letter(arrival: Arrival, reason: str, detail: str, ids: _Ids) -> Item:
    """The record whole, with the reason."""
    try:
        payload, binary = arrival.value.decode(), False
    except UnicodeDecodeError:
        payload, binary = base64.b64encode(arrival.value).decode(), True
    letter = DeadLetter(
        run_id=ids.run_id,
        stage="deliver",
        reason=reason,
        at=records.now(),
        detail=detail,
        event_id=ids.event_id,
        notification_id=ids.notification_id,
        source_topic=arrival.topic,
        source_partition=arrival.partition,
        source_offset=arrival.offset,
        payload=payload,
        encoding="base64" if binary else "utf-8",
    )
    return (DEAD_LETTERS, ids.notification_id.encode() or None, records.encode(letter), -1)
