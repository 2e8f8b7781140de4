"""A Docker engine with stand-in images on it, and a state folder whose services run there."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from answerbook import services
from answerbook.config import Settings
from answerbook.services.compose.commands import docker
from tests.thorough.parts import Parts, provide, run_script
from tests.thorough.private_docker import private_docker, private_network

# Read before any test changes the environment: parts are kept with the checkout's programs.
SETTINGS = Settings.load()
NETWORKS_OF_DOCKERS_OWN = {"bridge", "host", "none"}

Listing = dict[str, set[str]]


@pytest.fixture(scope="module")
def parts() -> Parts:
    return provide(SETTINGS)


@pytest.fixture(scope="module")
def engine(parts: Parts) -> Iterator[str]:
    """The address of a Docker engine, which the environment names from here on."""
    folder = Path(tempfile.mkdtemp(prefix="answerbook-docker-", dir="/var/tmp"))
    with (
        private_network(),
        private_docker(parts, folder) as address,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("PATH", parts.environment()["PATH"])
        patch.setenv("DOCKER_HOST", address)
        patch.setenv("DOCKER_CONFIG", str(parts.plugins))
        patch.delenv("DOCKER_CONTEXT", raising=False)
        yield address


@pytest.fixture(scope="module")
def images(engine: str, parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Stand-in images, which the settings name from here on."""
    log = tmp_path_factory.mktemp("images") / "build-images.log"
    run_script("build-images", parts.base, parts.kafka, log=log)
    (kafka,) = docker("images", "--format", "{{.Repository}}:{{.Tag}}", "standin-kafka").split()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANSWERBOOK_ENGINE", "compose")
        patch.setenv("ANSWERBOOK_RABBITMQ_IMAGE", "standin-rabbitmq")
        patch.setenv("ANSWERBOOK_POSTGRES_IMAGE", "standin-postgres")
        patch.setenv("ANSWERBOOK_KAFKA_IMAGE", kafka)
        yield


@pytest.fixture(scope="module")
def module_home(images: None) -> Iterator[Path]:
    """A state folder for the module's tests, with nothing of it left on Docker afterwards."""
    with state_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANSWERBOOK_HOME", str(folder))
        yield folder
    assert {"containers": set(), "volumes": set(), "networks": set()} == on_docker()


@pytest.fixture(autouse=True)
def home(module_home: Path) -> Path:
    """Every test here runs in the module's state folder, unless it asks for `fresh_home`."""
    return module_home


@pytest.fixture
def fresh_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder for one test alone."""
    with state_folder() as folder:
        monkeypatch.setenv("ANSWERBOOK_HOME", str(folder))
        yield folder


@pytest.fixture
def listing() -> Callable[[], Listing]:
    """What is on Docker now."""
    return on_docker


class state_folder:
    """A new state folder; at its end its services are ended and their data deleted."""

    def __enter__(self) -> Path:
        self.folder = Path(tempfile.mkdtemp(prefix="answerbook-test-", dir="/var/tmp"))
        return self.folder

    def __exit__(self, *_: object) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ANSWERBOOK_HOME", str(self.folder))
            services.down(delete_data=True)
        shutil.rmtree(self.folder)


def on_docker() -> Listing:
    """Names of all containers, volumes, and networks but those that every engine has."""
    return {
        "containers": set(docker("ps", "--all", "--format", "{{.Names}}").split()),
        "volumes": set(docker("volume", "ls", "--quiet").split()),
        "networks": set(docker("network", "ls", "--format", "{{.Name}}").split())
        - NETWORKS_OF_DOCKERS_OWN,
    }
