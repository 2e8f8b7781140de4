"""Spark in the kernel, as render has it: a session, a folder, and the tables that events meet.

    spark = Spark(system)
    spark.session.readStream…      # people and templates: spark.tables
    spark.stop()

For notebook 2_2_the_pipeline, whose query stands in its cells while the real render is stopped. The
JVM is as small as a notebook needs, and is gone with `stop`, or with the kernel.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from answerbook.config import Settings
from answerbook.notebook.waiting import wait_for

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from answerbook.notify.render.people import Tables
    from answerbook.services import Notify

HEAP = "320m"
CORES = 2
DONE_SECONDS = 300


class Spark:
    """A session of the kernel's own. Raises what `spark` and `read` of render raise."""

    def __init__(self, system: Notify) -> None:
        from answerbook.notify.render.people import jdbc_options, read
        from answerbook.notify.render.session import spark
        from answerbook.services.native import programs

        settings = Settings.load()
        with ExitStack() as stack:
            self.folder = Path(tempfile.mkdtemp(prefix="answerbook-spark-"))
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            # In the kernel's own output, the JVM's would become part of the notebook.
            log = stack.enter_context((self.folder / "spark.log").open("wb"))
            os.environ["SPARK_LOCAL_DIRS"] = str(self.folder)
            stack.callback(os.environ.pop, "SPARK_LOCAL_DIRS", None)
            session, _ = stack.enter_context(
                spark(
                    master=f"local[{CORES}]",
                    heap=HEAP,
                    jars=os.pathsep.join(map(str, programs.spark(settings))),
                    java=programs.java(settings),
                    log=log,
                )
            )
            self.session: SparkSession = session
            # Of a query's micro-batches `finish` gives all; render's own session keeps a few.
            session.conf.set("spark.sql.streaming.numRecentProgressUpdates", "100")
            self.tables: Tables = read(session, jdbc_options(system.postgres.url))
            self._stack = stack.pop_all()

    def stop(self) -> None:
        """End its queries, the JVM, and all that it wrote."""
        for query in self.session.streams.active:
            query.stop()
        self._stack.close()

    def checkpoint(self, name: str) -> str:
        """A folder for a query's checkpoint; the same for the same name."""
        return str(self.folder / "checkpoints" / name)


def finish(query: StreamingQuery, seconds: int = DONE_SECONDS) -> list[dict[str, Any]]:
    """What a query tells of its micro-batches that had rows, once it has ended by itself.

    Each is Spark's progress as a dictionary: batchId, numInputRows, durationMs by step, sources.
    Raises what ended the query, and TimeoutError after `seconds`.
    """
    if not query.awaitTermination(seconds):
        query.stop()
        raise TimeoutError(f"The query was not done within {seconds} s.")
    wait_for(lambda: query.recentProgress, "the query tells its progress")
    return [dict(each) for each in query.recentProgress if each["numInputRows"]]
