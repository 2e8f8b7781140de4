import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from answerbook.load import ledger
from answerbook.load.sending import Sending, SendingFailed
from answerbook.load.sent import Plan
from tests.unit.notify_api import KEY, Server, serving
from tests.unit.peers import is_gone


@pytest.fixture
def api() -> Iterator[Server]:
    with serving() as server:
        yield server


def entries(plan: Plan) -> list[str]:
    return [event_id for event_id, _ in ledger.read(ledger.path_of(plan.ledger, plan.run_id))]


def test_every_event_is_accepted_once_and_in_the_ledger(api: Server, tmp_path: Path) -> None:
    plan = Plan(api.url, "r1", tmp_path, count=5_003)
    with Sending(plan, KEY) as sending:
        totals = sending.finish()
    assert (totals.accepted, totals.refused, totals.unanswered) == (5_003, 0, 0)
    assert (totals.done, totals.interrupted, totals.again) == (True, False, 0)
    assert sorted(entries(plan)) == sorted(f"reader/r1-{n}" for n in range(1, 5_004))
    assert api.seen() == dict.fromkeys(entries(plan), 1)


def test_a_run_is_continued_where_it_ended(api: Server, tmp_path: Path) -> None:
    for first in (1, 101):
        with Sending(Plan(api.url, "r1", tmp_path, count=100, first=first), KEY) as half:
            assert half.finish().accepted == 100
    assert api.seen() == {f"reader/r1-{number}": 1 for number in range(1, 201)}
    assert len(entries(half.plan)) == 200


def test_malformed_events_are_counted_with_their_reasons(api: Server, tmp_path: Path) -> None:
    plan = Plan(api.url, "r1", tmp_path, count=2_000)
    with Sending(plan, KEY, malformed=0.5) as sending:
        totals = sending.finish()
    assert totals.accepted + totals.refused == 2_000
    assert totals.accepted == len(entries(plan)) == len(api.seen())
    assert sum(totals.reasons.values()) == totals.refused > 800
    assert "kind: must not be empty" in totals.reasons


@pytest.mark.parametrize("status", [429, 503])
def test_what_is_put_off_is_sent_again_after_the_pause(
    api: Server, tmp_path: Path, status: int
) -> None:
    api.faults(refuse_every=3, status=status, retry_after=0.05)
    plan = Plan(api.url, "r1", tmp_path, count=2_000, batch=100)
    with Sending(plan, KEY) as sending:
        totals = sending.finish()
    assert totals.accepted == 2_000
    assert totals.failures == {str(status): totals.again // 100}
    assert totals.again >= 900
    assert api.seen() == {f"reader/r1-{number}": 1 for number in range(1, 2_001)}


def test_an_answer_that_was_lost_is_asked_for_again_by_the_same_ids(
    api: Server, tmp_path: Path
) -> None:
    api.faults(lose_every=4)
    plan = Plan(api.url, "r1", tmp_path, count=800, batch=100)
    with Sending(plan, KEY) as sending:
        totals = sending.finish()
    assert totals.accepted == len(entries(plan)) == 800
    assert totals.again > 0
    assert api.seen().keys() == {f"reader/r1-{number}" for number in range(1, 801)}
    assert max(api.seen().values()) > 1, "the API saw some twice, and the ledger each once"
    assert len(set(entries(plan))) == 800


def test_an_asked_for_rate_is_not_passed(api: Server, tmp_path: Path) -> None:
    plan = Plan(api.url, "r1", tmp_path, count=1_000, rate=1_000)
    assert plan.size == 100
    with Sending(plan, KEY) as sending:
        totals = sending.finish()
    assert totals.accepted == 1_000
    assert totals.seconds > 0.9, "the last tenth is due after nine tenths of a second"


def test_sigterm_ends_it_with_everything_counted(api: Server, tmp_path: Path) -> None:
    plan = Plan(api.url, "r1", tmp_path, count=1_000_000, rate=20_000)
    with Sending(plan, KEY) as sending:
        for totals in sending:
            if totals.accepted and not totals.done:
                sending.stop()
    assert totals.interrupted
    assert totals.accepted == len(entries(plan)) == len(api.seen()) < 1_000_000


def test_ctrl_c_ends_it_while_the_api_does_not_answer(api: Server, tmp_path: Path) -> None:
    api.faults(refuse_every=1, status=503, retry_after=30)
    plan = Plan(api.url, "r1", tmp_path, count=1_000, batch=500)
    with Sending(plan, KEY) as sending:
        for totals in sending:
            if totals.failures and not totals.done:
                os.kill(sending.pid, signal.SIGINT)
    assert (totals.accepted, totals.interrupted) == (0, True)
    assert totals.unanswered > 0


def test_a_wrong_key_ends_it_at_once(api: Server, tmp_path: Path) -> None:
    with (
        Sending(Plan(api.url, "r1", tmp_path, count=100), "ab_another_key") as sending,
        pytest.raises(SendingFailed, match="401: no such key"),
    ):
        sending.finish()


def test_what_is_no_key_is_told_before_anything_is_sent(api: Server, tmp_path: Path) -> None:
    with (
        Sending(Plan(api.url, "r1", tmp_path, count=100), "secret") as sending,
        pytest.raises(SendingFailed, match="looks like ab_<key id>_<secret>"),
    ):
        sending.finish()


def test_a_ledger_that_cannot_be_written_ends_it(api: Server, tmp_path: Path) -> None:
    plan = Plan(api.url, "r1", tmp_path / "file", count=100)
    plan.ledger.write_text("in the way")
    with (
        Sending(plan, KEY) as sending,
        pytest.raises(SendingFailed, match="File exists"),
    ):
        sending.finish()


def test_it_waits_for_an_api_that_is_not_there_yet(api: Server, tmp_path: Path) -> None:
    plan = Plan("http://127.0.0.1:9", "r1", tmp_path, count=10)
    with Sending(plan, KEY) as sending:
        for totals in sending:
            if "ClientConnectorError" in totals.failures:
                break
    assert totals.unanswered == 10


STARTER = """
import sys
from pathlib import Path
from answerbook.load.sending import Sending
from answerbook.load.sent import Plan
plan = Plan(sys.argv[1], "r1", Path(sys.argv[2]), count=1_000_000, rate=100)
sending = Sending(plan, "ab_reader_x")
print(sending.pid, flush=True)
input()
"""


def test_it_does_not_outlive_whoever_started_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, "http://127.0.0.1:9", tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdout is not None
        process = psutil.Process(int(starter.stdout.readline()))
        starter.kill()
    psutil.wait_procs([process], timeout=30)
    assert is_gone(process)
