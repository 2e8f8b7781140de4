"""Records sent from a thread and their acknowledgements, against a live broker."""

import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError

from answerbook import services
from answerbook.notebook.sending import Sending
from answerbook.notebook.topics import new_topic, read_topic
from answerbook.notebook.waiting import wait_for
from answerbook.services import Kafka


@pytest.fixture
def kafka() -> Kafka:
    return services.require("kafka")


def test_what_was_acknowledged_is_what_is_in_the_log(kafka: Kafka) -> None:
    topic = new_topic(kafka, "payments")
    sending = Sending(KafkaProducer(bootstrap_servers=kafka.bootstrap_servers), topic)
    sending.wait(50)
    sending.stop()

    assert sending.sent == len(sending.acknowledged) >= 50
    assert {} == sending.failed
    assert sorted(sending.acknowledged) == [
        int(record.value) for record in read_topic(kafka, topic)
    ]


def test_acknowledgements_are_counted_by_quarters_of_a_second(kafka: Kafka) -> None:
    topic = new_topic(kafka, "payments")
    sending = Sending(KafkaProducer(bootstrap_servers=kafka.bootstrap_servers), topic)
    sending.wait(50)
    sending.stop()
    seconds, counts = sending.rate()

    assert len(sending.acknowledged) == sum(counts)
    assert [number / 4 for number in range(len(counts))] == seconds
    assert 0 < sending.longest_gap() <= max(sending.acknowledged.values())


def test_record_that_the_producer_gave_up_on_is_noted_with_its_error(kafka: Kafka) -> None:
    topic = new_topic(kafka, "payments")
    # An idempotent one would be stuck from then on (kafka-python 3.0.12).
    producer = KafkaProducer(
        bootstrap_servers=kafka.bootstrap_servers,
        enable_idempotence=False,
        delivery_timeout_ms=1_500,
        request_timeout_ms=1_000,
    )
    sending = Sending(producer, topic)
    sending.wait(10)
    kafka.pause()
    try:
        wait_for(lambda: sending.failed, "the producer gives up", 30)
    finally:
        kafka.resume()
    sending.stop()

    assert {KafkaTimeoutError} == {type(error) for error in sending.failed.values()}
    assert sending.sent == len(sending.acknowledged) + len(sending.failed)
