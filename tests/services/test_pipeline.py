"""What notebook 2_2 shows, by way of its helpers: a Spark of its own, and trails since a moment."""

import json
import time
import uuid
from pathlib import Path

import pytest

import answerbook.notify.store
from answerbook import services
from answerbook.notebook.spark import Spark, finish
from answerbook.notebook.trail import steps
from answerbook.notify import records, topics
from answerbook.notify.kafka import Writer
from answerbook.services import Kafka, Postgres

pytestmark = pytest.mark.usefixtures("own_home")

SCHEMA = Path(answerbook.notify.store.__file__).with_name("schema.sql")


class Half:
    """What Spark needs of the system, without its programs."""

    def __init__(self, kafka: Kafka, postgres: Postgres) -> None:
        self.kafka, self.postgres = kafka, postgres


@pytest.fixture
def half() -> Half:
    found = Half(services.require("kafka"), services.require("postgres"))
    topics.create_topics(found.kafka.url, records.TOPICS, 2, 1)
    with found.postgres.connect() as connection:
        connection.execute(SCHEMA.read_text())
    return found


def write(kafka: Kafka, *names: str) -> None:
    writer = Writer(kafka.url)
    contents = [json.dumps({"event_id": name}).encode() for name in names]
    writer.write_now([(records.EVENTS, None, content, -1) for content in contents], 60)
    writer.close()


def test_records_since_a_moment_are_those_written_after_it(half: Half) -> None:
    before, after = uuid.uuid4().hex, uuid.uuid4().hex
    write(half.kafka, before)
    moment = records.now() + 1
    while records.now() < moment:
        time.sleep(0.001)
    assert [] == list(steps(half.kafka.url, records.EVENTS, moment))
    write(half.kafka, after)
    found = steps(half.kafka.url, records.EVENTS, moment)
    assert [after] == [step.value["event_id"] for step in found]


@pytest.mark.timeout(400)
def test_query_in_the_kernel_goes_on_where_its_checkpoint_says_and_leaves_nothing(
    half: Half,
) -> None:
    moment = records.now()
    write(half.kafka, "a", "b", "c")
    spark = Spark(half)  # type: ignore[arg-type]
    seen: list[int] = []

    def work_off() -> int:
        stream = (
            spark.session.readStream.format("kafka")
            .option("kafka.bootstrap.servers", half.kafka.url)
            .option("subscribe", records.EVENTS)
            .option("startingTimestamp", str(moment))
            .option("startingOffsetsByTimestampStrategy", "latest")
            .load()
        )
        query = (
            stream.writeStream.foreachBatch(lambda batch, _: seen.append(batch.count()))
            .option("checkpointLocation", spark.checkpoint("test"))
            .trigger(availableNow=True)
            .start()
        )
        return sum(batch["numInputRows"] for batch in finish(query))

    try:
        assert 3 == work_off()
        write(half.kafka, "d")
        assert 1 == work_off()
        assert 4 == sum(seen)
        assert spark.tables.users >= 0
    finally:
        spark.stop()
    assert not spark.folder.exists()
