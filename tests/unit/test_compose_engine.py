"""The compose engine without a Docker engine: what it reads and writes, and what it says then."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answerbook import services
from answerbook.config import Settings
from answerbook.services import MissingProgram, NodeStatus
from answerbook.services.compose import commands, containers, docker_answers, machine, memory
from answerbook.services.compose.commands import DockerFailed, DockerUnreachable
from answerbook.services.compose.images import Layers, tag
from answerbook.services.compose.layout import Node
from answerbook.services.compose.project import Project, env_file, write_variables
from answerbook.services.state import ServiceRecord, StateFolder

# Printed by Docker 20.10.24.
ID = "1057d6f276c2d5a95cc500201051344310850c6fd911ef6cd5fc376d747402cd"
INSPECTED = (
    f'{{"id":"{ID}","name":"/answerbook-ece415b1d2-postgres-1","status":"%s","pid":%d,'
    '"started":"%s"}\n'
)
STARTED = "2026-11-24T03:48:16.148642002Z"
PULLED = """\
1: Pulling from trial/two
5d67acb0f704: Already exists
a3bc46e67843: Pulling fs layer
a3bc46e67843: Verifying Checksum
a3bc46e67843: Download complete
a3bc46e67843: Pull complete
Digest: sha256:4a44de8f3f7b788e67a9f1528d428c36933fec315bdf8e12eaf3eaee8037bc2d
Status: Downloaded newer image for 127.0.0.1:5000/trial/two:1
127.0.0.1:5000/trial/two:1
"""


def project(folder: Path) -> Project:
    return Project(StateFolder(folder))


# -- what Docker prints -----------------------------------------------------------------------


@pytest.mark.parametrize("condition", ["running", "paused"])
def test_living_container_is_read(condition: str) -> None:
    (found,) = containers.parse(INSPECTED % (condition, 22032, STARTED)).values()
    now = datetime(2026, 11, 24, 3, 49, 16, 148642, UTC)
    assert "answerbook-ece415b1d2-postgres-1" == found.name
    assert NodeStatus(2, found.condition, 22032, 60.0) == found.status(2, now)
    assert condition == found.condition


@pytest.mark.parametrize(
    ("condition", "started"),
    [("exited", STARTED), ("created", "0001-01-01T00:00:00Z"), ("dead", STARTED)],
)
def test_any_other_container_is_stopped(condition: str, started: str) -> None:
    (found,) = containers.parse(INSPECTED % (condition, 0, started)).values()
    assert NodeStatus(1, "stopped") == found.status(1, datetime.now(UTC))


def test_uptime_is_the_same_wherever_the_clock_is() -> None:
    (found,) = containers.parse(INSPECTED % ("running", 7, "2026-11-24T05:48:16+02:00")).values()
    assert datetime(2026, 11, 24, 3, 48, 16, tzinfo=UTC) == found.started
    assert timedelta(0) == found.started.utcoffset()


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("0B / 0B", 0),
        ("37.45MiB / 1GiB", 39_269_171),
        ("1.5GiB / 2GiB", 1_610_612_736),
        ("512KiB / 1GiB", 524_288),
        ("-- / --", 0),
    ],
)
def test_memory_is_read_in_bytes(printed: str, expected: int) -> None:
    assert expected == memory.parse(printed)


def test_layers_of_an_image_are_counted_while_it_is_pulled() -> None:
    layers = Layers()
    seen = []
    for line in PULLED.splitlines():
        layers.read(line)
        seen.append((layers.finished, layers.total))
    assert [(0, 0), (1, 1), (1, 2), (1, 2), (1, 2), (2, 2), (2, 2), (2, 2), (2, 2)] == seen


@pytest.mark.parametrize(
    ("complaint", "expected"),
    [
        (
            "Cannot connect to the Docker daemon at unix:///no.sock. Is the docker daemon running?",
            "The Docker engine does not answer (Cannot connect",
        ),
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///a",
            "sudo usermod -aG docker",
        ),
        (
            'error during connect: Get "http://docker.example.com/v1.24/version": command [ssh]\n',
            "The Docker engine does not answer (error during",
        ),
    ],
)
def test_engine_that_cannot_be_reached_is_told_from_a_command_that_failed(
    complaint: str, expected: str
) -> None:
    error = commands.failure(["docker", "ps"], complaint)
    assert isinstance(error, DockerUnreachable)
    assert expected in str(error)
    assert "\n" not in str(error)
    assert "export ANSWERBOOK_ENGINE=native" in str(error)


def test_command_that_failed_is_named_with_what_it_said() -> None:
    complaint = "Error response from daemon: conflict: unable to remove\nvolume is in use.\n"
    error = commands.failure(["docker", "volume", "rm"], complaint)
    assert isinstance(error, DockerFailed)
    assert "`docker volume` failed: Error response from daemon" in str(error)
    assert "\n" not in str(error)


# -- names and variables ----------------------------------------------------------------------


def test_each_state_folder_is_a_project_of_its_own(tmp_path: Path) -> None:
    assert project(tmp_path / "a").name != project(tmp_path / "b").name


def test_project_is_the_same_by_whatever_path_its_folder_is_reached(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    assert project(tmp_path / "folder").name == project(tmp_path / "link").name


def test_project_has_a_name_that_compose_takes(tmp_path: Path) -> None:
    name = project(tmp_path / "A folder, with Ünusual characters").name
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name)
    assert f"{name}-kafka-1-1" == project(tmp_path / "A folder, with Ünusual characters").container(
        Node("kafka-1", {})
    )


def test_variables_are_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "compose.env"
    write_variables(file, {"PORT": "5432", "PASSWORD": 'a "$b" \\'})
    assert 0o600 == file.stat().st_mode & 0o777
    assert 'PORT="5432"\nPASSWORD="a \\"\\$b\\" \\\\"\n' == file.read_text()


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_no_value_reaches_beyond_its_line(value: str) -> None:
    text = env_file({"FIRST": value, "SECOND": ""})
    assert ['FIRST="', 'SECOND="', ""] == re.findall(r'^(?:\w+="|$)', text, re.MULTILINE)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("registry.example/apache/kafka:4.1.1", "4.1.1"),
        ("postgres:18-alpine", "18-alpine"),
        ("127.0.0.1:5000/postgres", "latest"),
        ("127.0.0.1:5000/a/postgres:18.1@sha256:0123", "18.1"),
    ],
)
def test_tag_of_an_image(image: str, expected: str) -> None:
    assert expected == tag(image)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("2.40.3\n", (2, 40, 3)),
        ("v2.23.1", (2, 23, 1)),
        ("2.24.5-desktop.1", (2, 24, 5)),
        ("2.26.1-4", (2, 26, 1)),
        ("5.0.0", (5, 0, 0)),
        ("dev", ()),
        ("", ()),
    ],
)
def test_version_of_compose_is_read(printed: str, expected: tuple[int, ...]) -> None:
    assert expected == machine.version_of(printed)


def test_version_1_of_compose_will_not_do() -> None:
    assert machine.version_of("1.29.2") < machine.LEAST_COMPOSE <= machine.version_of("2.23.1")
    assert machine.version_of("unknown") < machine.LEAST_COMPOSE


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("unix:///var/run/docker.sock", True),
        ("npipe:////./pipe/docker_engine", True),
        ("tcp://127.0.0.1:2375", True),
        ("tcp://localhost:2376", True),
        ("tcp://docker:2375", False),
        ("ssh://me@elsewhere.example", False),
        ("", False),
    ],
)
def test_engine_counts_when_it_is_on_this_machine(endpoint: str, expected: bool) -> None:
    assert expected == machine.is_here(endpoint)


# -- without an engine ------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder, on the compose engine, and no engine that listens."""
    monkeypatch.setenv("ANSWERBOOK_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("ANSWERBOOK_ENGINE", "compose")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")
    return tmp_path / "state"


@pytest.fixture(params=["no command", "no engine"])
def without(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Without the `docker` command, and without an engine that it could talk to.

    Where the command is not installed, the second is the same as the first.
    """
    if request.param == "no command":
        monkeypatch.setenv("PATH", str(home))
    return str(request.param)


def test_docker_does_not_answer_where_there_is_none(without: str) -> None:
    assert not docker_answers()
    assert machine.why_not() in (
        "there is no `docker` command",
        "The Docker engine does not answer",
    )


def test_package_without_the_file_has_no_compose_engine(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("answerbook.services.compose.machine.repository", lambda: None)
    assert not docker_answers()
    with pytest.raises(MissingProgram, match="docker/compose.yaml.*ANSWERBOOK_ENGINE=native"):
        machine.needed_compose_file()


def test_service_that_is_required_says_what_is_missing(without: str) -> None:
    with pytest.raises(MissingProgram, match="export ANSWERBOOK_ENGINE=native") as caught:
        services.require("postgres")
    assert "\n" not in str(caught.value)
    assert [] == services.running()


def test_down_and_status_need_no_docker(without: str, capsys: pytest.CaptureFixture[str]) -> None:
    state = StateFolder.open(Settings.load())
    ports = {1: {"postgres": 5432}}
    state.write_record(
        ServiceRecord(service="postgres", engine="compose", version="18.1", ports=ports)
    )
    postgres = services.find("postgres")
    assert [NodeStatus(1, "stopped")] == postgres.nodes()
    assert ["postgres"] == services.down()
    assert "goes at the next `answerbook down postgres`" in capsys.readouterr().out
    assert [] == services.running()
