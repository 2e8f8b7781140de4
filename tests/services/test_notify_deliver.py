"""Deliver as a process, with a real Kafka and a scripted FCM: the policy, and each record once."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from answerbook import services
from answerbook.notify import records
from answerbook.notify.records import Notification
from answerbook.notify.topics import create_topics
from tests.services.delivery import (
    PARTITIONS,
    DeliverProcess,
    Pipeline,
    outcomes,
    wait_for,
)
from tests.services.fcm_double import (
    CUT,
    HANG,
    LOST,
    UNAVAILABLE,
    UNREGISTERED,
    FcmDouble,
    fcm_double,
    refusal,
)

pytestmark = pytest.mark.usefixtures("own_home")

Start = Callable[..., DeliverProcess]

runs = count()


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    kafka = services.require("kafka").url
    create_topics(kafka, records.TOPICS, PARTITIONS, 1)
    pipeline = Pipeline(kafka, f"run-{next(runs)}")
    yield pipeline
    pipeline.writer.close()


@pytest.fixture
def fcm() -> Iterator[FcmDouble]:
    with fcm_double() as double:
        yield double


@pytest.fixture
def start(pipeline: Pipeline, fcm: FcmDouble, tmp_path: Path) -> Iterator[Start]:
    """Starts workers, and ends them."""
    started: list[DeliverProcess] = []

    def begin(**settings: object) -> DeliverProcess:
        log = tmp_path / f"deliver-{len(started)}.log"
        started.append(DeliverProcess(pipeline.kafka, fcm.url, log, **settings))
        return started[-1]

    yield begin
    for worker in started:  # in order, or the next test waits until the group misses them
        if worker.process.poll() is None:
            worker.process.terminate()
    for worker in started:
        try:
            worker.process.wait(20)
        finally:
            worker.process.kill()


def once(fcm: FcmDouble, notes: list[Notification]) -> None:
    """FCM got each of these exactly once."""
    wanted = {note.notification_id for note in notes}
    got = {name: times for name, times in fcm.accepted.items() if name in wanted}
    assert {} == {name: times for name, times in got.items() if times > 1}
    assert wanted == set(got)


# -- the policy ----------------------------------------------------------------------------------


def test_each_answer_of_fcm_ends_as_the_table_says(
    pipeline: Pipeline, fcm: FcmDouble, start: Start
) -> None:
    scripts: dict[str, list[bytes]] = {
        "ok": [],
        "gone": [UNREGISTERED],
        "foreign": [refusal(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH")],
        "wrong": [refusal(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")],
        "busy": [UNAVAILABLE, refusal(500, "INTERNAL", "INTERNAL")],
        "apns": [refusal(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR")],
        "token": [refusal(401, "UNAUTHENTICATED")],
        "cut": [CUT],
        "lost": [LOST],
        "hang": [HANG],
        "later": [refusal(429, "RESOURCE_EXHAUSTED", "", "Retry-After: 2")],
        "never": [UNAVAILABLE] * 9,
        "quota": [refusal(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")],
    }
    for token, script in scripts.items():
        fcm.script[token].extend(script)
    notes = {
        token: pipeline.notification(number, device_id=token)
        for number, token in enumerate(scripts)
    }
    now = records.now()
    notes["quota"] = msgspec.structs.replace(notes["quota"], expires_at=now + 30_000)
    notes["late"] = pipeline.notification(99, device_id="late", expires_at=now - 1)
    pipeline.write(notes.values())
    pipeline.write_raw(b"no notification")
    pipeline.write_raw(b'{"version":2,"run_id":"%b"}' % pipeline.run_id.encode())

    start(DELIVER_TIMEOUT=2, DELIVER_ATTEMPTS=3)
    receipts = pipeline.finished(len(notes))
    pipeline.committed()

    outcomes(receipts)
    ended = {token: receipts[note.notification_id][0] for token, note in notes.items()}
    assert {
        "ok": ("sent", "", 0),
        "gone": ("dead", "UNREGISTERED", 0),
        "foreign": ("dead", "SENDER_ID_MISMATCH", 0),
        "wrong": ("dead", "INVALID_ARGUMENT", 0),
        "busy": ("sent", "", 2),
        "apns": ("sent", "", 1),
        "token": ("sent", "", 1),
        "cut": ("sent", "", 1),
        "lost": ("sent", "", 1),
        "hang": ("sent", "", 1),
        "later": ("sent", "", 1),
        "never": ("dead", "attempts", 3),
        "quota": ("expired", "expired", 1),  # a minute is longer than it lives
        "late": ("expired", "expired", 0),
    } == {token: (one.outcome, one.reason, one.attempt) for token, one in ended.items()}
    assert ended["later"].at - now >= 2_000

    sends = {token: fcm.accepted[note.notification_id] for token, note in notes.items()}
    assert {token: int(ended[token].outcome == "sent") for token in notes} | {"lost": 2} == sends
    letters = pipeline.letters()
    assert {
        ("", "malformed"),
        ("", "unsupported_version"),
        (notes["never"].notification_id, "attempts"),
        (notes["wrong"].notification_id, "INVALID_ARGUMENT"),
    } == {(one.notification_id, one.reason) for one in letters}
    assert 4 == len(letters)
    assert {"UNAVAILABLE it is UNAVAILABLE"} == {
        one.detail for one in letters if one.reason == "attempts"
    }


def test_message_to_a_topic_is_sent_like_any_other(
    pipeline: Pipeline, fcm: FcmDouble, start: Start
) -> None:
    note = pipeline.notification(0, device_id="topic:news")
    message: dict[str, Any] = msgspec.json.decode(note.message)
    message["topic"] = "news"
    del message["token"]
    note = msgspec.structs.replace(note, message=msgspec.Raw(msgspec.json.encode(message)))
    pipeline.write([note])

    start()
    assert {"sent": 1} == outcomes(pipeline.finished(1))
    once(fcm, [note])
    assert [("POST", "/v1/projects/answerbook/messages:send")] == fcm.requests
    assert "Bearer owner" == fcm.headers["authorization"]


def test_service_account_is_who_sends_and_a_refused_token_is_renewed(
    pipeline: Pipeline, fcm: FcmDouble, start: Start, tmp_path: Path
) -> None:
    key = tmp_path / "key.json"
    worker = start(FCM_CREDENTIALS=key, FCM_URL=fcm.url, EMULATOR_URL="http://127.0.0.1:1")
    wait_for("no key yet", lambda: worker.said("cannot begin; will try again"))
    fcm.key_file(tmp_path)
    wait_for("ready", worker.ready)

    first, second = pipeline.notifications(2)
    fcm.script["d1"].append(refusal(401, "UNAUTHENTICATED"))
    pipeline.write([first])
    pipeline.finished(1)
    assert "Bearer token-1" == fcm.headers["authorization"]
    pipeline.write([second])
    pipeline.finished(2)
    once(fcm, [first, second])


def test_high_priority_overtakes_a_backlog(
    pipeline: Pipeline, fcm: FcmDouble, start: Start
) -> None:
    normal = pipeline.notifications(10_000)
    high = [pipeline.notification(number, priority="high") for number in range(10_000, 10_300)]
    for begin in range(0, len(normal), 250):
        # In batches as small as Spark's: whoever reads gets at least one whole.
        pipeline.write(normal[begin : begin + 250])
    fcm.latency = 0.04  # slow beside whatever else this machine does
    worker = start(DELIVER_CONNECTIONS=20)
    wait_for("the backlog under way", lambda: len(fcm.order) > 1_000)
    pipeline.write(high)
    names = {note.notification_id for note in high}
    wait_for("the high ones", lambda: sum(name in names for name in list(fcm.order)) == 300)
    fcm.latency = 0
    sent_before = len(fcm.order)
    pipeline.finished(len(normal) + len(high))

    assert sent_before < 8_500, "high priority waited behind the backlog"
    assert 0 == worker.end()
    once(fcm, normal + high)


# -- each record once ----------------------------------------------------------------------------


def test_replays_by_render_do_not_reach_fcm_whatever_happens_to_the_workers(
    pipeline: Pipeline, fcm: FcmDouble, start: Start
) -> None:
    notes = pipeline.notifications(5_000)
    pipeline.write(notes)
    first = start()
    pipeline.finished(5_000)

    pipeline.write(notes)  # while it runs
    second = start()  # partitions move
    wait_for("partitions shared", lambda: first.numbers() and second.numbers())
    wait_for("all partitions", lambda: len(first.numbers() | second.numbers()) == PARTITIONS)
    pipeline.write(notes)
    pipeline.committed()
    first.process.kill()  # without a word
    pipeline.write(notes)
    wait_for("taken over", lambda: len(second.numbers()) == PARTITIONS)
    pipeline.committed()
    assert 0 == second.end()
    third = start()  # with nothing in memory
    pipeline.write(notes)
    pipeline.committed()

    assert 0 == third.end()
    once(fcm, notes)
    assert {"sent": 5_000} == outcomes(pipeline.receipts())


def test_replay_is_not_sent_while_a_retry_waits_nor_after_a_restart(
    pipeline: Pipeline, fcm: FcmDouble, start: Start
) -> None:
    notes = pipeline.notifications(40)
    for note in notes:
        fcm.script[note.device_id].append(refusal(429, "RESOURCE_EXHAUSTED", "", "Retry-After: 10"))
    pipeline.write(notes)
    first = start()
    wait_for("all put off", lambda: first.metric("answerbook_deliver_retries_total") == 40)
    pipeline.write(notes)
    wait_for("dropped", lambda: first.metric("answerbook_deliver_duplicates_total") == 40)
    assert 0 == first.end()

    second = start()
    pipeline.write(notes)
    wait_for("dropped", lambda: second.metric("answerbook_deliver_duplicates_total") == 40)
    assert not fcm.accepted
    pipeline.finished(40)
    pipeline.committed()
    once(fcm, notes)
    assert {"sent": 40} == outcomes(pipeline.receipts())


def test_workers_hold_the_same_partition_numbers_of_every_topic(
    pipeline: Pipeline, start: Start
) -> None:
    workers = [start() for _ in range(3)]

    def shared() -> list[set[int]] | None:
        numbers = [worker.numbers() for worker in workers]
        return numbers if sorted(map(len, numbers)) == [2, 2, 2] else None

    numbers = wait_for("two each", shared)
    assert set(range(PARTITIONS)) == set.union(*numbers)
    # A number that was not held of every topic would have been complained of.
    events = {line["event"] for worker in workers for line in worker.lines()}
    assert not [event for event in events if event.startswith("topics with different")]
    assert [0, 0, 0] == [worker.end() for worker in workers]


def test_killed_worker_loses_nothing_and_repeats_no_more_than_it_had_in_flight(
    pipeline: Pipeline, fcm: FcmDouble, start: Start
) -> None:
    notes = pipeline.notifications(20_000)
    pipeline.write(notes)
    first = start()
    start()
    work_under_way(fcm, 3_000)
    first.process.kill()
    receipts = pipeline.finished(20_000)
    pipeline.committed()

    names = {note.notification_id for note in notes}
    assert names == set(receipts)
    assert names == set(fcm.accepted)
    # What FCM accepted and had no receipt yet: the connections, and a batch on its way to Kafka.
    repeated = sum(times - 1 for times in fcm.accepted.values())
    assert repeated <= 1_000


def test_terminated_under_load_it_ends_in_order_and_nothing_is_sent_twice(
    pipeline: Pipeline, fcm: FcmDouble, start: Start
) -> None:
    notes = pipeline.notifications(15_000)
    pipeline.write(notes)
    for more in (1_000, 4_000, 7_000):
        worker = start()
        work_under_way(fcm, more)
        assert 0 == worker.end()
    start()
    assert {"sent": 15_000} == outcomes(pipeline.finished(15_000))
    pipeline.committed()
    once(fcm, notes)


def work_under_way(fcm: FcmDouble, accepted: int) -> None:
    wait_for("work under way", lambda: len(fcm.accepted) > accepted)


def test_send_that_hangs_does_not_keep_it_from_ending(
    pipeline: Pipeline, fcm: FcmDouble, start: Start
) -> None:
    notes = pipeline.notifications(10)
    fcm.everyone = HANG
    pipeline.write(notes)
    worker = start(DELIVER_TIMEOUT=60)
    wait_for("all under way", lambda: len(fcm.requests) == 10)
    worker.process.send_signal(signal.SIGTERM)
    assert 0 == worker.process.wait(15)

    fcm.everyone = b""
    start()
    assert {"sent": 10} == outcomes(pipeline.finished(10))
    once(fcm, notes)


# -- retries and outages -------------------------------------------------------------------------


def test_slow_retry_blocks_nothing(pipeline: Pipeline, fcm: FcmDouble, start: Start) -> None:
    slow = [pipeline.notification(number, device_id="slow") for number in range(5)]
    quick = [pipeline.notification(number, device_id="slow") for number in range(5, 500)]
    fcm.script["slow"].extend([refusal(429, "X", "", "Retry-After: 20")] * 5)
    pipeline.write(slow)
    start()
    wait_for("the slow ones answered", lambda: len(fcm.requests) >= 5)
    pipeline.write(quick)  # into the same partition

    receipts = pipeline.finished(495)
    assert {note.notification_id for note in quick} == set(receipts)


def test_outage_stops_sending_and_loses_nothing(
    pipeline: Pipeline, fcm: FcmDouble, start: Start
) -> None:
    first, second = pipeline.notifications(2_000), pipeline.notifications(4_000)[2_000:]
    worker = start()
    wait_for("ready", worker.ready)
    pipeline.write(first)
    pipeline.finished(2_000)

    fcm.refuse()
    pipeline.write(second)
    wait_for("down", lambda: worker.ask("/readyz")[0] == 503)
    wait_for("down", lambda: worker.metric("answerbook_deliver_target_down") == 1)
    wait_for("probes", lambda: len(worker.said("FCM is down: nothing is sent but probes")) == 1)
    put_off = worker.metric("answerbook_deliver_retries_total")
    fcm.listen()
    assert {"sent": 4_000} == outcomes(pipeline.finished(4_000))
    wait_for("ready again", worker.ready)
    pipeline.committed()

    assert put_off <= 100, "an outage was pushed through the retry topics"
    once(fcm, first + second)


def test_service_that_answers_503_to_all_is_probed_and_not_flooded(
    pipeline: Pipeline, fcm: FcmDouble, start: Start
) -> None:
    fcm.everyone = UNAVAILABLE
    notes = pipeline.notifications(3_000)
    pipeline.write(notes)
    worker = start(DELIVER_CONNECTIONS=20)
    wait_for("down", lambda: worker.said("FCM is down: nothing is sent but probes"))
    under_way = len(fcm.requests)
    wait_for("probes", lambda: len(fcm.requests) >= under_way + 3)
    wait_for("what was put off", lambda: worker.metric("answerbook_deliver_in_flight") == 0)
    assert len(fcm.requests) < under_way + 100
    fcm.everyone = b""

    assert {"sent": 3_000} == outcomes(pipeline.finished(3_000))
    once(fcm, notes)


def test_kafka_that_stands_still_loses_nothing_and_keeps_nobody_from_ending(
    pipeline: Pipeline, fcm: FcmDouble, start: Start
) -> None:
    notes = pipeline.notifications(6_000)
    pipeline.write(notes)
    fcm.latency = 0.005
    worker = start(DELIVER_CONNECTIONS=10)
    work_under_way(fcm, 500)
    kafka = services.require("kafka")
    kafka.pause()
    try:
        wait_for("sends done", lambda: worker.metric("answerbook_deliver_in_flight") == 0)
        assert 0 == worker.end()
    finally:
        kafka.resume()
    fcm.latency = 0
    start()
    receipts = pipeline.finished(6_000)
    pipeline.committed()
    assert {note.notification_id for note in notes} == set(receipts) == set(fcm.accepted)


def test_a_third_of_errors_is_ridden_out(pipeline: Pipeline, fcm: FcmDouble, start: Start) -> None:
    notes = pipeline.notifications(1_500)
    for note in notes[::3]:
        fcm.script[note.device_id].append(UNAVAILABLE)
    pipeline.write(notes)
    worker = start()
    assert {"sent": 1_500} == outcomes(pipeline.finished(1_500))
    pipeline.committed()
    once(fcm, notes)
    assert not worker.said("FCM is down: nothing is sent but probes")


def test_connections_that_the_server_closes_cost_attempts_and_no_message(
    pipeline: Pipeline, fcm: FcmDouble, start: Start
) -> None:
    worker = start()
    wait_for("ready", worker.ready)
    for number in range(5):
        pipeline.write(pipeline.notifications(200 * (number + 1))[200 * number :])
        pipeline.finished(200 * (number + 1))
        fcm.close_connections()
    assert {"sent": 1_000} == outcomes(pipeline.receipts())


# -- dead letters --------------------------------------------------------------------------------


def replay(pipeline: Pipeline, *words: str) -> str:
    """What `answerbook notify replay` says."""
    return subprocess.run(
        [sys.executable, "-m", "answerbook", "notify", "replay", *words],
        env=os.environ | {"ANSWERBOOK_NOTIFY_KAFKA": pipeline.kafka},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.splitlines()[-1]


def test_dead_letters_are_sent_again_each_once_and_as_asked(
    pipeline: Pipeline, fcm: FcmDouble, start: Start
) -> None:
    wrong = [pipeline.notification(number, device_id=f"wrong{number}") for number in range(20)]
    tired = [pipeline.notification(number, device_id=f"tired{number}") for number in range(20, 30)]
    for note in wrong:
        fcm.script[note.device_id].append(refusal(400, "INVALID_ARGUMENT"))
    for note in tired:
        fcm.script[note.device_id].append(UNAVAILABLE)
    pipeline.write(wrong + tired)
    start(DELIVER_ATTEMPTS=1)
    assert {"dead": 30} == outcomes(pipeline.finished(30))

    run = ("--run", pipeline.run_id)
    assert "0 sent again." == replay(pipeline, "--run", "another")
    assert "30 would be sent again." == replay(pipeline, *run, "--dry-run")
    assert "5 sent again." == replay(pipeline, *run, "--reason", "INVALID_ARGUMENT", "--limit", "5")
    assert "10 sent again." == replay(pipeline, *run, "--reason", "attempts")
    assert "15 sent again." == replay(pipeline, *run, "--ttl", "60")
    assert "0 sent again." == replay(pipeline, *run)

    wait_for("sent again", lambda: len(fcm.accepted) == 30)
    pipeline.committed()
    pipeline.write(wrong + tired)  # render's copy of what was dead, and is sent now
    pipeline.committed()
    once(fcm, wrong + tired)
    receipts = pipeline.receipts()
    assert {(("dead", 0), ("sent", 1))} == {
        tuple((one.outcome, one.replay) for one in receipts[note.notification_id])
        for note in wrong + tired
    }


def test_what_is_still_wrong_dies_again_and_can_be_replayed_again(
    pipeline: Pipeline, fcm: FcmDouble, start: Start
) -> None:
    note = pipeline.notification(0, device_id="twice")
    fcm.script["twice"].extend([refusal(400, "INVALID_ARGUMENT")] * 2)
    pipeline.write([note])
    start()
    for number in (1, 2):
        wait_for("dead", lambda number=number: len(pipeline.letters()) == number)  # type: ignore[misc]
        assert "1 sent again." == replay(pipeline, "--run", pipeline.run_id)
    wait_for("sent", lambda: fcm.accepted[note.notification_id] == 1)
    pipeline.committed()
    assert [("dead", 0), ("dead", 1), ("sent", 2)] == [
        (one.outcome, one.replay) for one in pipeline.receipts()[note.notification_id]
    ]


# -- being watched -------------------------------------------------------------------------------


def test_worker_without_kafka_or_fcm_says_why_it_is_not_ready(
    tmp_path: Path, pipeline: Pipeline, fcm: FcmDouble, start: Start
) -> None:
    nowhere = DeliverProcess("127.0.0.1:1", fcm.url, tmp_path / "nowhere.log")
    try:
        wait_for("tried", lambda: nowhere.said("cannot begin; will try again"), 60)
        assert (503, 200) == (nowhere.ask("/readyz")[0], nowhere.ask("/healthz")[0])
        assert 0 == nowhere.end()
    finally:
        nowhere.process.kill()

    fcm.refuse()
    worker = start()
    wait_for("down", lambda: worker.said("FCM is down: nothing is sent but probes"))
    assert 503 == worker.ask("/readyz")[0]
    fcm.listen()
    wait_for("ready", worker.ready)


def test_port_that_is_taken_is_one_clear_error(start: Start, pipeline: Pipeline) -> None:
    port = start().port
    other = start(PORT=port)
    assert 1 == other.process.wait(30)
    assert f"Port {port} cannot be listened on" in other.log.read_text()


def test_metrics_tell_what_was_done(pipeline: Pipeline, fcm: FcmDouble, start: Start) -> None:
    fcm.script["d1"].append(UNREGISTERED)
    notes = pipeline.notifications(10)
    pipeline.write([*notes, notes[0]])
    worker = start()
    pipeline.finished(10)
    pipeline.committed()
    wait_for("dropped", lambda: worker.metric("answerbook_deliver_duplicates_total") == 1)

    assert [10, 9, 1, 9] == [
        worker.metric(name)
        for name in (
            "answerbook_deliver_sends_total",
            'answerbook_deliver_notifications_total{outcome="sent"}',
            'answerbook_deliver_notifications_total{outcome="dead"}',
            "answerbook_deliver_end_to_end_seconds_count",
        )
    ]
