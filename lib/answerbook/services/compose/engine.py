"""The compose engine: each node of a service is one container of docker/compose.yaml.

`services.engines` makes one for a state folder. What containers are made of is in compose.yaml and
`layout`; how they come and go, in `project`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from answerbook.config import EngineName
from answerbook.services import ports, progress
from answerbook.services.compose import containers, images, memory
from answerbook.services.compose.commands import (
    DockerFailed,
    DockerUnreachable,
    docker,
    one_line,
    together,
)
from answerbook.services.compose.layout import Node, layout, variables
from answerbook.services.compose.project import Project, write_variables
from answerbook.services.contract import Service
from answerbook.services.engine import COMMAND_SECONDS, Condition, NodeStatus
from answerbook.services.errors import CommandFailed, NotRunning, StartFailed
from answerbook.services.state import ServiceRecord, StateFolder

HOST = "127.0.0.1"
PORT_TAKEN = ("port is already allocated", "address already in use", "ports are not available")


class ComposeEngine:
    """Runs the services of one state folder."""

    name: EngineName = "compose"

    def __init__(self, state: StateFolder) -> None:
        self._project = Project(state)

    def client_host(self) -> str:
        return HOST

    def fetch(self, service: Service) -> None:
        images.fetch(_image(service), layout(service).image_variable)

    # -- verbs --------------------------------------------------------------------------------

    def start(self, service: Service, node: int | None) -> None:
        before = service.state.read_record(service.name)
        _note_readiness(service, before)
        living = before is not None and bool(self._living(service, None))
        if not living:
            self._project.remove_strays(layout(service).nodes)
            self._delete_broken_data(service)
        record = self._record_to_start(service, before, living)
        service.state.write_record(record)
        write_variables(_variables_file(service), variables(service, record.ports))
        paused = self._living(service, node, "paused")
        if paused:
            docker("unpause", *paused)
        others = [each for each in _nodes(service, node) if self._name(each) not in paused]
        if others:
            self._up(service, others, recreate=not living)

    def stop(self, service: Service, node: int | None) -> None:
        living = self._living(service, node)
        if living:
            docker("stop", *living)

    def kill(self, service: Service, node: int | None) -> None:
        living = self._living(service, node)
        if living:
            try:
                docker("kill", "--signal", "KILL", *living)
            except DockerFailed:
                if self._living(service, node):
                    raise  # it had not just ended by itself
            docker("wait", *living)

    def pause(self, service: Service, node: int | None) -> None:
        self._check_living(service, node)
        running = self._living(service, node, "running")
        if running:
            docker("pause", *running)

    def resume(self, service: Service, node: int | None) -> None:
        self._check_living(service, node)
        paused = self._living(service, node, "paused")
        if paused:
            docker("unpause", *paused)

    def remove(self, service: Service) -> None:
        record = service.state.read_record(service.name)
        _note_readiness(service, record)
        try:
            self._project.remove_containers(layout(service).nodes)
            self._delete_broken_data(service)
            self._project.remove_unused_network()
        except DockerUnreachable:
            if record is not None:
                progress.say(
                    f"Docker does not answer. What it holds of {service.name} does not run, and "
                    f"goes at the next `answerbook down {service.name}` when Docker is back."
                )
        _variables_file(service).unlink(missing_ok=True)
        service.state.delete_record(service.name)

    def delete_data(self, service: Service) -> None:
        self._project.delete_volumes(layout(service).nodes)
        service.state.delete_service_folder(service.name)

    def run(self, service: Service, node: int, words: Sequence[str]) -> str:
        self._check_living(service, node)
        (name,) = (self._name(each) for each in _nodes(service, node))
        try:
            return docker("exec", name, *words, timeout=COMMAND_SECONDS)
        except DockerFailed as error:
            raise CommandFailed(
                f"`{' '.join(words)}` failed: {one_line(error.complaint)}. Bring the service up "
                "anew with `answerbook down` and `answerbook up`."
            ) from error

    # -- looking ------------------------------------------------------------------------------

    def nodes(self, service: Service) -> list[NodeStatus]:
        names = [self._name(node) for node in _nodes(service, None)]
        try:
            found = containers.inspect(names)
        except DockerUnreachable:
            found = {}
        now = datetime.now(UTC)
        return [
            found[name].status(node, now) if name in found else NodeStatus(node, "stopped")
            for node, name in enumerate(names, start=1)
        ]

    def memory(self, service: Service, node: int) -> int:
        """Bytes that a node's container uses, without the cache that the kernel can take back."""
        names = [self._name(each) for each in _nodes(service, node)]
        found = containers.inspect(names).values()
        return sum(memory.used(each) for each in found if each.condition != "stopped")

    def listens(self, service: Service, node: int, port: int) -> bool:
        return True  # Docker starts no container on a port that another has

    def logs(self, service: Service, lines: int, node: int | None = None) -> str:
        names = [self._name(each) for each in _nodes(service, node)]
        parts = []
        for name in containers.inspect(names):
            text = together(["docker", "logs", "--tail", str(lines), name])
            parts.append(f"--- {service.name}, container {name}\n{text.rstrip()}")
        return "\n".join(parts)

    # -- starting -----------------------------------------------------------------------------

    def _record_to_start(
        self, service: Service, before: ServiceRecord | None, living: bool
    ) -> ServiceRecord:
        if before is not None and living:
            return before.model_copy(update={"phase": "starting"})
        return ServiceRecord(
            service=service.name,
            engine=self.name,
            version=images.version(_image(service), layout(service).version),
            ports=_choose_ports(service, before.ports if before else {}),
        )

    def _up(self, service: Service, nodes: list[Node], *, recreate: bool) -> None:
        try:
            self._project.up(nodes, _variables_file(service), recreate=recreate)
        except DockerFailed as error:
            told = one_line(error.complaint)
            if any(words in told.lower() for words in PORT_TAKEN):
                raise StartFailed(
                    f"A port of {service.name} was taken by another program ({told}). Start it on "
                    f"free ones: `answerbook down {service.name}`, then "
                    f"`answerbook up {service.name}`."
                ) from error
            raise StartFailed(
                f"Docker could not start {service.name}: {told}. Mend that, or begin anew with "
                f"`answerbook down {service.name}`."
            ) from error

    def _delete_broken_data(self, service: Service) -> None:
        """Delete data that never belonged to a ready service.

        An image does not notice that the making of its data was cut short, and would go on with
        half of it.
        """
        if not _was_ready(service).exists():
            self._project.remove_containers(layout(service).nodes)
            self._project.delete_volumes(layout(service).nodes)

    # -- inside -------------------------------------------------------------------------------

    def _name(self, node: Node) -> str:
        return self._project.container(node)

    def _living(self, service: Service, node: int | None, *conditions: Condition) -> list[str]:
        """Names of the containers in one of `conditions`: running or paused, if none is given."""
        wanted = conditions or ("running", "paused")
        found = containers.inspect(self._name(each) for each in _nodes(service, node))
        return [name for name, each in found.items() if each.condition in wanted]

    def _check_living(self, service: Service, node: int | None) -> None:
        if not self._living(service, node):
            raise NotRunning(
                f"{service.name} is not running. Start it: `answerbook up {service.name}`."
            )


def _choose_ports(service: Service, last: dict[int, dict[str, int]]) -> dict[int, dict[str, int]]:
    """Ports of the last time where nobody took them meanwhile, else the usual, else any."""
    wanted = {
        number: {
            name: last.get(number, {}).get(name) or _usual(service, name, number)
            for name in node.ports
        }
        for number, node in enumerate(layout(service).nodes, start=1)
    }
    others = service.state.ports_of_others(service.name)
    return ports.choose_each(wanted, others, service.reservation)


def _usual(service: Service, port: str, node: int) -> int:
    """The number that a port has where it is free; 0: any."""
    field = service.usual_ports.get(port)
    return getattr(service.settings, field) + node - 1 if field else 0


def _nodes(service: Service, node: int | None) -> list[Node]:
    nodes = layout(service).nodes
    return list(nodes) if node is None else [nodes[node - 1]]


def _image(service: Service) -> str:
    return str(getattr(service.settings, layout(service).image))


def _variables_file(service: Service) -> Path:
    return service.state.service_folder(service.name) / "compose.env"


def _was_ready(service: Service) -> Path:
    """A file that is there when the volumes are those of a service that once was ready."""
    return service.state.service_folder(service.name) / "was-ready"


def _note_readiness(service: Service, record: ServiceRecord | None) -> None:
    if record is not None and record.phase == "ready":
        _was_ready(service).touch()
