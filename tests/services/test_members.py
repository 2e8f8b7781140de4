"""Members of a consumer group, in threads, against a live broker."""

from typing import Any

import pytest
from kafka import KafkaConsumer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor

from answerbook import services
from answerbook.notebook.members import Member, Members, wait_until_empty
from answerbook.notebook.topics import new_topic
from answerbook.services import Kafka


@pytest.fixture
def kafka() -> Kafka:
    return services.require("kafka")


@pytest.fixture
def topic(kafka: Kafka) -> str:
    return new_topic(kafka, "shared", partitions=4)


def work(member: Member, kafka: Kafka, topic: str, **options: Any) -> None:
    with KafkaConsumer(
        bootstrap_servers=kafka.bootstrap_servers,
        group_id=member.group,
        heartbeat_interval_ms=500,
        enable_auto_commit=False,
        **options,
    ) as consumer:
        consumer.subscribe([topic], listener=member)
        assert consumer.partitions_for_topic(topic)
        while member.working:
            consumer.poll(timeout_ms=100)


def test_members_share_out_all_partitions(kafka: Kafka, topic: str) -> None:
    with Members(work, 4, kafka=kafka, topic=topic) as members:
        members.start("ann", "bob")
        shares = members.owned()

    assert [0, 1, 2, 3] == sorted(shares["ann"] + shares["bob"])
    assert [2, 2] == [len(share) for share in shares.values()]
    assert [{"ann": [0, 1, 2, 3]}, shares] == members.history


def test_member_that_joins_makes_the_others_give_up_all_they_had(kafka: Kafka, topic: str) -> None:
    with Members(work, 4, kafka=kafka, topic=topic) as members:
        assert members.start("ann") == 0
        assert members.start("bob") >= 4


def test_cooperative_members_give_up_only_what_moves(kafka: Kafka, topic: str) -> None:
    strategy = [CooperativeStickyAssignor]
    with Members(
        work, 4, kafka=kafka, topic=topic, partition_assignment_strategy=strategy
    ) as members:
        members.start("ann")
        assert members.start("bob") == 2


def test_static_member_that_restarts_finds_its_partitions_again(kafka: Kafka, topic: str) -> None:
    with Members(work, 4, static=True, kafka=kafka, topic=topic) as members:
        members.start("ann", "bob")
        before = members.owned()

        assert members.restart("ann") == 0
        assert before == members.owned()


def test_other_member_hears_of_a_restart_that_is_not_static(kafka: Kafka, topic: str) -> None:
    with Members(work, 4, kafka=kafka, topic=topic) as members:
        members.start("ann", "bob")
        assert members.restart("ann") > 0


def test_one_member_cannot_be_started_twice(kafka: Kafka, topic: str) -> None:
    with Members(work, 4, kafka=kafka, topic=topic) as members:
        members.start("ann")
        with pytest.raises(ValueError, match="ann is a member already"):
            members.start("ann")


def test_loop_that_fails_says_why() -> None:
    def failing(member: Member) -> None:
        raise ZeroDivisionError(member.name)

    with Members(failing, 1) as members, pytest.raises(ZeroDivisionError, match="ann"):
        members.start("ann")


def test_group_is_empty_when_its_member_has_left(kafka: Kafka, topic: str) -> None:
    groups = []

    def noted(member: Member, **options: Any) -> None:
        groups.append(member.group)
        work(member, **options)

    with Members(noted, 4, kafka=kafka, topic=topic) as members:
        members.start("ann")
        with pytest.raises(TimeoutError, match="has no members"):
            wait_until_empty(kafka, groups[0], seconds=0.2)
    wait_until_empty(kafka, groups[0])
