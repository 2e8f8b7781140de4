import subprocess
import sys

import pytest

from answerbook import services
from answerbook.load import ledger
from answerbook.load.events import new_run_id
from answerbook.load.sent import Plan
from answerbook.million import Million
from answerbook.notebook import load
from answerbook.services import Notify

USERS = 1_000

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("small_system")]


@pytest.fixture
def system() -> Notify:
    return services.require("notify")


def test_the_command_sends_watches_and_balances(system: Notify) -> None:
    run_id = new_run_id("million")
    command = [sys.executable, "-m", "answerbook", "notify", "million"]
    done = subprocess.run(
        [*command, "--events", "2000", "--run", run_id],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *_, summary = done.stdout.splitlines()
    assert summary.startswith(f"{run_id}: 2,000 events in ")
    assert "; 0 lost, 0 twice at FCM, p99 from the door to FCM " in summary
    assert summary.endswith("; balanced")
    kept = list(ledger.read(ledger.path_of(system.ledger_folder, run_id)))
    assert len({event_id for event_id, _ in kept}) == 2_000


def test_nothing_is_lost_when_the_api_and_a_worker_are_killed_under_load(system: Notify) -> None:
    plan = Plan(system.url, new_run_id("killed"), system.ledger_folder, 6_000, rate=1_000)
    with Million(system, plan, USERS) as run:
        while run.totals.accepted < 2_000:
            run.watch()
        system.api.kill()
        system.deliver.kill(node=1)
        system.api.start()
        system.deliver.start(node=1)
        while not run.done:
            run.watch()
        report = run.audit()
    assert run.totals.failures, "the sender noticed nothing"
    assert run.totals.accepted == report.events.accepted == 6_000
    assert report.balanced, report.summary
    assert report.events.no_outcome == 0


def test_a_load_test_from_a_cell_is_accounted_for(system: Notify) -> None:
    seconds = load.run(
        "steady",
        system.url,
        system.api_key,
        ledger=system.ledger_folder,
        seconds=5,
        rate=100,
        users=USERS,
    )
    whole = seconds.attrs["whole"]
    assert (whole.accepted, whole.errors) == (500, 0)
    nothing = Plan(system.url, whole.run_id, system.ledger_folder, 0)
    with Million(system, nothing, USERS) as run:
        while not run.done:
            run.watch()
        report = run.audit()
    assert report.balanced, report.summary
    assert report.events.accepted == 500
