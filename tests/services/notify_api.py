"""The ingest API as its own process, for tests that speak to it over HTTP."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import psycopg
from confluent_kafka import KafkaException

from answerbook.notebook.waiting import wait_for
from answerbook.notify import records, topics
from answerbook.notify.records import Event, decode
from answerbook.notify.store.keys import create_key
from answerbook.services import Kafka, Postgres

SECONDS = 30.0
"""For anything that is waited for."""
MUCH = 10_000_000
"""Events a second: a rate that no test passes unless it means to."""


def make_topics(kafka: Kafka) -> None:
    topics.create_topics(kafka.url, records.TOPICS, 3, kafka.replication)


def new_database(postgres: Postgres, name: str) -> str:
    """An empty store of the notification system's; its address."""
    url = str(postgres.create_database(name))
    schema = files("answerbook.notify.store").joinpath("schema.sql").read_text()
    with psycopg.connect(url) as connection:
        connection.execute(schema)
    return url


def new_key(database: str, key_id: str, rate: int = MUCH) -> str:
    """The token of a new key."""
    with psycopg.connect(database) as connection:
        return create_key(connection, key_id, rate)


def written(kafka: Kafka, run_id: str) -> list[Event]:
    """The events of a run that Kafka holds."""
    values = wait_for(lambda: _all_events(kafka), "Kafka lets its events be read", SECONDS)
    return [event for value in values if (event := decode(value, Event)).run_id == run_id]


def _all_events(kafka: Kafka) -> list[bytes]:
    """None while a broker that was paused is not yet the leader of its partitions again."""
    try:
        return [message.value() or b"" for message in topics.read_all(kafka.url, records.EVENTS)]
    except KafkaException:
        return []


@dataclass
class RunningApi:
    """A started program."""

    process: "subprocess.Popen[bytes]"
    log: Path
    url: str

    def client(self, token: str | None = None, **headers: str) -> httpx.Client:
        """A client that sends `token`, to be closed."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return httpx.Client(base_url=self.url, headers=headers, timeout=SECONDS)

    def wait_until_ready(self) -> None:
        wait_for(lambda: self.ready()[0] == 200, "the API is ready", SECONDS)

    def ready(self) -> tuple[int, str]:
        """Status and text of /readyz."""
        answer = httpx.get(f"{self.url}/readyz", timeout=SECONDS)
        return answer.status_code, answer.text

    def end(self) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)


@contextmanager
def running_api(
    folder: Path, kafka: Kafka, database: str, **settings: object
) -> Iterator[RunningApi]:
    """Start the program, which then listens and need not be ready; it ends with the block."""
    given = {"kafka": kafka.url, "database": database, "port": 0, **settings}
    environment = {f"ANSWERBOOK_NOTIFY_{name.upper()}": str(each) for name, each in given.items()}
    log = folder / "api.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "answerbook", "notify", "api"],
            env=os.environ | environment,
            stderr=file,
        )
    try:
        wait_for(lambda: _listening(process, log), "the API listens", SECONDS)
        told = _listening(process, log)
        yield RunningApi(process, log, f"http://{told['host']}:{told['port']}")
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _listening(process: "subprocess.Popen[bytes]", log: Path) -> dict[str, Any]:
    """What the program said of where it listens; nothing yet."""
    lines = log.read_text().splitlines(keepends=True)
    assert process.poll() is None, "".join(lines)
    for line in lines:
        if '"listening"' in line and line.endswith("\n"):
            told: dict[str, Any] = json.loads(line)
            return told
    return {}
