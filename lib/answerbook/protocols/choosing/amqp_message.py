"""AMQP: a persistent message for each payload, confirmed. Run as a program, the consumer.

The broker confirms to the sender what it has written. pika's BlockingConnection waits for each
confirm; its SelectConnection has IN_FLIGHT of them under way. Acknowledged is what the consumer
wrote into its ledger before it acknowledged it to the broker; the sender is not told of that.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pika
from pika.exceptions import ChannelClosedByClient, ConnectionClosedByClient
from pika.spec import Basic

from answerbook.protocols.choosing import receiver
from answerbook.protocols.choosing.line import Line
from answerbook.protocols.choosing.receiver import Ready, Take
from answerbook.protocols.choosing.way import Way

IN_FLIGHT = 100
PREFETCH = 100


def send(url: str, queue: str, payloads: Iterator[str]) -> None:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        kept = pika.BasicProperties(delivery_mode=2)
        for payload in payloads:
            channel.basic_publish("", queue, payload.encode(), kept, mandatory=True)


def send_in_flight(url: str, queue: str, payloads: Iterator[str]) -> None:
    waiting: set[int] = set()
    tags, problems = count(1), list[object]()
    kept = pika.BasicProperties(delivery_mode=2)

    def publish(channel: Any) -> None:
        while len(waiting) < IN_FLIGHT and (payload := next(payloads, None)):
            channel.basic_publish("", queue, payload.encode(), kept, mandatory=True)
            waiting.add(next(tags))
        if not waiting:
            channel.connection.close()

    def confirmed(channel: Any, frame: Any) -> None:
        tag = frame.method.delivery_tag
        first = min(waiting) if frame.method.multiple else tag
        waiting.difference_update(range(first, tag + 1))
        if isinstance(frame.method, Basic.Nack):
            problems.append(f"The broker refused message {tag}.")
        publish(channel)

    def ready(channel: Any) -> None:
        channel.add_on_return_callback(lambda _, method, *rest: problems.append(method.reply_text))
        channel.add_on_close_callback(ended)
        channel.confirm_delivery(partial(confirmed, channel), lambda _: publish(channel))

    def ended(_: Any, error: Exception) -> None:
        if not isinstance(error, ChannelClosedByClient | ConnectionClosedByClient):
            problems.append(error)
        connection.ioloop.stop()

    connection = pika.SelectConnection(
        pika.URLParameters(url),
        on_open_callback=lambda connection: connection.channel(on_open_callback=ready),
        on_open_error_callback=ended,
        on_close_callback=ended,
    )
    connection.ioloop.start()
    if problems:
        raise ConnectionError(problems[0])


def receive(take: Take, ready: Ready, url: str, queue: str) -> None:
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    channel.basic_qos(prefetch_count=PREFETCH)

    def on_message(channel: Any, method: Any, properties: Any, body: bytes) -> None:
        take(body)
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume(queue, on_message)
    ready()
    channel.start_consuming()


@contextmanager
def open_way(send: Callable[..., Any], url: str, folder: Path, line: Line) -> Iterator[Way]:
    """A queue of its own, with a consumer, for as long as the block lasts."""
    queue = f"choosing-{secrets.token_hex(4)}"
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        connection.channel().queue_declare(queue, durable=True)
    start = partial(receiver.start, __name__, folder, url=line.to(url), queue=queue)
    try:
        way = Way(partial(send, line.to(url), queue), start, folder)
        with way:
            yield way
    finally:
        with pika.BlockingConnection(pika.URLParameters(url)) as connection:
            connection.channel().queue_delete(queue)


if __name__ == "__main__":
    receiver.receive_until_told(receive)
