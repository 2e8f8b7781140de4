"""What notebook 2_3 runs: delivery without the rest of the system, and records for it."""

from collections.abc import Iterator

import pytest
import requests

from answerbook import services
from answerbook.notebook.delivering import Delivering, per_second
from answerbook.services import Notify, Service

pytestmark = pytest.mark.usefixtures("own_home")


@pytest.fixture
def system() -> Iterator[Notify]:
    system = services.find("notify")
    programs = [program.name for program in system.programs]
    services.down(programs)
    system.start_delivery()
    control = requests.Session()
    control.headers["Authorization"] = f"Bearer {system.emulator.token}"
    faults = {"tokens": {"gone": "UNREGISTERED", "limited": "QUOTA_EXCEEDED"}}
    url = f"{system.emulator.url}/control"
    control.put(f"{url}/faults", json=faults, timeout=10).raise_for_status()
    yield system
    control.post(f"{url}/reset", timeout=10).raise_for_status()
    services.down(programs)


def is_running(program: Service) -> bool:
    return any(node.condition == "running" for node in program.nodes())


def test_delivery_runs_alone_and_tells_what_became_of_each(system: Notify) -> None:
    there = {program.name for program in system.programs if is_running(program)}
    assert {"notify-emulator", "notify-deliver"} == there
    delivering = Delivering(system)
    notes = [delivering.note("fine"), delivering.note("gone"), delivering.note("fine", ttl=-1)]
    limited = delivering.note("limited")
    delivering.write([*notes, limited])
    outcomes = [receipt.outcome for receipt in delivering.receipts_of(notes)]
    assert ["sent", "dead", "expired"] == outcomes
    topic, again = delivering.put_off_of(limited)
    assert ("retries.120s", 1) == (topic, again.attempt)
    copies = delivering.metric("duplicates_total")
    delivering.write_raw(b"no notification")
    assert "malformed" == delivering.letter_of("no notification").reason
    assert copies == delivering.metric("duplicates_total")


def test_steady_writes_as_many_as_it_is_told(system: Notify) -> None:
    delivering = Delivering(system)
    notes = delivering.steady(25, rate=1_000)
    assert 25 == len({note.notification_id for note in notes})
    assert {"sent"} == {receipt.outcome for receipt in delivering.receipts_of(notes)}


def test_moments_are_counted_by_parts_of_a_second() -> None:
    assert ([0.0, 0.5, 1.0], [4, 0, 2]) == per_second([5_000, 5_499, 6_000], 5_000)
