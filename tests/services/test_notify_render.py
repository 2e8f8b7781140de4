"""Render as an operator runs it: a process between real Kafka and PostgreSQL, killed and restarted."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

import answerbook.notify.store
from answerbook import services
from answerbook.config import Settings
from answerbook.notify import kafka, records, topics
from answerbook.notify.records import DeadLetter, Event, EventReceipt, Notification, decode, encode
from answerbook.notify.running import Watch
from answerbook.services import ports
from answerbook.services.native import programs

SCHEMA = Path(answerbook.notify.store.__file__).with_name("schema.sql")
WAIT_SECONDS = 120
DAY = 86_400_000
PARTITIONS = 3


def wait_for(condition: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS) -> Any:
    """What `condition` answers as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)
    return answer


class Rig:
    """Kafka's topics, a database of the tests' own, and render processes between them."""

    def __init__(self, folder: Path) -> None:
        settings = Settings.load()
        self.kafka = services.require("kafka").bootstrap
        self.database = services.require("postgres").create_database("render")
        self.folder = folder
        self.port = ports.free_port()
        self.environment = os.environ | {
            "ANSWERBOOK_NOTIFY_KAFKA": self.kafka,
            "ANSWERBOOK_NOTIFY_DATABASE": str.__str__(self.database),
            "ANSWERBOOK_NOTIFY_FOLDER": str(folder),
            "ANSWERBOOK_NOTIFY_PORT": str(self.port),
            "ANSWERBOOK_NOTIFY_RENDER_JARS": ":".join(map(str, programs.spark(settings))),
            "ANSWERBOOK_NOTIFY_RENDER_JAVA": str(programs.java(settings)),
            "ANSWERBOOK_NOTIFY_RENDER_HEAP": "448m",
            "ANSWERBOOK_NOTIFY_RENDER_REFRESH_SECONDS": "2",
            "ANSWERBOOK_NOTIFY_RENDER_MOST_PER_BATCH": "2000",
        }
