"""Exercises of notebook 1_3_amqp."""

from collections.abc import Callable
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import UnroutableError

from answerbook.notebook.exercises import Exercise
from answerbook.notebook.waiting import wait_for
from answerbook.services import RabbitMQ

Publish = Callable[[BlockingChannel, str, bytes], object]

PERSISTENT = 2
"""AMQP's delivery mode of a message that is written to disk."""


def _redelivered(answer: object) -> str | None:
    if answer == 8:
        return "Eight come, but some of them are on their way for the first time."
    if answer == 2:
        return "Each acknowledgement made room for one more message to be delivered."
    return None if answer == 4 else "Count what was delivered and not acknowledged when it died."


redelivered = Exercise(
    solution=4,
    wrong=(2, 8, 10, "four"),
    test=_redelivered,
    because="Four were out when the consumer died: the prefetch is kept full after each "
    "acknowledgement. Six had been delivered, two of them acknowledged.",
)


def _safe_publish(answer: Publish, rabbitmq: RabbitMQ) -> str | None:
    """Publish with `answer` to a queue that is there and to one that is not, and look."""
    connection = pika.BlockingConnection(rabbitmq.parameters)
    try:
        looking = connection.channel()
        queue = looking.queue_declare("", exclusive=True).method.queue
        reached = answer(connection.channel(), queue, b"here")
        # Without confirms the function returns before the broker has the message.
        _, properties, body = wait_for(
            lambda: _got(looking, queue), "a message is in the queue", seconds=2
        )
        if body != b"here":
            return f"The queue got {body!r}, not the body that the function was given."
        if reached is not True:
            return f"The message arrived, and the function returned {reached!r}."
        if properties.delivery_mode != PERSISTENT:
            return "The message arrived, but not as a persistent one."
        missed = answer(connection.channel(), f"not-{queue}", b"nowhere")
    except TimeoutError:
        return "Nothing arrived in a queue that is there: publish the body to the queue's name."
    except UnroutableError:
        return "It raises UnroutableError where no queue is; return False instead."
    finally:
        if connection.is_open:
            connection.close()
    if missed is not False:
        return (
            f"No queue has the second message, and the function returned {missed!r}. Who tells a "
            "publisher that, and when does pika wait to hear it?"
        )
    return None


def _got(channel: BlockingChannel, queue: str) -> tuple[Any, ...]:
    """How a message of the queue came, its properties and its body; empty while there is none."""
    method, properties, body = channel.basic_get(queue, auto_ack=True)
    return (method, properties, body) if method is not None else ()


def _confirmed_and_mandatory(channel: BlockingChannel, queue: str, body: bytes) -> bool:
    channel.confirm_delivery()
    properties = pika.BasicProperties(delivery_mode=PERSISTENT)
    try:
        channel.basic_publish("", queue, body, properties, mandatory=True)
    except UnroutableError:
        return False
    return True


def _only_confirmed(channel: BlockingChannel, queue: str, body: bytes) -> bool:
    channel.confirm_delivery()
    channel.basic_publish("", queue, body, pika.BasicProperties(delivery_mode=PERSISTENT))
    return True


def _only_mandatory(channel: BlockingChannel, queue: str, body: bytes) -> bool:
    properties = pika.BasicProperties(delivery_mode=PERSISTENT)
    try:
        channel.basic_publish("", queue, body, properties, mandatory=True)
    except UnroutableError:
        return False
    return True


def _transient(channel: BlockingChannel, queue: str, body: bytes) -> bool:
    channel.confirm_delivery()
    try:
        channel.basic_publish("", queue, body, mandatory=True)
    except UnroutableError:
        return False
    return True


def _raising(channel: BlockingChannel, queue: str, body: bytes) -> bool:
    channel.confirm_delivery()
    properties = pika.BasicProperties(delivery_mode=PERSISTENT)
    channel.basic_publish("", queue, body, properties, mandatory=True)
    return True


safe_publish = Exercise(
    solution=_confirmed_and_mandatory,
    wrong=(_only_confirmed, _only_mandatory, _transient, _raising, True),
    test=_safe_publish,
    because="A mandatory message that no queue takes is sent back; in confirm mode pika waits for "
    "the broker's answer, and can tell you.",
)
