"""What Spark tells after each micro-batch, and what is done with it.

Called by Spark in a thread of its own, soon after the event; an error in here would only be logged
by Spark, so that each is handled here. Spark's own listener class asks the JVM for each field of a
progress by itself, a tenth of what a small micro-batch costs; this one takes the whole as JSON.
"""

import json
from collections.abc import Callable
from threading import Event
from typing import Any

from confluent_kafka import KafkaException
from pyspark.java_gateway import ensure_callback_server_started
from pyspark.sql import SparkSession

from answerbook.notify.render import metrics
from answerbook.notify.render.offsets import Group
from answerbook.notify.running import log


class Listener:
    """Exports metrics, commits offsets, and knows whether the query is ready or has ended."""

    def __init__(self, group: Group, finished: Callable[[int], None]) -> None:
        self._group = group
        self._finished = finished
        self._log = log()
        self._committed: dict[str, Any] = {}
        self.ready = Event()
        """The first micro-batch is done, or there was nothing to do."""
        self.ended = Event()
        self.error = ""
        """Why the query ended, where it did not end in order."""

    def listen(self, spark: SparkSession) -> None:
        """Be told of the queries of this session."""
        jvm: Any = spark._jvm
        wrapper = jvm.org.apache.spark.sql.streaming.PythonStreamingQueryListenerWrapper
        jvm_session: Any = spark._jsparkSession
        ensure_callback_server_started(spark.sparkContext._gateway)  # type: ignore[no-untyped-call]
        jvm_session.streams().addListener(wrapper(_Called(self)))

    def progressed(self, progress: dict[str, Any]) -> None:
        dropped = sum(each["numRowsDroppedByWatermark"] for each in progress["stateOperators"])
        if dropped:
            metrics.DROPPED.inc(dropped)
            self._log.error("a watermark dropped rows, and there must be none", rows=dropped)
        if progress["numInputRows"]:
            metrics.BATCH_SECONDS.set(progress["batchDuration"] / 1000)
            metrics.BATCH_ROWS.set(progress["numInputRows"])
        self._commit(progress["sources"][0]["endOffset"])
        self._finished(progress["batchId"])
        self.ready.set()

    def _commit(self, end: dict[str, Any] | None) -> None:
        if not end or end == self._committed:
            return
        try:
            self._group.commit(end)
            self._committed = end
        except KafkaException as error:
            # Only the lag that others see is wrong until the next micro-batch.
            self._log.warning("offsets were not committed to the group", why=str(error))


class _Called:
    """The listener as Spark's JVM calls it."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def onQueryStarted(self, event: Any) -> None:  # noqa: N802 - Spark's names
        self._listener._log.info("the query runs", id=event.id().toString())

    def onQueryProgress(self, event: Any) -> None:  # noqa: N802
        self._listener.progressed(json.loads(event.progress().json()))

    def onQueryIdle(self, _event: Any) -> None:  # noqa: N802
        self._listener.ready.set()

    def onQueryTerminated(self, event: Any) -> None:  # noqa: N802
        exception = event.exception()
        self._listener.error = exception.get() if exception.isDefined() else ""
        self._listener.ended.set()

    class Java:
        implements = ("org.apache.spark.sql.streaming.PythonStreamingQueryListener",)
