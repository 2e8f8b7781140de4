"""Who leads a partition and who is in sync, asked of a cluster of which a part may be dead.

For notebook 1_5_kafka, which kills brokers: kafka-python's admin client fails at once when the
broker that it happens to ask is the dead one, and the next that it asks answers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from answerbook.notebook.waiting import wait_for

if TYPE_CHECKING:
    from answerbook.services import Kafka


@dataclass(frozen=True)
class PartitionState:
    """A partition as the brokers that live describe it."""

    leader: int | None
    """The broker that is written to and read from; None while there is none."""
    replicas: frozenset[int]
    """Brokers that are to hold a copy, dead ones included."""
    in_sync: frozenset[int]
    """Those whose copy is complete: what an acks=all write waits for."""

    @property
    def followers(self) -> frozenset[int]:
        """Those in sync that do not lead: each may lead next."""
        return self.in_sync - {self.leader}

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> Self:
        """From one of the `partitions` that kafka-python's `describe_topics` gives."""
        leader = description["leader_id"]
        return cls(
            leader=leader if leader >= 0 else None,
            replicas=frozenset(description["replica_nodes"]),
            in_sync=frozenset(description["isr_nodes"]),
        )


def partition_state(
    kafka: Kafka, topic: str, partition: int = 0, seconds: float = 20.0
) -> PartitionState:
    """The partition's leader and replicas, by node number.

    Raises TimeoutError when no broker has told within `seconds`.
    """
    description = wait_for(
        lambda: _described(kafka, topic, partition),
        f"a broker describes partition {partition} of {topic}",
        seconds,
    )
    return PartitionState.of(description)


def wait_for_leader(
    kafka: Kafka, topic: str, among: Collection[int], seconds: float = 60.0
) -> None:
    """Wait until one of these brokers leads the topic's first partition."""
    wait_for(
        lambda: partition_state(kafka, topic).leader in among,
        f"{topic} is led by one of {sorted(among)}",
        seconds,
    )


def wait_for_in_sync(kafka: Kafka, topic: str, brokers: int, seconds: float = 60.0) -> None:
    """Wait until this many brokers are in sync in the topic's first partition."""
    wait_for(
        lambda: len(partition_state(kafka, topic).in_sync) == brokers,
        f"{brokers} brokers are in sync for {topic}",
        seconds,
    )


def _described(kafka: Kafka, topic: str, partition: int) -> Mapping[str, Any]:
    """What a broker says, or nothing where the one that was asked is dead."""
    from kafka.errors import KafkaError

    try:
        admin = kafka.admin()
        try:
            (described,) = admin.describe_topics([topic])
        finally:
            admin.close()
    except KafkaError:
        return {}
    found = (each for each in described["partitions"] if each["partition_index"] == partition)
    return next(found, {})
