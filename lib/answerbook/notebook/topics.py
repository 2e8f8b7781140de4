"""A topic of one's own, and what a topic holds, read from its beginning to its end.

For notebook 1_5_kafka, which looks again and again at what is left of a topic: after a transaction
was aborted, after the log was compacted, after a broker died.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from kafka import KafkaConsumer, TopicPartition

from answerbook.notebook.waiting import wait_for

if TYPE_CHECKING:
    from answerbook.services import Kafka

POLL_MS = 500


def new_topic(
    kafka: Kafka, name: str, partitions: int = 1, configs: Mapping[str, str] | None = None
) -> str:
    """Make a topic and return its name: `name` and an ending that no other has.

    `configs` are Kafka's settings of a topic. There are as many replicas as the cluster makes by
    default, and all its brokers must live. Returns when a broker tells clients of the topic.
    """
    topic = f"{name}-{uuid4().hex[:6]}"
    wanted: dict[str, object] = {"num_partitions": partitions, "configs": dict(configs or {})}
    admin = kafka.admin()
    try:
        admin.create_topics({topic: wanted}, wait_for_metadata=True)
    finally:
        admin.close()
    return topic


def read_topic(kafka: Kafka, topic: str, seconds: float = 30.0, **options: Any) -> list[Any]:
    """Every record of a topic up to its end at this moment, by partition and offset.

    `options` are KafkaConsumer's: with `isolation_level="read_committed"` the end is where the
    oldest transaction begins that is still open. No group is joined, nothing is committed. Raises
    TimeoutError when no broker knows the topic, or its end is not reached, within `seconds`.
    """
    deadline = time.monotonic() + seconds
    records: list[Any] = []
    settings = {"bootstrap_servers": kafka.bootstrap_servers, "enable_auto_commit": False}
    with KafkaConsumer(**settings | options) as consumer:
        numbers = wait_for(
            lambda: consumer.partitions_for_topic(topic), f"a broker knows {topic}", seconds
        )
        partitions = [TopicPartition(topic, number) for number in numbers]
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(partitions)
        while any(consumer.position(each) < end for each, end in ends.items()):
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"Read {len(records)} records of {topic} in {seconds:g} s, but not to its end."
                )
            for found in consumer.poll(timeout_ms=POLL_MS).values():
                records += found
    # What came in while we read is left out.
    within = (each for each in records if each.offset < ends[_place(each)])
    return sorted(within, key=lambda each: (each.partition, each.offset))


def _place(record: Any) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)
