"""The thread that belongs to Kafka: reads notifications for the worker, pauses, and commits.

program.py starts one. Reading blocks, and so do the callbacks for partitions, which run inside of
it: giving partitions up waits here until the worker has drained, and taking them waits until their
windows are filled.
"""

import asyncio
import time
from collections.abc import Coroutine
from threading import Event, Thread
from typing import Any, Literal, TypeVar

from confluent_kafka import OFFSET_INVALID, KafkaException, Message, TopicPartition

from answerbook.config import NotifySettings
from answerbook.notify import records
from answerbook.notify.deliver.flight import Arrival, arrival
from answerbook.notify.deliver.rebuild import Rebuilder
from answerbook.notify.deliver.room import Room
from answerbook.notify.deliver.window import Window
from answerbook.notify.deliver.worker import Place, Worker
from answerbook.notify.kafka import BATCH, Reader
from answerbook.notify.records import DELIVER_GROUP, NOTIFICATIONS, NOTIFICATIONS_HIGH, RETRIES
from answerbook.notify.running import log

SUBSCRIBED = (*NOTIFICATIONS, *RETRIES)
LONGEST_DRAIN = 8.0
"""Seconds that giving up partitions may wait for sends; below the 10 that SIGTERM allows."""
Mode = Literal["all", "high", "nothing"]
"""What there is room to read."""
AGAIN = 1.0
"""Seconds before a new consumer after the last one failed."""
STUCK = 0.25
"""Seconds without room after which only high priority is read."""

T = TypeVar("T")


class Intake(Thread):
    """Runs until `end`; joined, it has drained, committed and left the group."""

    def __init__(
        self,
        settings: NotifySettings,
        worker: Worker,
        room: Room,
        loop: asyncio.AbstractEventLoop,
        partitions: int,
    ) -> None:
        super().__init__(name="intake", daemon=True)
        self._settings = settings
        self._worker = worker
        self._room = room
        self._loop = loop
        self._partitions = partitions
        self._drain_seconds = min(settings.deliver_timeout + 1.0, LONGEST_DRAIN)
        self._ending = Event()
        self._rebuilder = Rebuilder(settings.kafka, settings.deliver_window)
        self._reader: Reader | None = None
        self._places: set[Place] = set()
        self._paused: set[Place] = set()
        self._not_due: dict[Place, tuple[int, int]] = {}
        """Retry partitions that wait for their first record: when it is due, and its offset."""
        self._to_commit: dict[Place, int] = {}
        self._mode: Mode = "all"
        self.assigned = False

    def end(self) -> None:
        self._ending.set()

    def commit_soon(self, positions: dict[Place, int]) -> None:
        """From the loop: these may be committed."""
        self._to_commit = self._to_commit | positions

    def run(self) -> None:
        while not self._ending.is_set():
            try:
                self._consume()
            except (KafkaException, TimeoutError) as error:
                log().error("Kafka failed; a new consumer follows", error=str(error), wait=AGAIN)
                self._ending.wait(AGAIN)
        self._rebuilder.close()

    def _consume(self) -> None:
        self._reader = reader = Reader(
            self._settings.kafka,
            DELIVER_GROUP,
            SUBSCRIBED,
            assigned=self._on_assigned,
            revoked=self._on_revoked,
            **{
                # All workers get the same numbers of all topics: see the package's docstring.
                "partition.assignment.strategy": "range",
                # What is prefetched stands before a high one that comes later.
                "queued.max.messages.kbytes": 2_048,
                "max.partition.fetch.bytes": 262_144,
            },
        )
        try:
            while not self._ending.is_set():
                self._step(reader)
        finally:
            reader.close()  # drains and commits, in _on_revoked
            self._reader = None

    # -- reading ---------------------------------------------------------------------------------

    def _step(self, reader: Reader) -> None:
        self._mode = self._next_mode()
        self._wake(reader)
        self._pause(reader)
        if self._mode == "nothing":
            self._take(reader.read(1, 0.05))  # for the callbacks: everything is paused
        elif self._mode == "high":
            self._take(reader.read(self._room.for_high(), 0.05))
        else:
            most = min(self._room.for_all(), BATCH)
            first = reader.read(1, self._patience())
            # What is there already comes at once; a moment more makes batches of a steady flow.
            self._take(first + reader.read(most - 1, 0.002) if first and most > 1 else first)
        self._commit(reader)

    def _next_mode(self) -> Mode:
        """What there is room for."""
        room = self._room
        if self._mode == "all":
            if room.for_all() > 0 or room.wait(STUCK):
                return "all"
        elif room.half_free():
            return "all"
        return "high" if room.for_high() > 0 else "nothing"

    def _patience(self) -> float:
        """Seconds to wait for a record: until the next retry is due, at most 0.2."""
        if not self._not_due:
            return 0.2
        next_due = min(due for due, _ in self._not_due.values())
        return min(max((next_due - records.now()) / 1000, 0.001), 0.2)

    def _take(self, messages: list[Message]) -> None:
        if not messages:
            return
        now = records.now()
        arrivals: list[Arrival] = []
        for message in messages:
            topic, number, offset = message.topic(), message.partition(), message.offset()
            if topic is None or number is None or offset is None:
                continue
            if topic in RETRIES and (topic, number) in self._not_due:
                continue  # behind one that is not due: it will be read again
            one = arrival(topic, number, offset, message.value() or b"")
            if topic in RETRIES and one.note is not None:
                due = min(one.note.not_before, message.timestamp()[1] + RETRIES[topic] * 1000)
                if due > now:
                    self._not_due[topic, number] = (due, offset)
                    continue
            arrivals.append(one)
        self._room.take(len(arrivals))
        if arrivals:
            self._loop.call_soon_threadsafe(self._worker.arrived, arrivals)

    # -- pausing ---------------------------------------------------------------------------------

    def _wake(self, reader: Reader) -> None:
        """Go on with retry partitions whose first record is due."""
        if not self._not_due:
            return
        now = records.now()
        for place, (due, offset) in list(self._not_due.items()):
            if due <= now:
                del self._not_due[place]
                if place in self._paused:
                    reader.resume([_at(place)])
                    self._paused.discard(place)
                reader.seek(_at(place, offset))

    def _pause(self, reader: Reader) -> None:
        """Make the consumer's pauses what they have to be."""
        wanted = set(self._not_due)
        if self._mode == "nothing":
            wanted = set(self._places)
        elif self._mode == "high" or self._room.crowded():
            wanted |= {place for place in self._places if place[0] != NOTIFICATIONS_HIGH}
        if wanted != self._paused:
            reader.pause([_at(place) for place in wanted - self._paused])
            reader.resume([_at(place) for place in self._paused - wanted])
            self._paused = wanted

    # -- committing, and partitions ----------------------------------------------------------------

    def _commit(self, reader: Reader) -> None:
        positions, self._to_commit = self._to_commit, {}
        if positions:
            try:
                reader.commit(_at(place, offset) for place, offset in positions.items())
            except KafkaException as error:
                log().warning("offsets were not committed", error=str(error))
                self._to_commit = positions | self._to_commit

    def _on_assigned(self, partitions: list[TopicPartition]) -> None:
        began = time.monotonic()
        self._places = {(place.topic, place.partition) for place in partitions}
        numbers = whole(self._places)
        windows = self._rebuilder.fill(numbers, self._worker.windows)
        self._call(self._worker_assigned(windows))
        self.assigned = True
        log().info(
            "partitions assigned",
            numbers=sorted(numbers),
            known=sum(map(len, windows.values())),
            seconds=round(time.monotonic() - began, 3),
        )

    async def _worker_assigned(self, windows: dict[int, Window]) -> None:
        self._worker.assigned(windows, self._partitions)

    def _on_revoked(self, partitions: list[TopicPartition]) -> None:
        self.assigned = False
        positions = self._call(self._worker.drain(self._drain_seconds))
        self._places, self._paused, self._not_due = set(), set(), {}
        self._to_commit = {}
        self._mode = "all"
        try:
            if self._reader is not None:
                self._reader.commit(_at(place, offset) for place, offset in positions.items())
            if not self._ending.is_set():
                self._rebuilder.mark(self._worker.windows)
        except KafkaException as error:
            # Lost them already: whoever has them now reads again, and its window knows.
            log().warning("offsets were not committed at the end", error=str(error))

    def _call(self, asked: Coroutine[Any, Any, T]) -> T:
        """What the loop answers. This thread waits for it without an end of its own.

        A drain that went on after partitions were assigned again would spoil what follows.
        """
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result()


def whole(places: set[Place]) -> set[int]:
    """The partition numbers that are held of every topic.

    Fewer than all only while topics have different numbers of partitions; the others are left
    alone, since another worker may send what lies in them.
    """
    numbers = {number for _, number in places}
    shared = {n for n in numbers if all((topic, n) in places for topic in SUBSCRIBED)}
    if shared != numbers:
        log().error(
            "topics with different numbers of partitions: these are not delivered",
            numbers=sorted(numbers - shared),
        )
    return shared


def _at(place: Place, offset: int = OFFSET_INVALID) -> TopicPartition:
    return TopicPartition(*place, offset)
