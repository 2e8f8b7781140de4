"""`answerbook notify render`: runs the query until SIGTERM, watched on a port.

Exits 0 after SIGTERM, with the micro-batch finished that was under way; 1 where the query or its
JVM died, for something else to start it again: it goes on from its checkpoint.
"""

import sys
from pathlib import Path
from threading import Event

from confluent_kafka import KafkaException
from pyspark.sql import SparkSession

from answerbook.config import NotifySettings
from answerbook.notify.records import PORTS
from answerbook.notify.render import offsets
from answerbook.notify.render.job import Job
from answerbook.notify.render.listener import Listener
from answerbook.notify.render.people import People
from answerbook.notify.render.session import Jvm, NoSpark, spark
from answerbook.notify.running import Watch, log, until_terminated

LOOK_SECONDS = 0.2
DRAIN_SECONDS = 30.0


class Died(Exception):
    """It cannot start, or the query or its JVM ended by itself; the message says why."""


def main(settings: NotifySettings) -> None:
    """Run until SIGTERM. Exits with 1 where it cannot go on, having said why."""
    render = Render(settings)
    try:
        render.run(until_terminated())
    except (Died, NoSpark, OSError, offsets.WrongCheckpoint) as error:
        log().error("render ends", why=str(error))
        sys.exit(1)


class Render:
    """The program's state, as its probes see it."""

    def __init__(self, settings: NotifySettings) -> None:
        self._settings = settings
        self._log = log()
        self._listener: Listener | None = None

    def run(self, ended: Event) -> None:
        settings = self._settings
        port = PORTS["render"] if settings.port is None else settings.port
        try:
            watch = Watch(settings.host, port, self._not_ready, self._not_alive)
        except OSError as error:
            raise Died(
                f"It cannot listen on {settings.host}:{port} ({error.strerror}). "
                "Name another port in ANSWERBOOK_NOTIFY_PORT."
            ) from None
        self._log.info("render starts", port=watch.port)
        try:
            if checkpoint := self._checkpoint(ended):
                with spark(
                    master=settings.render_master,
                    heap=settings.render_heap,
                    jars=settings.render_jars,
                    java=settings.render_java,
                ) as (session, jvm):
                    self._log.info("Spark's JVM runs", pid=jvm.process.pid)
                    self._run(session, jvm, checkpoint, ended)
        finally:
            watch.stop()
        self._log.info("render ended")

    def _checkpoint(self, ended: Event) -> Path | None:
        """The checkpoint's folder, once Kafka answers and has the topics; None if ended first."""
        said = ""
        while not ended.is_set():
            try:
                return offsets.checkpoint(
                    self._settings.folder.absolute() / "render",
                    offsets.source(self._settings.kafka),
                )
            except (KafkaException, LookupError) as error:
                if str(error) != said:
                    said = str(error)
                    self._log.warning("Kafka is waited for", why=said)
            ended.wait(1)
        return None

    def _run(self, session: SparkSession, jvm: Jvm, checkpoint: Path, ended: Event) -> None:
        settings = self._settings
        people = People(
            session, settings.database.get_secret_value(), settings.render_refresh_seconds
        )
        group = offsets.Group(settings.kafka)
        try:
            people.start(lambda: ended.is_set() or not jvm.runs)
            if ended.is_set():
                return
            self._still_runs(jvm)
            job = Job(session, settings, people)
            self._listener = Listener(group, job.finished)
            self._listener.listen(session)
            query = job.start(checkpoint)
            while not ended.wait(LOOK_SECONDS):
                self._still_runs(jvm)
            if not job.drain(DRAIN_SECONDS):
                self._log.warning("a micro-batch was not finished, and will be written again")
            if jvm.runs:
                query.stop()
        finally:
            people.stop()
            group.close()

    def _still_runs(self, jvm: Jvm) -> None:
        """Raises Died."""
        if why := self._not_alive():
            raise Died(why)
        if not jvm.runs:
            raise Died(f"Spark's JVM ended with {jvm.process.returncode}.")

    def _not_ready(self) -> str | None:
        if self._listener is None or not self._listener.ready.is_set():
            return "no micro-batch is done yet"
        return self._not_alive()

    def _not_alive(self) -> str | None:
        if self._listener is None or not self._listener.ended.is_set():
            return None
        error = self._listener.error
        if "failOnDataLoss" in error or "data may have been" in error:
            return (
                "Kafka does not have the offsets that the checkpoint names: events were deleted "
                "before they were read, or the checkpoint is of another Kafka. Delete the folder "
                f"{self._settings.folder.absolute() / 'render'} to begin at the first event that "
                f"is there. Spark said: {error.splitlines()[0]}"
            )
        return f"the query ended: {error.splitlines()[0] if error else 'without an error'}"
