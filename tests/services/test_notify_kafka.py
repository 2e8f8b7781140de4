"""The programs' Kafka client, against a real broker that may stand still."""

import asyncio
import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka import TopicPartition

from answerbook import services
from answerbook.notify import topics
from answerbook.notify.kafka import BufferFull, Item, NotWritten, Reader, Writer
from answerbook.services import Kafka


@pytest.fixture
def kafka() -> Kafka:
    return services.require("kafka")


@pytest.fixture
def topic(kafka: Kafka) -> str:
    name = f"test-{uuid.uuid4().hex}"
    assert [name] == topics.create_topics(kafka.url, [name], 3, 1)
    return name


@pytest.fixture
def writer(kafka: Kafka) -> Iterator[Writer]:
    made = Writer(kafka.url)
    yield made
    assert 0 == made.close()


def items(topic: str, count: int, partition: int = -1) -> list[Item]:
    return [(topic, b"%d" % number, b"value %d" % number, partition) for number in range(count)]


def values(kafka: Kafka, topic: str) -> set[bytes | None]:
    return {message.value() for message in topics.read_all(kafka.url, topic)}


def test_topics_are_made_once(kafka: Kafka, topic: str) -> None:
    assert [] == topics.create_topics(kafka.url, [topic], 3, 1)
    assert [0, 1, 2] == topics.partitions(kafka.url, topic)
    with pytest.raises(LookupError, match="answerbook notify topics"):
        topics.partitions(kafka.url, "never-made")


def test_what_was_written_is_there_when_the_call_returns(
    kafka: Kafka, topic: str, writer: Writer
) -> None:
    writer.write_now(items(topic, 100))
    assert {b"value %d" % number for number in range(100)} == values(kafka, topic)


def test_asyncio_writes_side_by_side(kafka: Kafka, topic: str, writer: Writer) -> None:
    async def write() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(50):
                group.create_task(writer.write([(topic, None, b"%d" % number, number % 3)]))

    asyncio.run(write())
    assert {b"%d" % number for number in range(50)} == values(kafka, topic)


def test_record_goes_to_the_partition_that_is_named(
    kafka: Kafka, topic: str, writer: Writer
) -> None:
    writer.write_now(items(topic, 20, partition=2))
    assert {2} == {message.partition() for message in topics.read_all(kafka.url, topic)}


def test_nothing_of_a_call_is_taken_that_does_not_fit(kafka: Kafka, topic: str) -> None:
    kafka.pause()
    writer = Writer(kafka.url, most_buffered=10)
    try:
        writer.send(items(topic, 6), lambda error: None)
        with pytest.raises(BufferFull, match="6 records wait"):
            writer.send(items(topic, 5), lambda error: None)
        assert 6 == writer.buffered
    finally:
        kafka.resume()
    assert 0 == writer.close()
    assert 6 == len(values(kafka, topic))


def test_what_kafka_does_not_acknowledge_is_told(kafka: Kafka, topic: str) -> None:
    writer = Writer(kafka.url, delivery_seconds=1.5)
    writer.write_now(items(topic, 1))
    kafka.pause()
    try:
        with pytest.raises(NotWritten, match="timed out"):
            writer.write_now(items(topic, 3))
    finally:
        kafka.resume()
    # An idempotent producer goes on after a delivery that timed out.
    writer.write_now([(topic, None, b"after", 0)])
    assert b"after" in values(kafka, topic)
    assert 0 == writer.close()


def test_group_goes_on_where_it_committed(kafka: Kafka, topic: str, writer: Writer) -> None:
    writer.write_now(items(topic, 30, partition=1))
    group = uuid.uuid4().hex
    first = Reader(kafka.url, group, [topic])
    offsets = read(first, 30)
    first.commit([TopicPartition(topic, 1, offsets[9] + 1)])
    assert {topic: 20} == topics.lag(kafka.url, group, [topic])
    first.close()

    second = Reader(kafka.url, group, [topic])
    assert offsets[10:] == read(second, 20)
    second.close()


def test_partitions_are_told_when_they_come_and_go(kafka: Kafka, topic: str) -> None:
    told: list[tuple[str, set[int]]] = []
    reader = Reader(
        kafka.url,
        uuid.uuid4().hex,
        [topic],
        assigned=lambda given: told.append(("assigned", {place.partition for place in given})),
        revoked=lambda taken: told.append(("revoked", {place.partition for place in taken})),
    )
    while not told:
        reader.read()
    reader.close()
    assert [("assigned", {0, 1, 2}), ("revoked", {0, 1, 2})] == told


def read(reader: Reader, count: int) -> list[int]:
    """Offsets of the next `count` records."""
    offsets: list[int] = []
    while len(offsets) < count:
        offsets += [message.offset() or 0 for message in reader.read()]
    return offsets
