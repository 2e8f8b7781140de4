"""Kafka, as its clients see it: bootstrap servers, and a round trip that means what it says."""

import re
import uuid
from contextlib import suppress
from typing import ClassVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import TopicAlreadyExistsError

from answerbook.services.contract import Service, ServiceName

READY_TOPIC = "answerbook.ready"
"""Holds one record for every start; notebooks leave it out of their lists of topics."""

CLIENT_MS = 5_000


class Kafka(Service):
    """One broker in KRaft mode, without authentication, on loopback only."""

    name: ClassVar[ServiceName] = "kafka"
    usual_ports: ClassVar = {"kafka": "kafka_port"}
    extra_ports = ("controller",)
    # Stack frames and settings, and what merely informs, as each engine's broker writes it.
    noise = re.compile(r"^\t|\[INFO\]|\] INFO ")

    @property
    def replication(self) -> int:
        """Copies of each partition by default."""
        return self.node_count

    @property
    def min_insync_replicas(self) -> int:
        """Copies that an acks=all write must reach before it is acknowledged."""
        return max(1, self.node_count - 1)

    @property
    def bootstrap_servers(self) -> list[str]:
        """What every Kafka client takes: one address a broker."""
        ports = self.record().ports
        return [f"{self.host}:{ports[node]['kafka']}" for node in sorted(ports)]

    @property
    def url(self) -> str:
        return ",".join(self.bootstrap_servers)

    def admin(self) -> KafkaAdminClient:
        """kafka-python's admin client on this cluster; close it."""
        return KafkaAdminClient(
            bootstrap_servers=self.bootstrap_servers,
            bootstrap_timeout_ms=CLIENT_MS,
            request_timeout_ms=CLIENT_MS,
        )

    def round_trip(self) -> None:
        """All running brokers in sync, an acks=all record produced, and that record consumed."""
        self._check_in_sync()
        sent = uuid.uuid4().bytes
        producer = KafkaProducer(
            bootstrap_servers=self.bootstrap_servers,
            acks="all",
            bootstrap_timeout_ms=CLIENT_MS,
            max_block_ms=CLIENT_MS,
            request_timeout_ms=CLIENT_MS,
            delivery_timeout_ms=2 * CLIENT_MS,
        )
        try:
            written = producer.send(READY_TOPIC, sent).get(timeout=CLIENT_MS / 1000)
        finally:
            producer.close(timeout=1)
        self._check_consumed(written.offset, sent)

    def ping(self) -> None:
        admin = self.admin()
        try:
            admin.describe_cluster()
        finally:
            admin.close()

    def _check_in_sync(self) -> None:
        running = [status.node for status in self.nodes() if status.condition == "running"]
        for node in running:
            self._check_answers(node)  # a broker may be in sync before it listens
        admin = self.admin()
        try:
            if READY_TOPIC not in admin.list_topics():
                topic = {"num_partitions": 1, "replication_factor": self.replication}
                # It is there when another attempt of ours timed out after it had done its work.
                with suppress(TopicAlreadyExistsError):
                    admin.create_topics({READY_TOPIC: topic}, timeout_ms=CLIENT_MS)
            (description,) = admin.describe_topics([READY_TOPIC])
            in_sync = len(description["partitions"][0]["isr_nodes"])
        finally:
            admin.close()
        if in_sync < len(running):
            raise ConnectionError(f"{in_sync} of {len(running)} running brokers are in sync")

    def _check_answers(self, node: int) -> None:
        address = f"{self.host}:{self.ports(node)['kafka']}"
        admin = KafkaAdminClient(bootstrap_servers=[address], bootstrap_timeout_ms=CLIENT_MS)
        try:
            admin.describe_cluster()
        finally:
            admin.close()

    def _check_consumed(self, offset: int, sent: bytes) -> None:
        partition = TopicPartition(READY_TOPIC, 0)
        consumer = KafkaConsumer(
            bootstrap_servers=self.bootstrap_servers,
            bootstrap_timeout_ms=CLIENT_MS,
            request_timeout_ms=2 * CLIENT_MS,
            enable_auto_commit=False,
        )
        try:
            consumer.assign([partition])
            consumer.seek(partition, offset)
            records = consumer.poll(timeout_ms=CLIENT_MS, max_records=1).get(partition, [])
        finally:
            consumer.close(autocommit=False)
        if [record.value for record in records] != [sent]:
            raise ConnectionError("the acknowledged record could not be consumed")


class Kafka3(Kafka):
    """Three brokers: replication 3, min.insync.replicas 2; one may die and nothing is lost."""

    name = "kafka-3"
    node_count = 3
