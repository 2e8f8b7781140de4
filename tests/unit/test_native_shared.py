"""The native engine with a process that all nodes share, made of processes that only sleep."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from answerbook.config import Settings
from answerbook.services import RabbitMQ3, Service
from answerbook.services.native import processes
from answerbook.services.native.engine import SHARED, NativeEngine
from answerbook.services.native.launch import Launch, Plan, Recipe
from answerbook.services.state import StateFolder


class Sleepers(Recipe):
    """A recipe as RabbitMQ's is: one process for all, and one for each node."""

    def fetch(self, service: Service) -> str:
        return "1.0"

    def prepare(self, plan: Plan) -> list[Launch]:
        folder = plan.service.state.service_folder(plan.service.name)
        return [
            Launch("common", ["sleep", "600"], folder, shared=True),
            Launch("own", ["sleep", "600"], plan.folder),
        ]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RabbitMQ3]:
    """Three sleeping nodes; nothing of them is left."""
    monkeypatch.setenv("ANSWERBOOK_HOME", str(tmp_path))
    settings = Settings.load()
    engine = NativeEngine({"rabbitmq-3": Sleepers()})
    service = RabbitMQ3(StateFolder.open(settings), engine, settings)
    engine.fetch(service)
    engine.start(service, None)
    yield service
    engine.kill(service, None)
    engine.remove(service)
    assert [] == processes.marked(str(tmp_path.resolve()))


def pids(service: Service) -> dict[int, int]:
    """Node → pid of its living process."""
    found = {each.node: processes.alive(each) for each in service.record().processes}
    return {node: process.pid for node, process in found.items() if process}


def conditions(service: Service) -> list[str]:
    return [status.condition for status in service.nodes()]


def test_shared_process_is_one_for_all_nodes(service: RabbitMQ3) -> None:
    assert [SHARED, 1, 2, 3] == [each.node for each in service.record().processes]
    assert {SHARED, 1, 2, 3} == set(pids(service))
    assert list(pids(service).values())[1:] == [status.pid for status in service.nodes()]


@pytest.mark.parametrize("node", [1, 2, 3])
def test_shared_process_outlives_each_node(service: RabbitMQ3, node: int) -> None:
    before = pids(service)
    service.engine.kill(service, node)
    assert {key: pid for key, pid in before.items() if key != node} == pids(service)
    service.engine.start(service, node)
    after = pids(service)
    assert before[node] != after.pop(node)
    assert before.items() > after.items()


def test_shared_process_ends_with_all_nodes_and_starts_with_them(service: RabbitMQ3) -> None:
    before = pids(service)
    service.engine.kill(service, None)
    assert {} == pids(service)
    service.engine.start(service, None)
    assert ["running"] * 3 == conditions(service)
    assert set(before.values()).isdisjoint(pids(service).values())


def test_shared_process_is_neither_paused_nor_touched_by_a_start_that_resumes(
    service: RabbitMQ3,
) -> None:
    before = pids(service)
    service.engine.pause(service, None)
    assert ["paused"] * 3 == conditions(service)
    assert psutil.STATUS_STOPPED != psutil.Process(before[SHARED]).status()
    service.engine.start(service, None)
    assert ["running"] * 3 == conditions(service)
    assert before == pids(service)


def test_nodes_count_as_stopped_without_what_they_share(service: RabbitMQ3) -> None:
    before = pids(service)
    processes.kill([psutil.Process(before[SHARED])])
    assert ["stopped"] * 3 == conditions(service)
    service.engine.start(service, None)
    assert ["running"] * 3 == conditions(service)
    assert set(before.values()).isdisjoint(pids(service).values())


def test_log_of_a_shared_process_is_shown_with_each_nodes(service: RabbitMQ3) -> None:
    (service.state.service_folder(service.name) / "common.log").write_text("of all\n")
    (service.state.service_folder(service.name) / "node-2" / "own.log").write_text("of two\n")
    expected = "--- rabbitmq-3, common.log\nof all\n--- rabbitmq-3 node 2, own.log\nof two"
    assert expected == service.logs(node=2)
