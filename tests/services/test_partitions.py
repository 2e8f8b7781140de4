"""What a notebook learns of a partition's leader and replicas, held against a live broker."""

from uuid import uuid4

import pytest

from answerbook import services
from answerbook.notebook.partitions import PartitionState, partition_state


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
