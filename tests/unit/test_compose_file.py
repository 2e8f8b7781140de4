"""docker/compose.yaml: held against its schema, our settings and what the engine fills into it."""

import base64
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from ruamel.yaml import YAML

from answerbook import services
from answerbook.config import Settings
from answerbook.services import Kafka, RabbitMQ, RabbitMQ3
from answerbook.services.compose import ComposeEngine
from answerbook.services.compose.layout import LAYOUTS, layout, variables
from answerbook.services.compose.machine import needed_compose_file
from answerbook.services.native.rabbitmq import cluster_settings

PATH = needed_compose_file()
FILE: Mapping[str, Any] = YAML(typ="safe").load(PATH)
CONTAINERS: Mapping[str, Mapping[str, Any]] = FILE["services"]
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")
PUBLISHED = re.compile(r"127\.0\.0\.1:\$\{(\w+):-(\d+)\}:(\d+)")
BYTES = {"m": 2**20, "g": 2**30}

every_container = pytest.mark.parametrize("container", CONTAINERS)
every_kafka = pytest.mark.parametrize("name", ["kafka", "kafka-3"])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings' defaults, but for a state folder of the test's own."""
    for variable in list(Settings.model_fields):
        monkeypatch.delenv(f"ANSWERBOOK_{variable.upper()}", raising=False)
    monkeypatch.setenv("ANSWERBOOK_HOME", str(tmp_path))


def written_variables() -> dict[str, str]:
    """All that the engine writes for compose, with ports that do not matter."""
    values: dict[str, str] = {}
    for name in LAYOUTS:
        service = services.find(name)
        nodes = enumerate(layout(service).nodes, start=1)
        values |= variables(
            service, {number: dict.fromkeys(node.ports, 1) for number, node in nodes}
        )
    return values


def defaults() -> dict[str, str]:
    """Each variable of the file with its default."""
    return dict(VARIABLE.findall(PATH.read_text()))


def containers_of(name: services.ServiceName) -> list[Mapping[str, Any]]:
    return [CONTAINERS[node.name] for node in LAYOUTS[name].nodes]


def test_containers_have_the_memory_limit_that_an_alarm_returns_to() -> None:
    configurations = FILE["configs"]["rabbitmq"]["content"].splitlines()
    assert f"vm_memory_high_watermark.absolute = {RabbitMQ.memory_watermark}" in configurations


def test_file_is_valid() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.compose-spec", PATH),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout


def test_every_container_belongs_to_a_service() -> None:
    of_services = [node.name for its in LAYOUTS.values() for node in its.nodes]
    assert sorted(of_services) == sorted(CONTAINERS)


def test_engine_writes_every_variable_and_no_other() -> None:
    assert set(defaults()) == set(written_variables())


def test_images_are_the_settings_own() -> None:
    settings = Settings.load()
    images = {its.image_variable: getattr(settings, its.image) for its in LAYOUTS.values()}
    assert images == {name: value for name, value in defaults().items() if name.endswith("_IMAGE")}


def test_images_are_pinned_by_a_tag_with_a_number() -> None:
    for image in (CONTAINERS[name]["image"] for name in CONTAINERS):
        assert re.search(r":\d[\w.-]*\}$", image), image


def test_usual_ports_are_the_settings_own() -> None:
    settings = Settings.load()
    for name in ("rabbitmq", "kafka", "postgres"):
        usual = getattr(settings, f"{name}_port")
        assert str(usual) == defaults()[f"ANSWERBOOK_{name.upper()}_PORT"]


def test_passwords_have_no_default() -> None:
    passwords = {name: value for name, value in defaults().items() if name.endswith("PASSWORD")}
    assert passwords
    assert {""} == set(passwords.values())


@every_container
def test_container_publishes_its_ports_on_loopback_only(container: str) -> None:
    ports = CONTAINERS[container]["ports"]
    (node,) = [node for its in LAYOUTS.values() for node in its.nodes if node.name == container]
    published = [PUBLISHED.fullmatch(port) for port in ports]
    assert set(node.ports.values()) == {match[1] if match else None for match in published}


def test_no_two_containers_want_the_same_port() -> None:
    wanted = [
        match[2]
        for container in CONTAINERS.values()
        for port in container["ports"]
        if (match := PUBLISHED.fullmatch(port))
    ]
    assert len(wanted) == len(set(wanted))


@every_container
def test_container_has_a_health_check_and_a_memory_limit(container: str) -> None:
    assert CONTAINERS[container]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    limit = CONTAINERS[container]["mem_limit"]
    assert 2**29 <= int(limit[:-1]) * BYTES[limit[-1]] <= 2**30


@every_container
def test_container_keeps_its_data_in_a_named_volume(container: str) -> None:
    (volume,) = CONTAINERS[container]["volumes"]
    name, _, path = volume.partition(":")
    assert container == name
    assert name in FILE["volumes"]
    assert path.startswith("/var/lib/")


@every_container
def test_container_is_started_by_nobody_but_us(container: str) -> None:
    assert "no" == CONTAINERS[container]["restart"]


def test_by_hand_all_but_the_clusters_start() -> None:
    without_profile = {name for name, its in CONTAINERS.items() if "profiles" not in its}
    assert {"rabbitmq", "postgres", "kafka"} == without_profile
    clusters: tuple[services.ServiceName, ...] = ("rabbitmq-3", "kafka-3")
    for name in clusters:
        assert [[name]] * 3 == [its["profiles"] for its in containers_of(name)]


def test_rabbitmq_nodes_are_called_what_the_client_and_their_peers_call_them() -> None:
    service = cast(RabbitMQ3, services.find("rabbitmq-3"))
    service.engine = ComposeEngine(service.state)
    peers = re.findall(
        r"classic_config\.nodes\.(\d) = (\S+)", FILE["configs"]["rabbitmq-3"]["content"]
    )
    for number, container in enumerate(containers_of("rabbitmq-3"), start=1):
        node = container["environment"]["RABBITMQ_NODENAME"]
        assert service.node_name(number) == node
        assert container["hostname"] == node.partition("@")[2]
        assert number == service.node_called(node)
        assert (str(number), node) in peers
    assert service.node_count == len(peers)


def test_rabbitmq_nodes_are_set_up_the_same_on_both_engines() -> None:
    service = cast(RabbitMQ3, services.find("rabbitmq-3"))
    service.engine = ComposeEngine(service.state)
    in_container = FILE["configs"]["rabbitmq-3"]["content"].splitlines()
    settings = {line for line in in_container if not line.startswith("#")}
    watermark = f"vm_memory_high_watermark.absolute = {service.memory_watermark}"
    assert {*cluster_settings(service), watermark} == settings


@every_kafka
def test_brokers_keep_as_many_copies_as_their_client_is_told(name: services.ServiceName) -> None:
    kafka = cast(Kafka, services.find(name))
    for container in containers_of(name):
        settings = container["environment"]
        copies = {value for key, value in settings.items() if key.endswith("REPLICATION_FACTOR")}
        in_sync = {
            value for key, value in settings.items() if key.endswith(("MIN_ISR", "INSYNC_REPLICAS"))
        }
        assert ({str(kafka.replication)}, {str(kafka.min_insync_replicas)}) == (copies, in_sync)


@every_kafka
def test_broker_tells_its_clients_the_port_that_is_published(name: services.ServiceName) -> None:
    for node in LAYOUTS[name].nodes:
        container = CONTAINERS[node.name]
        (published,) = container["ports"]
        address = published.rpartition(":")[0]
        assert node.name == container["hostname"]
        assert (
            f"HOST://{address},INTERNAL://{node.name}:19092"
            == container["environment"]["KAFKA_ADVERTISED_LISTENERS"]
        )


@every_kafka
def test_brokers_vote_with_all_of_their_cluster(name: services.ServiceName) -> None:
    nodes = enumerate(LAYOUTS[name].nodes, start=1)
    voters = ",".join(f"{number}@{node.name}:19093" for number, node in nodes)
    for number, container in enumerate(containers_of(name), start=1):
        assert voters == container["environment"]["KAFKA_CONTROLLER_QUORUM_VOTERS"]
        assert str(number) == container["environment"]["KAFKA_NODE_ID"]


def test_each_cluster_has_an_id_of_its_own_that_kafka_takes() -> None:
    ids = {
        name: {container["environment"]["CLUSTER_ID"] for container in containers_of(name)}
        for name in ("kafka", "kafka-3")
    }
    assert [1, 1] == [len(each) for each in ids.values()]
    assert ids["kafka"].isdisjoint(ids["kafka-3"])
    for cluster in ids["kafka"] | ids["kafka-3"]:
        assert 16 == len(base64.urlsafe_b64decode(f"{cluster}=="))
        assert not cluster.startswith("-")
