"""Sends dead letters of delivery again: `answerbook notify replay`.

Each goes back to the topic of its priority, into the partition that it came from, with `replay`
one higher and its attempts forgotten. What was done with is kept as the offsets of a consumer
group, and beyond the first letter that was left (by --run, --reason or --limit) in the metadata of
that offset. Should this end between a write and its commit, the letter is written again by the
next: with the same `replay`, which a worker sends once.
"""

import base64
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
from confluent_kafka import Consumer, Message, TopicPartition

from answerbook.config import NotifySettings
from answerbook.notify import records
from answerbook.notify.kafka import Item, Writer
from answerbook.notify.records import DEAD_LETTERS, DeadLetter, Notification
from answerbook.notify.topics import partitions, read_all

GROUP = "replay"
BATCH = 500
MOST_METADATA = 4_000
"""Bytes; Kafka takes 4,096. Letters that do not fit are written again, and still sent once."""


@dataclass(frozen=True)
class Wanted:
    """Which letters to send again; None: whichever."""

    run_id: str | None = None
    reason: str | None = None
    limit: int | None = None
    ttl: int | None = None
    """Seconds from now in place of what is left of `expires_at`."""


@dataclass
class Replayed:
    """Letters by reason: sent again, and of those that were asked for but cannot be."""

    sent: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)


def replay(settings: NotifySettings, wanted: Wanted, *, dry_run: bool = False) -> Replayed:
    """Send again what is wanted of what was not yet. Raises KafkaException and NotWritten."""
    replayed = Replayed()
    progress = _Progress(settings.kafka)
    writer = Writer(settings.kafka)
    try:
        batch: list[tuple[Message, Item]] = []
        for message, item in _again(settings.kafka, wanted, progress, replayed):
            batch.append((message, item))
            if len(batch) == BATCH:
                _write(writer, progress, batch, dry_run)
                batch = []
        _write(writer, progress, batch, dry_run)
    finally:
        writer.close()
        progress.close()
    return replayed


def _write(
    writer: Writer, progress: "_Progress", batch: list[tuple[Message, Item]], dry_run: bool
) -> None:
    if dry_run:
        return
    writer.write_now([item for _, item in batch])
    for message, _ in batch:
        progress.done(message)
    progress.commit()


def _again(
    servers: str, wanted: Wanted, progress: "_Progress", replayed: Replayed
) -> Iterator[tuple[Message, Item]]:
    """Each letter that is wanted, with the record that takes its place."""
    for message in read_all(servers, DEAD_LETTERS, begin=progress.begin()):
        if progress.is_done(message):
            continue
        letter = _letter(message)
        if letter is None or letter.stage != "deliver":
            progress.done(message)  # never ours
            continue
        if wanted.run_id not in (None, letter.run_id) or wanted.reason not in (None, letter.reason):
            continue
        if wanted.limit is not None and replayed.sent.total() >= wanted.limit:
            continue
        note = _notification(letter)
        if note is None:
            replayed.unreadable[letter.reason] += 1
            continue
        replayed.sent[letter.reason] += 1
        yield message, _item(letter, note, wanted.ttl)


def _letter(message: Message) -> DeadLetter | None:
    try:
        return records.decode(message.value() or b"", DeadLetter)
    except ValueError:
        return None


def _notification(letter: DeadLetter) -> Notification | None:
    """What could not be read when it died may be known to a newer program."""
    payload = letter.payload.encode()
    try:
        if letter.encoding == "base64":
            payload = base64.b64decode(payload)
        return records.decode(payload, Notification)
    except ValueError:
        return None


def _item(letter: DeadLetter, note: Notification, ttl: int | None) -> Item:
    again = msgspec.structs.replace(
        note,
        replay=note.replay + 1,
        attempt=0,
        not_before=0,
        first_attempt_at=0,
        expires_at=note.expires_at if ttl is None else records.now() + ttl * 1000,
    )
    topic = f"notifications.{note.priority}"
    return (topic, note.device_id.encode(), records.encode(again), letter.source_partition)


class _Progress:
    """Which letters were done with: an offset for each partition, and some beyond it."""

    def __init__(self, servers: str) -> None:
        self._consumer = Consumer(
            {"bootstrap.servers": servers, "group.id": GROUP, "enable.auto.commit": False}
        )
        numbers = [TopicPartition(DEAD_LETTERS, n) for n in partitions(servers, DEAD_LETTERS)]
        self._next: dict[int, int] = {}
        self._beyond: dict[int, set[int]] = {}
        for place in self._consumer.committed(numbers, timeout=10):
            low, _ = self._consumer.get_watermark_offsets(place, timeout=10)
            self._next[place.partition] = max(place.offset, low)
            self._beyond[place.partition] = set(_offsets(place.metadata or ""))

    def begin(self) -> dict[int, int]:
        return dict(self._next)

    def is_done(self, message: Message) -> bool:
        number, offset = _place(message)
        return offset < self._next[number] or offset in self._beyond[number]

    def done(self, message: Message) -> None:
        number, offset = _place(message)
        beyond = self._beyond[number]
        beyond.add(offset)
        while self._next[number] in beyond:
            beyond.discard(self._next[number])
            self._next[number] += 1

    def commit(self) -> None:
        places = [
            TopicPartition(DEAD_LETTERS, number, offset, _ranges(self._beyond[number]))
            for number, offset in self._next.items()
        ]
        self._consumer.commit(offsets=places, asynchronous=False)

    def close(self) -> None:
        self._consumer.close()


def _place(message: Message) -> tuple[int, int]:
    number, offset = message.partition(), message.offset()
    assert number is not None
    assert offset is not None
    return number, offset


def _ranges(offsets: set[int]) -> str:
    """`3-5,8-8`, as much of it as Kafka takes."""
    found: list[list[int]] = []
    for offset in sorted(offsets):
        if found and found[-1][1] + 1 == offset:
            found[-1][1] = offset
        else:
            found.append([offset, offset])
    text = ",".join(f"{first}-{last}" for first, last in found)
    return text if len(text) <= MOST_METADATA else text[:MOST_METADATA].rpartition(",")[0]


def _offsets(ranges: str) -> Iterator[int]:
    for part in filter(None, ranges.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last) + 1)
