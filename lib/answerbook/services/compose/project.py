"""Compose's project of one state folder: its containers, volumes and network. The engine uses it.

Compose makes them; they are found and removed by the labels and names that compose gave them, so
that what an interrupted `up` left is found too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from answerbook.services.compose.commands import docker, succeed
from answerbook.services.compose.layout import Node
from answerbook.services.compose.machine import needed_compose_file, needed_compose_program
from answerbook.services.state import StateFolder, write_whole


class Project:
    """One for each state folder, so that two checkouts do not meet."""

    def __init__(self, state: StateFolder) -> None:
        self._lock = state.path / "locks" / "docker.lock"
        folder = str(state.path.resolve()).encode()
        self.name = f"answerbook-{hashlib.sha256(folder).hexdigest()[:10]}"

    def container(self, node: Node) -> str:
        """The name that compose gives a node's container."""
        return f"{self.name}-{node.name}-1"

    def volume(self, node: Node) -> str:
        """The name that compose gives a node's volume."""
        return f"{self.name}_{node.name}"

    def up(self, nodes: Sequence[Node], variables: Path, *, recreate: bool) -> None:
        """Make and start containers; without `recreate`, one that is there is started as it is.

        `variables` is the file with what compose.yaml leaves open. Raises DockerFailed.
        """
        words = [
            *needed_compose_program(),
            "--progress",
            "quiet",
            "--file",
            str(needed_compose_file()),
        ]
        words += ["--project-name", self.name, "--env-file", str(variables)]
        words += ["up", "--detach", "--no-deps", "--no-build", "--pull", "never"]
        words += [] if recreate else ["--no-recreate"]
        with self._alone():
            succeed([*words, *(node.name for node in nodes)])

    def remove_containers(self, nodes: Sequence[Node]) -> None:
        """Stop and remove all containers of these nodes, whatever they are called."""
        # All at once: a Kafka broker that stops last would wait for a quorum that is gone.
        self._remove([name for node in nodes for name in self._containers_of(node)])

    def remove_strays(self, nodes: Sequence[Node]) -> None:
        """Remove what an `up` left that was cut short while it put one container for another."""
        usual = {self.container(node) for node in nodes}
        found = {name for node in nodes for name in self._containers_of(node)}
        self._remove(sorted(found - usual))

    def remove_unused_network(self) -> None:
        """Remove the network if no container of the project is left."""
        with self._alone():
            if not self._list("ps", "--all", "--quiet"):
                for network in self._list("network", "ls", "--quiet"):
                    docker("network", "rm", network)

    def delete_volumes(self, nodes: Sequence[Node]) -> None:
        """Delete the nodes' data. Their containers have to be gone."""
        docker("volume", "rm", "--force", *(self.volume(node) for node in nodes))

    def _containers_of(self, node: Node) -> list[str]:
        of_node = f"label=com.docker.compose.service={node.name}"
        return self._list("ps", "--all", "--format", "{{.Names}}", "--filter", of_node)

    def _remove(self, names: list[str]) -> None:
        if names:
            docker("stop", *names)
            docker("rm", "--force", "--volumes", *names)

    def _list(self, *words: str) -> list[str]:
        """What carries the project's label; `words` list one kind of thing."""
        return docker(*words, "--filter", f"label=com.docker.compose.project={self.name}").split()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time: two that start at once would both make the network."""
        with FileLock(self._lock):
            yield


def write_variables(path: Path, values: Mapping[str, str]) -> None:
    """Write what compose.yaml leaves open, passwords too, for its owner only."""
    write_whole(path, env_file(values), mode=0o600)


def env_file(values: Mapping[str, str]) -> str:
    """A file for `docker compose --env-file` that carries any text unchanged."""
    return "".join(f'{name}="{_quoted(value)}"\n' for name, value in values.items())


def _quoted(value: str) -> str:
    # The backslash first: it is what escapes the others.
    for character, written in (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("\n", "\\n")):
        value = value.replace(character, written)
    return value
