"""Reads back from Kafka what was sent from a partition number, before anything more is.

Used by intake.py, on its thread, when partitions were assigned and when they are given up.
"""

import time
from collections.abc import Iterable

import msgspec
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from answerbook.notify import records
from answerbook.notify.deliver.window import Window, key_of
from answerbook.notify.kafka import PASSING
from answerbook.notify.records import DELIVER_GROUP, RECEIPTS_NOTIFICATIONS, RETRIES, Notification

SECONDS = 60.0
"""Without a record, after which reading has failed."""

Place = tuple[str, int]


class _Receipt(msgspec.Struct):
    """What the window needs of a NotificationReceipt; the rest is not even read."""

    notification_id: str
    outcome: str
    replay: int = 0


_receipt = msgspec.json.Decoder(_Receipt)


class Rebuilder:
    """Makes windows of `most` ids for partition numbers."""

    def __init__(self, servers: str, most: int) -> None:
        self._most = most
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                # Asked for its offsets, and never joined: partitions are assigned by hand.
                "group.id": DELIVER_GROUP,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 20,
                "queued.max.messages.kbytes": 16_384,
                "log_level": 0,
            }
        )

    def fill(self, numbers: Iterable[int], held: dict[int, Window]) -> dict[int, Window]:
        """A window for each number; one of `held` is carried on from where it ended.

        Raises KafkaException and TimeoutError.
        """
        windows = {number: held.get(number) or Window(self._most) for number in numbers}
        starts: dict[Place, int] = {}
        for number, window in windows.items():
            window.forget_open()
            start = window.position
            starts[RECEIPTS_NOTIFICATIONS, number] = -self._most if start < 0 else start
        for place in self._consumer.committed(
            [TopicPartition(topic, number) for topic in RETRIES for number in windows], timeout=10
        ):
            starts[place.topic, place.partition] = max(place.offset, 0)
        for message in self._read(starts):
            window = windows[message.partition() or 0]
            if message.topic() == RECEIPTS_NOTIFICATIONS:
                window.position = (message.offset() or 0) + 1
                _add_receipt(window, message.value() or b"")
            else:
                _add_retry(window, message.value() or b"")
        return windows

    def mark(self, windows: dict[int, Window]) -> None:
        """All that is in receipts now is known to these windows: their worker wrote it."""
        for number, window in windows.items():
            _, window.position = self._consumer.get_watermark_offsets(
                TopicPartition(RECEIPTS_NOTIFICATIONS, number), timeout=10
            )

    def close(self) -> None:
        self._consumer.close()

    def _read(self, starts: dict[Place, int]) -> Iterable[Message]:
        """From these offsets (negative: so many before the end) to the ends of now."""
        left: dict[Place, int] = {}
        assigned = []
        for place, start in starts.items():
            low, high = self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=10)
            begin = max(low, high + start if start < 0 else start)
            if begin < high:
                left[place] = high
                assigned.append(TopicPartition(*place, begin))
        self._consumer.assign(assigned)
        if assigned:
            # What was paused at its end the last time stays so, whatever is assigned anew.
            self._consumer.resume(assigned)
        last = time.monotonic()
        while left:
            for message in self._consumer.consume(10_000, 0.1):
                last = time.monotonic()
                error = message.error()
                if error is not None:
                    if error.code() not in PASSING:
                        raise KafkaException(error)
                    continue
                topic, number, offset = message.topic(), message.partition(), message.offset()
                assert topic is not None
                assert number is not None
                assert offset is not None
                end = left.get((topic, number))
                if end is None:
                    continue  # written since
                if offset + 1 >= end:
                    del left[topic, number]
                    self._consumer.pause([TopicPartition(topic, number)])
                yield message
            if time.monotonic() - last > SECONDS:
                raise TimeoutError(f"no record for {SECONDS:.0f} s while receipts were read back")
        self._consumer.unassign()


def _add_receipt(window: Window, value: bytes) -> None:
    try:
        receipt = _receipt.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return  # nobody's notification
    key = key_of(receipt.notification_id)
    if receipt.outcome in ("dead", "expired"):
        window.failed(key, receipt.replay)
    else:
        window.sent(key)


def _add_retry(window: Window, value: bytes) -> None:
    try:
        note = records.decode(value, Notification)
    except ValueError:
        return  # it becomes a dead letter when it is read
    window.waits(key_of(note.notification_id), note.replay, note.attempt)
