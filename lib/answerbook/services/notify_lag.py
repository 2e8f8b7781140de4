"""How far the notification system's programs are behind, by the offsets that their groups commit.

`Notify.lag` calls it. `answerbook.notify.topics` tells the same to the programs, with a client
that a notebook's kernel need not have.
"""

import time
from collections.abc import Mapping
from typing import Any

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

from answerbook.services.kafka import Kafka

COORDINATOR_SECONDS = 15.0
"""In which another broker takes over the groups of one that died."""


def lag(kafka: Kafka) -> dict[str, int]:
    """Topic → records that its reader has not committed. Raises a KafkaError."""
    groups = readers()
    admin = kafka.admin()
    try:
        places = [
            TopicPartition(found["name"], partition["partition_index"])
            for found in admin.describe_topics(list(groups))
            for partition in found["partitions"]
        ]
        latest = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
        earliest = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
        committed = _committed(admin, groups)
    finally:
        admin.close()
    behind = dict.fromkeys(groups, 0)
    for place in places:
        done = max(committed.get(place, 0), earliest[place].offset)
        behind[place.topic] += max(0, latest[place].offset - done)
    return behind


def readers() -> dict[str, str]:
    """Topic → the group whose lag says that work waits. Nobody works off the dead letters."""
    # Late: it needs a package of question 2, which `require` may have installed just now.
    from answerbook.notify import records

    return {
        records.EVENTS: records.RENDER_GROUP,
        **dict.fromkeys((*records.NOTIFICATIONS, *records.RETRIES), records.DELIVER_GROUP),
        records.RECEIPTS_EVENTS: records.TRACK_GROUP,
        records.RECEIPTS_NOTIFICATIONS: records.TRACK_GROUP,
    }


def _committed(admin: KafkaAdminClient, groups: Mapping[str, str]) -> dict[Any, int]:
    """What each topic's own group has committed."""
    by_group = _offsets(admin, sorted(set(groups.values())))
    return {
        place: offset.offset
        for group, offsets in by_group.items()
        for place, offset in offsets.items()
        if groups.get(place.topic) == group
    }


def _offsets(admin: KafkaAdminClient, groups: list[str]) -> dict[str, Any]:
    """Group → what it has committed. A group's coordinator moves when its broker dies."""
    deadline = time.monotonic() + COORDINATOR_SECONDS
    while True:
        try:
            offsets: dict[str, Any] = admin.list_group_offsets(groups)
        except KafkaError as error:
            if not error.retriable or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return offsets
