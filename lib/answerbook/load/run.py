"""Runs the Locust file as a process of its own: its seconds as they pass, then the whole.

    with LoadTest(Load(url, "spike", ledger=folder), key) as test:
        for second in test: …
    test.whole.p99

Called by `answerbook load` and by notebooks, which must not import Locust themselves. The process
cannot outlive the one that started it.
"""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Self

import msgspec

from answerbook.load.events import USERS, new_run_id
from answerbook.load.measured import Second, Whole
from answerbook.load.shapes import ShapeName, shape

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
END_SECONDS = 30.0
"""What Locust may take to end once it is told to."""
PAGE_SECONDS = 60.0
"""What Locust's page may take until it answers."""


class LoadFailed(Exception):
    """Locust did not run; the message carries what it said."""


@dataclass(frozen=True)
class Load:
    """A load test to run."""

    url: str
    """Of the ingest API."""
    shape: ShapeName
    ledger: Path
    """The ledger's folder."""
    seconds: float | None = None
    """Default: what the shape usually takes."""
    rate: float | None = None
    """Events a second. Default: a million an hour."""
    batch: int = 1
    """Events of a request."""
    pool: int = 200
    """Requests under way at once, at most; what is due beyond that waits, and its time counts."""
    users: int = USERS
    run_id: str = field(default_factory=lambda: new_run_id("load"))

    def __post_init__(self) -> None:
        """Raises ValueError for a shape, batch or pool that cannot be."""
        shape(self.shape, self.seconds, self.rate)
        if not 1 <= self.batch <= 1_000 or self.pool < 1:
            raise ValueError("A request holds 1 to 1,000 events, and at least one is under way.")


class _Said(msgspec.Struct):
    """One line of the Locust file's report."""

    second: Second | None = None
    whole: Whole | None = None


class LoadTest:
    """A load test under way; or, with `page`, Locust with its page, where a person starts tests."""

    def __init__(self, load: Load, key: str, *, page: bool = False) -> None:
        self.load = load
        self.seconds: list[Second] = []
        self._whole: Whole | None = None
        self._token = secrets.token_urlsafe(24)
        self._port = _free_port() if page else 0
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  `close` closes it
        reading, writing = os.pipe()
        self._process = subprocess.Popen(
            self._command(writing),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            pass_fds=[writing],
            # In its environment: a command line shows in every list of processes.
            env=os.environ | {"ANSWERBOOK_LOAD_KEY": key, "ANSWERBOOK_LOAD_TOKEN": self._token},
            start_new_session=True,  # Ctrl-C is for the starter, which asks for the whole then
        )
        os.close(writing)
        self._report = os.fdopen(reading, encoding="utf-8")
        self._passed: SimpleQueue[Second | None] = SimpleQueue()
        # Always, and not as somebody iterates: Locust stands still once the pipe is full.
        self._reader = Thread(target=self._read, name="Locust's report", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def whole(self) -> Whole:
        """What the last test measured. Raises LoadFailed where there is none."""
        if self._whole is None:
            raise LoadFailed(f"Locust ended early. {self._complaint()}".strip())
        return self._whole

    @property
    def page(self) -> str:
        """The address of Locust's page, token included; once it answers. Raises LoadFailed."""
        address = f"127.0.0.1:{self._port}"
        deadline = time.monotonic() + PAGE_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            if _answers(address):
                return f"http://{address}/?token={self._token}"
            time.sleep(0.05)
        raise LoadFailed(f"Locust's page does not answer. {self._complaint()}".strip())

    def __iter__(self) -> Iterator[Second]:
        """Each second of the test once it has passed."""
        while (second := self._passed.get()) is not None:
            yield second
        self._passed.put(None)  # for whoever comes again

    def _read(self) -> None:
        try:
            for line in self._report:
                said = msgspec.json.decode(line, type=_Said)
                if said.whole is not None:
                    self._whole = said.whole
                if said.second is not None:
                    self.seconds.append(said.second)
                    self._passed.put(said.second)
        finally:
            self._passed.put(None)

    def finish(self) -> Whole:
        """Wait for the end; what was measured. Raises LoadFailed."""
        for _ in self:
            pass
        return self.whole

    def stop(self) -> None:
        """End it early; what was measured so far is told."""
        self._process.terminate()

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()

    def close(self) -> None:
        """End it, if it has not, and let go of all that it holds."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(END_SECONDS)
        self._report.close()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _command(self, report: int) -> list[str]:
        load = self.load
        options = {
            "locustfile": LOCUSTFILE,
            "host": load.url,
            "arrivals": load.shape,
            "seconds": load.seconds or 0,
            "rate": load.rate or 0,
            "batch": load.batch,
            "pool": load.pool,
            "seeded-users": load.users,
            "run-id": load.run_id,
            "ledger": load.ledger,
            "report": f"/dev/fd/{report}",
            "starter": os.getpid(),
        }
        if self._port:
            options |= {"web-host": "127.0.0.1", "web-port": self._port}
        return [
            *(sys.executable, "-m", "locust", "--skip-log-setup"),
            *([] if self._port else ["--headless", "--only-summary"]),
            *(f"--{name}={value}" for name, value in options.items()),
        ]

    def _complaint(self) -> str:
        if self._log.closed:
            return ""
        self._log.seek(0)
        return self._log.read().strip()[-2000:]


def _answers(address: str) -> bool:
    connection = HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 401  # it is guarded
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
