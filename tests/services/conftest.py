"""A state folder of the tests' own, with real services in it.

Programs are shared with the checkout, so that they are fetched once; everything else lies in a
folder that is made for the session and gone after it.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from answerbook import services
from answerbook.config import Settings
from answerbook.services import Site
from answerbook.services.native import processes

UNLIMITED = {"SITE_RATE": "100000", "SITE_BURST": "100000"}
"""For the site's tests, which all come from one address."""


@pytest.fixture(scope="session")
def programs_folder() -> Path:
    """Where fetched programs are; read before any test changes the environment."""
    return Settings.load().programs_folder


@pytest.fixture(scope="session")
def session_home(programs_folder: Path) -> Iterator[Path]:
    """A state folder that PostgreSQL's user can reach when the tests run as root."""
    with state_folder() as folder, native_services(folder, programs_folder):
        yield folder


@contextmanager
def native_services(folder: Path, programs: Path) -> Iterator[None]:
    """In the block, services are processes in `folder`, of programs that are fetched already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANSWERBOOK_HOME", str(folder))
        patch.setenv("ANSWERBOOK_PROGRAMS", str(programs))
        patch.setenv("ANSWERBOOK_ENGINE", "native")
        yield


@pytest.fixture(autouse=True)
def home(session_home: Path) -> Path:
    """Every test here runs in the session's state folder, unless it asks for `fresh_home`."""
    return session_home


@pytest.fixture
def fresh_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder for one test alone."""
    with state_folder() as folder:
        monkeypatch.setenv("ANSWERBOOK_HOME", str(folder))
        yield folder


@pytest.fixture
def two_homes() -> Iterator[tuple[Path, Path]]:
    """State folders for one test alone, of which none is chosen."""
    with state_folder() as first, state_folder() as second:
        yield first, second


@pytest.fixture(scope="module")
def own_home(session_home: Path) -> Iterator[Path]:
    """A state folder for one module, whose topics have partitions and records of its own."""
    with pytest.MonkeyPatch.context() as patch, state_folder() as folder:
        patch.setenv("ANSWERBOOK_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def small_system(request: pytest.FixtureRequest, session_home: Path) -> Iterator[None]:
    """The notification system with few users and two workers, started by whoever requires it.

    It is down at the end, for its memory is wanted; but not between two modules that both want it.
    """
    if not any(service.name == "notify-api" for service in services.running()):
        # What other modules left in the topics is not what this system made.
        services.down(["kafka", "postgres"], delete_data=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANSWERBOOK_NOTIFY_USERS", "1000")
        patch.setenv("ANSWERBOOK_NOTIFY_DELIVER_WORKERS", "2")
        patch.setenv("ANSWERBOOK_START_TIMEOUT", "300")
        yield
        if not _next_module_wants(request, "small_system"):
            services.down(["notify", "kafka", "postgres"])


@pytest.fixture(scope="module")
def site(session_home: Path) -> Iterator[Site]:
    """Without a limit for one address: all the tests come from one."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in UNLIMITED.items():
            patch.setenv(name, value)
        site = services.find("site")
        if site.state.read_record("site") is not None:
            site.stop()
        yield services.require("site")
        site.stop()


def _next_module_wants(request: pytest.FixtureRequest, fixture: str) -> bool:
    items = request.session.items
    last = max(index for index, item in enumerate(items) if item.path == request.path)
    return any(fixture in getattr(item, "fixturenames", ()) for item in items[last + 1 : last + 2])


class state_folder:
    """A new state folder; at its end all services in it are ended and nothing of theirs may run."""

    def __enter__(self) -> Path:
        self.folder = Path(tempfile.mkdtemp(prefix="answerbook-test-", dir="/var/tmp"))
        self.folder.chmod(0o755)
        return self.folder

    def __exit__(self, *_: object) -> None:
        before = os.environ.get("ANSWERBOOK_HOME")
        os.environ["ANSWERBOOK_HOME"] = str(self.folder)
        try:
            for service in services.running():
                service.kill()  # an orderly end of RabbitMQ takes six seconds
            services.down()
            assert running_under(self.folder) == []
        finally:
            if before is None:
                del os.environ["ANSWERBOOK_HOME"]
            else:
                os.environ["ANSWERBOOK_HOME"] = before
            shutil.rmtree(self.folder)


@pytest.fixture
def still_running() -> Callable[[Path], list[psutil.Process]]:
    """What still runs of the services in a state folder."""
    return running_under


def running_under(folder: Path) -> list[psutil.Process]:
    """Processes of the services in this state folder, by their mark and by where they work."""
    marked = processes.marked(str(folder.resolve()))
    working = [process for process in psutil.process_iter() if _works_in(process, folder)]
    return list({process.pid: process for process in marked + working}.values())


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()).is_relative_to(folder)
    except (psutil.Error, OSError):
        return False
