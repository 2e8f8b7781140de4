"""The one place that knows which Kafka client the programs use: confluent-kafka.

`Writer` sends records with acks=all from any thread or from asyncio and holds a bounded number of
them; `Reader` is a member of a consumer group that commits only what it is told to. What is
asked about topics as a whole stands in topics.py.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from threading import Event, Thread
from typing import Any

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

MOST_BUFFERED = 100_000
"""Records that a Writer holds without Kafka's acknowledgement before it refuses more."""
DELIVERY_SECONDS = 15.0
"""After which an unacknowledged record has failed."""
PARTITIONER = "murmur2_random"
"""Java's, so that Spark and this client put a key into the same partition."""
BATCH = 1_000


class BufferFull(Exception):
    """Kafka does not keep up, or does not answer: nothing of the call was taken."""


class NotWritten(Exception):
    """Kafka did not acknowledge; whether a record is there nevertheless is not known."""


Item = tuple[str, bytes | None, bytes, int]
"""Topic, key, value and partition; -1 lets the key decide."""


class Writer:
    """A producer with acks=all, idempotent, compressed, whose buffer is bounded."""

    def __init__(
        self,
        servers: str,
        *,
        most_buffered: int = MOST_BUFFERED,
        delivery_seconds: float = DELIVERY_SECONDS,
        linger_ms: int = 5,
    ) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "acks": "all",
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": linger_ms,
                "partitioner": PARTITIONER,
                "queue.buffering.max.messages": most_buffered,
                "queue.buffering.max.kbytes": 262_144,
                "delivery.timeout.ms": int(delivery_seconds * 1000),
                "socket.keepalive.enable": True,
                # Told through the callbacks; the library would print it on standard error too.
                "log_level": 0,
            }
        )
        self._most = most_buffered
        self._ended = Event()
        self._poller = Thread(target=self._poll, name="kafka-writer", daemon=True)
        self._poller.start()

    @property
    def buffered(self) -> int:
        """Records without an acknowledgement."""
        return len(self._producer)

    def send(self, items: Sequence[Item], done: Callable[[Exception | None], None]) -> None:
        """Take all items or, with BufferFull, none; call `done` once, from another thread.

        `done` gets None when every item was acknowledged, else NotWritten.
        """
        if len(self._producer) + len(items) > self._most:
            raise BufferFull(f"{len(self._producer)} records wait for Kafka's acknowledgement")
        if not items:
            done(None)
            return
        outcome = _Outcome(len(items), done)
        for topic, key, value, partition in items:
            try:
                self._producer.produce(
                    topic, value, key, partition=partition, on_delivery=outcome.delivered
                )
            except (BufferError, KafkaException) as error:
                # Others took the room since we looked, or the partition is not there.
                outcome.failed(str(error))

    async def write(self, items: Sequence[Item]) -> None:
        """Return when Kafka has acknowledged all. Raises BufferFull and NotWritten."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()

        def settle(error: Exception | None) -> None:
            if future.done():  # its request was cancelled
                return
            if error:
                future.set_exception(error)
            else:
                future.set_result(None)

        def done(error: Exception | None) -> None:
            loop.call_soon_threadsafe(settle, error)

        self.send(items, done)
        await future

    def write_now(self, items: Sequence[Item], timeout: float = DELIVERY_SECONDS + 5) -> None:
        """`write` for code without a loop. Raises BufferFull and NotWritten."""
        answered = Event()
        errors: list[Exception | None] = []

        def done(error: Exception | None) -> None:
            errors.append(error)
            answered.set()

        self.send(items, done)
        if not answered.wait(timeout):
            raise NotWritten(f"no acknowledgement within {timeout:.0f} s")
        if errors[0]:
            raise errors[0]

    def why_not(self, topic: str, timeout: float = 2.0) -> str | None:
        """Why a topic cannot be written to, or None; blocks, for `timeout` seconds at most."""
        try:
            described = self._producer.list_topics(topic, timeout=timeout).topics[topic]
        except KafkaException as error:
            return f"Kafka does not answer: {error.args[0].str()}"
        return f"{topic}: {described.error.str()}" if described.error else None

    def close(self, timeout: float = 10.0) -> int:
        """Wait for what is under way; how many records are left without an acknowledgement."""
        deadline = time.monotonic() + timeout
        while len(self._producer) and time.monotonic() < deadline:
            time.sleep(0.01)
        self._ended.set()
        self._poller.join()
        return len(self._producer)

    def _poll(self) -> None:
        while not self._ended.is_set():
            self._producer.poll(0.1)


class _Outcome:
    """Counts down the acknowledgements of one `send`."""

    __slots__ = ("_done", "_error", "_left")

    def __init__(self, count: int, done: Callable[[Exception | None], None]) -> None:
        self._left = count
        self._done = done
        self._error: str | None = None

    def delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._error = error.str()
        self._count()

    def failed(self, reason: str) -> None:
        self._error = reason
        self._count()

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._done(NotWritten(self._error) if self._error else None)


class Reader:
    """A member of a consumer group; positions are committed by `commit` alone."""

    def __init__(
        self,
        servers: str,
        group: str,
        topics: Sequence[str],
        *,
        assigned: Callable[[list[TopicPartition]], None] | None = None,
        revoked: Callable[[list[TopicPartition]], None] | None = None,
        **settings: Any,
    ) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": 10_000,
                "heartbeat.interval.ms": 1_000,
                "topic.metadata.refresh.interval.ms": 10_000,
                "fetch.wait.max.ms": 50,
                "queued.max.messages.kbytes": 16_384,
                # Without a fetch, once that much is queued; a whole second by default, in which a
                # quick program has long done all of it.
                "fetch.queue.backoff.ms": 20,
                "log_level": 0,
            }
            | settings
        )
        callbacks: dict[str, Any] = {}
        if assigned is not None:
            callbacks["on_assign"] = lambda _, partitions: assigned(partitions)
        if revoked is not None:
            callbacks["on_revoke"] = lambda _, partitions: revoked(partitions)
        self._consumer.subscribe(list(topics), **callbacks)

    def read(self, most: int = BATCH, timeout: float = 0.2) -> list[Message]:
        """Up to `most` records; fewer, or none, after `timeout` seconds.

        The callbacks for partitions run inside of this call. Raises KafkaException for an error
        that the client cannot mend by itself.
        """
        records = []
        for message in self._consumer.consume(most, timeout):
            error = message.error()
            if error is None:
                records.append(message)
            elif error.fatal() or (not error.retriable() and error.code() not in PASSING):
                raise KafkaException(error)
        return records

    def commit(self, offsets: Iterable[TopicPartition], *, wait: bool = True) -> None:
        """Commit positions (the offset of the *next* record). Raises KafkaException.

        A broker that is silent can hold this up for minutes; without `wait` nothing can, and
        whether it worked is told to the `on_commit` of the settings, inside of `read`.
        """
        wanted = list(offsets)
        if wanted and wait:
            self._consumer.commit(offsets=wanted, asynchronous=False)
        elif wanted:
            self._consumer.commit(offsets=wanted)

    def pause(self, partitions: list[TopicPartition]) -> None:
        self._consumer.pause(partitions)

    def resume(self, partitions: list[TopicPartition]) -> None:
        self._consumer.resume(partitions)

    def seek(self, partition: TopicPartition) -> None:
        self._consumer.seek(partition)

    def assignment(self) -> list[TopicPartition]:
        return list(self._consumer.assignment())

    def close(self) -> None:
        """Leave the group; partitions are revoked first, through the callback."""
        self._consumer.close()


PASSING = {
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TRANSPORT,
    KafkaError._RESOLVE,
    KafkaError._PARTITION_EOF,
    KafkaError._MAX_POLL_EXCEEDED,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
}
"""Errors after which the client goes on by itself once the cluster does."""
