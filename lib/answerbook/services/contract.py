"""The contract between a service, the engine that runs it, and whoever requires it.

A `Service` knows its *client*: addresses, credentials, what a round trip is. An `engine.Engine`
knows how its processes or containers live and die. Neither knows the other's business, so that
every service has the same verbs on every engine.
"""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from threading import Event
from typing import ClassVar, Literal, Self

from answerbook.config import Settings
from answerbook.services import progress
from answerbook.services.engine import Engine, NodeStatus
from answerbook.services.errors import PORT_LOST, NotRunning, StartFailed
from answerbook.services.ports import Reservation
from answerbook.services.state import ServiceRecord, StateFolder

EitherEngineName = Literal["rabbitmq", "rabbitmq-3", "kafka", "kafka-3", "postgres"]
ProgramName = Literal[
    "notify-emulator", "notify-api", "notify-render", "notify-deliver", "notify-track"
]
"""Of the notification system."""
NativeName = Literal[ProgramName, "site"]
"""What is our own: on the native engine, whatever runs the others."""
ServiceName = Literal[EitherEngineName, NativeName]

POLL_SECONDS = 0.1
"""Between two attempts of a client while its service starts."""
LOG_LINES = 400
"""Among which the cause of a failed start is: an orderly end may say much after it."""


class Service(ABC):
    """A service on some engine: its address, its client's parameters, and control over it.

    Two handles of one service, in two kernels, see the same: what is true stands in the record in
    the state folder, and every handle reads it there.
    """

    name: ClassVar[ServiceName]
    usual_ports: ClassVar[dict[str, str]]
    """Port name → the `Settings` field of its usual number; the first is the client's."""
    extra_ports: ClassVar[tuple[str, ...]] = ()
    """Names of ports that may have any number."""
    worth_a_second_start: ClassVar[tuple[str, ...]] = PORT_LOST
    """What a failed start says, in lower case, when the same start may succeed a moment later."""
    noise: ClassVar[re.Pattern[str]] = re.compile(r"(?!)")
    """Lines of its log that push the cause of a failed start out of sight."""

    def __init__(self, state: StateFolder, engine: Engine, settings: Settings) -> None:
        self.state = state
        self.engine = engine
        self.settings = settings
        self.cancelled = Event()
        """Set by whoever waits for a start in another thread and was interrupted."""
        self.reservation = Reservation()
        """The ports that a start has chosen, from then until it is over."""

    @property
    def patience(self) -> float:
        """Seconds that it may take from its start until its client made a round trip."""
        return self.settings.start_timeout

    @property
    def node_count(self) -> int:
        """How many processes or containers of the same kind it is made of."""
        return 1

    # -- address ------------------------------------------------------------------------------

    @property
    def host(self) -> str:
        return self.engine.client_host()

    @property
    def port(self) -> int:
        """The first node's client port."""
        return self.ports(1)[next(iter(self.usual_ports))]

    @property
    @abstractmethod
    def url(self) -> str:
        """The address in the form the service's clients read; its `repr` masks the password."""

    def ports(self, node: int) -> dict[str, int]:
        """Port names and numbers of one node. Raises NotRunning before the first start."""
        return self.record().ports[node]

    @property
    def version(self) -> str:
        return self.record().version

    def record(self) -> ServiceRecord:
        record = self.state.read_record(self.name)
        if record is None:
            raise NotRunning(f"{self.name} is not running. Start it: `answerbook up {self.name}`.")
        return record

    # -- control ------------------------------------------------------------------------------

    def start(self, node: int | None = None) -> Self:
        """Start what is not running, one node or all, and wait for the client's round trip."""
        with self._changing(node):
            # Another process may have done it while we waited for our turn.
            if not self.is_up():
                self._start(node)
        return self

    def stop(self, node: int | None = None) -> None:
        """Finish in order. Data stays; `start` brings it back on the same address if it is free."""
        with self._changing(node):
            self.engine.stop(self, node)

    def kill(self, node: int | None = None) -> None:
        """SIGKILL, as the kernel's out-of-memory killer would. Data stays."""
        with self._changing(node):
            self.engine.kill(self, node)

    def pause(self, node: int | None = None) -> None:
        """Freeze: to its clients a hung server, or a network that lost it."""
        with self._changing(node):
            self.engine.pause(self, node)

    def resume(self, node: int | None = None) -> None:
        """Undo `pause`."""
        with self._changing(node):
            self.engine.resume(self, node)

    def restart(self, node: int | None = None) -> Self:
        """`stop`, then `start`."""
        self.stop(node)
        return self.start(node)

    def nodes(self) -> list[NodeStatus]:
        return self.engine.nodes(self)

    def logs(self, lines: int = 20, node: int | None = None) -> str:
        return self.engine.logs(self, lines, node)

    def _start(self, node: int | None) -> None:
        self.engine.fetch(self)
        began = time.monotonic()
        try:
            self._start_once(node)
        except StartFailed as error:
            # On other ports, where one was lost between our look at it and the service's bind.
            if not any(words in str(error).lower() for words in self.worth_a_second_start):
                raise
            self._start_once(node)
        seconds = time.monotonic() - began
        progress.say(f"{self.name} {self.version} is up ({self.engine.name}, {seconds:.1f} s).")

    def _start_once(self, node: int | None) -> None:
        before = [status.node for status in self.nodes() if status.condition != "stopped"]
        try:
            self.engine.start(self, node)
            self._wait_until_ready(time.monotonic() + self.patience, node)
        except BaseException:
            # A start that fails or is interrupted leaves nothing, except the nodes that ran before.
            if not before:
                self.engine.kill(self, None)
                self.engine.remove(self)
            raise
        finally:
            self.reservation.close()

    # -- readiness ----------------------------------------------------------------------------

    @abstractmethod
    def round_trip(self) -> None:
        """Write something and read it back with the real client; raise whatever it raises."""

    @abstractmethod
    def ping(self) -> None:
        """The quickest real request that shows a ready service still answers; raise if not."""

    def is_fatal(self, error: Exception) -> Exception | None:
        """What to raise at once, when waiting longer cannot mend what `round_trip` raised."""
        return None

    def is_up(self) -> bool:
        """Whether its start was finished, by a round trip, and it still answers.

        One that was started by a process that was killed may answer, and was never ready.
        """
        record = self.state.read_record(self.name)
        return record is not None and record.phase == "ready" and self.is_answering()

    def is_answering(self) -> bool:
        """Whether a service that was ready is still so: all nodes run and the client gets in."""
        if any(status.condition != "running" for status in self.nodes()):
            return False
        try:
            self._check_listens()
            self.ping()
        except Exception as error:
            fatal = self.is_fatal(error)
            if fatal is not None:
                raise fatal from error
            return False
        return True

    def _wait_until_ready(self, deadline: float, node: int | None) -> None:
        with progress.waiting(f"{self.name}: starting"), progress.quiet_clients():
            while (last_error := self._attempt()) is not None:
                self._raise_if_dead(node)
                self._raise_if_cancelled()
                if time.monotonic() > deadline:
                    raise StartFailed(
                        f"{self.name} did not answer within {self.patience:.0f} s "
                        f"(last: {last_error!r}). Give it longer with ANSWERBOOK_START_TIMEOUT, "
                        f"or read its log:\n{self._last_words()}"
                    ) from last_error
                time.sleep(POLL_SECONDS)
        # An attempt takes seconds while a broker starts: it may have succeeded since the interrupt,
        # and two nodes of three answer for one that ended.
        self._raise_if_cancelled()
        self._raise_if_dead(node)
        self.state.mark_ready(self.name)

    def _attempt(self) -> Exception | None:
        try:
            self._check_listens()
            self.round_trip()
        except Exception as error:
            fatal = self.is_fatal(error)
            if fatal is not None:
                raise fatal from error
            return error
        return None

    def _check_listens(self) -> None:
        """Raise ConnectionError unless what a client of ours would reach is ours.

        Another's server may have taken the port, and would answer as well as ours.
        """
        client = next(iter(self.usual_ports))
        for status in self.nodes():
            port = self.ports(status.node)[client]
            if status.condition == "running" and not self.engine.listens(self, status.node, port):
                raise ConnectionError(f"node {status.node} does not listen on port {port}")

    def _raise_if_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise KeyboardInterrupt

    def _raise_if_dead(self, started: int | None) -> None:
        dead = [
            status.node
            for status in self.nodes()
            if status.condition == "stopped" and started in (None, status.node)
        ]
        if dead:
            raise StartFailed(
                f"{self.name} ended while it was starting. `answerbook doctor` checks what it "
                "needs; if its data is at fault, begin anew with `answerbook down --delete-data "
                f"{self.name}`. The last lines of its log say why:\n{self._last_words(dead[0])}"
            )

    def _last_words(self, node: int | None = None) -> str:
        """The end of the log without `noise`; all of that end where nothing else is said."""
        lines = self.logs(LOG_LINES, node).splitlines()
        telling = [line for line in lines if not self.noise.search(line)]
        if all(line.startswith("--- ") for line in telling):
            telling = lines
        return "\n".join(telling[-25:])

    # -- inside -------------------------------------------------------------------------------

    def _changing(self, node: int | None) -> AbstractContextManager[object]:
        if node is not None and not 1 <= node <= self.node_count:
            raise ValueError(f"{self.name} has nodes 1 to {self.node_count}, not {node}.")
        return self.state.changing(self.name)

    def __repr__(self) -> str:
        record = self.state.read_record(self.name)
        if record is None:
            return f"<{self.name}: not running>"
        return f"<{self.name} {record.version} at {self.url!r} ({record.engine})>"
