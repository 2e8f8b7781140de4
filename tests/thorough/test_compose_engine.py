"""The compose engine on a real Docker engine, with stand-ins for the images."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from answerbook import services
from answerbook.services import FetchFailed, MissingProgram, Service, StartFailed
from answerbook.services.compose import containers, docker_answers, images, machine, memory
from answerbook.services.compose.commands import docker, succeed
from answerbook.services.compose.layout import layout
from answerbook.services.compose.project import Project, write_variables
from tests.services.test_contract import (  # what every engine promises
    CLIENTS,
    name,
    service,
    test_killed_service_is_started_again_with_its_data,
    test_paused_service_is_resumed_by_require,
    test_requiring_a_running_service_starts_nothing,
    test_service_outlives_the_process_that_required_it,
    test_service_shows_no_password,
    test_stopped_service_starts_again_with_its_data,
)
from tests.thorough.parts import Parts

__all__ = [
    "name",
    "service",
    "test_killed_service_is_started_again_with_its_data",
    "test_paused_service_is_resumed_by_require",
    "test_requiring_a_running_service_starts_nothing",
    "test_service_outlives_the_process_that_required_it",
    "test_service_shows_no_password",
    "test_stopped_service_starts_again_with_its_data",
]

# The first test waits for the engine and the images, which are made anew after a change.
pytestmark = [pytest.mark.thorough, pytest.mark.timeout(1200)]

Listing = Callable[[], dict[str, set[str]]]
DEADLINE = 90.0
UP = [sys.executable, "-m", "answerbook", "up"]
HARD_TO_QUOTE = 'it\'s / my @ own: pass%word # "$HOME" ${PATH} $$ `id` \\n \\'


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE:.0f} s for {what}"
        time.sleep(0.02)


def names_of(service: Service) -> list[str]:
    project = Project(service.state)
    return [project.container(node) for node in layout(service).nodes]


def wait_until_healthy(service: Service) -> None:
    inspect = ("container", "inspect", "--format", "{{.State.Health.Status}}", *names_of(service))
    wait_for(lambda: set(docker(*inspect).split()) == {"healthy"}, f"{service.name} to be healthy")


def test_engine_of_this_machine_answers() -> None:
    assert docker_answers()


# -- what stands in compose.yaml --------------------------------------------------------------


def test_containers_are_reached_on_loopback_only(service: Service) -> None:
    (name,) = names_of(service)
    bindings = json.loads(
        docker("container", "inspect", "--format", "{{json .HostConfig.PortBindings}}", name)
    )
    published = {int(each["HostPort"]) for bound in bindings.values() for each in bound}
    assert published == set(service.ports(1).values())
    sockets = psutil.net_connections("inet")
    listening = [each.laddr for each in sockets if each.status == psutil.CONN_LISTEN]
    assert {"127.0.0.1"} == {each.ip for each in listening if each and each.port in published}


def test_container_is_found_healthy_by_its_images_own_client(service: Service) -> None:
    wait_until_healthy(service)


def test_memory_is_what_docker_says(service: Service) -> None:
    (container,) = containers.inspect(names_of(service)).values()
    told = memory.parse(docker("stats", "--no-stream", "--format", "{{.MemUsage}}", container.id))
    assert 0.75 < service.engine.memory(service, 1) / told < 1.25


def test_variables_reach_compose_unchanged(tmp_path: Path) -> None:
    file = tmp_path / "compose.env"
    for password in (HARD_TO_QUOTE, "two\nlines", "\\", '"', "$", "'", "a\\'b", " spaces ", "é"):
        write_variables(file, {"ANSWERBOOK_POSTGRES_PASSWORD": password})
        words = [*machine.needed_compose_program(), "--file", str(machine.needed_compose_file())]
        config = succeed([*words, "--env-file", str(file), "config", "--format", "json"])
        passed_on = json.loads(config)["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"]
        # What compose prints is a compose file again, where a dollar is doubled.
        assert password == passed_on.replace("$$", "$")


def test_password_of_the_readers_own_is_used(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSWERBOOK_POSTGRES_PASSWORD", HARD_TO_QUOTE)
    assert HARD_TO_QUOTE == services.require("postgres").password


# -- starting ---------------------------------------------------------------------------------


def test_taken_port_is_replaced_by_a_free_one(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        monkeypatch.setenv("ANSWERBOOK_POSTGRES_PORT", str(taken))
        assert taken != services.require("postgres").port


def test_two_processes_that_require_at_once_get_one_service(fresh_home: Path) -> None:
    both = [
        subprocess.Popen([*UP, "postgres"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=DEADLINE)[0].decode() for process in both]
    assert [0, 0] == [process.returncode for process in both], outputs
    assert 1 == sum(" is up (" in output for output in outputs), outputs


def started_and_signalled(how: signal.Signals, listing: Listing) -> int:
    """Start RabbitMQ with the command, and signal the command when its container is there."""
    before = listing()["containers"]
    command = subprocess.Popen(
        [*UP, "rabbitmq"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    wait_for(lambda: listing()["containers"] - before, "RabbitMQ's container")
    command.send_signal(how)
    command.communicate(timeout=DEADLINE)
    return command.returncode


def test_start_that_is_interrupted_leaves_nothing(fresh_home: Path, listing: Listing) -> None:
    before = listing()
    assert 130 == started_and_signalled(signal.SIGINT, listing)
    assert before == listing()
    assert [] == services.running()


def test_down_ends_what_a_killed_start_left(fresh_home: Path, listing: Listing) -> None:
    before = listing()
    assert -signal.SIGKILL == started_and_signalled(signal.SIGKILL, listing)
    assert ["rabbitmq"] == services.down()
    assert before == listing()


def test_require_adopts_what_a_killed_start_left(fresh_home: Path, listing: Listing) -> None:
    started_and_signalled(signal.SIGKILL, listing)
    services.require("rabbitmq").round_trip()


def test_data_whose_making_was_cut_short_is_made_anew(fresh_home: Path) -> None:
    postgres = services.find("postgres")
    postgres.engine.start(postgres, None)
    wait_for(lambda: "running bootstrap script" in postgres.logs(100), "initdb to begin")
    postgres.kill()
    assert "Success. You can now start" not in postgres.logs(100), "initdb was faster than the kill"
    services.require("postgres").round_trip()


def test_container_that_an_interrupted_change_left_is_replaced(fresh_home: Path) -> None:
    postgres = services.require("postgres")
    CLIENTS["postgres"].write(postgres, "before the change")
    postgres.stop()
    (name,) = names_of(postgres)
    docker("rename", name, f"0123456789ab_{name}")
    assert "before the change" == CLIENTS["postgres"].read(services.require("postgres"))
    assert [name] == docker(
        "ps", "--all", "--format", "{{.Names}}", "--filter", f"name={name}"
    ).split()


def test_data_outlives_down(fresh_home: Path, listing: Listing) -> None:
    CLIENTS["postgres"].write(services.require("postgres"), "before down")
    services.down()
    assert "before down" == CLIENTS["postgres"].read(services.require("postgres"))


# -- clusters of three ------------------------------------------------------------------------


def test_one_of_three_brokers_is_killed_and_started_on_its_own(fresh_home: Path) -> None:
    kafka = services.require("kafka-3")
    assert 3 == len(set(kafka.bootstrap_servers))
    CLIENTS["kafka"].write(kafka, "on all three")
    before = [status.pid for status in kafka.nodes()]
    kafka.kill(node=2)
    assert ["running", "stopped", "running"] == [status.condition for status in kafka.nodes()]
    assert "on all three" == CLIENTS["kafka"].read(kafka)

    with (
        socket.create_server(("127.0.0.1", kafka.ports(2)["kafka"])),
        pytest.raises(StartFailed, match="was taken by another program.*answerbook down"),
    ):
        kafka.start(node=2)
    assert ["running", "stopped", "running"] == [status.condition for status in kafka.nodes()]

    after = [status.pid for status in services.require("kafka-3").nodes()]
    assert (before[0], before[2]) == (after[0], after[2])
    assert before[1] != after[1]


def test_quorum_queue_outlives_one_of_three_nodes_on_its_own(fresh_home: Path) -> None:
    rabbitmq = services.require("rabbitmq-3")
    assert [{1, 2, 3}] * 3 == [rabbitmq.clustered(node) for node in (1, 2, 3)]
    channel = rabbitmq.channel(2)
    channel.queue_declare("kept", durable=True, arguments={"x-queue-type": "quorum"})
    channel.confirm_delivery()
    channel.basic_publish("", "kept", b"on all three", mandatory=True)
    channel.connection.close()
    wait_until_healthy(rabbitmq)

    before = [status.pid for status in rabbitmq.nodes()]
    rabbitmq.kill(node=1)
    assert ["stopped", "running", "running"] == [each.condition for each in rabbitmq.nodes()]
    wait_for(lambda: rabbitmq.clustered(3) == {2, 3}, "the others to notice")
    assert "on all three" == CLIENTS["rabbitmq"].read(rabbitmq)

    after = [status.pid for status in services.require("rabbitmq-3").nodes()]
    assert before[1:] == after[1:]
    assert before[0] != after[0]

    rabbitmq.pause(node=3)
    assert ["running", "running", "paused"] == [each.condition for each in rabbitmq.nodes()]
    rabbitmq.start()
    assert [{1, 2, 3}] * 3 == [rabbitmq.clustered(node) for node in (1, 2, 3)]
    rabbitmq.kill()
    rabbitmq.start()
    assert [{1, 2, 3}] * 3 == [rabbitmq.clustered(node) for node in (1, 2, 3)]


# -- images -----------------------------------------------------------------------------------


@pytest.fixture
def registry(parts: Parts, tmp_path: Path) -> Iterator[str]:
    """An empty registry on loopback; its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    (tmp_path / "registry.yml").write_text(
        f"version: 0.1\n"
        f"storage: {{filesystem: {{rootdirectory: {tmp_path}/registry}}}}\n"
        f"http: {{addr: '{address}'}}\n"
    )
    program = parts.docker / "usr" / "bin" / "docker-registry"
    with (tmp_path / "registry.log").open("w") as log:
        process = subprocess.Popen(
            [program, "serve", tmp_path / "registry.yml"], stdout=log, stderr=log
        )
    try:
        wait_for(lambda: answers(address), "the registry")
        yield address
    finally:
        process.kill()
        process.wait()


def answers(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) == 0


def test_image_that_is_not_here_is_pulled_once(
    registry: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    image = f"{registry}/answerbook/trial:1.2.3"
    folder = tmp_path / "image"
    folder.mkdir()
    (folder / "file").write_text("of an image")
    (folder / "Dockerfile").write_text("FROM scratch\nENV VERSION=1.2.3-4\nCOPY file /file\n")
    docker("build", "--tag", image, str(folder))
    docker("push", image)
    docker("rmi", image)
    try:
        images.fetch(image, "ANSWERBOOK_TRIAL_IMAGE")
        images.fetch(image, "ANSWERBOOK_TRIAL_IMAGE")
        assert 1 == capsys.readouterr().out.count(f"Fetching the image {image}, once.")
        assert "1.2.3" == images.version(image, "VERSION")
        assert "1.2.3" == images.version(image, None)
    finally:
        docker("rmi", image)


def test_image_that_cannot_be_pulled_is_named_with_its_variable(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSWERBOOK_POSTGRES_IMAGE", "127.0.0.1:9/nowhere/postgres:18")
    with pytest.raises(FetchFailed, match="(?s)nowhere/postgres:18.*ANSWERBOOK_POSTGRES_IMAGE"):
        services.require("postgres")
    assert [] == services.running()


# -- without an engine ------------------------------------------------------------------------


def test_engine_that_is_gone_is_said_and_does_not_hold_anybody_up(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch, listing: Listing
) -> None:
    before = listing()["containers"]
    services.require("postgres")
    with monkeypatch.context() as gone:
        gone.setenv("DOCKER_HOST", f"unix://{fresh_home}/no-engine.sock")
        with pytest.raises(MissingProgram, match="does not answer.*ANSWERBOOK_ENGINE=native"):
            services.require("postgres")
        assert ["postgres"] == services.down(["postgres"])
    # It is back, and what it kept is found though no record of it is left.
    assert before != listing()["containers"]
    services.down(["postgres"])
    assert before == listing()["containers"]
