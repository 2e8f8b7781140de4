"""Render as an operator runs it: a process between Kafka and PostgreSQL, killed and restarted."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psutil
import psycopg
import pytest

import answerbook.notify.store
from answerbook import services
from answerbook.config import Settings
from answerbook.notify import records, topics
from answerbook.notify.kafka import Writer
from answerbook.notify.records import DeadLetter, Event, EventReceipt, Notification, Record
from answerbook.services.native import programs

SCHEMA = Path(answerbook.notify.store.__file__).with_name("schema.sql")
WAIT_SECONDS = 280
DAY = 86_400_000
YEAR_2099 = 4_075_000_000_000
USERS = 50

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("own_home")]

T = TypeVar("T")
R = TypeVar("R", bound=Record)


def wait_for(condition: Callable[[], T], what: str) -> T:
    """What `condition` answers as soon as that is true."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {WAIT_SECONDS} s: {what}"
        time.sleep(0.2)
    return answer


class Process:
    """A render, with its log."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("w") as file:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "answerbook", "notify", "render"],
                env=environment,
                stderr=file,
            )

    def told(self, event: str) -> dict[str, Any] | None:
        """The log's first line of this event."""
        for line in self._log.read_text().splitlines():
            if line.startswith("{") and (fields := json.loads(line)).get("event") == event:
                found: dict[str, Any] = fields
                return found
        return None

    def wait_told(self, event: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            assert self.popen.poll() is None, self._log.read_text()[-3_000:]
            return self.told(event)

        found = wait_for(look, event)
        assert found
        return found

    @property
    def jvm(self) -> int:
        pid: int = self.wait_told("Spark's JVM runs")["pid"]
        return pid

    def get(self, path: str) -> tuple[int, str]:
        port = self.wait_told("render starts")["port"]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            assert self.popen.poll() is None, self._log.read_text()[-3_000:]
            return 0, str(error)

    def end(self) -> int:
        self.popen.terminate()
        return self.popen.wait(90)


class Rig:
    """Kafka's topics, a database of the tests' own, and render processes between them."""

    def __init__(self, folder: Path) -> None:
        settings = Settings.load()
        self.kafka = services.require("kafka").url
        topics.create_topics(self.kafka, records.TOPICS, 3, 1)
        self.database = services.require("postgres").create_database("render")
        with self.connect() as connection:
            connection.execute(SCHEMA.read_text())
            connection.execute(
                "INSERT INTO users (user_id, name)"
                f" SELECT 'u' || i, 'User ' || i FROM generate_series(1, {USERS}) i"
            )
            connection.execute(
                "INSERT INTO devices (device_id, user_id, address, platform)"
                " SELECT 'd' || user_id, user_id, 't' || user_id, 'web' FROM users"
            )
            connection.execute("INSERT INTO templates VALUES ('news', 'en', 'T', 'B')")
        self.environment = os.environ | {
            "ANSWERBOOK_NOTIFY_KAFKA": self.kafka,
            "ANSWERBOOK_NOTIFY_DATABASE": str.__str__(self.database),
            "ANSWERBOOK_NOTIFY_FOLDER": str(folder),
            "ANSWERBOOK_NOTIFY_PORT": "0",
            "ANSWERBOOK_NOTIFY_RENDER_JARS": ":".join(map(str, programs.spark(settings))),
            "ANSWERBOOK_NOTIFY_RENDER_JAVA": str(programs.java(settings)),
            "ANSWERBOOK_NOTIFY_RENDER_HEAP": "512m",
            "ANSWERBOOK_NOTIFY_RENDER_REFRESH_SECONDS": "1",
            "ANSWERBOOK_NOTIFY_RENDER_MOST_PER_BATCH": "1000",
        }
        self._folder = folder
        self._starts = 0
        self._processes: list[Process] = []

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.database, autocommit=True)

    def start(self, **changes: str) -> Process:
        self._starts += 1
        log = self._folder / f"render-{self._starts}.log"
        process = Process(self.environment | changes, log)
        self._processes.append(process)
        return process

    def stop(self) -> None:
        for process in self._processes:
            if process.popen.poll() is None:
                process.popen.kill()
                process.popen.wait()

    def send(self, *contents: bytes) -> None:
        writer = Writer(self.kafka)
        writer.write_now([(records.EVENTS, None, content, -1) for content in contents], 60)
        writer.close()

    def read(self, topic: str, kind: type[R], run: str) -> list[R]:
        values = (message.value() for message in topics.read_all(self.kafka, topic))
        decoded = (records.decode(value, kind) for value in values if value)
        return [record for record in decoded if record.run_id == run]

    def receipts(self, run: str) -> dict[str, EventReceipt]:
        found = self.read(records.RECEIPTS_EVENTS, EventReceipt, run)
        return {receipt.event_id: receipt for receipt in found}

    def wait_ended(self, run: str, count: int) -> dict[str, EventReceipt]:
        def all_ended() -> dict[str, EventReceipt] | None:
            receipts = self.receipts(run)
            return receipts if len(receipts) >= count else None

        ended = wait_for(all_ended, f"{count} receipts of {run}")
        assert ended is not None
        assert count == len(ended)
        return ended

    @property
    def lag(self) -> int:
        return topics.lag(self.kafka, records.RENDER_GROUP, [records.EVENTS])[records.EVENTS]


def event(run: str, number: int, **fields: Any) -> bytes:
    usual: dict[str, Any] = {
        "run_id": run,
        "event_id": f"{run}/{number}",
        "kind": "news",
        "priority": "normal",
        "accepted_at": records.now(),
        "occurred_at": records.now(),
        "ttl_seconds": 86_400,
        "user_id": f"u{number % USERS + 1}",
    }
    return records.encode(Event(**(usual | fields)))


@pytest.fixture(scope="module")
def rig(session_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("render"))
    yield rig
    rig.stop()


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def running(rig: Rig) -> Iterator[Process]:
    """A render that is ready; those of other tests have ended."""
    process = rig.start()
    wait_for(lambda: process.get("/readyz")[0] == 200, "ready")
    jvm = process.jvm
    yield process
    assert 0 == process.end()
    assert is_gone(jvm)


def test_every_event_is_accounted_for_and_what_changes_in_the_store_is_seen(
    rig: Rig, running: Process
) -> None:
    now = records.now()
    ages = [now - DAY, YEAR_2099, now, 0]
    contents = [event("ages", number, occurred_at=ages[number % 4]) for number in range(400)]
    flood = [b'{"run_id":"ages","flood":%d' % number for number in range(200)]
    mixed = [*contents, *flood]
    random.Random(1).shuffle(mixed)
    rig.send(*mixed)
    receipts = rig.wait_ended("ages", 400)
    assert {"expanded"} == {receipt.outcome for receipt in receipts.values()}
    sent = rig.read(records.NOTIFICATIONS_NORMAL, Notification, "ages")
    assert {one for receipt in receipts.values() for one in receipt.notifications} == {
        notification.notification_id for notification in sent
    }
    letters = rig.read(records.DEAD_LETTERS, DeadLetter, "")
    assert {content.decode() for content in flood} <= {letter.payload for letter in letters}
    wait_for(lambda: rig.lag == 0, "the group's lag is 0")
    metrics = running.get("/metrics")[1]
    assert "answerbook_render_rows_dropped_by_watermark_total 0.0" in metrics
    assert 'answerbook_render_events_total{outcome="expanded"} 400.0' in metrics

    with rig.connect() as connection:
        connection.execute("INSERT INTO preferences VALUES ('u1', 'news', false)")
    numbers = iter(range(10_000))

    def is_suppressed() -> bool:
        number = next(numbers)
        rig.send(event("changes", number, user_id="u1"))
        return "preference" == rig.wait_ended("changes", number + 1)[f"changes/{number}"].reason

    wait_for(is_suppressed, "the new preference is seen")

    postgres = services.require("postgres")
    postgres.kill()
    try:
        running.wait_told("users and templates were not read")
        rig.send(event("without", 0, user_id="u2"))
        assert "expanded" == rig.wait_ended("without", 1)["without/0"].outcome
    finally:
        postgres.start()


def test_what_is_killed_goes_on_where_it_was_and_leaves_nothing_behind(rig: Rig) -> None:
    first = rig.start()
    wait_for(lambda: first.get("/readyz")[0] == 200, "ready")
    count = 6_000
    rig.send(*(event("killed", number, user_id=f"u{number % 40 + 3}") for number in range(count)))
    wait_for(lambda: len(rig.receipts("killed")) > 500, "some are done")
    os.kill(first.jvm, signal.SIGKILL)
    assert 1 == first.popen.wait(60), "whoever started it has to know"

    second = rig.start()
    rig.wait_ended("killed", count)
    ids = Counter(
        notification.notification_id
        for notification in rig.read(records.NOTIFICATIONS_NORMAL, Notification, "killed")
    )
    assert count == len(ids), "a replay has the same ids"
    wait_for(lambda: rig.lag == 0, "the group's lag is 0")

    jvm = second.jvm
    second.popen.kill()
    second.popen.wait()
    wait_for(lambda: is_gone(jvm), "the JVM ends with the process that started it")


def test_checkpoint_of_another_kafka_is_refused(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "render").mkdir()
    (tmp_path / "render" / "source").write_text("another")
    process = rig.start(ANSWERBOOK_NOTIFY_FOLDER=str(tmp_path))
    assert 1 == process.popen.wait(60)
    told = process.told("render ends")
    assert told is not None
    assert "is of another Kafka cluster" in told["why"]
    assert str(tmp_path) in told["why"]


def test_offsets_that_kafka_does_not_have_are_an_error_and_no_silent_loss(
    rig: Rig, running: Process, tmp_path: Path
) -> None:
    """The checkpoint's own offsets, moved beyond the end of the topic."""
    rig.send(event("beyond", 0, user_id="u9"))
    rig.wait_ended("beyond", 1)
    wait_for(lambda: rig.lag == 0, "the group's lag is 0")
    assert 0 == running.end()
    folder = Path(rig.environment["ANSWERBOOK_NOTIFY_FOLDER"]) / "render"
    copy = tmp_path / "render"
    subprocess.run(["cp", "-r", folder, copy], check=True)
    log = copy / "checkpoint" / "offsets"
    newest = max((path for path in log.iterdir() if path.name.isdigit()), key=lambda p: int(p.name))
    lines = newest.read_text().splitlines()
    lines[-1] = json.dumps(
        {topic: dict.fromkeys(ends, 10**9) for topic, ends in json.loads(lines[-1]).items()}
    )
    newest.write_text("\n".join(lines))
    process = rig.start(ANSWERBOOK_NOTIFY_FOLDER=str(tmp_path))
    assert 1 == process.popen.wait(WAIT_SECONDS)
    told = process.told("render ends")
    assert told is not None
    assert "Kafka does not have the offsets that the checkpoint names" in told["why"]


def test_backlog_of_the_largest_events_that_memory_cannot_hold_goes_through(rig: Rig) -> None:
    """What the API accepts: 32 texts of 1,024 characters, 130 MB in all."""
    count = 4_000
    data = {f"text_{number}": "x" * 1_024 for number in range(32)}
    for start in range(0, count, 500):
        numbers = range(start, start + 500)
        rig.send(*(event("large", n, user_id=f"u{n % 40 + 3}", data=data) for n in numbers))
    process = rig.start(
        ANSWERBOOK_NOTIFY_RENDER_HEAP="320m",
        ANSWERBOOK_NOTIFY_RENDER_MOST_PER_BATCH=str(count),
    )
    receipts = rig.wait_ended("large", count)
    assert {"expanded"} == {receipt.outcome for receipt in receipts.values()}
    assert 0 == process.end()
