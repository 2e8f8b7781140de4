"""Three RabbitMQ nodes in one cluster: what a quorum queue keeps, and what it refuses."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from pika.exceptions import AMQPError

from answerbook import services
from answerbook.notebook.waiting import wait_for
from answerbook.services import RabbitMQ3
from answerbook.services.native import processes
from answerbook.services.rabbitmq import GIVEN_UP

MESSAGES = [str(number).encode() for number in range(100)]
ALL = {1, 2, 3}


@pytest.fixture(scope="module")
def rabbitmq(session_home: Path) -> Iterator[RabbitMQ3]:
    yield services.require("rabbitmq-3")
    services.down(["rabbitmq-3"])
    assert [] == processes.marked(f"{session_home.resolve()}:rabbitmq-3")


@pytest.fixture
def whole(rabbitmq: RabbitMQ3) -> RabbitMQ3:
    """All three nodes, whatever the test before did to them."""
    return services.require("rabbitmq-3")


@pytest.fixture
def queue(whole: RabbitMQ3) -> Iterator[str]:
    """A quorum queue whose leader is node 1, as it was declared there.

    Half a second after that, not before, a node has written down where it keeps the queue. One
    that is killed earlier comes back with an empty queue, whatever it had confirmed.
    """
    name = f"quorum-{uuid4().hex[:6]}"
    channel = whole.channel(1)
    channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum"})
    channel.connection.close()
    wait_for(lambda: is_written_down(whole, name), "all nodes have written the queue down")
    yield name
    channel = services.require("rabbitmq-3").channel()
    channel.queue_delete(name)
    channel.connection.close()


def is_written_down(rabbitmq: RabbitMQ3, queue: str) -> bool:
    folder = rabbitmq.state.service_folder(rabbitmq.name)
    names = list(folder.glob("node-*/data/*/quorum/*/names.dets"))
    assert 3 == len(names)
    return all(queue.encode() in path.read_bytes() for path in names)


def publish(rabbitmq: RabbitMQ3, queue: str, bodies: list[bytes], node: int) -> None:
    """Publish with confirms, through one node."""
    channel = rabbitmq.channel(node)
    with channel.connection:
        channel.confirm_delivery()
        for body in bodies:
            channel.basic_publish("", queue, body, mandatory=True)


def get_all(rabbitmq: RabbitMQ3, queue: str, node: int | None = None) -> list[bytes]:
    channel = rabbitmq.channel(node)
    with channel.connection:
        bodies = iter(lambda: channel.basic_get(queue, auto_ack=True)[2], None)
        return [bytes(body) for body in bodies]


def is_accepted(rabbitmq: RabbitMQ3, queue: str, node: int) -> bool:
    """Whether a message is confirmed; it is not while the queue has no leader."""
    try:
        publish(rabbitmq, queue, [b"accepted?"], node)
    except AMQPError:
        return False
    return True


def conditions(rabbitmq: RabbitMQ3) -> list[str]:
    return [status.condition for status in rabbitmq.nodes()]


def test_three_nodes_are_one_cluster_with_an_address_each(whole: RabbitMQ3) -> None:
    assert ["running"] * 3 == conditions(whole)
    assert [ALL] * 3 == [whole.clustered(node) for node in ALL]
    assert 3 == len(set(whole.urls)) == len({each.port for each in whole.all_parameters})
    assert str(whole.url) == str(whole.urls[0])


def test_nothing_listens_beyond_loopback(whole: RabbitMQ3) -> None:
    tree = processes.with_children(
        found for process in whole.record().processes if (found := processes.alive(process))
    )
    addresses = {
        connection.laddr.ip
        for process in tree
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses
    assert addresses <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}, addresses


def test_quorum_queue_outlives_the_kill_of_its_leader(whole: RabbitMQ3, queue: str) -> None:
    assert 1 == whole.node_called(whole.ask(f"queues/%2F/{queue}", 2)["leader"])
    address = whole.urls[0]
    publish(whole, queue, MESSAGES, node=1)
    whole.kill(node=1)
    assert ["stopped", "running", "running"] == conditions(whole)
    wait_for(lambda: whole.clustered(2) == whole.clustered(3) == {2, 3}, "two nodes go on")
    wait_for(lambda: is_accepted(whole, queue, node=2), "the other two have a leader")
    bodies = get_all(whole, queue)  # from the next node, as the first does not answer
    assert MESSAGES == [body for body in bodies if body != b"accepted?"]

    whole.start(node=1)
    assert [ALL] * 3 == [whole.clustered(node) for node in ALL]
    assert str(address) == str(whole.urls[0])
    publish(whole, queue, MESSAGES, node=1)
    assert MESSAGES == get_all(whole, queue, node=2)


def test_without_a_majority_nothing_is_confirmed_and_nothing_is_lost(
    whole: RabbitMQ3, queue: str
) -> None:
    publish(whole, queue, MESSAGES, node=3)
    channel = whole.channel(1)
    channel.confirm_delivery()
    whole.kill(node=2)
    whole.kill(node=3)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(channel.basic_publish, "", queue, b"too late")
        # RabbitMQ 3 closes the connection; one that keeps it open confirms nothing.
        assert is_refused_or_blocked(late)
        whole.kill()
    with suppress(AMQPError):
        channel.connection.close()

    whole.start()
    assert MESSAGES == [body for body in get_all(whole, queue) if body != b"too late"]


def is_refused_or_blocked(publishing: Future[None]) -> bool:
    wait([publishing], timeout=5)
    return not publishing.done() or isinstance(publishing.exception(), AMQPError)


def test_paused_node_is_resumed_by_require_with_all_processes_as_they_were(
    whole: RabbitMQ3,
) -> None:
    before = [process.pid for process in whole.record().processes]
    whole.pause(node=2)
    assert ["running", "paused", "running"] == conditions(whole)
    again = services.require("rabbitmq-3")
    assert ["running"] * 3 == conditions(again)
    assert before == [process.pid for process in again.record().processes]


def test_lost_epmd_is_started_again_with_the_nodes_that_it_knew(whole: RabbitMQ3) -> None:
    epmd = next(each for each in whole.record().processes if each.role == "epmd")
    found = processes.alive(epmd)
    assert found is not None
    processes.kill([found])
    assert ["stopped"] * 3 == conditions(whole)
    assert [ALL] * 3 == [services.require("rabbitmq-3").clustered(node) for node in ALL]


def test_node_that_the_others_gave_up_while_it_was_paused_rejoins(
    whole: RabbitMQ3, queue: str
) -> None:
    whole.pause(node=2)
    wait_for(lambda: others_gave_up(whole, 2), "the others gave node 2 up", seconds=40)
    wait_for(lambda: is_accepted(whole, queue, node=3), "the others go on")
    again = services.require("rabbitmq-3")
    assert [ALL] * 3 == [again.clustered(node) for node in ALL]
    assert b"accepted?" in get_all(again, queue, node=2)


def others_gave_up(rabbitmq: RabbitMQ3, node: int) -> bool:
    with suppress(OSError):  # until then they wait for its answer
        return all(rabbitmq.clustered(other) == ALL - {node} for other in ALL - {node})
    return False


def test_node_that_gave_up_its_own_start_is_started_anew(whole: RabbitMQ3) -> None:
    pid = whole.nodes()[1].pid
    whole.engine.run(whole, 2, ["rabbitmqctl", "stop_app"])
    # As 3.10 does in a race that no test can win at will: the process goes on without a broker.
    log = whole.state.service_folder(whole.name) / "node-2" / "rabbitmq.log"
    with log.open("a") as lines:
        lines.write(f"{GIVEN_UP},{{rabbit,start,[normal,[]]}}}}\n")
    again = services.require("rabbitmq-3")
    assert [ALL] * 3 == [again.clustered(node) for node in ALL]
    assert pid != again.nodes()[1].pid


def test_wrong_node_is_refused(whole: RabbitMQ3) -> None:
    with pytest.raises(ValueError, match="nodes 1 to 3, not 4"):
        whole.kill(node=4)
