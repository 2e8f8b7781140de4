"""What a worker reads back when partitions come to it, from a real Kafka."""

import pytest
from confluent_kafka import KafkaException, Producer

from answerbook import services
from answerbook.notebook import wait_for
from answerbook.notify import records
from answerbook.notify.deliver import rebuild
from answerbook.notify.deliver.window import Window, key_of
from answerbook.notify.records import Notification, NotificationReceipt
from answerbook.notify.topics import create_topics

pytestmark = pytest.mark.usefixtures("own_home")

PARTITIONS = 2


def test_partitions_that_come_back_are_read_on_from_where_they_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rebuild, "SECONDS", 20.0)
    kafka = services.require("kafka").url
    create_topics(kafka, records.TOPICS, PARTITIONS, 1)
    rebuilder = rebuild.Rebuilder(kafka, most=1_000)
    try:
        write_receipt(kafka, "rebuild|first")
        windows = wait_for(lambda: filled(rebuilder), "a broker coordinates the group", 60)
        write_receipt(kafka, "rebuild|second")
        windows = rebuilder.fill([0], windows)
    finally:
        rebuilder.close()
    known = [windows[0].admit(key_of(name), note(name), retry=False) for name in names()]
    assert [False, False, True] == known


def filled(rebuilder: rebuild.Rebuilder) -> dict[int, Window]:
    """Nothing while a broker that has just started does not know the group yet."""
    try:
        return rebuilder.fill([0], {})
    except KafkaException:
        return {}


def names() -> list[str]:
    return ["rebuild|first", "rebuild|second", "rebuild|never"]


def write_receipt(kafka: str, name: str) -> None:
    receipt = NotificationReceipt(
        run_id="rebuild",
        notification_id=name,
        event_id="e",
        device_id="d",
        outcome="sent",
        at=records.now(),
    )
    producer = Producer({"bootstrap.servers": kafka})
    content = records.encode(receipt)
    producer.produce(records.RECEIPTS_NOTIFICATIONS, content, name.encode(), partition=0)
    assert 0 == producer.flush(30)


def note(name: str) -> Notification:
    return records.decode(
        b'{"run_id":"rebuild","notification_id":"%s","event_id":"e","device_id":"d","kind":"news",'
        b'"priority":"high","message":{},"accepted_at":1,"rendered_at":1,"expires_at":9}'
        % name.encode(),
        Notification,
    )
