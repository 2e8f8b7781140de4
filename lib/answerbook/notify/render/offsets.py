"""Whose offsets a checkpoint holds, and the consumer group that shows how far render is.

Spark keeps its offsets in its checkpoint and commits none to Kafka. That leaves two gaps: nobody
sees its lag, and a checkpoint says nothing of the Kafka it belongs to, where its numbers would mean
other records or none.
"""

from pathlib import Path

from confluent_kafka import Consumer, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from answerbook.notify import records

SECONDS = 10


class WrongCheckpoint(Exception):
    """The checkpoint is of another Kafka; the message says what to do."""


def source(servers: str) -> str:
    """Which `events` it is that these brokers have: the cluster's id and the topic's.

    Raises KafkaException where none answers, and LookupError where a topic is not there.
    """
    admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
    there = admin.list_topics(timeout=SECONDS).topics
    lacking = [topic for topic in records.TOPICS if topic not in there]
    if lacking:
        raise LookupError(f"There is no topic {', '.join(lacking)}: `answerbook notify topics`.")
    cluster = admin.describe_cluster(request_timeout=SECONDS).result().cluster_id
    described = admin.describe_topics(TopicCollection([records.EVENTS]), request_timeout=SECONDS)
    return f"{cluster} {described[records.EVENTS].result().topic_id}"


def checkpoint(folder: Path, of: str) -> Path:
    """The folder of the checkpoint for this source, made if need be.

    Raises WrongCheckpoint where the one that is there is another source's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "source"
    if note.exists():
        if note.read_text() != of:
            raise WrongCheckpoint(
                f"The checkpoint in {folder} is of another Kafka cluster, or of a topic "
                f"`{records.EVENTS}` that was deleted since; its offsets would mean other events. "
                "Name the Kafka that it belongs to in ANSWERBOOK_NOTIFY_KAFKA, or delete the "
                "folder: render then begins at the first event, and what it wrote before is "
                "recognised by its ids and not sent again."
            )
    else:
        whole = note.with_suffix(".new")
        whole.write_text(of)
        whole.replace(note)
    return folder / "checkpoint"


class Group:
    """Commits what a query has read to the consumer group `render`. It has no member."""

    def __init__(self, servers: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": records.RENDER_GROUP,
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )

    def commit(self, end: dict[str, dict[str, int]]) -> None:
        """`end` as a query's progress has it: topic → partition → offset. Raises KafkaException."""
        places = [
            TopicPartition(topic, int(number), offset)
            for topic, offsets in end.items()
            for number, offset in offsets.items()
        ]
        for place in self._consumer.commit(offsets=places, asynchronous=False) or []:
            if place.error is not None:
                raise KafkaException(place.error)

    def close(self) -> None:
        self._consumer.close()
