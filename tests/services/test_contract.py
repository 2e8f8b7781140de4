"""What `services.require` promises, held against each service with its real client."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import confluent_kafka
import pika
import psutil
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from answerbook import services
from answerbook.services import Kafka, Postgres, RabbitMQ, Service, ServiceName
from answerbook.services.native import processes

REQUIRE_AND_WAIT = """
import signal, sys
from answerbook import services
service = services.require(sys.argv[1])
print(service.nodes()[0].pid, flush=True)
signal.pause()
"""


@dataclass(frozen=True)
class Client:
    """How a test leaves something with a service, and looks whether it is still there."""

    write: Callable[[Any, str], None]
    read: Callable[[Any], str]


def publish(rabbitmq: RabbitMQ, text: str) -> None:
    channel = rabbitmq.channel()
    channel.queue_delete("kept")
    channel.queue_declare("kept", durable=True)
    channel.confirm_delivery()
    persistent = pika.BasicProperties(delivery_mode=2)
    channel.basic_publish("", "kept", text.encode(), persistent, mandatory=True)
    channel.connection.close()
    # A confirm is about the message. RabbitMQ 3.10 keeps the queue's declaration in memory for
    # some seconds more, and a kill within them takes the queue along.
    rabbitmq.engine.run(rabbitmq, 1, ["rabbitmqctl", "eval", "mnesia:sync_log()."])


def get(rabbitmq: RabbitMQ) -> str:
    channel = rabbitmq.channel()
    _, _, body = channel.basic_get("kept", auto_ack=True)
    channel.connection.close()
    return cast(bytes, body).decode()


def produce(kafka: Kafka, text: str) -> None:
    admin = kafka.admin()
    if "kept" not in admin.list_topics():
        admin.create_topics({"kept": {"num_partitions": 1}}, wait_for_metadata=True)
    admin.close()
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers, acks="all")
    producer.send("kept", text.encode()).get(timeout=60)
    producer.close(timeout=5)


def consume(kafka: Kafka) -> str:
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, consumer_timeout_ms=60_000)
    partition = TopicPartition("kept", 0)
    consumer.assign([partition])
    consumer.seek(partition, consumer.end_offsets([partition])[partition] - 1)
    text = next(consumer).value.decode()
    consumer.close(autocommit=False)
    return cast(str, text)


def insert(postgres: Postgres, text: str) -> None:
    with postgres.connect() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (text text)")
        connection.execute("TRUNCATE kept")
        connection.execute("INSERT INTO kept VALUES (%s)", [text])


def select(postgres: Postgres) -> str:
    with postgres.connect() as connection:
        row = connection.execute("SELECT text FROM kept").fetchone()
    assert row is not None
    return cast(str, row[0])


CLIENTS: dict[ServiceName, Client] = {
    "rabbitmq": Client(publish, get),
    "kafka": Client(produce, consume),
    "postgres": Client(insert, select),
}


@pytest.fixture(params=CLIENTS)
def name(request: pytest.FixtureRequest) -> ServiceName:
    return cast(ServiceName, request.param)


@pytest.fixture
def service(name: ServiceName) -> Service:
    return services.require(name)


def main_pid(service: Service) -> int | None:
    return service.nodes()[0].pid


def test_requiring_a_running_service_starts_nothing(service: Service) -> None:
    pid = main_pid(service)
    assert pid == main_pid(services.require(service.name))


def test_service_outlives_the_process_that_required_it(name: ServiceName) -> None:
    services.down([name])
    kernel = subprocess.Popen(
        [
            sys.executable,
            "-c",
            REQUIRE_AND_WAIT,
            name,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert kernel.stdout
    lines = iter(kernel.stdout.readline, "")
    pid = next(int(line) for line in lines if line.strip().isdigit())
    kernel.kill()
    kernel.wait()
    kernel.stdout.close()
    assert pid == main_pid(services.require(name))


def test_killed_service_is_started_again_with_its_data(service: Service) -> None:
    client = CLIENTS[service.name]
    address = str(service.url)
    client.write(service, "before the kill")
    pid = main_pid(service)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    again = services.require(service.name)
    assert "before the kill" == client.read(again)
    assert address == str(again.url)


def test_stopped_service_starts_again_with_its_data(service: Service) -> None:
    client = CLIENTS[service.name]
    client.write(service, "before the stop")
    service.stop()
    assert ["stopped"] == [status.condition for status in service.nodes()]
    service.start()
    assert "before the stop" == client.read(service)


def test_paused_service_is_resumed_by_require(service: Service) -> None:
    service.pause()
    assert ["paused"] == [status.condition for status in service.nodes()]
    assert ["running"] == [status.condition for status in services.require(service.name).nodes()]


def test_service_listens_on_loopback_only(service: Service) -> None:
    record = service.record()
    tree = processes.with_children(
        found for process in record.processes if (found := processes.alive(process))
    )
    addresses = set()
    for process in tree:
        with suppress(psutil.NoSuchProcess):  # a backend whose client has just gone
            addresses |= {
                connection.laddr.ip
                for connection in process.net_connections("inet")
                if connection.status == psutil.CONN_LISTEN
            }
    assert addresses
    assert addresses <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}, addresses


def test_rabbitmq_reads_no_configuration_but_its_own() -> None:
    """Not /etc/rabbitmq/conf.d either, where a system's broker has its listeners and peers."""
    rabbitmq = services.require("rabbitmq")
    pid = rabbitmq.nodes()[0].pid
    assert pid is not None
    files = {
        name: path
        for name, path in psutil.Process(pid).environ().items()
        if name.startswith("RABBITMQ_") and name.endswith(("_FILE", "_FILES"))
    }
    assert {"RABBITMQ_CONFIG_FILE", "RABBITMQ_CONFIG_FILES"} <= files.keys()
    folder = rabbitmq.state.path / "services" / "rabbitmq"
    assert [] == [name for name, path in files.items() if not Path(path).is_relative_to(folder)]


def outside() -> set[str]:
    """What a service could leave on the machine beside its folder: shared memory, files."""
    temporary = Path(tempfile.gettempdir())
    names, *rows = map(str.split, Path("/proc/sysvipc/shm").read_text().splitlines())
    segments = [dict(zip(names, row, strict=True)) for row in rows]
    return {
        *(str(path) for path in Path("/dev/shm").glob("PostgreSQL.*")),
        *(str(path) for path in temporary.iterdir() if "-java-" in path.name),
        *(each["shmid"] for each in segments if each["nattch"] == "0"),
    }


@pytest.mark.parametrize("name", ["postgres", "kafka"])
def test_killed_service_leaves_nothing_outside_its_folder(
    name: Literal["postgres", "kafka"], fresh_home: Path
) -> None:
    before = outside()
    service = services.require(name)
    if isinstance(service, Kafka):
        produce(service, "makes the topic")
        producer = confluent_kafka.Producer(
            {"bootstrap.servers": service.bootstrap_servers[0], "compression.type": "lz4"}
        )
        producer.produce("kept", b"1" * 10_000)  # for lz4 the broker unpacks a native library
        assert 0 == producer.flush(30)
    service.kill()
    services.require(name)
    service.kill()
    assert [name] == services.down()
    assert set() == outside() - before


def test_service_shows_no_password(service: Service) -> None:
    shown = f"{service!r} {service.url!r}"
    for secret in (service.state.path / "secrets").iterdir():
        assert secret.read_text() not in shown
        assert 0o600 == secret.stat().st_mode & 0o777


def test_wrong_name_is_answered_with_the_right_ones() -> None:
    with pytest.raises(
        services.ServiceError, match="rabbitmq, rabbitmq-3, kafka, kafka-3, postgres"
    ):
        services.require(cast(ServiceName, "redis"))


def test_control_before_the_first_start_says_what_to_do(fresh_home: object) -> None:
    with pytest.raises(services.NotRunning, match="answerbook up kafka"):
        services.find("kafka").pause()
