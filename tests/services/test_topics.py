"""A topic of one's own and what is in it, against a live broker."""

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource

from answerbook import services
from answerbook.notebook.topics import new_topic, read_topic
from answerbook.services import Kafka


@pytest.fixture
def kafka() -> Kafka:
    return services.require("kafka")


def values(kafka: Kafka, topic: str, isolation_level: str = "read_uncommitted") -> list[bytes]:
    return [record.value for record in read_topic(kafka, topic, isolation_level=isolation_level)]


def test_each_topic_has_a_name_of_its_own(kafka: Kafka) -> None:
    first, second = new_topic(kafka, "orders"), new_topic(kafka, "orders")

    assert first != second
    assert first.startswith("orders-")


def test_topic_has_the_partitions_and_settings_that_were_asked_for(kafka: Kafka) -> None:
    topic = new_topic(kafka, "orders", 3, {"cleanup.policy": "compact"})

    admin = kafka.admin()
    (described,) = admin.describe_topics([topic])
    settings = admin.describe_configs([ConfigResource("topic", topic)])["topic"][topic]
    admin.close()
    assert 3 == len(described["partitions"])
    assert "compact" == settings["cleanup.policy"]["value"]


def test_topic_is_read_from_its_beginning_to_its_end_by_partition(kafka: Kafka) -> None:
    topic = new_topic(kafka, "orders", partitions=2)
    with KafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        for number in range(6):
            producer.send(topic, b"%d" % number, partition=number % 2).get(timeout=10)

    assert [b"0", b"2", b"4", b"1", b"3", b"5"] == values(kafka, topic)


def test_empty_topic_has_no_records(kafka: Kafka) -> None:
    assert [] == values(kafka, new_topic(kafka, "orders"))


def test_topic_that_nobody_made_is_not_taken_for_an_empty_one(kafka: Kafka) -> None:
    with pytest.raises(TimeoutError, match="a broker knows missing"):
        read_topic(kafka, "missing", seconds=0.3, allow_auto_create_topics=False)


def test_reading_committed_ends_where_the_oldest_open_transaction_begins(kafka: Kafka) -> None:
    topic = new_topic(kafka, "ledger")
    settings = {"bootstrap_servers": kafka.bootstrap_servers}
    bank = KafkaProducer(**settings, transactional_id=topic)
    bank.init_transactions()
    for value, end in ((b"no", bank.abort_transaction), (b"yes", bank.commit_transaction)):
        bank.begin_transaction()
        bank.send(topic, value).get(timeout=10)
        end()
    bank.begin_transaction()
    bank.send(topic, b"open").get(timeout=10)

    assert [b"no", b"yes", b"open"] == values(kafka, topic)
    assert [b"yes"] == values(kafka, topic, isolation_level="read_committed")
    bank.abort_transaction()
    bank.close(timeout=5)
