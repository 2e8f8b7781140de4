"""The native engine: every service a few private processes of this machine.

`services.engines` chooses it where no Docker engine answers. What a service is made of stands in
its recipe; how processes are started and ended, in `native.processes`.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from answerbook.config import EngineName
from answerbook.services import ports
from answerbook.services.contract import Service
from answerbook.services.engine import COMMAND_SECONDS, Condition, NodeStatus
from answerbook.services.errors import NotRunning
from answerbook.services.native import logs, processes
from answerbook.services.native.launch import Launch, Plan, Recipe
from answerbook.services.state import ProcessRecord, ServiceRecord, unusable

HOST = "127.0.0.1"
SHARED = 0
"""Stands for the node of a process that belongs to all nodes."""
STOP_SECONDS = 20.0
"""What an orderly end may take before it becomes a kill."""


class NativeEngine:
    """Runs services as processes, by recipe."""

    name: EngineName = "native"

    def __init__(self, recipes: dict[str, Recipe]) -> None:
        self._recipes = recipes
        self._versions: dict[str, str] = {}

    def client_host(self) -> str:
        return HOST

    def fetch(self, service: Service) -> None:
        self._versions[service.name] = self._recipes[service.name].fetch(service)

    # -- verbs --------------------------------------------------------------------------------

    def start(self, service: Service, node: int | None) -> None:
        service.state.check_room()
        try:
            self._start(service, node)
        except OSError as error:  # the disk filled up, or something in there is another user's
            raise unusable(service.state.path, error) from error

    def stop(self, service: Service, node: int | None) -> None:
        living = self._living(service, node)
        # In reverse: what a process needs (RabbitMQ its epmd) was started before it. All nodes at
        # once: a Kafka broker that stops last would wait for a quorum that is gone. With one of
        # three dead it often does: the first of the two to end takes the quorum with it, and the
        # other, which needs a controller to be let go, is killed after STOP_SECONDS.
        for role in reversed(list(dict.fromkeys(process.role for process, _ in living))):
            of_role = [(record, found) for record, found in living if record.role == role]
            how = signal.Signals(of_role[0][0].stop_signal)
            processes.end([found for _, found in of_role], how, STOP_SECONDS)

    def kill(self, service: Service, node: int | None) -> None:
        processes.kill([process for _, process in self._living(service, node)])

    def pause(self, service: Service, node: int | None) -> None:
        processes.freeze(self._running(service, node))

    def resume(self, service: Service, node: int | None) -> None:
        processes.thaw(self._running(service, node))

    def remove(self, service: Service) -> None:
        self.stop(service, None)
        self._kill_unrecorded(service)
        for node in self._wanted(service, None):
            self._recipes[service.name].tidy(self._folder(service, node))
        service.state.delete_record(service.name)

    def delete_data(self, service: Service) -> None:
        service.state.delete_service_folder(service.name)

    def run(self, service: Service, node: int, words: Sequence[str]) -> str:
        return processes.run_beside(self._running(service, node)[-1], words, COMMAND_SECONDS)

    # -- looking ------------------------------------------------------------------------------

    def nodes(self, service: Service) -> list[NodeStatus]:
        return [self._status(service, node) for node in self._wanted(service, None)]

    def listens(self, service: Service, node: int, port: int) -> bool:
        living = (process for record, process in self._living(service, node))
        return processes.listen(living, port)

    def logs(self, service: Service, lines: int, node: int | None = None) -> str:
        parts = []
        shared = [SHARED] if service.node_count > 1 else []
        for each in shared + self._wanted(service, node):
            folder = self._folder(service, each)
            for log in sorted(folder.glob("*.log")):
                text = logs.tail(log, lines)
                if text.strip():
                    whose = f"{service.name} node {each}" if each != SHARED else service.name
                    parts.append(f"--- {whose}, {log.name}\n{text}")
        return "\n".join(parts)

    # -- inside -------------------------------------------------------------------------------

    def _start(self, service: Service, node: int | None) -> None:
        if not self._living(service, None):
            self._kill_unrecorded(service)
        with service.state.changing("ports"):  # two services that start at once share none
            record = self._record_to_start(service)
            service.state.write_record(record)
        stopped = []
        for each in self._wanted(service, node):
            condition = self._status(service, each).condition
            if condition == "paused":
                self.resume(service, each)
            elif condition == "stopped":
                stopped.append(each)
        plans = [self._plan(service, record, each) for each in stopped]
        with ThreadPoolExecutor(max_workers=len(plans) or 1) as pool:
            prepared = list(pool.map(self._recipes[service.name].prepare, plans))
        record = self._start_shared(service, prepared, record)
        for plan, launches in zip(plans, prepared, strict=True):
            own = [launch for launch in launches if not launch.shared]
            record = self._spawn(plan, own, record)

    def _record_to_start(self, service: Service) -> ServiceRecord:
        """Today's record, with the ports of the last time where nobody took them meanwhile."""
        old = service.state.read_record(service.name)
        living = self._living(service, None)
        if old is not None and living:
            # With its dead processes: a node that lost one of two is not whole.
            return old.model_copy(update={"phase": "starting"})
        if old is not None:
            ports.wait_until_free([number for of in old.ports.values() for number in of.values()])
        return ServiceRecord(
            service=service.name,
            engine=self.name,
            version=self._versions[service.name],
            ports=self._choose_ports(service, old.ports if old else {}),
        )

    def _choose_ports(
        self, service: Service, last: dict[int, dict[str, int]]
    ) -> dict[int, dict[str, int]]:
        wanted = {}
        for node in self._wanted(service, None):
            usual = {
                name: getattr(service.settings, field) + node - 1
                for name, field in service.usual_ports.items()
            } | dict.fromkeys(service.extra_ports, 0)
            wanted[node] = usual | last.get(node, {})
        others = service.state.ports_of_others(service.name)
        return ports.choose_each(wanted, others, service.reservation)

    def _plan(self, service: Service, record: ServiceRecord, node: int) -> Plan:
        """What a stopped node is to become, after what is left of it has been ended."""
        mark = f"{_mark(service)}:{node}"
        # Of two processes one may have ended; nginx, for one, writes over its environment.
        recorded = [found for _, found in self._living(service, node)]
        processes.kill(recorded + processes.marked(mark))
        return Plan(service, node, record.ports, self._folder(service, node), mark)

    def _spawn(self, plan: Plan, launches: list[Launch], record: ServiceRecord) -> ServiceRecord:
        """Start one node's processes, recording each as soon as it lives."""
        others = [process for process in record.processes if process.node != plan.node]
        record = record.model_copy(update={"processes": others})
        for launch in launches:
            process = processes.spawn(launch, plan.node, plan.mark)
            living = sorted([*record.processes, process], key=lambda each: each.node)
            record = record.model_copy(update={"processes": living})
            plan.service.state.write_record(record)
        return record

    def _start_shared(
        self, service: Service, prepared: list[list[Launch]], record: ServiceRecord
    ) -> ServiceRecord:
        """Start what all nodes share, unless it lives; each of `prepared` asks for the same."""
        shared = {each.role: each for launches in prepared for each in launches if each.shared}
        if len(self._living(service, SHARED)) >= len(shared):
            return record
        return self._spawn(self._plan(service, record, SHARED), list(shared.values()), record)

    def _living(
        self, service: Service, node: int | None
    ) -> list[tuple[ProcessRecord, psutil.Process]]:
        record = service.state.read_record(service.name)
        if record is None:
            return []
        return [
            (process, found)
            for process in record.processes
            if node in (None, process.node) and (found := processes.alive(process))
        ]

    def _kill_unrecorded(self, service: Service) -> None:
        """End what a start left behind that was killed before it could record it."""
        processes.kill(processes.marked(_mark(service)))

    def _running(self, service: Service, node: int | None) -> list[psutil.Process]:
        living = [
            process for record, process in self._living(service, node) if record.node != SHARED
        ]
        if not living:
            raise NotRunning(
                f"{service.name} is not running. Start it: `answerbook up {service.name}`."
            )
        return living

    def _status(self, service: Service, node: int) -> NodeStatus:
        record = service.state.read_record(service.name)
        recorded = record.processes if record else []
        living = [processes.alive(each) for each in recorded if each.node in (SHARED, node)]
        main = living[-1] if any(each.node == node for each in recorded) else None
        if main is None or None in living:
            return NodeStatus(node, "stopped")
        frozen = main.status() == psutil.STATUS_STOPPED
        condition: Condition = "paused" if frozen else "running"
        return NodeStatus(node, condition, main.pid, time.time() - main.create_time())

    def memory(self, service: Service, node: int) -> int:
        """Proportional set size in bytes of a node's processes."""
        return processes.memory(process for _, process in self._living(service, node))

    def _wanted(self, service: Service, node: int | None) -> list[int]:
        return [node] if node is not None else list(range(1, service.node_count + 1))

    def _folder(self, service: Service, node: int) -> Path:
        folder = service.state.service_folder(service.name)
        if service.node_count > 1 and node != SHARED:
            folder = folder / f"node-{node}"
            folder.mkdir(exist_ok=True)
        return folder


def _mark(service: Service) -> str:
    return f"{service.state.path.resolve()}:{service.name}"
