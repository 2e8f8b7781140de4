"""`answerbook notify track` with a live Kafka and PostgreSQL, and with one of them gone."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen
from uuid import uuid4

import psycopg
import pytest

from answerbook import services
from answerbook.notify import records
from answerbook.notify.kafka import Writer
from answerbook.notify.records import EventReceipt, NotificationReceipt, encode
from answerbook.notify.store import schema
from answerbook.notify.topics import create_topics, lag, read_all

pytestmark = pytest.mark.usefixtures("own_home")

TOPICS = (records.RECEIPTS_EVENTS, records.RECEIPTS_NOTIFICATIONS)
Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def kafka(session_home: Path) -> str:
    """Kafka's address, with the system's topics."""
    address = str(services.require("kafka").url)
    create_topics(address, records.TOPICS, 3, 1)
    return address


@pytest.fixture
def database() -> Iterator[str]:
    """The address of a store of the test's own."""
    name = f"track_{uuid4().hex}"
    address = services.require("postgres").create_database(name)
    schema.apply(address)
    yield address
    with services.require("postgres").connect(autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


class Track:
    """The program as an operator runs it."""

    def __init__(self, log: Path, **settings: str) -> None:
        self.log = log
        with log.open("a") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "answerbook", "notify", "track"],
                env=os.environ | {"ANSWERBOOK_NOTIFY_PORT": "0"} | settings,
                stderr=file,
            )

    def wait_for_ready(self) -> "Track":
        until(lambda: self.get("/readyz")[0] == 200, self.what_it_said)
        return self

    def get(self, path: str) -> tuple[int, str]:
        """Status and text; status 0 while it does not listen yet."""
        for line in self.log.read_text().splitlines():
            if line.startswith("{") and (entry := json.loads(line))["event"] == "started":
                try:
                    with urlopen(f"http://127.0.0.1:{entry['port']}{path}", timeout=5) as answer:
                        return answer.status, answer.read().decode()
                except HTTPError as error:
                    return error.code, error.read().decode()
                except URLError:
                    return 0, ""
        return 0, ""

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def what_it_said(self) -> str:
        return self.log.read_text()[-3_000:]


StartTrack = Callable[[], Track]


@pytest.fixture
def start_track(kafka: str, database: str, tmp_path: Path) -> Iterator[StartTrack]:
    """Starts the program, as often as the test asks; none is left after it."""
    started: list[Track] = []

    def start() -> Track:
        started.append(
            Track(
                tmp_path / f"track{len(started)}.log",
                ANSWERBOOK_NOTIFY_KAFKA=kafka,
                ANSWERBOOK_NOTIFY_DATABASE=database,
            )
        )
        return started[-1]

    yield start
    for track in started:
        with suppress(ProcessLookupError):
            track.end()


def until(condition: Callable[[], bool], said: Callable[[], str], seconds: float = 60) -> None:
    """Wait for the condition, or fail with what the program said."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, said()
        time.sleep(0.05)


class Receipts:
    """Writes receipts for ids of the test's own."""

    def __init__(self, kafka: str) -> None:
        self.run = uuid4().hex
        self.writer = Writer(kafka)

    def notification(self, name: str, **fields: Any) -> None:
        given: dict[str, Any] = {
            "event_id": "e",
            "device_id": "d",
            "outcome": "sent",
            "at": records.now(),
        }
        given |= {"run_id": self.run, "notification_id": f"{self.run}-{name}"} | fields
        self.write(records.RECEIPTS_NOTIFICATIONS, encode(NotificationReceipt(**given)))

    def event(self, name: str, **fields: Any) -> None:
        given: dict[str, Any] = {"outcome": "expanded", "at": records.now()}
        given |= {"run_id": self.run, "event_id": f"{self.run}-{name}"} | fields
        self.write(records.RECEIPTS_EVENTS, encode(EventReceipt(**given)))

    def many(self, count: int) -> None:
        self.writer.send(
            [
                (
                    records.RECEIPTS_NOTIFICATIONS,
                    None,
                    encode(
                        NotificationReceipt(
                            run_id=self.run,
                            notification_id=f"{self.run}-{number}",
                            event_id="e",
                            device_id="d",
                            outcome="sent",
                            at=number + 1,
                        )
                    ),
                    -1,
                )
                for number in range(count)
            ],
            lambda _: None,
        )

    def write(self, topic: str, content: bytes) -> None:
        self.writer.write_now([(topic, self.run.encode(), content, -1)])


@pytest.fixture
def receipts(kafka: str) -> Iterator[Receipts]:
    some = Receipts(kafka)
    yield some
    some.writer.close()


def select(database: str, query: str, *values: object) -> list[Row]:
    with psycopg.connect(database) as connection:
        return connection.execute(query.encode(), values).fetchall()


def outcome(database: str, receipts: Receipts, name: str) -> Row | None:
    rows = select(
        database,
        "SELECT outcome, reason, replay FROM notification_outcomes WHERE notification_id = %s",
        f"{receipts.run}-{name}",
    )
    return rows[0] if rows else None


def count(database: str, receipts: Receipts) -> int:
    return int(
        select(
            database, "SELECT count(*) FROM notification_outcomes WHERE run_id = %s", receipts.run
        )[0][0]
    )


def behind(kafka: str) -> int:
    return sum(lag(kafka, records.TRACK_GROUP, TOPICS).values())


def test_outcomes_are_written_once_and_only_bettered(
    start_track: StartTrack, receipts: Receipts, database: str
) -> None:
    track = start_track().wait_for_ready()
    receipts.event("first", notifications=["n1", 'n"2'], accepted_at=1_700_000_000_123)
    receipts.event("first", outcome="dead", reason="too_large")
    receipts.notification("one", outcome="dead", reason="attempts")
    receipts.notification("two", replay=1)
    until(lambda: count(database, receipts) == 2, track.what_it_said)
    receipts.notification("one", replay=1)
    receipts.notification("two", outcome="dead", reason="attempts")
    receipts.notification("three")

    until(lambda: count(database, receipts) == 3, track.what_it_said)
    assert ("sent", "", 1) == outcome(database, receipts, "one")
    assert ("sent", "", 1) == outcome(database, receipts, "two")
    assert [("expanded", ["n1", 'n"2'], 1_700_000_000_123)] == select(
        database,
        "SELECT outcome, notifications, (extract(epoch FROM accepted_at) * 1000)::bigint"
        " FROM event_outcomes WHERE event_id = %s",
        f"{receipts.run}-first",
    )


def test_devices_that_fcm_does_not_know_are_pruned_unless_they_came_back(
    start_track: StartTrack, receipts: Receipts, database: str
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO users (user_id, name) VALUES ('u', 'U')")
        for device, year in (("gone", 2020), ("back", 2100), ("fine", 2020)):
            connection.execute(
                "INSERT INTO devices (device_id, user_id, address, platform, last_seen)"
                " VALUES (%s, 'u', %s, 'web', %s)",
                [device, device, datetime(year, 1, 1, tzinfo=UTC)],
            )
    track = start_track().wait_for_ready()
    for device in ("gone", "back"):
        receipts.notification(device, device_id=device, outcome="dead", reason="UNREGISTERED")
    receipts.notification("fine", device_id="fine", outcome="dead", reason="INVALID_ARGUMENT")

    until(lambda: count(database, receipts) == 3, track.what_it_said)
    assert [("back", None), ("fine", None), ("gone", "UNREGISTERED")] == select(
        database, "SELECT device_id, pruned_reason FROM devices ORDER BY device_id"
    )
    assert [("gone",)] == select(database, "SELECT device_id FROM devices WHERE pruned_at < now()")


def test_what_cannot_be_stored_becomes_a_dead_letter_and_blocks_nothing(
    start_track: StartTrack, receipts: Receipts, database: str, kafka: str
) -> None:
    receipts.notification("before")
    receipts.write(records.RECEIPTS_NOTIFICATIONS, b"no receipt of " + receipts.run.encode())
    receipts.notification("late", at=10**30)  # no time that PostgreSQL knows
    receipts.notification(token_urlsafe(6_000))  # too long for an index
    receipts.notification("after")
    track = start_track().wait_for_ready()

    until(lambda: count(database, receipts) == 2, track.what_it_said)
    letters = [
        records.decode(message.value() or b"", records.DeadLetter)
        for message in read_all(kafka, records.DEAD_LETTERS)
        if receipts.run.encode() in (message.value() or b"")
    ]
    assert 3 == len(letters), track.what_it_said()
    assert {("track", "malformed")} == {(letter.stage, letter.reason) for letter in letters}
    assert f"no receipt of {receipts.run}" in [letter.payload for letter in letters]
    assert 0 == track.end()


def test_nothing_is_lost_while_postgresql_is_away(
    start_track: StartTrack, receipts: Receipts, database: str
) -> None:
    track = start_track().wait_for_ready()
    postgres = services.require("postgres")
    postgres.kill()
    try:
        receipts.many(5_000)
        until(lambda: track.get("/readyz")[0] == 503, track.what_it_said)
        assert 200 == track.get("/healthz")[0]
    finally:
        postgres.start()

    until(lambda: count(database, receipts) == 5_000, track.what_it_said)
    until(lambda: track.get("/readyz")[0] == 200, track.what_it_said)


def test_program_ends_while_postgresql_is_away_and_the_next_one_reads_again(
    start_track: StartTrack, receipts: Receipts, database: str
) -> None:
    track = start_track().wait_for_ready()
    postgres = services.require("postgres")
    postgres.stop()
    try:
        receipts.many(1_000)
        until(lambda: track.get("/readyz")[0] == 503, track.what_it_said)
        assert 0 == track.end()
    finally:
        postgres.start()
    assert 0 == count(database, receipts)

    second = start_track().wait_for_ready()
    until(lambda: count(database, receipts) == 1_000, second.what_it_said)


def test_nothing_is_lost_while_kafka_is_away(
    start_track: StartTrack, receipts: Receipts, database: str
) -> None:
    track = start_track().wait_for_ready()
    broker = services.require("kafka")
    broker.kill()
    broker.start()
    receipts.many(2_000)

    until(lambda: count(database, receipts) == 2_000, track.what_it_said)
    assert 0 == track.end()


def test_program_ends_while_kafka_is_silent(
    start_track: StartTrack, receipts: Receipts, database: str
) -> None:
    track = start_track().wait_for_ready()
    receipts.many(50_000)
    until(lambda: receipts.writer.buffered == 0, track.what_it_said)
    broker = services.require("kafka")
    broker.pause()
    try:
        assert 0 == track.end(), track.what_it_said()
    finally:
        broker.resume()

    second = start_track()
    until(lambda: count(database, receipts) == 50_000, second.what_it_said)


def test_what_was_read_is_written_and_committed_before_the_program_ends(
    start_track: StartTrack, receipts: Receipts, database: str, kafka: str
) -> None:
    track = start_track().wait_for_ready()
    until(lambda: behind(kafka) == 0, track.what_it_said)  # of what other tests wrote
    receipts.many(30_000)
    until(lambda: count(database, receipts) > 0, track.what_it_said)
    assert 0 == track.end(), track.what_it_said()

    receipts.writer.close()  # all 30,000 are there
    done = count(database, receipts)
    assert (30_000, True) == (done + behind(kafka), done > 0)


def test_killed_in_the_middle_it_goes_on_where_it_was(
    start_track: StartTrack, receipts: Receipts, database: str
) -> None:
    track = start_track().wait_for_ready()
    receipts.many(50_000)
    until(lambda: count(database, receipts) > 0, track.what_it_said)
    track.process.kill()
    track.process.wait()

    second = start_track()
    until(lambda: count(database, receipts) == 50_000, second.what_it_said)
    assert [] == select(
        database, "SELECT 1 FROM notification_outcomes WHERE outcome <> 'sent' LIMIT 1"
    )


def test_metrics_tell_what_was_written_and_how_far_it_is_behind(
    start_track: StartTrack, receipts: Receipts, database: str
) -> None:
    track = start_track().wait_for_ready()
    receipts.many(100)
    until(lambda: count(database, receipts) == 100, track.what_it_said)

    def metrics() -> str:
        return track.get("/metrics")[1]

    lag_line = 'answerbook_lag_records{group="track",topic="receipts.notifications"} 0.0'
    until(lambda: lag_line in metrics(), metrics)
    assert 'answerbook_track_receipts_total{topic="receipts.notifications"} ' in metrics()


def test_a_taken_port_is_one_clear_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        track = Track(tmp_path / "log", ANSWERBOOK_NOTIFY_PORT=str(server.getsockname()[1]))
        assert 1 == track.process.wait(30)
    assert "ANSWERBOOK_NOTIFY_PORT" in json.loads(track.what_it_said())["event"]
