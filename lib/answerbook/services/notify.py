"""The notification system's programs, each a service of its own; notify_system.py has the whole.

A program is ours (`answerbook notify api`), so it runs as a process of this machine even where
containers run the rest. It is told everything through ANSWERBOOK_NOTIFY_… variables, as it is in
production: those of the reader's own environment, and over them the addresses of what runs here.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import ClassVar, Protocol

import psutil

from answerbook.config import Settings
from answerbook.services import probe
from answerbook.services.address import Secret
from answerbook.services.contract import Service
from answerbook.services.engine import Engine
from answerbook.services.errors import PORT_LOST, NotRunning
from answerbook.services.kafka import Kafka
from answerbook.services.postgres import Postgres
from answerbook.services.state import StateFolder

PREFIX = "ANSWERBOOK_NOTIFY_"


class Needs(Protocol):
    """What the programs talk to, and are started after. Asked only when one starts."""

    @property
    def kafka(self) -> Kafka: ...
    @property
    def postgres(self) -> Postgres: ...


class Program(Service):
    """One program: ready when its own /readyz says so."""

    worth_a_second_start = (*PORT_LOST, "it is taken")

    def __init__(
        self, state: StateFolder, engine: Engine, settings: Settings, needs: Needs
    ) -> None:
        super().__init__(state, engine, settings)
        self.needs = needs

    @property
    def program(self) -> str:
        """As `answerbook notify` names it."""
        return self.name.removeprefix("notify-")

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def folder(self) -> Path:
        """Where it keeps what outlives it, and its log."""
        return self.state.service_folder(self.name)

    def addresses(self) -> dict[str, str]:
        """The variables that a process of it must have been started with to be of use now.

        Raises NotRunning before the first start of what it needs.
        """
        return {
            f"{PREFIX}KAFKA": self.needs.kafka.url,
            f"{PREFIX}DATABASE": self.needs.postgres.url,
        }

    def is_misled(self) -> bool:
        """Whether a process of it runs that was told addresses which are not those of today."""
        wanted = self.addresses().items()
        pids = [status.pid for status in self.nodes() if status.pid is not None]
        return any(not wanted <= _environment(pid).items() for pid in pids)

    def round_trip(self) -> None:
        """Every running process says that it is ready: that it reaches what it needs."""
        running = [status.node for status in self.nodes() if status.condition == "running"]
        for node in running:
            self._get(node, "/readyz")

    def wait_until_ready(self) -> None:
        """Return when every process is ready again: what it needs may have been away."""
        self._wait_until_ready(time.monotonic() + self.patience, None)

    def ping(self) -> None:
        for node in range(1, self.node_count + 1):
            self._get(node, "/healthz")

    def _get(self, node: int, path: str) -> None:
        probe.get(self.host, self.ports(node)[next(iter(self.usual_ports))], path)


class Emulator(Program):
    """Firebase Cloud Messaging, played on this machine."""

    name = "notify-emulator"
    usual_ports: ClassVar = {"http": "notify_emulator_port"}
    extra_ports = ("tls", "proxy")

    @property
    def token(self) -> str:
        """Of its control API, and of this handle alone: it is no part of any address."""
        return Secret(self.state.secret(self.name).get_secret_value())

    @property
    def tls_port(self) -> int:
        """HTTPS under its own CA."""
        return self.ports(1)["tls"]

    @property
    def proxy_port(self) -> int:
        """HTTP CONNECT for the hosts that it stands in for."""
        return self.ports(1)["proxy"]

    @property
    def record_of_accepted(self) -> Path:
        """A line for each message that it accepted, `records.EMULATOR_FIELDS`; for the audit."""
        return self.folder / "accepted.tsv"

    def addresses(self) -> dict[str, str]:
        """It talks to nobody; whoever controls it has to know this."""
        return {f"{PREFIX}EMULATOR_TOKEN": self.token}


class Api(Program):
    """The door: POST /v1/events."""

    name = "notify-api"
    usual_ports: ClassVar = {"http": "notify_api_port"}


class Render(Program):
    """Spark, in a JVM that is a child of the program."""

    name = "notify-render"
    usual_ports: ClassVar = {"http": "notify_render_port"}

    @property
    def patience(self) -> float:
        """Twice a broker's: Spark takes 20 s of processor until its first batch."""
        return 2 * super().patience

    def cluster_id(self) -> str:
        """Of the Kafka cluster: a checkpoint's offsets mean nothing on another."""
        admin = self.needs.kafka.admin()
        try:
            return str(admin.describe_cluster()["cluster_id"])
        finally:
            admin.close()


class Deliver(Program):
    """Workers that send, each a node: one may be killed alone."""

    name = "notify-deliver"
    usual_ports: ClassVar = {"http": "notify_deliver_port"}

    def __init__(
        self,
        state: StateFolder,
        engine: Engine,
        settings: Settings,
        needs: Needs,
        emulator: Emulator,
    ) -> None:
        super().__init__(state, engine, settings, needs)
        self.emulator = emulator

    @property
    def node_count(self) -> int:
        """As many as were started; what settings say, where none is yet."""
        record = self.state.read_record(self.name)
        if record is not None:
            return len(record.ports)
        in_profile = 1 if self.settings.profile == "study" else 2
        return self.settings.notify_deliver_workers or in_profile

    def addresses(self) -> dict[str, str]:
        """It has no business with the database, and runs where there is none."""
        return {
            f"{PREFIX}KAFKA": self.needs.kafka.url,
            f"{PREFIX}EMULATOR_URL": self.emulator.url,
        }


class Track(Program):
    """Receipts into PostgreSQL."""

    name = "notify-track"
    usual_ports: ClassVar = {"http": "notify_track_port"}


def _environment(pid: int) -> dict[str, str]:
    try:
        return psutil.Process(pid).environ()
    except psutil.NoSuchProcess:
        raise NotRunning(f"Process {pid} ended while it was looked at. Ask again.") from None
