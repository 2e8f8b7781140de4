"""What the tests of deliver share: a worker as a process, notifications for it, and its results."""

import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.request import urlopen

import msgspec
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from answerbook.notify import records
from answerbook.notify.kafka import Item, Writer
from answerbook.notify.records import (
    DEAD_LETTERS,
    NOTIFICATIONS,
    RECEIPTS_NOTIFICATIONS,
    RETRIES,
    DeadLetter,
    Notification,
    NotificationReceipt,
)
from answerbook.notify.topics import lag, read_all

PARTITIONS = 6
CONSUMED = (*NOTIFICATIONS, *RETRIES)
RESULTS = (RECEIPTS_NOTIFICATIONS, DEAD_LETTERS)

T = TypeVar("T")


def wait_for(what: str, asked: Callable[[], T | None], seconds: float = 120.0) -> T:
    """The first answer that is true."""
    deadline = time.monotonic() + seconds
    while not (answer := asked()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.05)
    return answer


class DeliverProcess:
    """`answerbook notify deliver`, with settings of its own."""

    def __init__(self, kafka: str, url: str, log: Path, **settings: object) -> None:
        environment = {
            "KAFKA": kafka,
            "EMULATOR_URL": url,
            "PORT": 0,
            "DELIVER_RAMP_SECONDS": 0,
            "DELIVER_QUOTA_PER_MINUTE": 6_000_000,
            **settings,
        }
        named = {f"ANSWERBOOK_NOTIFY_{name}": str(value) for name, value in environment.items()}
        self.log = log
        with log.open("ab") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "answerbook", "notify", "deliver"],
                env=os.environ | named,
                stderr=stream,
            )

    def lines(self) -> list[dict[str, Any]]:
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [json.loads(line) for line in lines]

    def said(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["event"] == event]

    @property
    def port(self) -> int:
        said = wait_for("the worker's port", lambda: self.said("deliver listens"))
        return int(said[-1]["port"])

    def ask(self, path: str) -> tuple[int, str]:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except URLError as error:
            return getattr(error, "code", 0), str(error)

    def ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return self.ask("/readyz")[0] == 200

    def metric(self, name: str) -> float:
        """The sum over its labels."""
        lines = self.ask("/metrics")[1].splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    def numbers(self) -> set[int]:
        said = self.said("partitions assigned")
        return set(said[-1]["numbers"]) if said else set()

    def end(self) -> int:
        """Ask it to end, and wait."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(30)


class Pipeline:
    """Topics of one Kafka, with a run of one's own in them."""

    def __init__(self, kafka: str, run_id: str) -> None:
        self.kafka = kafka
        self.run_id = run_id
        self.writer = Writer(kafka)
        self.ends = wait_for("topics", self._ends)

    def _ends(self) -> dict[str, dict[int, int]] | None:
        """Where each partition goes on; what was there before is not this run's."""
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": "ends", "log_level": 0})
        places = [(topic, n) for topic in (*RESULTS, *CONSUMED) for n in range(PARTITIONS)]
        ends: dict[str, dict[int, int]] = {topic: {} for topic, _ in places}
        try:
            for topic, number in places:
                place = TopicPartition(topic, number)
                ends[topic][number] = consumer.get_watermark_offsets(place, timeout=5)[1]
        except KafkaException:  # just made, they have no leader for a moment
            return None
        finally:
            consumer.close()
        return ends

    def notification(self, number: int, **fields: Any) -> Notification:
        now = records.now()
        device = fields.pop("device_id", f"d{number}")
        event = f"{self.run_id}/{number}"
        name = records.notification_id(event, "", device)
        message = {
            "token": device,
            "notification": {"title": "Order shipped", "body": f"Order {number} is on its way."},
            "data": {"notification_id": name, "event_id": event, "run_id": self.run_id},
        }
        values: dict[str, Any] = {
            "run_id": self.run_id,
            "notification_id": name,
            "event_id": event,
            "device_id": device,
            "kind": "order_shipped",
            "priority": "normal",
            "message": msgspec.Raw(msgspec.json.encode(message)),
            "accepted_at": now,
            "rendered_at": now,
            "expires_at": now + 3_600_000,
        }
        return Notification(**(values | fields))

    def notifications(self, count: int, **fields: Any) -> list[Notification]:
        return [self.notification(number, **fields) for number in range(count)]

    def write(self, notes: Iterable[Notification]) -> None:
        """As render does: by priority, with the device as key."""
        items: list[Item] = [
            (f"notifications.{note.priority}", note.device_id.encode(), records.encode(note), -1)
            for note in notes
        ]
        for start in range(0, len(items), 50_000):
            self.writer.write_now(items[start : start + 50_000], 60)

    def write_raw(self, value: bytes, partition: int = 0) -> None:
        self.writer.write_now([(NOTIFICATIONS[1], b"raw", value, partition)])

    def _mine(self, topic: str) -> Iterator[Message]:
        yield from read_all(self.kafka, topic, begin=self.ends[topic])

    def receipts(self) -> dict[str, list[NotificationReceipt]]:
        """By notification, in the order they were written."""
        found = defaultdict(list)
        for message in self._mine(RECEIPTS_NOTIFICATIONS):
            receipt = records.decode(message.value() or b"", NotificationReceipt)
            if receipt.run_id == self.run_id:
                found[receipt.notification_id].append(receipt)
        return dict(found)

    def letters(self) -> list[DeadLetter]:
        return [
            records.decode(message.value() or b"", DeadLetter)
            for message in self._mine(DEAD_LETTERS)
        ]

    def finished(self, count: int, seconds: float = 150.0) -> dict[str, list[NotificationReceipt]]:
        """The receipts, when there are at least so many notifications with one."""

        def enough() -> dict[str, list[NotificationReceipt]] | None:
            with suppress(KafkaException):  # a broker that was away is not known everywhere yet
                found = self.receipts()
                return found if len(found) >= count else None
            return None

        return wait_for(f"{count} receipts", enough, seconds)

    def committed(self, seconds: float = 30.0) -> None:
        """Wait until the group has committed everything that it reads."""

        def nothing_left() -> bool:
            with suppress(KafkaException):
                return not any(lag(self.kafka, records.DELIVER_GROUP, CONSUMED).values())
            return False

        wait_for("everything committed", nothing_left, seconds)


def outcomes(receipts: dict[str, list[NotificationReceipt]]) -> Counter[str]:
    """How many notifications ended how; each has to have one receipt."""
    several = {name: found for name, found in receipts.items() if len(found) > 1}
    assert not several, f"more than one outcome: {several}"
    return Counter(found[0].outcome for found in receipts.values())
