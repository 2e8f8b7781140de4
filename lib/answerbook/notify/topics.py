"""Topics as a whole: made, read from end to end, and how far a group is behind on them.

For the commands, the audit and the tests; what a program does record by record stands in kafka.py.
"""

import time
from collections.abc import Iterable, Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from answerbook.notify.kafka import PASSING


def read_all(
    servers: str, topic: str, *, timeout: float = 30.0, begin: dict[int, int] | None = None
) -> Iterator[Message]:
    """Every record that a topic held when this was called, partition by partition interleaved.

    `begin` gives offsets to begin at. Raises TimeoutError when the end is not reached for
    `timeout` seconds without a record, and KafkaException.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "read-all",  # asked for, and never joined: partitions are assigned by hand
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
            "queued.max.messages.kbytes": 16_384,
            "fetch.queue.backoff.ms": 10,  # a full queue would wait a whole second otherwise
            "log_level": 0,
        }
    )
    try:
        left: dict[int, int] = {}
        assigned = []
        for number in partitions(servers, topic):
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
            start = max(low, (begin or {}).get(number, low))
            if start < high:
                left[number] = high
                assigned.append(TopicPartition(topic, number, start))
        consumer.assign(assigned)
        last = time.monotonic()
        while left:
            for message in consumer.consume(10_000, 0.1):
                last = time.monotonic()
                error = message.error()
                if error is not None:
                    if error.code() not in PASSING:
                        raise KafkaException(error)
                    continue
                of, offset = message.partition(), message.offset()
                if of is None or of not in left or offset is None:  # written since
                    continue
                if offset + 1 >= left[of]:
                    del left[of]
                    consumer.pause([TopicPartition(topic, of)])
                yield message
            if time.monotonic() - last > timeout:
                raise TimeoutError(f"no record of {topic} for {timeout:.0f} s")
    finally:
        consumer.close()


def partitions(servers: str, topic: str) -> list[int]:
    """The numbers of a topic's partitions. Raises KafkaException, and LookupError without one."""
    found = _admin(servers).list_topics(topic, timeout=10).topics[topic]
    if not found.partitions:
        raise LookupError(f"There is no topic {topic}. Make them: `answerbook notify topics`.")
    return sorted(found.partitions)


def offsets_at(servers: str, topic: str, at: int) -> dict[int, int]:
    """Partition → the first offset that was written at `at` or later, milliseconds since 1970.

    Where there is none yet, the partition's end. Raises KafkaException, and LookupError without
    the topic.
    """
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": "offsets-at", "log_level": 0}  # never joined
    )
    try:
        wanted = [TopicPartition(topic, number, at) for number in partitions(servers, topic)]
        found = {}
        for place in consumer.offsets_for_times(wanted, timeout=10):
            if place.error is not None:
                raise KafkaException(place.error)
            _, end = consumer.get_watermark_offsets(place, timeout=10)
            found[place.partition] = place.offset if place.offset >= 0 else end
        return found
    finally:
        consumer.close()


def create_topics(servers: str, topics: Iterable[str], count: int, replication: int) -> list[str]:
    """Make the topics that are not there; their names. Raises KafkaException."""
    admin = _admin(servers)
    there = admin.list_topics(timeout=10).topics
    wanted = [
        NewTopic(topic, num_partitions=count, replication_factor=replication)
        for topic in topics
        if topic not in there
    ]
    made = []
    for topic, future in (
        admin.create_topics(wanted, operation_timeout=10).items() if wanted else ()
    ):
        try:
            future.result()
            made.append(topic)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another was quicker
                raise
    return made


def lag(servers: str, group: str, topics: Iterable[str]) -> dict[str, int]:
    """Topic → records that the group has not committed. Raises KafkaException."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": group,
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )
    try:
        behind = {}
        for topic in topics:
            numbers = [TopicPartition(topic, number) for number in partitions(servers, topic)]
            total = 0
            for place in consumer.committed(numbers, timeout=10):
                low, high = consumer.get_watermark_offsets(place, timeout=10)
                total += high - max(place.offset, low)
            behind[topic] = total
        return behind
    finally:
        consumer.close()


def _admin(servers: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": servers, "log_level": 0})
