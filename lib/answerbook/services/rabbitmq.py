"""RabbitMQ, as its clients see it: pika's connection parameters and a channel."""

import base64
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from typing import Any, ClassVar, cast
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AuthenticationError, ProbableAuthenticationError

from answerbook.services import progress
from answerbook.services.address import MaskedURL
from answerbook.services.contract import Service, ServiceName
from answerbook.services.errors import PORT_LOST, NotRunning, WrongPassword

USER = "answerbook"

EXCEEDED_WATERMARK = "1MB"
"""Any broker uses more."""
GIVEN_UP = "Application rabbit exited with reason: {incompatible_feature_flags"
"""What a node's log says when its broker did not start again, while its process goes on."""
GIVEN_UP_LINES = 400


class RabbitMQ(Service):
    """One broker with its management page. Any engine."""

    name: ClassVar[ServiceName] = "rabbitmq"
    usual_ports: ClassVar = {"amqp": "rabbitmq_port"}
    extra_ports = ("management", "distribution", "epmd")
    memory_watermark: ClassVar = "400MB"
    """Above it publishers are blocked; RabbitMQ's own default, 0.4 of all memory, is for servers.
    docker/compose.yaml has the same."""
    refusal_seconds: ClassVar[float] = 5.0
    """A password that is refused for so long is wrong."""
    _refused_since: float | None = None

    @property
    def user(self) -> str:
        return USER

    @property
    def password(self) -> str:
        return (self.settings.rabbitmq_password or self.state.secret(self.name)).get_secret_value()

    @property
    def url(self) -> str:
        return self.url_of(1)

    def url_of(self, node: int) -> str:
        """The address of one node."""
        address = f"{self.host}:{self.ports(node)['amqp']}"
        return MaskedURL(f"amqp://{USER}:{quote(self.password, safe='')}@{address}/%2F")

    @property
    def management_url(self) -> str:
        """The management page and API; the user and password are the same."""
        return self.management_url_of(1)

    def management_url_of(self, node: int) -> str:
        """The management page and API of one node; each tells of the whole cluster."""
        return f"http://{self.host}:{self.ports(node)['management']}"

    def node_name(self, node: int) -> str:
        """What Erlang calls a node."""
        return "answerbook@localhost"

    @property
    def parameters(self) -> pika.ConnectionParameters:
        """What `pika.BlockingConnection` takes."""
        return self.parameters_of(1)

    def parameters_of(self, node: int) -> pika.ConnectionParameters:
        """What `pika.BlockingConnection` takes for one node."""
        return pika.ConnectionParameters(
            host=self.host,
            port=self.ports(node)["amqp"],
            credentials=pika.PlainCredentials(USER, self.password, erase_on_connect=False),
            socket_timeout=5,
            stack_timeout=10,
            blocked_connection_timeout=30,
        )

    def channel(self) -> BlockingChannel:
        """A channel on a connection of its own; closing `channel.connection` ends both."""
        return cast(BlockingChannel, pika.BlockingConnection(self.parameters).channel())

    @contextmanager
    def memory_alarm(self) -> Iterator[None]:
        """A broker that finds itself out of memory, for as long as the block runs.

        Its limit is lowered below what it uses, and is the usual one again afterwards, whatever
        happens; a broker that is restarted has the usual one too. Raises NotRunning before the
        block where there is no broker.
        """
        self._limit_memory(EXCEEDED_WATERMARK)
        try:
            yield
        finally:
            with suppress(NotRunning):  # killed in the block
                self._limit_memory(self.memory_watermark)

    def _limit_memory(self, watermark: str) -> None:
        """Set the first node's; its alarm is the whole cluster's."""
        words = ["rabbitmqctl", "set_vm_memory_high_watermark", "absolute", watermark]
        self.engine.run(self, 1, words)

    def round_trip(self) -> None:
        """A confirmed publish to a queue of its own, and its message read back."""
        with pika.BlockingConnection(self.parameters) as connection:
            channel = connection.channel()
            queue = channel.queue_declare("", exclusive=True).method.queue
            channel.confirm_delivery()
            channel.basic_publish("", queue, b"ready?", mandatory=True)
            _, _, body = channel.basic_get(queue, auto_ack=True)
            if body != b"ready?":
                raise ConnectionError(f"published b'ready?', got {body!r}")

    def ping(self) -> None:
        with pika.BlockingConnection(self.parameters) as connection:
            connection.channel()

    def is_fatal(self, error: Exception) -> Exception | None:
        # In the broker's own words: pika also calls it probable when a connection broke early. A
        # broker that was killed refuses everybody for a moment after it has opened its port.
        is_of_login = isinstance(error, (AuthenticationError, ProbableAuthenticationError))
        if not (is_of_login and "ACCESS_REFUSED" in str(error)):
            self._refused_since = None
            return None
        self._refused_since = self._refused_since or time.monotonic()
        if time.monotonic() - self._refused_since < self.refusal_seconds:
            return None
        given = self.settings.rabbitmq_password is not None
        return WrongPassword.of(self.name, "RabbitMQ", from_environment=given)


class RabbitMQ3(RabbitMQ):
    """Three nodes in one cluster; what more than half of them hold outlives one of them.

    A node that sees no majority closes its doors until there is one (`pause_minority`). One that
    was paused until the others gave it up may not notice that, and go on by itself when it is
    resumed; `start` and `require` start it anew then.
    """

    name = "rabbitmq-3"
    node_count = 3
    memory_watermark = "256MB"
    refusal_seconds = 30.0  # a node that comes back has to get the users from the others first
    # Nodes that start at once may ask one another before they can answer, and 3.10 then gives up.
    worth_a_second_start = (*PORT_LOST, "incompatible_feature_flags")

    @property
    def cookie(self) -> str:
        """What Erlang's nodes show each other before they talk."""
        return self.state.secret(f"{self.name}-cookie").get_secret_value()

    def node_name(self, node: int) -> str:
        # A container has its own host name, and Erlang's nodes find each other by that.
        host = "localhost" if self.engine.name == "native" else f"rabbitmq-{node}"
        return f"answerbook-{node}@{host}"

    def node_called(self, name: str) -> int:
        """The number of the node that Erlang and the management API call `name`."""
        return int(name.partition("@")[0].removeprefix("answerbook-"))

    @property
    def urls(self) -> list[str]:
        """One address a node."""
        return [self.url_of(node) for node in self._all()]

    @property
    def all_parameters(self) -> list[pika.ConnectionParameters]:
        """For `pika.BlockingConnection`, which tries one after the other."""
        return [self.parameters_of(node) for node in self._all()]

    def channel(self, node: int | None = None) -> BlockingChannel:
        """A channel on a connection of its own, to `node` or the first that answers."""
        parameters = self.all_parameters if node is None else self.parameters_of(node)
        return cast(BlockingChannel, pika.BlockingConnection(parameters).channel())

    def ask(self, path: str, node: int) -> Any:
        """What a node's management API answers to `GET /api/{path}`."""
        request = Request(f"{self.management_url_of(node)}/api/{path}")
        both = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {both}")
        # No proxy of the environment's stands between this machine and itself.
        with build_opener(ProxyHandler({})).open(request, timeout=5) as response:
            return json.load(response)

    def clustered(self, node: int) -> set[int]:
        """The nodes that a node sees running, itself among them."""
        return {
            self.node_called(each["name"]) for each in self.ask("nodes", node) if each["running"]
        }

    def round_trip(self) -> None:
        """All running nodes in one cluster, and a message through each to a quorum of them."""
        running = self._running()
        self._check_cluster(set(running))
        self._check_quorum_queue(running)

    def ping(self) -> None:
        """A request to each node, which sees all the others."""
        self._check_cluster(set(self._all()))

    def _attempt(self) -> Exception | None:
        error = super()._attempt()
        if error is not None:
            for node in self._cut_off():
                self._start_anew(node, "was cut off from the others")
            for node in self._given_up():
                self._start_anew(node, "has given up its own start")
        return error

    def _start_anew(self, node: int, why: str) -> None:
        progress.say(f"{self.name}: node {node} {why}: starting it.")
        self.engine.kill(self, node)
        self.engine.start(self, node)

    def _given_up(self) -> list[int]:
        """Nodes that run without a broker in them, and will not try again.

        One that sees a majority again starts its broker in the process that is there. Where the
        others are starting too, that can fail, and 3.10 leaves it at that.
        """
        given_up = []
        for node in self._running():
            if not self.engine.listens(self, node, self.ports(node)["amqp"]):
                log = self.logs(GIVEN_UP_LINES, node)
                if log.rfind(GIVEN_UP) > log.rfind("Starting RabbitMQ"):
                    given_up.append(node)
        return given_up

    def _cut_off(self) -> list[int]:
        """Nodes that go on as if the majority, which runs without them, was down."""
        alone = []
        for node in self._running():
            # One that does not answer has closed its doors, and will come back by itself.
            with suppress(OSError, HTTPException, LookupError, ValueError):
                its = {self.node_called(each["name"]): each for each in self.ask("nodes", node)}
                seen = [each for each in its.values() if each["running"]]
                if its[node].get("partitions") and 2 * len(seen) < self.node_count:
                    alone.append(node)
        return alone

    def _running(self) -> list[int]:
        return [status.node for status in self.nodes() if status.condition == "running"]

    def _check_cluster(self, nodes: set[int]) -> None:
        for node in sorted(nodes):
            self._check_answers(node)
            seen = self.clustered(node)
            if seen != nodes:
                raise ConnectionError(f"node {node} is in a cluster of {seen}, not {nodes}")

    def _check_answers(self, node: int) -> None:
        with pika.BlockingConnection(self.parameters_of(node)) as connection:
            connection.channel()

    def _check_quorum_queue(self, nodes: list[int]) -> None:
        """Publish through each node with a confirm, and read all that back."""
        queue = f"answerbook.ready.{uuid.uuid4()}"
        arguments = {"x-queue-type": "quorum", "x-expires": 60_000}
        own = self.channel(nodes[0])
        with own.connection:
            own.queue_declare(queue, durable=True, arguments=arguments)
            for node in nodes:
                channel = self.channel(node)
                with channel.connection:
                    channel.confirm_delivery()
                    channel.basic_publish("", queue, str(node).encode(), mandatory=True)
            bodies = {own.basic_get(queue, auto_ack=True)[2] for _ in nodes}
            own.queue_delete(queue)
        if bodies != {str(node).encode() for node in nodes}:
            raise ConnectionError(f"published through {nodes}, got {bodies}")

    def _all(self) -> range:
        return range(1, self.node_count + 1)
