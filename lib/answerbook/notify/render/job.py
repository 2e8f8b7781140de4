"""The query: what render makes of events, and how it runs on a stream.

A notebook calls `rendered` on a few rows; program.py runs a `Job`, which puts it between two ends
of Kafka. There is no watermark: an event may have occurred at any time, and none is too late.
"""

from pathlib import Path
from threading import Condition

from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql.functions import broadcast, expr
from pyspark.sql.streaming.query import StreamingQuery

from answerbook.config import NotifySettings
from answerbook.notify import records
from answerbook.notify.render import metrics, sql
from answerbook.notify.render.people import People

OUTCOMES = ("expanded", "suppressed", "expired", "dead")
PRIORITIES = ("high", "normal")


def rendered(
    events: DataFrame, people: DataFrame, templates: DataFrame, now: str = sql.CLOCK
) -> DataFrame:
    """Records for Kafka (topic, key, value) of Kafka's (value, partition, offset).

    `people` and `templates` as people.py reads them; `now` is SQL for milliseconds since 1970.
    """
    return records_of(judged(events, people, templates, now))


def judged(
    events: DataFrame, people: DataFrame, templates: DataFrame, now: str = sql.CLOCK
) -> DataFrame:
    """Each event with its outcome, its reason and its notifications."""
    parsed = events.selectExpr(
        "value", "partition", "offset", f"{sql.EVENT} AS event", f"{now} AS now"
    ).selectExpr("*", f"{sql.WRONG} AS wrong", f"{sql.EXPIRES_AT} AS expires_at")
    known = (
        # `people` lies in memory, parted and in order already. To sort a micro-batch costs little
        # more than to hash it, and goes on on disk where memory ends: a backlog of the largest
        # events would not fit, and a micro-batch that cannot be done is tried for ever.
        parsed.hint("merge")
        .join(people, expr("event.user_id = user_id"), "left")
        .join(broadcast(templates), expr("event.kind = kind"), "left")
    )
    return _with_columns(
        known,
        {"local": sql.LOCAL, "text": sql.TEXT},
        {"minute": sql.MINUTE},
        {"reason": sql.REASON},
        {
            "outcome": sql.OUTCOME,
            "title": f"IF(reason IS NULL, {sql.filled('text.title')}, NULL)",
            "body": f"IF(reason IS NULL, {sql.filled('text.body')}, NULL)",
        },
        {"notifications": sql.NOTIFICATIONS, "most_bytes": sql.MOST_BYTES},
        {"too_large": sql.TOO_LARGE},
    )


def records_of(events: DataFrame) -> DataFrame:
    """What to write for judged events: notifications, receipts and dead letters."""
    named = {
        "named_run": f"IF({sql.is_name('run_id')}, event.run_id, NULL)",
        "named_event": f"IF({sql.is_name('event_id')}, event.event_id, NULL)",
        "is_text": sql.IS_TEXT,
    }
    return _with_columns(events, named, last=f"inline({sql.RECORDS})")


def _with_columns(rows: DataFrame, *steps: dict[str, str], last: str = "*") -> DataFrame:
    """Columns of SQL, step by step, each step's from those before it; `last` is what is selected.

    One statement, because Spark looks through a whole query anew each time something is put on it,
    and that is done for every micro-batch.
    """
    rows.createOrReplaceTempView("render_rows")
    text = "render_rows"
    for step in steps:
        columns = ", ".join(f"{of} AS {name}" for name, of in step.items())
        text = f"(SELECT *, {columns} FROM {text})"
    return rows.sparkSession.sql(f"SELECT {last} FROM {text}")


def _counts() -> list[Column]:
    """What a micro-batch is counted by, on the way through."""
    return [
        *(expr(f"count_if(outcome = '{word}')").alias(word) for word in OUTCOMES),
        *(
            expr(f"sum(IF(event.priority = '{word}', size(notifications), 0))").alias(word)
            for word in PRIORITIES
        ),
    ]


class Draining(Exception):
    """No other micro-batch is begun: the program ends."""


class Job:
    """The query on a stream: from `events` to all that render writes, micro-batch by micro-batch.

    A micro-batch is written whole before Spark notes that it is done: one that was under way when
    render died is written again, with other times and the same ids.
    """

    def __init__(self, spark: SparkSession, settings: NotifySettings, people: People) -> None:
        self._spark = spark
        self._settings = settings
        self._people = people
        self._changed = Condition()
        self._under_way: int | None = None
        self._draining = False

    def start(self, checkpoint: Path) -> StreamingQuery:
        settings = self._settings
        events = (
            self._spark.readStream.format("kafka")
            .option("kafka.bootstrap.servers", settings.kafka)
            .option("subscribe", records.EVENTS)
            .option("startingOffsets", "earliest")
            .option("failOnDataLoss", "true")
            .option("maxOffsetsPerTrigger", settings.render_most_per_batch)
            # At a micro-batch's end the consumer has asked for more already. The broker answers the
            # next one's questions only after that, by default half a second later.
            .option("kafka.fetch.max.wait.ms", "5")
            .load()
            .selectExpr("value", "partition", "offset")
            # A task for each core, not for each partition: most of what a small one costs is fixed.
            .coalesce(self._spark.sparkContext.defaultParallelism)
        )
        return (
            events.writeStream.queryName("render")
            .foreachBatch(self._write)
            .option("checkpointLocation", str(checkpoint))
            .trigger(processingTime=f"{round(settings.render_trigger_seconds * 1000)} milliseconds")
            .start()
        )

    def finished(self, batch: int) -> None:
        """Spark has noted that this micro-batch is done."""
        with self._changed:
            if self._under_way == batch:
                self._under_way = None
                self._changed.notify_all()

    def drain(self, seconds: float) -> bool:
        """Begin no other micro-batch, and wait for the one under way; whether it was finished."""
        with self._changed:
            self._draining = True
            return self._changed.wait_for(lambda: self._under_way is None, seconds)

    def _write(self, events: DataFrame, batch: int) -> None:
        with self._changed:
            if self._draining:
                raise Draining("render ends; its next start does this micro-batch")
            self._under_way = batch
        tables = self._people.latest()
        seen = Observation()
        done = judged(events, tables.people, tables.templates).observe(seen, *_counts())
        (
            records_of(done)
            .write.format("kafka")
            .option("kafka.bootstrap.servers", self._settings.kafka)
            .option("kafka.acks", "all")
            .option("kafka.compression.type", "lz4")
            .option("kafka.linger.ms", "5")
            .option("kafka.batch.size", "131072")
            .mode("append")
            .save()
        )
        counted = seen.get
        for word in OUTCOMES:
            metrics.EVENTS.labels(word).inc(counted[word] or 0)
        for word in PRIORITIES:
            metrics.NOTIFICATIONS.labels(word).inc(counted[word] or 0)
