"""Kafka as private processes: a JVM for each broker, which is its own KRaft controller too."""

import base64
import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from answerbook.services.contract import Service
from answerbook.services.kafka import Kafka
from answerbook.services.native import processes, programs
from answerbook.services.native.launch import Launch, Plan, Recipe
from answerbook.services.state import write_whole

SMALL = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
LARGE = ("-Xms128m", "-Xmx512m", "-XX:+UseG1GC")
TEMPORARY = "temporary"


class KafkaRecipe(Recipe):
    """Combined broker and controller; no authentication, so loopback only."""

    def __init__(self) -> None:
        self._formatting = Lock()

    def fetch(self, service: Service) -> str:
        self._java = programs.java(service.settings)
        self._program = programs.kafka(service.settings)
        return self._program.version

    def prepare(self, plan: Plan) -> list[Launch]:
        assert isinstance(plan.service, Kafka)
        properties = plan.folder / "server.properties"
        write_whole(properties, _properties(plan.service, plan))
        # Java unpacks native libraries there, and takes them away at an orderly end alone.
        shutil.rmtree(plan.folder / TEMPORARY, ignore_errors=True)
        (plan.folder / TEMPORARY).mkdir()
        if not (plan.folder / "data" / "meta.properties").exists():
            self._format(plan, properties)
        one_of_many = plan.service.node_count > 1
        jvm = SMALL if one_of_many or plan.service.settings.profile == "study" else LARGE
        return [self._java_launch("kafka", plan.folder, jvm, "kafka.Kafka", properties)]

    def _format(self, plan: Plan, properties: Path) -> None:
        with self._formatting:  # the brokers of a cluster are prepared side by side
            cluster = _cluster_id(plan.service.state.service_folder(plan.service.name))
        launch = self._java_launch(
            "format",
            plan.folder,
            ("-XX:TieredStopAtLevel=1",),
            *("kafka.tools.StorageTool", "format", "-t", cluster, "-c", properties),
        )
        processes.run(launch, plan.mark)

    def _java_launch(
        self, role: str, folder: Path, jvm: Sequence[str], *words: str | Path
    ) -> Launch:
        classpath = os.pathsep.join(str(jar) for jar in self._program.jars)
        logging = [
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
            "-Dorg.slf4j.simpleLogger.levelInBrackets=true",
        ]
        # No file of performance counters in the machine's temporary folder.
        own = ["-XX:-UsePerfData", f"-Djava.io.tmpdir={folder / TEMPORARY}"]
        argv = [self._java, *own, *jvm, *logging, "-cp", classpath, *words]
        return Launch(role, argv, folder)


def _cluster_id(folder: Path) -> str:
    """The id that all brokers of a cluster were formatted with."""
    path = folder / "cluster-id"
    if not path.exists():
        write_whole(path, new_cluster_id())
    return path.read_text()


def new_cluster_id() -> str:
    """A random UUID as Kafka writes it: 22 characters of url-safe base64.

    None that begins with a dash, which Kafka's tools would take for an option.
    """
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes)[:22].decode()
        if not text.startswith("-"):
            return text


def _properties(service: Kafka, plan: Plan) -> str:
    own = plan.ports[plan.node]
    voters = ",".join(
        f"{node}@127.0.0.1:{ports['controller']}" for node, ports in sorted(plan.ports.items())
    )
    copies, in_sync = service.replication, service.min_insync_replicas
    return f"""\
process.roles=broker,controller
node.id={plan.node}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{own["kafka"]},CONTROLLER://127.0.0.1:{own["controller"]}
advertised.listeners=PLAINTEXT://127.0.0.1:{own["kafka"]}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={plan.folder / "data"}
auto.create.topics.enable=false
num.partitions=6
default.replication.factor={copies}
min.insync.replicas={in_sync}
offsets.topic.num.partitions=6
offsets.topic.replication.factor={copies}
transaction.state.log.num.partitions=6
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.num.partitions=3
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={in_sync}
group.initial.rebalance.delay.ms=0
# The log cleaner's map of keys, for which it takes 128 MB of the heap by default.
log.cleaner.dedupe.buffer.size=16777216
# Compacted topics are looked at each second instead of each fifteen.
log.cleaner.backoff.ms=1000
# A dead broker is noticed after 4 s instead of 9: its partitions get new leaders that much sooner.
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
"""
