"""What a notebook learns of a partition's leader and replicas, held against a live broker."""

from uuid import uuid4

import pytest

from answerbook import services
from answerbook.notebook.partitions import (
    PartitionState,
    partition_state,
    wait_for_in_sync,
    wait_for_leader,
)
from answerbook.notebook.topics import new_topic


def test_broker_describes_each_partition_of_a_topic() -> None:
    kafka = services.require("kafka")
    topic = f"described-{uuid4().hex[:6]}"
    admin = kafka.admin()
    admin.create_topics({topic: {"num_partitions": 2}}, wait_for_metadata=True)
    admin.close()

    expected = PartitionState(leader=1, replicas=frozenset({1}), in_sync=frozenset({1}))
    assert [expected, expected] == [partition_state(kafka, topic, number) for number in (0, 1)]
    with pytest.raises(TimeoutError, match="a broker describes partition 2"):
        partition_state(kafka, topic, 2, seconds=0.2)


def test_waiting_for_a_leader_or_for_replicas_ends_when_they_are_there() -> None:
    kafka = services.require("kafka")
    topic = new_topic(kafka, "described")

    wait_for_leader(kafka, topic, among={1, 2})
    wait_for_in_sync(kafka, topic, 1)
    with pytest.raises(TimeoutError, match=r"is led by one of \[2, 3\]"):
        wait_for_leader(kafka, topic, among={3, 2}, seconds=0.2)
    with pytest.raises(TimeoutError, match="2 brokers are in sync"):
        wait_for_in_sync(kafka, topic, 2, seconds=0.2)
