"""Three brokers: what one of them may suffer without an acknowledged record being lost."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from answerbook import services
from answerbook.notebook.partitions import partition_state
from answerbook.services import Kafka3

RECORDS = 3_000


@pytest.fixture(scope="module")
def kafka(session_home: object) -> Iterator[Kafka3]:
    services.down(["kafka"])  # its memory is wanted
    yield services.require("kafka-3")
    services.down(["kafka-3"])


def consumed(kafka: Kafka3, topic: str) -> set[int]:
    """All that stands in the topic's one partition, up to where it ends now."""
    partition = TopicPartition(topic, 0)
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, consumer_timeout_ms=60_000)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    end = consumer.end_offsets([partition])[partition]
    found = set()
    while consumer.position(partition) < end:
        found.add(int(next(consumer).value))
    consumer.close(autocommit=False)
    return found


def test_three_brokers_keep_three_copies(kafka: Kafka3) -> None:
    assert (3, 2) == (kafka.replication, kafka.min_insync_replicas)
    assert 3 == len(set(kafka.bootstrap_servers))
    assert ["running"] * 3 == [status.condition for status in kafka.nodes()]


def test_nothing_acknowledged_is_lost_when_the_leader_is_killed(kafka: Kafka3) -> None:
    admin = kafka.admin()
    admin.create_topics({"survives": {"num_partitions": 1}}, wait_for_metadata=True)
    admin.close()
    leader = partition_state(kafka, "survives").leader
    assert leader is not None
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers, acks="all", linger_ms=5)
    sent = []
    for number in range(RECORDS):
        sent.append((number, producer.send("survives", str(number).encode())))
        if number == RECORDS // 2:
            kafka.kill(node=leader)
    acknowledged = set()
    for number, future in sent:
        with suppress(KafkaError):
            future.get(timeout=60)
            acknowledged.add(number)
    producer.close(timeout=5)
    assert max(acknowledged) > RECORDS // 2, "nothing was acknowledged after the kill"
    assert set() == acknowledged - consumed(kafka, "survives")

    assert "stopped" == kafka.nodes()[leader - 1].condition
    kafka.start(node=leader)
    assert ["running"] * 3 == [status.condition for status in kafka.nodes()]


def test_node_that_does_not_exist_is_refused(kafka: Kafka3) -> None:
    with pytest.raises(ValueError, match="nodes 1 to 3, not 4"):
        kafka.kill(node=4)


def test_dead_broker_is_started_again_by_require_with_its_neighbours_untouched(
    kafka: Kafka3,
) -> None:
    before = [status.pid for status in kafka.nodes()]
    kafka.kill(node=2)
    after = [status.pid for status in services.require("kafka-3").nodes()]
    assert (before[0], before[2]) == (after[0], after[2])
    assert before[1] != after[1]
