"""A partition's state as a cell wants it: from what a broker says, and from nobody."""

import socket
from typing import cast

import pytest
from kafka import KafkaAdminClient

from answerbook.notebook.partitions import PartitionState, partition_state
from answerbook.services import Kafka


class Nobody:
    """A cluster at an address where nothing listens."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"

    def admin(self) -> KafkaAdminClient:
        return KafkaAdminClient(bootstrap_servers=self.address, bootstrap_timeout_ms=100)


def test_partition_is_told_by_its_leader_its_replicas_and_those_in_sync() -> None:
    description = {"leader_id": 3, "replica_nodes": [2, 3, 1], "isr_nodes": [3, 1]}

    expected = PartitionState(3, frozenset({1, 2, 3}), frozenset({1, 3}))
    assert expected == PartitionState.of(description)


def test_followers_are_those_in_sync_that_do_not_lead() -> None:
    state = PartitionState(3, frozenset({1, 2, 3}), frozenset({1, 3}))

    assert frozenset({1}) == state.followers


def test_partition_that_nobody_leads_has_no_leader() -> None:
    description = {"leader_id": -1, "replica_nodes": [1], "isr_nodes": [1]}

    assert PartitionState.of(description).leader is None


def test_cluster_that_does_not_answer_is_given_up_on_by_name() -> None:
    with pytest.raises(TimeoutError, match="a broker describes partition 0 of payments"):
        partition_state(cast(Kafka, Nobody()), "payments", seconds=0.3)
