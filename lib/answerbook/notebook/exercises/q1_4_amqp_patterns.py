"""Exercises of notebook 1_4_amqp_patterns."""

import pika
from pika.adapters.blocking_connection import BlockingChannel

from answerbook.notebook.exercises import Exercise
from answerbook.services import RabbitMQ

PAID = ("order.paid.eu", "order.paid.us", "order.paid.eu.berlin")
OTHERS = ("order.sent.eu", "order.paid-back.eu", "refund.paid.eu", "order.sent.eu.paid")


def _paid(answer: str, rabbitmq: RabbitMQ) -> str | None:
    """Bind a queue with `answer`, publish under each key, and look what came through."""
    if not isinstance(answer, str):
        return f"A binding is a string, not {type(answer).__name__}."
    connection = pika.BlockingConnection(rabbitmq.parameters)
    try:
        came = _let_through(connection.channel(), answer)
    finally:
        connection.close()
    missing = [key for key in PAID if key not in came]
    if missing:
        return f"It lets nothing through that is called {missing[0]}."
    wrong = [key for key in came if key in OTHERS]
    if wrong:
        return f"It lets {wrong[0]} through, too."
    return None


def _let_through(channel: BlockingChannel, binding: str) -> list[str]:
    exchange, queue = "exercise.paid", channel.queue_declare("", exclusive=True).method.queue
    channel.exchange_declare(exchange, "topic", auto_delete=True)
    channel.queue_bind(queue, exchange, binding)
    for key in (*PAID, *OTHERS):
        channel.basic_publish(exchange, key, key.encode())
    # The queue takes one thing after the other: these questions come after the messages.
    came = iter(lambda: channel.basic_get(queue, auto_ack=True)[2], None)
    return [body.decode() for body in came]


paid = Exercise(
    solution="order.paid.#",
    wrong=("order.paid.*", "#.paid.#", "order.*.*", "order.#", "*.paid.#", "order.paid*", 3),
    test=_paid,
    because="The last # stands for one word, for two, and for none: it would take `order.paid`, "
    "too.",
)


def _more_to_die(answer: object) -> str | None:
    if answer == 1:
        return "Two of five would be left then. How many must have written a message?"
    if answer == 2:
        return "A node that is away is not taken off the number that a majority is counted from."
    return None if answer == 0 else "More than half of the members have to write each message."


more_to_die = Exercise(
    solution=0,
    wrong=(1, 2, 3, "none"),
    test=_more_to_die,
    because="Three of five are a majority, and two are not.",
)
