"""A broker's memory alarm, switched on and off: what publishers and consumers see of it."""

import time
from collections.abc import Callable, Iterator
from typing import cast

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from answerbook import services
from answerbook.services import RabbitMQ


@pytest.fixture
def rabbitmq() -> RabbitMQ:
    return services.require("rabbitmq")


class Publisher:
    """A connection that notes when it is blocked and unblocked."""

    def __init__(self, rabbitmq: RabbitMQ) -> None:
        self.heard: list[str] = []
        self.published = 0
        self.connection = pika.BlockingConnection(rabbitmq.parameters)
        self.connection.add_on_connection_blocked_callback(lambda *_: self.heard.append("blocked"))
        self.connection.add_on_connection_unblocked_callback(
            lambda *_: self.heard.append("unblocked")
        )
        self.channel: BlockingChannel = self.connection.channel()
        self.queue: str = self.channel.queue_declare("", exclusive=True).method.queue

    def publish_until_it_is_blocked(self) -> None:
        """A message that came before the news of the alarm passes, and the next one is held."""
        self._do_until(self._publish, lambda: self.heard == ["blocked"])

    def wait_until_it_is_unblocked(self) -> None:
        self._do_until(lambda: None, lambda: self.heard == ["blocked", "unblocked"])

    def wait_until_all_has_arrived(self) -> None:
        self._do_until(lambda: None, lambda: self._waiting() == self.published)

    def _publish(self) -> None:
        self.channel.basic_publish("", self.queue, b"a message")
        self.published += 1

    def _waiting(self) -> int:
        declared = self.channel.queue_declare(self.queue, passive=True)
        return int(declared.method.message_count)

    def _do_until(self, act: Callable[[], None], condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, f"after 10 s it heard {self.heard}"
            act()
            self.connection.process_data_events(0.05)


@pytest.fixture
def publisher(rabbitmq: RabbitMQ) -> Iterator[Publisher]:
    made = Publisher(rabbitmq)
    yield made
    if made.connection.is_open:
        made.connection.close()


def test_publisher_is_blocked_until_the_alarm_is_over(
    rabbitmq: RabbitMQ, publisher: Publisher
) -> None:
    with rabbitmq.memory_alarm():
        publisher.publish_until_it_is_blocked()
    publisher.wait_until_it_is_unblocked()
    publisher.wait_until_all_has_arrived()


def test_alarm_is_over_when_its_block_fails(rabbitmq: RabbitMQ, publisher: Publisher) -> None:
    def interrupted() -> None:
        with rabbitmq.memory_alarm():
            publisher.publish_until_it_is_blocked()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    publisher.wait_until_it_is_unblocked()


def test_broker_killed_during_its_alarm_starts_without_one(rabbitmq: RabbitMQ) -> None:
    with rabbitmq.memory_alarm():
        rabbitmq.kill()
    rabbitmq.start()  # publishes, and waits for the confirm


def test_alarm_of_a_broker_that_is_not_there_says_what_to_do(fresh_home: object) -> None:
    stopped = cast(RabbitMQ, services.find("rabbitmq"))
    with (
        pytest.raises(services.NotRunning, match="answerbook up rabbitmq"),
        stopped.memory_alarm(),
    ):
        pytest.fail("the block ran without a broker")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["rabbitmqctl", "no_such_command"], "`rabbitmqctl no_such_command` failed: "),
        (["no-such-program"], "there is no such program"),
    ],
)
def test_program_beside_a_node_that_fails_is_quoted(
    rabbitmq: RabbitMQ, words: list[str], expected: str
) -> None:
    with pytest.raises(services.CommandFailed, match=expected):
        rabbitmq.engine.run(rabbitmq, 1, words)


def test_program_beside_a_frozen_node_is_given_up_on(
    rabbitmq: RabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("answerbook.services.native.engine.COMMAND_SECONDS", 2.0)
    rabbitmq.pause()
    try:
        with pytest.raises(services.CommandFailed, match="no answer within 2 s"):
            rabbitmq.engine.run(rabbitmq, 1, ["rabbitmqctl", "status"])
    finally:
        rabbitmq.resume()
