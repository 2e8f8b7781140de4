"""Receipts turned into rows: which one counts, how it is escaped, and what is refused."""

import itertools
from dataclasses import dataclass

import pytest

from answerbook.notify import records
from answerbook.notify.records import EventReceipt, NotificationReceipt, decode, encode
from answerbook.notify.track.letters import letter
from answerbook.notify.track.receipts import RANKS, Batch, batch


@dataclass
class Message:
    """What Kafka would give."""

    content: bytes
    in_topic: str = records.RECEIPTS_NOTIFICATIONS

    def topic(self) -> str:
        return self.in_topic

    def partition(self) -> int:
        return 3

    def offset(self) -> int:
        return 17

    def value(self) -> bytes:
        return self.content


def of_event(outcome: records.EventOutcome, **fields: object) -> Message:
    receipt = EventReceipt(run_id="r", event_id="e", outcome=outcome, at=1)
    for name, value in fields.items():
        setattr(receipt, name, value)
    return Message(encode(receipt), records.RECEIPTS_EVENTS)


def of_notification(outcome: records.NotificationOutcome, **fields: object) -> Message:
    receipt = NotificationReceipt(
        run_id="r", notification_id="n", event_id="e", device_id="d", outcome=outcome, at=1
    )
    for name, value in fields.items():
        setattr(receipt, name, value)
    return Message(encode(receipt))


def outcomes(made: Batch) -> list[str]:
    return [row.line.split("\t")[2] for row in made.events.values()] + [
        row.line.split("\t")[4] for row in made.notifications.values()
    ]


def test_the_better_receipt_counts_in_whatever_order_they_come() -> None:
    assert list(RANKS) == ["dead", "expired", "suppressed", "expanded", "sent"]
    for some in itertools.permutations(
        [of_event("dead"), of_event("expired"), of_event("suppressed"), of_event("expanded")]
    ):
        assert ["expanded"] == outcomes(batch(some))
    for others in itertools.permutations(
        [of_notification("dead"), of_notification("sent", replay=1), of_notification("expired")]
    ):
        assert ["sent"] == outcomes(batch(others))


def test_of_two_deaths_the_one_after_a_replay_counts() -> None:
    first = of_notification("dead", reason="attempts")
    second = of_notification("dead", reason="INVALID_ARGUMENT", replay=1)
    for order in ((first, second), (second, first)):
        (row,) = batch(order).notifications.values()
        assert "INVALID_ARGUMENT" == row.line.split("\t")[5]


def test_receipt_that_comes_again_changes_nothing() -> None:
    first, again = of_notification("sent", at=5), of_notification("sent", at=9)
    assert batch([first]).notifications == batch([first, again]).notifications


def test_what_copy_would_take_for_its_own_is_escaped() -> None:
    (row,) = batch([of_notification("dead", reason="a\tb\nc\\d\re")]).notifications.values()
    assert "a\\tb\\nc\\\\d\\re" == row.line.split("\t")[5]
    (event,) = batch([of_event("expanded", notifications=['q"', "s\\", "c,{}"])]).events.values()
    assert '{"q\\\\"","s\\\\\\\\","c,{}"}' == event.line.split("\t")[4]


@pytest.mark.parametrize("reason", ["UNREGISTERED", "SENDER_ID_MISMATCH"])
def test_device_that_fcm_does_not_know_is_gone_since_its_last_receipt(reason: str) -> None:
    made = batch([of_notification("dead", reason=reason, at=at) for at in (5, 9, 7)])
    assert {"d": (9, reason)} == made.gone


def test_neither_a_topic_nor_another_reason_prunes() -> None:
    topic = of_notification("dead", reason="UNREGISTERED", device_id="topic:news")
    assert {} == batch([topic, of_notification("dead", reason="INVALID_ARGUMENT")]).gone


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "malformed"),
        (b"not JSON", "malformed"),
        (b"\xff", "malformed"),
        (b'{"run_id":"r","notification_id":"n"}', "malformed"),
        (of_notification("sent", message_name="\0").value(), "malformed"),
        (of_notification("dead", reason="UNREGISTERED", device_id="\0").value(), "malformed"),
        (b'{"run_id":"r","notification_id":"n","version":2}', "unsupported_version"),
    ],
)
def test_what_is_no_receipt_becomes_a_dead_letter(content: bytes, reason: str) -> None:
    good = of_notification("sent")
    made = batch([Message(content), good])

    assert ["sent"] == outcomes(made)
    assert {} == made.gone
    ((message, error),) = made.broken
    dead = decode(encode(letter(message, error)), records.DeadLetter)
    assert ("track", reason) == (dead.stage, dead.reason)
    assert (good.topic(), 3, 17) == (dead.source_topic, dead.source_partition, dead.source_offset)
    if b"run_id" in content:
        assert ("r", "n") == (dead.run_id, dead.notification_id)
