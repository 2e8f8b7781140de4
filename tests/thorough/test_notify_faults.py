"""Every fault under a load of 100,000 events, for as long as such things last; then the audit."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from answerbook import services
from answerbook.config import Settings
from answerbook.notebook import fault_runs
from answerbook.notebook.faults import BROKER, FAULTS, Fault
from answerbook.services import Notify
from tests.services.conftest import state_folder
from tests.services.notify_faults import nothing_is_lost

EVENTS, RATE = 100_000, 1_000
SECONDS = {
    "a delivery worker killed": 20.0,
    "the API killed": 10.0,
    "PostgreSQL restarted": 20.0,
    "FCM down": 30.0,
    "FCM answers 503 to a third": 30.0,
    "FCM answers 429 to a third": 10.0,
    "FCM loses answers": 30.0,
    BROKER.name: 20.0,
}
"""How long each lasts; the others as they do."""
# Read before any test changes the environment.
PROGRAMS = Settings.load().programs_folder

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(1_800)]


@pytest.fixture(scope="module")
def native_home() -> Iterator[Path]:
    """A state folder on this machine, with the system of two workers in it."""
    with pytest.MonkeyPatch.context() as patch, state_folder() as folder:
        patch.setenv("ANSWERBOOK_HOME", str(folder))
        patch.setenv("ANSWERBOOK_PROGRAMS", str(PROGRAMS))
        patch.setenv("ANSWERBOOK_ENGINE", "native")
        patch.setenv("ANSWERBOOK_NOTIFY_DELIVER_WORKERS", "2")
        patch.setenv("ANSWERBOOK_START_TIMEOUT", "300")
        yield folder


@pytest.fixture(autouse=True)
def home(native_home: Path) -> Path:
    """These need no Docker."""
    return native_home


def struck_by(notify: Notify, fault: Fault) -> None:
    lasting = replace(fault, seconds=SECONDS.get(fault.name, fault.seconds))
    struck = fault_runs.run(notify, lasting, EVENTS, RATE)
    print(struck.row(), struck.held_back, struck.report.summary)
    nothing_is_lost(struck, EVENTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_nothing_is_lost(fault: Fault) -> None:
    struck_by(services.require("notify", kafka="kafka"), fault)


def test_broker_of_three_is_killed_and_nothing_is_lost() -> None:
    struck_by(services.require("notify", kafka="kafka-3"), BROKER)
