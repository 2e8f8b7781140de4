"""The contestants that need RabbitMQ or Kafka: what the receiver has counts, not the broker."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import psutil
import pytest
import requests
from kafka.errors import KafkaError

from answerbook import services
from answerbook.protocols.choosing import amqp_message, contestants, kafka_record, ledger, measure
from answerbook.protocols.choosing.contestants import Brokers
from answerbook.protocols.choosing.line import WiredLine
from answerbook.protocols.choosing.measure import Lost
from answerbook.protocols.choosing.outage import Away, away
from answerbook.protocols.choosing.payloads import Payloads
from answerbook.protocols.choosing.way import Way

SECONDS = 10
MESSAGES, RECORDS = ("AMQP", "AMQP in flight"), ("Kafka", "Kafka in flight")


@pytest.fixture
def brokers(home: Path) -> Brokers:
    rabbitmq, kafka = services.require("rabbitmq"), services.require("kafka")
    return Brokers(str(rabbitmq.url), kafka.bootstrap_servers[0])


@pytest.fixture
def queue(brokers: Brokers) -> Iterator[str]:
    """A queue that nobody reads, and that is full with ten messages."""
    channel = services.require("rabbitmq").channel()
    full = {"x-max-length": 10, "x-overflow": "reject-publish"}
    yield channel.queue_declare("", exclusive=False, arguments=full).method.queue
    channel.connection.close()


@pytest.fixture
def stranger(brokers: Brokers) -> Iterator[str]:
    """The address of a user who may look, and not publish."""
    api, log_in = management()
    users, name = f"{api}/users/stranger", "stranger"
    user = {"password": name, "tags": ""}
    requests.put(users, json=user, auth=log_in, timeout=SECONDS).raise_for_status()
    may = {"configure": "", "write": "", "read": ".*"}
    allowed = f"{api}/permissions/%2F/{name}"
    requests.put(allowed, json=may, auth=log_in, timeout=SECONDS).raise_for_status()
    yield brokers.amqp.replace(f"{log_in[0]}:{log_in[1]}", f"{name}:{name}")
    requests.delete(users, auth=log_in, timeout=SECONDS).raise_for_status()


def management() -> tuple[str, tuple[str, str]]:
    rabbitmq = services.require("rabbitmq")
    return f"{rabbitmq.management_url}/api", (rabbitmq.user, rabbitmq.password)


def numbers(way: Way) -> list[int]:
    return ledger.numbers(way.folder)


@pytest.mark.parametrize("name", MESSAGES + RECORDS)
def test_payloads_arrive_in_order_and_nothing_is_left(name: str, brokers: Brokers) -> None:
    with contestants.named(name).open(brokers) as way:
        speed = measure.speed(way, Payloads(300))
        assert list(range(300)) == numbers(way)
        assert 300 == speed.count
        assert left_on_brokers()
    assert not psutil.pid_exists(way.receiver.pid)
    assert not way.folder.exists()
    assert set() == left_on_brokers()


@pytest.mark.parametrize("name", MESSAGES)
def test_a_confirmed_message_waits_for_a_receiver_that_was_killed(
    name: str, brokers: Brokers
) -> None:
    with contestants.named(name).open(brokers) as way:
        with pytest.raises(Lost, match="Of 400 payloads that were sent"):
            measure.speed(way, Payloads(400, before={200: way.kill}))
        assert set(numbers(way)) < set(range(400))
        way.restart()
        measure.arrived(way, range(400))
        assert set(range(400)) == set(numbers(way))


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_counts_when_its_reader_has_it(name: str, brokers: Brokers) -> None:
    with contestants.named(name).open(brokers) as way:
        with pytest.raises(Lost, match="Of 400 payloads that were sent"):
            measure.speed(way, Payloads(400, before={200: way.kill}))
        assert set(numbers(way)) < set(range(400))


def test_no_more_records_are_in_flight_than_the_window_has(
    brokers: Brokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_record, "TIMEOUT", 2)
    with WiredLine() as line, contestants.named("Kafka in flight").open(brokers, line) as way:
        sent = Payloads(1_000, before={200: partial(line.lose, "answers")})
        with pytest.raises(KafkaError):
            measure.send(way, sent)
    assert 200 < len(sent.taken) <= 201 + kafka_record.IN_FLIGHT


@pytest.mark.parametrize("name", ["AMQP", "Kafka"])
def test_a_broker_keeps_what_was_sent_to_a_receiver_that_was_away(
    name: str, brokers: Brokers
) -> None:
    assert Away(error=None, came=True) == away(contestants.named(name), brokers)


@pytest.mark.parametrize("name", ["AMQP", "Kafka"])
def test_bytes_are_counted_on_both_of_a_brokers_connections(name: str, brokers: Brokers) -> None:
    counted = measure.bytes_on_the_wire(contestants.named(name), brokers)
    assert 2_000 < counted < 3_500


def test_confirms_in_flight_name_a_message_that_no_queue_has(brokers: Brokers) -> None:
    with pytest.raises(ConnectionError, match="NO_ROUTE"):
        amqp_message.send_in_flight(brokers.amqp, "no-such-queue", Payloads(3))


def test_confirms_in_flight_name_a_message_that_was_refused(queue: str, brokers: Brokers) -> None:
    with pytest.raises(ConnectionError, match="refused message"):
        amqp_message.send_in_flight(brokers.amqp, queue, Payloads(30))


def test_confirms_in_flight_need_a_broker_that_lets_us_in(brokers: Brokers) -> None:
    with pytest.raises(ConnectionError, match="nowhere not found"):
        amqp_message.send_in_flight(brokers.amqp.replace("%2F", "nowhere"), "queue", Payloads(1))


def test_confirms_in_flight_end_when_the_broker_closes_the_channel(stranger: str) -> None:
    with pytest.raises(ConnectionError, match="ACCESS_REFUSED"):
        amqp_message.send_in_flight(stranger, "queue", Payloads(300))


def left_on_brokers() -> set[str]:
    """RabbitMQ's queues and Kafka's topics that a contestant made."""
    api, log_in = management()
    queues = requests.get(f"{api}/queues", auth=log_in, timeout=SECONDS)
    with closing(services.require("kafka").admin()) as admin:
        names = [*(queue["name"] for queue in queues.json()), *admin.list_topics()]
    return {name for name in names if name.startswith("choosing-")}
