"""Notifications put into Kafka as render puts them, and what delivery wrote about each.

For notebook 2_3_delivery, which runs delivery alone, and for its tests:

    delivering = Delivering(services.find("notify").start_delivery())
    note = delivering.note("token-1")
    delivering.write([note])
    (receipt,) = delivering.receipts_of([note])
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen
from uuid import uuid4

import msgspec
from confluent_kafka import Consumer, TopicPartition

from answerbook.notebook.waiting import progress, wait_for
from answerbook.notify import records
from answerbook.notify.kafka import Writer
from answerbook.notify.records import Notification, NotificationReceipt
from answerbook.notify.topics import partitions

if TYPE_CHECKING:
    from answerbook.services import Notify

READ = (records.RECEIPTS_NOTIFICATIONS, *records.RETRIES, records.DEAD_LETTERS)
AT_ONCE = 1_000
AT_A_TIME = 10
"""Notifications that `steady` writes together."""
POLL_SECONDS = 0.1


class Delivering:
    """A run of its own in the topics of a system whose delivery is up."""

    def __init__(self, system: Notify) -> None:
        self.run_id = f"delivery-{uuid4().hex[:8]}"
        self._worker = system.deliver
        self._writer = Writer(system.kafka.url)
        self._numbers = count(1)
        self._reader = _at_the_end(system.kafka.url)
        self.receipts: dict[str, NotificationReceipt] = {}
        """By notification."""
        self.put_off: dict[str, tuple[str, Notification]] = {}
        """By notification: the last retry topic that it was written to, and as what."""
        self.letters: dict[str, records.DeadLetter] = {}
        """By notification; by the payload where there is none."""

    # -- in -----------------------------------------------------------------------------------

    def note(self, token: str, ttl: float = 3_600.0, **fields: Any) -> Notification:
        """A notification to a token, as render makes it; it expires `ttl` seconds from now."""
        number, now = next(self._numbers), records.now()
        event = f"{self.run_id}/{number}"
        name = records.notification_id(event, "", token)
        message = {
            "token": token,
            "notification": {"title": "Order shipped", "body": f"Order {number} is on its way."},
            "data": {"notification_id": name, "event_id": event, "run_id": self.run_id},
        }
        values: dict[str, Any] = {
            "run_id": self.run_id,
            "notification_id": name,
            "event_id": event,
            "device_id": token,
            "kind": "order_shipped",
            "priority": "normal",
            "message": msgspec.Raw(msgspec.json.encode(message)),
            "accepted_at": now,
            "rendered_at": now,
            "expires_at": now + int(ttl * 1_000),
        }
        return Notification(**(values | fields))

    def write(self, notes: Iterable[Notification]) -> None:
        """Into the topics of their priorities; returns when Kafka has acknowledged them."""
        self._writer.write_now(
            [
                (
                    f"notifications.{note.priority}",
                    note.device_id.encode(),
                    records.encode(note),
                    -1,
                )
                for note in notes
            ]
        )

    def write_raw(self, value: bytes) -> None:
        """What is no notification, into the topic of those of normal priority."""
        self._writer.write_now([(records.NOTIFICATIONS_NORMAL, b"raw", value, 0)])

    def steady(self, count: int, rate: float = 100.0) -> list[Notification]:
        """Write `count` notifications, `rate` a second, and return them; shows a bar."""
        notes: list[Notification] = []
        began = time.monotonic()
        for number in progress(range(0, count, AT_A_TIME), "written", -(-count // AT_A_TIME)):
            part = range(number, min(number + AT_A_TIME, count))
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            notes += [self.note(f"token-{each}") for each in part]
            self.write(notes[number:])
        return notes

    # -- out ----------------------------------------------------------------------------------

    def receipts_of(
        self, notes: Sequence[Notification], seconds: float = 60.0
    ) -> list[NotificationReceipt]:
        """What became of each, in their order, once all have ended. Raises TimeoutError."""
        names = [note.notification_id for note in notes]
        what = f"{len(names)} notifications have ended"
        self._read_until(lambda: all(name in self.receipts for name in names), what, seconds)
        return [self.receipts[name] for name in names]

    def put_off_of(self, note: Notification, seconds: float = 60.0) -> tuple[str, Notification]:
        """The retry topic that it is written to, and as what, once it is. Raises TimeoutError."""
        name = note.notification_id
        self._read_until(lambda: name in self.put_off, "it is put off", seconds)
        return self.put_off[name]

    def metric(self, name: str) -> float:
        """Of the worker, `answerbook_deliver_…` without that; the sum over its labels."""
        with urlopen(f"{self._worker.url}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        wanted = f"answerbook_deliver_{name}"
        fields = [line.split() for line in lines]
        return sum(float(each[-1]) for each in fields if each[0].partition("{")[0] == wanted)

    def letter_of(self, payload: str, seconds: float = 60.0) -> records.DeadLetter:
        """The dead letter of a record that is no notification, once it is there."""
        self._read_until(lambda: payload in self.letters, "there is a dead letter", seconds)
        return self.letters[payload]

    # -- inside -------------------------------------------------------------------------------

    def _read_until(self, done: Callable[[], bool], what: str, seconds: float) -> None:
        def read_and_done() -> bool:
            for message in self._reader.consume(AT_ONCE, POLL_SECONDS):
                if message.error() is None:
                    self._take(message.topic() or "", message.value() or b"")
            return done()

        wait_for(read_and_done, what, seconds)

    def _take(self, topic: str, value: bytes) -> None:
        if json.loads(value).get("run_id") not in (self.run_id, ""):
            return
        if topic == records.RECEIPTS_NOTIFICATIONS:
            receipt = records.decode(value, NotificationReceipt)
            self.receipts[receipt.notification_id] = receipt
        elif topic in records.RETRIES:
            note = records.decode(value, Notification)
            self.put_off[note.notification_id] = (topic, note)
        else:
            letter = records.decode(value, records.DeadLetter)
            self.letters[letter.notification_id or letter.payload] = letter


def per_second(times: Iterable[int], began: int, parts: int = 2) -> tuple[list[float], list[int]]:
    """Moments in milliseconds → parts of a second since `began`, and how many a second in each."""
    counted = Counter((at - began) * parts // 1_000 for at in times)
    numbers = range(max(counted, default=0) + 1)
    return [number / parts for number in numbers], [counted[each] * parts for each in numbers]


def _at_the_end(servers: str) -> Consumer:
    """A reader of READ from where they end now, in no group."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "delivering",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 50,
            "log_level": 0,
        }
    )
    places = []
    for topic in READ:
        for number in partitions(servers, topic):
            place = TopicPartition(topic, number)
            _, end = consumer.get_watermark_offsets(place, timeout=30)
            places.append(TopicPartition(topic, number, end))
    consumer.assign(places)
    return consumer
