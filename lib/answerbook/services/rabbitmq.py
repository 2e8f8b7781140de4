"""RabbitMQ, as its clients see it: pika's connection parameters and a channel."""

from typing import ClassVar, cast
from urllib.parse import quote

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AuthenticationError, ProbableAuthenticationError

from answerbook.services.address import MaskedURL
from answerbook.services.contract import Service
from answerbook.services.errors import WrongPassword

USER = "answerbook"


class RabbitMQ(Service):
    """One broker with its management page. Any engine."""

    name = "rabbitmq"
    usual_ports: ClassVar = {"amqp": "rabbitmq_port"}
    extra_ports = ("management", "distribution", "epmd")

    @property
    def user(self) -> str:
        return USER

    @property
    def password(self) -> str:
        return (self.settings.rabbitmq_password or self.state.secret(self.name)).get_secret_value()

    @property
    def url(self) -> str:
        return MaskedURL(
            f"amqp://{USER}:{quote(self.password, safe='')}@{self.host}:{self.port}/%2F"
        )

    @property
    def management_url(self) -> str:
        """The management page and API; the user and password are the same."""
        return f"http://{self.host}:{self.ports(1)['management']}"

    @property
    def parameters(self) -> pika.ConnectionParameters:
        """What `pika.BlockingConnection` takes."""
        return pika.ConnectionParameters(
            host=self.host,
            port=self.port,
            credentials=pika.PlainCredentials(USER, self.password, erase_on_connect=False),
            socket_timeout=5,
            stack_timeout=10,
            blocked_connection_timeout=30,
        )

    def channel(self) -> BlockingChannel:
        """A channel on a connection of its own; closing `channel.connection` ends both."""
        return cast(BlockingChannel, pika.BlockingConnection(self.parameters).channel())

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
        # In the broker's own words: pika also calls it probable when a connection broke early. The
        # broker makes its user before it opens its port, so waiting would mend nothing.
        is_of_login = isinstance(error, (AuthenticationError, ProbableAuthenticationError))
        if not (is_of_login and "ACCESS_REFUSED" in str(error)):
            return None
        given = self.settings.rabbitmq_password is not None
        return WrongPassword.of(self.name, "RabbitMQ", from_environment=given)
