"""`answerbook notify track`: from the receipts in Kafka to the outcomes in PostgreSQL.

Any number of these share the work. What is read is written in one transaction, and only then are
its offsets committed; whatever breaks between the two is read again, and changes nothing. While
PostgreSQL or Kafka is away this waits and tries again.
"""

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread
from typing import Final, TypeVar

import psycopg
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition
from prometheus_client import Counter, Gauge

from answerbook.config import NotifySettings
from answerbook.notify import records, running, topics
from answerbook.notify.kafka import BufferFull, NotWritten, Reader, Writer
from answerbook.notify.track.letters import letter
from answerbook.notify.track.outcomes import Outcomes
from answerbook.notify.track.receipts import Source, batch

TOPICS: Final = (records.RECEIPTS_EVENTS, records.RECEIPTS_NOTIFICATIONS)
MOST: Final = 10_000
"""Receipts in a transaction."""
LAG_SECONDS: Final = 5.0
COMMIT_SECONDS: Final = 1.0
"""After a commit that failed, until the next one."""
LEAVE_SECONDS: Final = 8.0
"""What the last commit and leaving the group may take before a silent broker is given up."""
SLOWEST_RETRY: Final = 5.0
"""Seconds."""
SILENCE: Final = 120.0
"""Seconds without a turn of the loop after which the program is not alive."""
UNSTORABLE: Final = (psycopg.DataError, psycopg.errors.ProgramLimitExceeded)
"""What PostgreSQL says of a value that it can never hold, such as a time after the year 294276."""

written = Counter(
    "answerbook_track_receipts_total", records.METRICS["answerbook_track_receipts_total"], ["topic"]
)
refused = Counter(
    "answerbook_track_refused_total", records.METRICS["answerbook_track_refused_total"], ["reason"]
)
pruned = Counter(
    "answerbook_track_pruned_devices_total",
    records.METRICS["answerbook_track_pruned_devices_total"],
)
behind = Gauge(
    "answerbook_lag_records", records.METRICS["answerbook_lag_records"], ["group", "topic"]
)
logger = running.log()

T = TypeVar("T")


class Ended(Exception):
    """SIGTERM came while something that is needed was away."""


def main(settings: NotifySettings) -> None:
    """Run until SIGTERM or SIGINT; what was read by then is written, if the store is there."""
    ended = running.until_terminated()
    tracker = Tracker(settings, ended)
    port = records.PORTS["track"] if settings.port is None else settings.port
    try:
        watch = running.Watch(settings.host, port, tracker.not_ready, tracker.not_alive)
    except OSError as error:
        logger.error("The port is taken; set ANSWERBOOK_NOTIFY_PORT.", port=port, error=str(error))
        sys.exit(1)
    Thread(target=watch_lag, args=(settings.kafka, ended), name="lag", daemon=True).start()
    logger.info("started", port=watch.port)
    tracker.run()
    watch.stop()
    logger.info("ended")


class Tracker:
    """Reads, writes, commits; and again."""

    def __init__(self, settings: NotifySettings, ended: Event) -> None:
        self._settings = settings
        self._ended = ended
        self._outcomes = Outcomes(settings.database.get_secret_value())
        self._letters = Writer(settings.kafka)
        self._reader: Reader | None = None
        self._places: dict[tuple[str, int], int] = {}
        """How far it has written: topic and partition → the next offset."""
        self._commit_failed = 0.0
        """When; 0 after one that did not fail yet."""
        self._trouble: str | None = "it has just started"
        self._joined = False
        self._turn = time.monotonic()

    def not_ready(self) -> str | None:
        """Not before its share of the partitions was told, be it none."""
        return self._trouble or (None if self._joined else "it has not joined its group yet")

    def not_alive(self) -> str | None:
        silence = time.monotonic() - self._turn
        return f"no turn for {silence:.0f} s" if silence > SILENCE else None

    def run(self) -> None:
        """Until `ended` is set."""
        try:
            self._until_it_works(self._outcomes.check)
            while not self._ended.is_set():
                self._turn = time.monotonic()
                messages = self._until_it_works(self._read)
                if messages:
                    self._store(messages)
                    self._note(messages)
                    self._commit()
                elif self._commit_failed and self._turn > self._commit_failed + COMMIT_SECONDS:
                    self._commit()
        except Ended:
            logger.warning("ended while something was away; the next start reads it again")
        finally:
            self._leave()
            self._letters.close()
            self._outcomes.close()

    def _read(self) -> list[Message]:
        if self._reader is None:
            self._reader = Reader(
                self._settings.kafka,
                records.TRACK_GROUP,
                TOPICS,
                assigned=self._assigned,
                revoked=self._revoked,
                on_commit=self._committed,
            )
        try:
            return self._reader.read(MOST)
        except KafkaException:
            # It may have read some messages before the error: begin again at what is committed.
            self._reader.close()
            self._reader = None
            raise

    def _store(self, messages: Sequence[Message]) -> None:
        """Write what can be written, and dead letters for what cannot."""
        made = batch(messages)
        try:
            gone = self._until_it_works(lambda: self._outcomes.write(made))
        except UNSTORABLE as error:
            if len(messages) == 1:
                self._refuse([(messages[0], records.Malformed(str(error)))])
            else:  # find the one by halves
                half = len(messages) // 2
                self._store(messages[:half])
                self._store(messages[half:])
            return
        pruned.inc(gone)
        self._refuse(made.broken)

    def _refuse(self, broken: Sequence[tuple[Source, ValueError]]) -> None:
        if not broken:
            return
        items = [
            (records.DEAD_LETTERS, None, records.encode(letter(message, error)), -1)
            for message, error in broken
        ]
        self._until_it_works(lambda: self._letters.write_now(items))
        for _, error in broken:
            refused.labels(type(error).__name__).inc()
        message, error = broken[0]
        logger.warning(
            "receipts refused",
            count=len(broken),
            first=f"{message.topic()}/{message.partition()}/{message.offset()}",
            error=str(error),
        )

    def _note(self, messages: Sequence[Message]) -> None:
        counts = dict.fromkeys(TOPICS, 0)
        for message in messages:
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            assert topic is not None
            assert partition is not None
            assert offset is not None
            counts[topic] += 1
            self._places[topic, partition] = offset + 1
        for topic, count in counts.items():
            written.labels(topic).inc(count)

    def _commit(self, *, wait: bool = False) -> None:
        """Commit all that is written; without waiting, what failed is committed again later."""
        if self._reader is None:
            return
        self._commit_failed = 0.0
        try:
            self._reader.commit(
                [
                    TopicPartition(topic, partition, offset)
                    for (topic, partition), offset in self._places.items()
                ],
                wait=wait,
            )
        except KafkaException as error:
            self._committed(error.args[0], [])

    def _committed(self, error: KafkaError | None, _partitions: list[TopicPartition]) -> None:
        if error is not None:
            self._commit_failed = time.monotonic()
            logger.warning("offsets not committed", error=error.str())

    def _leave(self) -> None:
        """Commit and leave the group. What a silent broker is not told, it finds out by itself."""

        def leave(reader: Reader) -> None:
            self._commit(wait=True)
            reader.close()

        if self._reader is not None:
            leaving = Thread(target=leave, args=(self._reader,), name="leave", daemon=True)
            leaving.start()
            leaving.join(LEAVE_SECONDS)
            if leaving.is_alive():
                logger.warning("Kafka is silent; what is not committed is read again")

    def _assigned(self, _partitions: list[TopicPartition]) -> None:
        self._joined = True

    def _revoked(self, partitions: list[TopicPartition]) -> None:
        """Somebody else reads them from now on, and commits."""
        for place in partitions:
            self._places.pop((place.topic, place.partition), None)

    def _until_it_works(self, action: Callable[[], T]) -> T:
        """Try until it works, ever more slowly. Raises Ended, and UNSTORABLE."""
        delay = 0.1
        while True:
            try:
                result = action()
            except UNSTORABLE:
                raise
            except (psycopg.Error, KafkaException, BufferFull, NotWritten) as error:
                self._trouble = _said(error)
                logger.warning(
                    "cannot go on; trying again", error=self._trouble, seconds=round(delay, 1)
                )
                self._turn = time.monotonic()
                if self._ended.wait(delay):
                    raise Ended from error
                delay = min(delay * 2, SLOWEST_RETRY)
            else:
                self._trouble = None
                return result


def _said(error: Exception) -> str:
    if isinstance(error, psycopg.errors.UndefinedTable):
        return "the store has no tables; make them: `answerbook notify schema`"
    return f"{type(error).__name__}: {error}".strip()


def watch_lag(servers: str, ended: Event) -> None:
    """Keep the gauge of the group's lag. While Kafka does not answer it stays as it was."""
    while not ended.is_set():
        with suppress(KafkaException, LookupError):
            for topic, count in topics.lag(servers, records.TRACK_GROUP, TOPICS).items():
                behind.labels(records.TRACK_GROUP, topic).set(count)
        ended.wait(LAG_SECONDS)
