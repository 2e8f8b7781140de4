"""What Docker knows of containers, read from `docker container inspect`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from answerbook.services.compose.commands import attempt, failure
from answerbook.services.engine import Condition, NodeStatus

# One line of JSON a container, without its environment, in which the passwords are.
FORMAT = (
    '{"id":{{json .Id}},"name":{{json .Name}},"status":{{json .State.Status}},'
    '"pid":{{json .State.Pid}},"started":{{json .State.StartedAt}}}'
)
CONDITIONS: dict[str, Condition] = {"running": "running", "paused": "paused"}


@dataclass(frozen=True)
class Container:
    """One container as Docker has it."""

    id: str
    name: str
    condition: Condition
    """Created, exited and dead ones are all `stopped`."""
    pid: int
    started: datetime

    def status(self, node: int, now: datetime) -> NodeStatus:
        """The same as our engines tell it; uptime in seconds."""
        if self.condition == "stopped":
            return NodeStatus(node, "stopped")
        return NodeStatus(node, self.condition, self.pid, (now - self.started).total_seconds())


def inspect(names: Iterable[str]) -> dict[str, Container]:
    """The containers that exist among `names`. Raises DockerFailed and DockerUnreachable."""
    words = ["docker", "container", "inspect", "--format", FORMAT, *names]
    finished = attempt(words)
    unexpected = [
        line
        for line in finished.complaint.splitlines()
        if line.strip() and "no such container" not in line.lower()
    ]
    if finished.code != 0 and unexpected:
        raise failure(words, finished.complaint)
    return parse(finished.printed)


def parse(printed: str) -> dict[str, Container]:
    """Containers by name, from what `inspect` makes Docker print."""
    found = [_container(line) for line in printed.splitlines() if line.strip()]
    return {container.name: container for container in found}


def _container(line: str) -> Container:
    told = json.loads(line)
    return Container(
        id=told["id"],
        name=told["name"].removeprefix("/"),
        condition=CONDITIONS.get(told["status"], "stopped"),
        pid=told["pid"],
        # Docker's own times have nine decimals; Python keeps six.
        started=datetime.fromisoformat(told["started"]).astimezone(UTC),
    )
