"""The parts of deliver that need nothing else: bucket, tracker, window, breaker and room."""

from collections import deque

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from answerbook.notify.deliver.breaker import FAILURES, REFUSALS, Breaker
from answerbook.notify.deliver.bucket import FLOOR, Bucket
from answerbook.notify.deliver.flight import arrival, unreadable
from answerbook.notify.deliver.intake import SUBSCRIBED, whole
from answerbook.notify.deliver.room import Room
from answerbook.notify.deliver.tracker import Tracker
from answerbook.notify.deliver.window import Window, key_of
from answerbook.notify.records import DeadLetter, Notification, NotificationReceipt, decode


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


# -- bucket --------------------------------------------------------------------------------------


@given(
    per_minute=st.integers(1, 50_000),
    ramp=st.sampled_from([0.0, 5.0, 60.0]),
    waits=st.lists(st.floats(0, 20), max_size=200),
)
def test_no_minute_gets_more_than_the_quota(
    per_minute: int, ramp: float, waits: list[float]
) -> None:
    clock = Clock()
    bucket = Bucket(per_minute, ramp, clock)
    last_minute: deque[tuple[float, int]] = deque()
    for wait in waits:
        clock.now += wait
        given_now = 0
        while bucket.take():
            given_now += 1
        last_minute.append((clock.now, given_now))
        while last_minute[0][0] <= clock.now - 60:
            last_minute.popleft()
        assert sum(count for _, count in last_minute) <= per_minute


def test_rate_rises_from_a_standing_start_and_stands_again_after_a_pause() -> None:
    clock = Clock()
    bucket = Bucket(600_000, 60.0, clock)
    rates = []
    for _ in range(60):
        clock.now += 1
        while bucket.take():
            pass
        rates.append(bucket.rate)
    whole_rate = rates[-1]
    clock.now += 61
    while bucket.take():
        pass

    assert sorted(rates) == rates
    assert 9_900 < whole_rate <= 10_000
    assert rates[29] == pytest.approx(whole_rate / 2, rel=0.05)
    assert bucket.rate == pytest.approx(whole_rate * FLOOR)


def test_share_divides_the_rate_and_none_gives_nothing_after_the_first() -> None:
    clock = Clock()
    bucket = Bucket(600_000, 0, clock)
    whole_rate = bucket.rate
    bucket.set_share(1 / 3)
    assert bucket.rate == pytest.approx(whole_rate / 3)

    bucket.set_share(0)
    bucket.take()
    clock.now += 10
    assert not bucket.take()
    assert 1 == bucket.wait()


def test_slowed_bucket_halves_once_for_answers_that_come_together_and_recovers() -> None:
    clock = Clock()
    bucket = Bucket(600_000, 0, clock)
    whole_rate = bucket.rate
    bucket.slow()
    bucket.slow()
    assert bucket.rate == pytest.approx(whole_rate / 2)

    clock.now += 2
    bucket.slow()
    assert bucket.rate < whole_rate / 3
    for _ in range(60):
        clock.now += 1
        while bucket.take():
            pass
    assert bucket.rate == pytest.approx(whole_rate)


# -- tracker -------------------------------------------------------------------------------------


@given(st.data())
def test_nothing_behind_an_unfinished_record_is_committed(data: st.DataObject) -> None:
    tracker = Tracker()
    offset = data.draw(st.integers(0, 1_000))
    open_offsets: list[int] = []
    for _ in range(data.draw(st.integers(0, 60))):
        finish: bool = data.draw(st.booleans())
        if open_offsets and finish:
            number = data.draw(st.integers(0, len(open_offsets) - 1))
            tracker.finish(open_offsets.pop(number))
        else:
            tracker.take(offset)
            open_offsets.append(offset)
            offset += data.draw(st.integers(1, 3))  # offsets have gaps
        assert all(tracker.position <= one for one in open_offsets)
    last = max(open_offsets, default=-2)
    for one in open_offsets:
        tracker.finish(one)
    assert tracker.position > last


def test_position_is_told_once() -> None:
    tracker = Tracker()
    assert None is tracker.advanced()
    tracker.take(7)
    assert 7 == tracker.advanced()
    tracker.finish(7)
    assert (8, None) == (tracker.advanced(), tracker.advanced())


# -- window --------------------------------------------------------------------------------------


def note(number: int = 1, *, attempt: int = 0, replay: int = 0) -> Notification:
    return Notification(
        run_id="r",
        notification_id=f"{number:032x}",
        event_id="e",
        device_id="d",
        kind="k",
        priority="normal",
        message=msgspec.Raw(b"{}"),
        accepted_at=0,
        rendered_at=0,
        expires_at=0,
        attempt=attempt,
        replay=replay,
    )


KEY = key_of(f"{1:032x}")


def test_second_copy_is_not_sent_while_the_first_is_nor_after_it() -> None:
    window = Window(10)
    assert window.admit(KEY, note(), retry=False)
    assert not window.admit(KEY, note(), retry=False)
    window.sent(KEY)
    assert not window.admit(KEY, note(), retry=False)
    assert not window.admit(KEY, note(replay=1), retry=False)
    assert not window.admit(KEY, note(attempt=1), retry=True)


def test_copy_is_not_sent_while_a_retry_waits_and_the_retry_is() -> None:
    window = Window(10)
    window.admit(KEY, note(), retry=False)
    window.put_off(KEY, 0, 1)
    assert not window.admit(KEY, note(), retry=False)
    assert window.admit(KEY, note(attempt=1), retry=True)
    assert not window.admit(KEY, note(attempt=1), retry=True)


def test_waiting_retries_are_known_again_after_a_rebuild_and_only_the_newest_is_sent() -> None:
    window = Window(10)
    window.waits(KEY, 0, 2)
    window.waits(KEY, 0, 1)
    assert not window.admit(KEY, note(), retry=False)
    assert not window.admit(KEY, note(attempt=1), retry=True)
    assert window.admit(KEY, note(attempt=2), retry=True)


def test_replay_is_sent_where_the_last_one_failed_and_only_once() -> None:
    window = Window(10)
    window.failed(KEY, 0)
    assert not window.admit(KEY, note(), retry=False)
    assert window.admit(KEY, note(replay=1), retry=False)
    window.failed(KEY, 1)
    assert not window.admit(KEY, note(replay=1), retry=False)
    assert window.admit(KEY, note(replay=2), retry=False)
    window.sent(KEY)
    assert not window.admit(KEY, note(replay=3), retry=False)


def test_what_was_given_up_is_sent_when_it_is_read_again() -> None:
    window = Window(10)
    window.admit(KEY, note(), retry=False)
    window.dropped(KEY)
    assert window.admit(KEY, note(), retry=False)


@given(st.integers(1, 20), st.integers(0, 100))
def test_the_last_finished_ones_are_remembered_and_memory_is_bounded(most: int, count: int) -> None:
    window = Window(most)
    for number in range(count):
        if number % 3:
            window.sent(key_of(f"{number:032x}"))
        else:
            window.failed(key_of(f"{number:032x}"), 0)
    assert len(window) <= 3 * most
    for number in range(max(count - most, 0), count):
        assert not window.admit(key_of(f"{number:032x}"), note(number), retry=False)


def test_id_that_is_no_hexadecimal_number_is_a_key_too() -> None:
    assert (b"\x01\x02", b"an id") == (key_of("0102"), key_of("an id"))


# -- breaker -------------------------------------------------------------------------------------


def test_breaker_opens_on_failures_in_a_row_and_probes_further_and_further_apart() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(FAILURES - 1):
        assert not breaker.failed("UNAVAILABLE")
    breaker.succeeded()
    assert [False] * (FAILURES - 1) + [True] == [breaker.failed("CUT") for _ in range(FAILURES)]

    gaps = []
    for _ in range(8):
        began = clock.now
        while not breaker.may_send():
            clock.now += 0.01
        gaps.append(clock.now - began)
        breaker.sending()
        assert not breaker.may_send()  # one probe at a time
        breaker.failed("CUT")
    assert gaps[0] < 0.3
    assert 1.9 < gaps[-1] <= 4.1

    assert breaker.succeeded()
    assert breaker.may_send()
    assert not breaker.open


def test_breaker_opens_on_refused_connections() -> None:
    breaker = Breaker(Clock())
    assert [False] * (REFUSALS - 1) + [True] == [breaker.refused("no") for _ in range(REFUSALS)]


def test_sends_that_were_under_way_do_not_put_off_the_probe() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(FAILURES + 50):
        breaker.failed("CUT")
    clock.now += 0.25
    assert breaker.may_send()


# -- room, and what comes in ---------------------------------------------------------------------


def test_the_last_fifth_is_for_high_priority() -> None:
    room = Room(100)
    room.take(80)
    assert (0, 20) == (room.for_all(), room.for_high())
    assert not room.wait(0.01)
    room.release(20)
    assert room.wait(0.01)


def test_partition_that_is_not_held_of_every_topic_is_left_alone() -> None:
    places = {(topic, number) for topic in SUBSCRIBED for number in (1, 4)}
    assert {1, 4} == whole(places)
    assert {4} == whole(places - {(SUBSCRIBED[-1], 1)})


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"\xff\x00", b"[" * 50_000, b"{}"])
def test_bytes_that_are_no_notification_become_a_dead_letter_with_all_of_them(
    value: bytes,
) -> None:
    (item,) = unreadable(arrival("notifications.normal", 3, 41, value))
    letter = decode(item[2], DeadLetter)

    assert ("dead-letters", "deliver", "malformed") == (item[0], letter.stage, letter.reason)
    assert ("notifications.normal", 3, 41) == (
        letter.source_topic,
        letter.source_partition,
        letter.source_offset,
    )


def test_newer_notification_that_names_itself_gets_a_receipt_too() -> None:
    value = b'{"version":2,"run_id":"r","notification_id":"n","event_id":"e","title":"?"}'
    letter, receipt = unreadable(arrival("notifications.high", 2, 0, value))

    assert "unsupported_version" == decode(letter[2], DeadLetter).reason
    assert 2 == receipt[3]
    told = decode(receipt[2], NotificationReceipt)
    assert ("n", "dead", "unsupported_version") == (
        told.notification_id,
        told.outcome,
        told.reason,
    )
