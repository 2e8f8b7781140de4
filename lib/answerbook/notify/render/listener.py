"""What Spark tells after each micro-batch, and what is done with it.

Called by Spark in a thread of its own, soon after the event; an error in here would only be logged
by Spark, so that each is handled here.
"""

from collections.abc import Callable
from threading import Event

from confluent_kafka import KafkaException
from pyspark.sql.streaming.listener import (
    QueryIdleEvent,
    QueryProgressEvent,
    QueryStartedEvent,
    QueryTerminatedEvent,
    StreamingQueryListener,
)

from answerbook.notify.render import metrics
from answerbook.notify.render.offsets import Group
from answerbook.notify.running import log


class Listener(StreamingQueryListener):
    """Exports metrics, commits offsets, and knows whether the query is ready or has ended."""

    def __init__(self, group: Group, finished: Callable[[int], None]) -> None:
        self._group = group
        self._finished = finished
        self._log = log()
        self._committed = ""
        self.ready = Event()
        """The first micro-batch is done, or there was nothing to do."""
        self.ended = Event()
        self.error = ""
        """Why the query ended, where it did not end in order."""

    def onQueryStarted(self, event: QueryStartedEvent) -> None:  # noqa: N802 - Spark's name
        self._log.info("the query runs", id=str(event.id))

    def onQueryProgress(self, event: QueryProgressEvent) -> None:  # noqa: N802
        progress = event.progress
        dropped = sum(each.numRowsDroppedByWatermark for each in progress.stateOperators)
        if dropped:
            metrics.DROPPED.inc(dropped)
            self._log.error("a watermark dropped rows, and there must be none", rows=dropped)
        if progress.numInputRows:
            metrics.BATCH_SECONDS.set(progress.batchDuration / 1000)
            metrics.BATCH_ROWS.set(progress.numInputRows)
        self._commit(progress.sources[0].endOffset)
        self._finished(progress.batchId)
        self.ready.set()

    def onQueryIdle(self, event: QueryIdleEvent) -> None:  # noqa: N802
        self.ready.set()

    def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:  # noqa: N802
        self.error = event.exception or ""
        self.ended.set()

    def _commit(self, end: str | None) -> None:
        if not end or end == self._committed:
            return
        try:
            self._group.commit(end)
            self._committed = end
        except KafkaException as error:
            # Only the lag that others see is wrong until the next micro-batch.
            self._log.warning("offsets were not committed to the group", why=str(error))
