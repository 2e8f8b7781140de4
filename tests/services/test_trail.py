"""An event followed through the topics."""

import threading
import uuid

import pytest

from answerbook import services
from answerbook.notebook.trail import is_finished, trail, wait_for_trail
from answerbook.notify import records, topics
from answerbook.notify.kafka import Item, Writer
from answerbook.services import Kafka

pytestmark = pytest.mark.usefixtures("own_home")


@pytest.fixture
def kafka() -> Kafka:
    started = services.require("kafka")
    topics.create_topics(started.url, records.TOPICS, 2, 1)
    return started


@pytest.fixture
def event_id() -> str:
    return f"key/{uuid.uuid4().hex}"


def event(event_id: str) -> Item:
    content = records.encode(
        records.Event(
            run_id="r",
            event_id=event_id,
            kind="news",
            priority="high",
            accepted_at=1,
            occurred_at=1,
            ttl_seconds=1,
            user_id="u",
        )
    )
    return (records.EVENTS, b"u", content, -1)


def receipt(event_id: str) -> Item:
    content = records.EventReceipt(
        run_id="r", event_id=event_id, outcome="expanded", at=2, notifications=["n1"]
    )
    return (records.RECEIPTS_EVENTS, None, records.encode(content), -1)


def sent(event_id: str) -> Item:
    content = records.NotificationReceipt(
        run_id="r", notification_id="n1", event_id=event_id, device_id="d", outcome="sent", at=3
    )
    return (records.RECEIPTS_NOTIFICATIONS, None, records.encode(content), -1)


def test_trail_has_the_records_of_one_event_in_the_order_of_the_pipeline(
    kafka: Kafka, event_id: str
) -> None:
    writer = Writer(kafka.url)
    writer.write_now([sent(event_id), receipt(event_id), event(event_id), event("key/other")])
    writer.write_now([(records.EVENTS, None, b"no JSON", -1)])
    writer.close()

    found = trail(kafka.url, event_id)
    assert [records.EVENTS, records.RECEIPTS_EVENTS, records.RECEIPTS_NOTIFICATIONS] == [
        step.topic for step in found
    ]
    assert {event_id} == {step.value["event_id"] for step in found}
    assert "u" == found[0].key


def test_trail_is_waited_for_until_each_notification_has_ended(kafka: Kafka, event_id: str) -> None:
    writer = Writer(kafka.url)
    writer.write_now([event(event_id), receipt(event_id)])
    with pytest.raises(TimeoutError, match=event_id):
        wait_for_trail(kafka.url, event_id, is_finished, seconds=0.5)

    later = threading.Timer(0.5, lambda: writer.write_now([sent(event_id)]))
    later.start()
    assert 3 == len(wait_for_trail(kafka.url, event_id, is_finished))
    later.join()
    writer.close()


def test_event_without_a_receipt_is_not_finished() -> None:
    assert not is_finished([])
