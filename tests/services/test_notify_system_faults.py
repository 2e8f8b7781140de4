"""The whole system while something breaks: events at an even pace, one fault, then the audit."""

import os
import signal

import psutil
import pytest

from answerbook import services
from answerbook.notebook import fault_runs, faults
from answerbook.notebook.fault_runs import Struck
from answerbook.notebook.faults import BROKER, NAMED
from answerbook.services import Notify
from tests.services.notify_faults import letters, nothing_is_lost

EVENTS, RATE = 2_000, 200
USERS = 1_000

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("small_system")]
"""Alone on two cores all of them take less than five minutes, Spark's two starts included."""


@pytest.fixture
def notify() -> Notify:
    return services.require("notify")


def struck_by(notify: Notify, name: str) -> Struck:
    struck = fault_runs.run(notify, NAMED[name], EVENTS, RATE, users=USERS)
    nothing_is_lost(struck, EVENTS)
    return struck


def test_spark_killed_in_the_midst_sends_nothing_twice(notify: Notify) -> None:
    (before,) = notify.render.nodes()
    struck = struck_by(notify, "Spark's JVM killed")
    assert 0 == struck.twice
    assert {} == struck.totals.failures, "the door stays open"
    (after,) = notify.render.nodes()
    assert before.pid != after.pid


def test_killed_worker_is_replaced_and_what_it_had_under_way_is_all_that_may_come_twice(
    notify: Notify,
) -> None:
    before = [node.pid for node in notify.deliver.nodes()]
    struck_by(notify, "a delivery worker killed")
    after = [node.pid for node in notify.deliver.nodes()]
    assert before[0] != after[0]
    assert before[1:] == after[1:]


def test_api_killed_in_the_midst_has_its_sender_try_again(notify: Notify) -> None:
    struck = struck_by(notify, "the API killed")
    assert EVENTS == struck.totals.accepted


def test_restart_of_postgresql_stops_neither_the_door_nor_sending(notify: Notify) -> None:
    struck = struck_by(notify, "PostgreSQL restarted")
    assert {} == struck.totals.failures
    away = [each for each in struck.samples if struck.struck < each.second < struck.mended]
    assert away[-1].sent > away[0].sent


def test_outage_of_fcm_is_waited_out(notify: Notify) -> None:
    struck = struck_by(notify, "FCM down")
    assert 0 == struck.report.notifications.dead, "no attempt was burnt to the end"


def test_a_third_of_503_is_tried_again(notify: Notify) -> None:
    struck = struck_by(notify, "FCM answers 503 to a third")
    assert 0 == struck.report.notifications.dead


def test_a_third_of_429_waits_as_long_as_the_quota_asks(notify: Notify) -> None:
    struck = struck_by(notify, "FCM answers 429 to a third")
    assert struck.samples[-1].second > 60, "the policy's least wait"
    assert 0 == struck.report.notifications.dead


def test_answer_lost_after_acceptance_is_the_one_thing_that_comes_twice(notify: Notify) -> None:
    struck = struck_by(notify, "FCM loses answers")
    lost = faults.control(notify, "GET", "counts")["answers_lost"]
    assert struck.twice <= lost


def test_poison_ends_in_the_dead_letters_and_nothing_waits_behind_it(notify: Notify) -> None:
    struck = struck_by(notify, "poison events")
    dead = struck.report.events.dead + struck.report.notifications.dead
    assert dead < EVENTS / 10
    assert not struck.totals.refused, "the door cannot see it"


def test_malformed_input_is_refused_at_the_door_and_put_aside_behind_it(notify: Notify) -> None:
    before = letters(notify)
    struck = struck_by(notify, "a flood of malformed input")
    assert EVENTS / 10 < struck.totals.refused
    assert {"422"} >= set(struck.totals.failures)
    assert faults.FLOOD == (letters(notify) - before).total()


def test_fault_is_mended_when_the_run_breaks(notify: Notify) -> None:
    """A cell that is interrupted leaves no emulator that refuses."""

    def interrupt(_: Notify) -> None:
        faults.emulator_faults(errors={"UNAVAILABLE": 1.0})(notify)
        raise KeyboardInterrupt

    fault = faults.Fault("interrupted", interrupt, faults.lift, seconds=600)
    with pytest.raises(KeyboardInterrupt):
        fault_runs.run(notify, fault, 200, RATE, users=USERS)
    assert {} == faults.control(notify, "GET", "faults")


def test_jvm_that_is_not_there_is_told(notify: Notify) -> None:
    (node,) = notify.render.nodes()
    assert node.pid
    below = psutil.Process(node.pid).children(recursive=True)
    notify.render.kill()
    with pytest.raises(LookupError):
        faults.kill_jvm(notify)
    for process in below:
        assert not _lives(process)


def test_broker_of_three_is_killed_and_nothing_is_lost() -> None:
    three = services.require("notify", kafka="kafka-3")
    try:
        before = [node.pid for node in three.kafka.nodes()]
        struck = fault_runs.run(three, BROKER, EVENTS, RATE, users=USERS)
        nothing_is_lost(struck, EVENTS)
        assert {} == struck.totals.failures, "two in-sync replicas are enough"
        after = [node.pid for node in three.kafka.nodes()]
        assert before[0] != after[0]
        assert before[1:] == after[1:]
    finally:
        services.require("notify", kafka="kafka")
        services.down(["kafka-3"])


def _lives(process: psutil.Process) -> bool:
    try:
        os.kill(process.pid, signal.SIG_DFL)
    except ProcessLookupError:
        return False
    return process.status() != psutil.STATUS_ZOMBIE
