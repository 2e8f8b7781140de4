"""What an engine promises: how the processes or containers of a service live and die.

`contract.Service` calls it. There are two, `native.engine` and `compose.engine`, and `engines`
chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from answerbook.config import EngineName

if TYPE_CHECKING:
    from answerbook.services.contract import Service

Condition = Literal["running", "paused", "stopped"]

COMMAND_SECONDS = 30.0
"""What a program that is run beside a node may take; rabbitmqctl takes half a second."""


@dataclass(frozen=True)
class NodeStatus:
    """How one node of a service is, as its engine sees it now."""

    node: int
    condition: Condition
    pid: int | None = None
    """Of the node's main process; of the container's first process under compose."""
    uptime: float | None = None
    """Seconds."""


class Engine(Protocol):
    """Runs services. All verbs take `node=None` for every node, and none waits for the client."""

    name: EngineName

    def fetch(self, service: Service) -> None:
        """Get the programs or images that the service needs; quick when they are there."""

    def start(self, service: Service, node: int | None) -> None:
        """Start the nodes that are not running and write the service's record."""

    def stop(self, service: Service, node: int | None) -> None:
        """Ask to finish, wait, and kill what does not; return when the processes are gone."""

    def kill(self, service: Service, node: int | None) -> None:
        """SIGKILL; return when the processes are gone."""

    def pause(self, service: Service, node: int | None) -> None:
        """Freeze (SIGSTOP): connections stay open, nothing answers."""

    def resume(self, service: Service, node: int | None) -> None:
        """Undo `pause`."""

    def remove(self, service: Service) -> None:
        """Stop what is left, including what a broken start left, and delete the record."""

    def delete_data(self, service: Service) -> None:
        """Delete data and logs of a removed service."""

    def nodes(self, service: Service) -> list[NodeStatus]:
        """One for each node, in order."""

    def memory(self, service: Service, node: int) -> int:
        """Bytes: the proportional set size of a node's processes, or what its container uses."""

    def listens(self, service: Service, node: int, port: int) -> bool:
        """Whether it is this node that listens on a port of its record, and nobody else's does."""

    def logs(self, service: Service, lines: int, node: int | None = None) -> str:
        """The last lines of each node's log, oldest first."""

    def run(self, service: Service, node: int, words: Sequence[str]) -> str:
        """Run a program of the service's own beside a node, as `rabbitmqctl`; what it printed.

        Raises NotRunning, and CommandFailed when it fails or takes longer than COMMAND_SECONDS.
        """

    def client_host(self) -> str:
        """The address a client on this machine connects to."""
