"""One event, followed through every topic: what each stage wrote about it.

For notebook 2_2_the_pipeline, which shows the records, and for tests of the whole system.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from answerbook.notebook.waiting import wait_for


@dataclass(frozen=True)
class Step:
    """A record of an event's way."""

    topic: str
    partition: int
    offset: int
    key: str
    value: dict[str, Any]


def trail(servers: str, event_id: str, since: int = 0) -> list[Step]:
    """Every record that belongs to the event, topic by topic in the order of the pipeline.

    `event_id` is the whole one, `<key id>/<event id>`. Reads all topics from where they were at
    `since`, milliseconds since 1970, so it is for thousands of records, not for millions. Raises
    what `topics.read_all` does.
    """
    from answerbook.notify import records

    return [
        step
        for topic in records.TOPICS
        for step in steps(servers, topic, since)
        if _is_of(step, event_id)
    ]


def steps(servers: str, topic: str, since: int = 0) -> Iterable[Step]:
    """All records of a topic that are JSON objects, from those written at `since` on."""
    from answerbook.notify.topics import offsets_at, read_all

    begin = offsets_at(servers, topic, since) if since else None
    for message in read_all(servers, topic, begin=begin):
        value = message.value()
        try:
            content = json.loads(value or b"")
        except ValueError:
            continue
        if isinstance(content, dict):
            key = (message.key() or b"").decode(errors="replace")
            yield Step(topic, message.partition() or 0, message.offset() or 0, key, content)


def wait_for_trail(
    servers: str,
    event_id: str,
    whole: Callable[[list[Step]], bool],
    seconds: float = 30.0,
    since: int = 0,
) -> list[Step]:
    """The trail once `whole` says that it is. Raises TimeoutError after `seconds`."""
    wait_for(
        lambda: whole(trail(servers, event_id, since)), f"the trail of {event_id} is whole", seconds
    )
    # Topics are read one after the other: what was written meanwhile can be missing from an early
    # one while what followed from it is found in a later one. By now it is there.
    return trail(servers, event_id, since)


def is_finished(found: list[Step]) -> bool:
    """Whether the event has a receipt, and each notification that it names has one too."""
    receipts = [step.value for step in found if step.topic == "receipts.events"]
    if not receipts:
        return False
    ended = {
        step.value["notification_id"] for step in found if step.topic == "receipts.notifications"
    }
    return set(receipts[-1].get("notifications", [])) <= ended


def _is_of(step: Step, event_id: str) -> bool:
    return step.value.get("event_id") == event_id
