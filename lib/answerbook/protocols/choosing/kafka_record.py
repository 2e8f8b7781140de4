"""Kafka: a record for each payload, written by every in-sync replica. Run as a program, the reader.

The broker acknowledges to the producer what all replicas in sync have (acks=all). Acknowledged by
the receiver is what the reader wrote into its ledger; it commits its offset once a second, and the
producer is not told.
"""

import secrets
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic

from answerbook.protocols.choosing import receiver
from answerbook.protocols.choosing.line import Line
from answerbook.protocols.choosing.receiver import Ready, Take
from answerbook.protocols.choosing.way import Way

IN_FLIGHT = 100
TIMEOUT = 10
COMMIT_MS = 1_000
SESSION_MS = 6_000
"""How long the group waits for a reader that died; the least that a broker allows by default."""


def send(servers: str, topic: str, options: dict[str, Any], payloads: Iterator[str]) -> None:
    producer = KafkaProducer(bootstrap_servers=servers, acks="all", **options)
    for payload in payloads:
        producer.send(topic, payload.encode()).get(TIMEOUT)
    producer.close(TIMEOUT)


def send_in_flight(
    servers: str, topic: str, options: dict[str, Any], payloads: Iterator[str]
) -> None:
    producer = KafkaProducer(bootstrap_servers=servers, acks="all", **options)
    sent = deque[Any]()
    for payload in payloads:
        if len(sent) == IN_FLIGHT:
            sent.popleft().get(TIMEOUT)
        sent.append(producer.send(topic, payload.encode()))
    for record in sent:
        record.get(TIMEOUT)
    producer.close(TIMEOUT)


def receive(take: Take, ready: Ready, servers: str, topic: str, options: dict[str, Any]) -> None:
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=servers,
        group_id=topic,
        auto_offset_reset="earliest",
        auto_commit_interval_ms=COMMIT_MS,
        session_timeout_ms=SESSION_MS,
        **options,
    )
    # Else kafka-python 3.0.12, once in a hundred times, joins before it knows the topic, and hangs.
    consumer.partitions_for_topic(topic)
    while not consumer.assignment():
        for record in chain.from_iterable(consumer.poll(100).values()):
            take(record.value)
    ready()
    for record in consumer:
        take(record.value)


@contextmanager
def open_way(send: Callable[..., Any], servers: str, folder: Path, line: Line) -> Iterator[Way]:
    """A topic of its own, with a reader, for as long as the block lasts."""
    topic = f"choosing-{secrets.token_hex(4)}"
    with closing(KafkaAdminClient(bootstrap_servers=servers)) as admin:
        admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=-1)])
    to = {"servers": servers, "topic": topic, "options": {"proxy_url": line.proxy()}}
    try:
        way = Way(
            partial(send, *to.values()), partial(receiver.start, __name__, folder, **to), folder
        )
        with way:
            yield way
    finally:
        with closing(KafkaAdminClient(bootstrap_servers=servers)) as admin:
            admin.delete_topics([topic])


if __name__ == "__main__":
    receiver.receive_until_told(receive)
