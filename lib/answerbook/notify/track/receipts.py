"""From receipts as Kafka holds them to rows as PostgreSQL's COPY reads them. Pure; for program.py.

Of several receipts with the same id one row is made, the best: `sent` and `expanded` before
`suppressed` before `expired` before `dead`. It does not matter in which order they come, so a
replay changes nothing, and what was dead is improved by a replay that arrived, never the other
way round. That `expanded` comes before `suppressed` is for a micro-batch that Spark did twice, the
second time in the user's quiet hours: what went out the first time, went out.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from answerbook.notify import records
from answerbook.notify.records import EventReceipt, Malformed, NotificationReceipt

RANKS: Final = {"dead": 0, "expired": 1, "suppressed": 2, "expanded": 3, "sent": 3}


class Source(Protocol):
    """What is read of a Kafka message."""

    def topic(self) -> str | None: ...
    def partition(self) -> int | None: ...
    def offset(self) -> int | None: ...
    def value(self) -> bytes | None: ...


class Row(NamedTuple):
    """A line for COPY, and how good it is."""

    rank: tuple[int, int]
    line: str


class Gone(NamedTuple):
    """A device that FCM does not know any more."""

    at: int
    reason: str


class Batch:
    """What one transaction writes."""

    def __init__(self) -> None:
        self.events: dict[str, Row] = {}
        self.notifications: dict[str, Row] = {}
        self.gone: dict[str, Gone] = {}
        self.broken: list[tuple[Source, ValueError]] = []
        """Messages that are no receipts, with UnsupportedVersion or Malformed."""


def batch(messages: Sequence[Source]) -> Batch:
    """Read the receipts of both topics."""
    made = Batch()
    for message in messages:
        content = message.value() or b""
        try:
            if message.topic() == records.RECEIPTS_EVENTS:
                _add_event(made, content)
            else:
                _add_notification(made, content)
        except (Malformed, records.UnsupportedVersion) as error:
            made.broken.append((message, error))
    return made


def _add_event(made: Batch, content: bytes) -> None:
    receipt = records.decode(content, EventReceipt)
    named = receipt.notifications
    ids = '"' + '","'.join(named) + '"' if named else ""
    if b"\\" in content:
        receipt = _escaped_event(receipt)
        ids = ",".join(map(_escaped_member, named))
    rank = (RANKS[receipt.outcome], 0)
    known = made.events.get(receipt.event_id)
    if known is None or rank > known.rank:
        made.events[receipt.event_id] = Row(
            rank,
            f"{receipt.event_id}\t{receipt.run_id}\t{receipt.outcome}\t{receipt.reason}\t"
            f"{{{ids}}}\t{receipt.accepted_at}\t{receipt.at}\n",
        )


def _add_notification(made: Batch, content: bytes) -> None:
    receipt = records.decode(content, NotificationReceipt)
    if receipt.reason in records.PRUNING and not receipt.device_id.startswith("topic:"):
        _check(receipt.device_id)
        gone = made.gone.get(receipt.device_id)
        if gone is None or receipt.at > gone.at:
            made.gone[receipt.device_id] = Gone(receipt.at, receipt.reason)
    if b"\\" in content:
        receipt = _escaped_notification(receipt)
    rank = (RANKS[receipt.outcome], receipt.replay if receipt.outcome == "dead" else 0)
    known = made.notifications.get(receipt.notification_id)
    if known is None or rank > known.rank:
        made.notifications[receipt.notification_id] = Row(
            rank,
            f"{receipt.notification_id}\t{receipt.event_id}\t{receipt.run_id}\t"
            f"{receipt.device_id}\t{receipt.outcome}\t{receipt.reason}\t{receipt.attempt}\t"
            f"{receipt.replay}\t{receipt.message_name}\t{receipt.accepted_at}\t"
            f"{receipt.rendered_at}\t{receipt.at}\n",
        )


# -- COPY's escapes ------------------------------------------------------------------------------
# JSON writes a tab, a line's end, a quote, a backslash and a NUL with a backslash. A record without
# one, which is nearly every record, has nothing to escape.

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _escaped(text: str) -> str:
    return _check(text).translate(_ESCAPES)


def _escaped_member(text: str) -> str:
    """One member of an array: quoted as arrays are, and then as COPY wants it."""
    quoted = _check(text).replace("\\", "\\\\").replace('"', '\\"')
    return _escaped(f'"{quoted}"')


def _check(text: str) -> str:
    if "\0" in text:
        raise Malformed("PostgreSQL holds no text with a NUL in it")
    return text


def _escaped_event(receipt: EventReceipt) -> EventReceipt:
    return EventReceipt(
        run_id=_escaped(receipt.run_id),
        event_id=_escaped(receipt.event_id),
        outcome=receipt.outcome,
        reason=_escaped(receipt.reason),
        accepted_at=receipt.accepted_at,
        at=receipt.at,
    )


def _escaped_notification(receipt: NotificationReceipt) -> NotificationReceipt:
    return NotificationReceipt(
        run_id=_escaped(receipt.run_id),
        notification_id=_escaped(receipt.notification_id),
        event_id=_escaped(receipt.event_id),
        device_id=_escaped(receipt.device_id),
        outcome=receipt.outcome,
        reason=_escaped(receipt.reason),
        message_name=_escaped(receipt.message_name),
        attempt=receipt.attempt,
        replay=receipt.replay,
        accepted_at=receipt.accepted_at,
        rendered_at=receipt.rendered_at,
        at=receipt.at,
    )
