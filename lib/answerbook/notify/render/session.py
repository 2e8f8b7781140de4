"""Spark in a JVM that this process starts, sizes, watches and ends.

PySpark's own launcher is two shell scripts and a second JVM, and passes a flag that a small JRE
lacks. Here `java` is started directly, so that its pid and its memory are ours to know; it ends by
itself when this process does, since its standard input ends then.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyspark
from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

START_SECONDS = 120
STOP_SECONDS = 10
OPENED = (
    *("java.base/java." + name for name in ("lang", "lang.invoke", "lang.reflect", "io", "net")),
    *("java.base/java." + name for name in ("nio", "util", "util.concurrent")),
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.ref",
    *("java.base/sun." + name for name in ("nio.ch", "nio.cs", "security.action")),
    "java.base/sun.util.calendar",
    "java.security.jgss/sun.security.krb5",
)
"""What Spark's own launcher opens to Spark."""
MEMORY = (
    "-XX:+UseSerialGC",
    # Nearly all of a micro-batch is garbage at its end: a small heap that is swept more often.
    *("-XX:NewRatio=4", "-XX:MinHeapFreeRatio=10", "-XX:MaxHeapFreeRatio=25"),
    "-XX:ReservedCodeCacheSize=96m",
    # What the compiler used for a method, the C library keeps: have it given back now and then.
    *("-XX:+UnlockExperimentalVMOptions", "-XX:+UnlockDiagnosticVMOptions"),
    "-XX:TrimNativeHeapInterval=5000",
    "-XX:MaxMetaspaceSize=256m",
    "-XX:-UsePerfData",
)
"""What keeps the process small."""


class NoSpark(Exception):
    """Spark cannot be started here; the message says what is missing."""


class Jvm:
    """The driver's JVM: Py4J's gateway into it, and its process."""

    def __init__(self, java: Path, heap: str, jars: str, log: IO[bytes] | None = None) -> None:
        with tempfile.TemporaryDirectory(prefix="answerbook-spark-") as folder:
            told = Path(folder) / "gateway"
            self.process = subprocess.Popen(
                _command(java, heap, jars),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=os.environ
                | {"_PYSPARK_DRIVER_CONN_INFO_PATH": str(told), "SPARK_CONNECT_MODE": "0"},
                # Ctrl-C goes to a whole group, and the query must end before its JVM does.
                start_new_session=True,
            )
            try:
                self.gateway = self._connect(told)
            except BaseException:
                self.stop()
                raise

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        """Return when the process is gone; it is killed where it does not go by itself."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _connect(self, told: Path) -> object:
        deadline = time.monotonic() + START_SECONDS
        while not told.is_file():
            if not self.runs:
                raise NoSpark(f"Spark's JVM ended at once, with {self.process.returncode}.")
            if time.monotonic() > deadline:
                raise NoSpark(f"Spark's JVM did not answer within {START_SECONDS} s.")
            time.sleep(0.02)
        content = told.read_bytes()
        port, length = (int.from_bytes(content[at : at + 4], "big") for at in (0, 4))
        environment = {
            "PYSPARK_GATEWAY_PORT": str(port),
            "PYSPARK_GATEWAY_SECRET": content[8 : 8 + length].decode(),
        }
        os.environ.update(environment)
        try:
            return launch_gateway()  # type: ignore[no-untyped-call]
        finally:
            for name in environment:
                del os.environ[name]


@contextmanager
def spark(
    *,
    master: str,
    heap: str,
    jars: str = "",
    java: Path | None = None,
    log: IO[bytes] | None = None,
) -> Iterator[tuple[SparkSession, Jvm]]:
    """A session as render wants it, and its JVM; at the end both are gone.

    `jars` is a class path; `log` takes what the JVM prints, in place of this process's own output.
    Raises NoSpark.
    """
    for path in filter(None, jars.split(os.pathsep)):
        if not Path(path).is_file():
            raise NoSpark(f"There is no {path}, which ANSWERBOOK_NOTIFY_RENDER_JARS names.")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # for rows that a notebook makes
    jvm = Jvm(java or installed_java(), heap, jars, log)
    try:
        context = _context(_conf(master, jars), jvm)
        try:
            yield SparkSession(context), jvm
        finally:
            if jvm.runs:
                context.stop()
    finally:
        jvm.stop()
        SparkContext._gateway = SparkContext._jvm = None  # else the next session would ask this JVM


def _context(conf: SparkConf, jvm: Jvm) -> SparkContext:
    try:
        return SparkContext(conf=conf, gateway=jvm.gateway)
    except Exception as error:  # noqa: BLE001 - Py4J raises what the JVM did
        told = getattr(error, "java_exception", None)
        raise NoSpark(f"Spark does not start: {told.getMessage() if told else error}") from None


def installed_java() -> Path:
    """The machine's own `java`: JAVA_HOME's, else PATH's. Raises NoSpark."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin" if home else None)
    if found is None:
        raise NoSpark(
            "There is no `java`. Name one of version 17 or later in ANSWERBOOK_NOTIFY_RENDER_JAVA."
        )
    return Path(found)


def _command(java: Path, heap: str, jars: str) -> Sequence[str | Path]:
    home = Path(pyspark.__file__).parent
    return [
        java,
        *("-cp", os.pathsep.join(filter(None, [jars, f"{home}/jars/*"]))),
        *(f"-Xmx{heap}", *MEMORY),
        # Some of the following are of newer Javas than the oldest that will do.
        "-XX:+IgnoreUnrecognizedVMOptions",
        *(f"--add-opens={name}=ALL-UNNAMED" for name in OPENED),
        *("--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED"),
        f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}",
        *("-Djava.net.preferIPv4Stack=true", "-Dio.netty.tryReflectionSetAccessible=true"),
        "org.apache.spark.deploy.SparkSubmit",
        "pyspark-shell",
    ]


def _conf(master: str, jars: str) -> SparkConf:
    local = master.startswith("local")
    settings = {
        "spark.app.name": "answerbook-render",
        "spark.master": master,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        # A value that cannot be what it should be is null, and judged; an error would end the
        # query, and the same record again the next one.
        "spark.sql.ansi.enabled": "false",
        "spark.sql.mapKeyDedupPolicy": "LAST_WIN",
        # The second version of the sink: the first does not tell what was counted on the way.
        "spark.sql.sources.useV1SourceList": "",
        # Batches are alike: to plan each anew by its size costs more than it saves.
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.streaming.noDataProgressEventInterval": "1000",
        "spark.sql.shuffle.partitions": "2",
        # Spark counts 300 MB of a heap as its own, and starts with no less than half as much again.
        # What stays in this driver's after a full collection is half of that.
        "spark.testing.reservedMemory": str(160 * 1024 * 1024),
        "spark.sql.streaming.minBatchesToRetain": "10",
        # A checkpoint's files without a second one each that holds a checksum: for every file that
        # it makes, Hadoop starts a process (`chmod`).
        "spark.hadoop.fs.AbstractFileSystem.file.impl": "org.apache.hadoop.fs.local.RawLocalFs",
        "spark.cleaner.periodicGC.interval": "10min",
        # Asked for at each element of an array; its default looks into the environment each time.
        "spark.sql.types.framework.enabled": "false",
        # For pages that nobody sees: plans as text, and what was, batch by batch.
        "spark.sql.ui.explainMode": "simple",
        "spark.sql.maxPlanStringLength": "100",
        "spark.sql.ui.retainedExecutions": "5",
        "spark.ui.retainedJobs": "10",
        "spark.ui.retainedStages": "10",
        "spark.ui.retainedTasks": "100",
        "spark.sql.streaming.numRecentProgressUpdates": "5",
    }
    if local:
        settings |= {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
        }
    else:
        settings |= {"spark.jars": jars.replace(os.pathsep, ",")}
    return SparkConf(loadDefaults=False).setAll(list(settings.items()))
