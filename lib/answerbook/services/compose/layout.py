"""What docker/compose.yaml calls things: the containers and variables of each service.

The engine reads it; tests/unit/test_compose_file.py holds it against the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from answerbook.services.contract import Service, ServiceName
from answerbook.services.postgres import Postgres
from answerbook.services.rabbitmq import RabbitMQ, RabbitMQ3


@dataclass(frozen=True)
class Node:
    """One container."""

    name: str
    """Of the service in compose.yaml, and of its volume."""
    ports: Mapping[str, str]
    """Port name → the variable with its number on this machine."""


@dataclass(frozen=True)
class Layout:
    """The containers of one service of ours."""

    image: str
    """Field of `Settings`; the variable is `ANSWERBOOK_` and this in capitals."""
    nodes: tuple[Node, ...]
    """Node 1 first."""
    version: str | None = None
    """The variable in which the image says its version; without one its tag does."""

    @property
    def image_variable(self) -> str:
        return f"ANSWERBOOK_{self.image.upper()}"


LAYOUTS: dict[ServiceName, Layout] = {
    "rabbitmq": Layout(
        "rabbitmq_image",
        (
            Node(
                "rabbitmq",
                {
                    "amqp": "ANSWERBOOK_RABBITMQ_PORT",
                    "management": "ANSWERBOOK_RABBITMQ_MANAGEMENT_PORT",
                },
            ),
        ),
        version="RABBITMQ_VERSION",
    ),
    "rabbitmq-3": Layout(
        "rabbitmq_image",
        tuple(
            Node(
                f"rabbitmq-{node}",
                {
                    "amqp": f"ANSWERBOOK_RABBITMQ_{node}_PORT",
                    "management": f"ANSWERBOOK_RABBITMQ_{node}_MANAGEMENT_PORT",
                },
            )
            for node in (1, 2, 3)
        ),
        version="RABBITMQ_VERSION",
    ),
    "kafka": Layout("kafka_image", (Node("kafka", {"kafka": "ANSWERBOOK_KAFKA_PORT"}),)),
    "kafka-3": Layout(
        "kafka_image",
        tuple(
            Node(f"kafka-{node}", {"kafka": f"ANSWERBOOK_KAFKA_{node}_PORT"}) for node in (1, 2, 3)
        ),
    ),
    "postgres": Layout(
        "postgres_image",
        (Node("postgres", {"postgres": "ANSWERBOOK_POSTGRES_PORT"}),),
        version="PG_VERSION",
    ),
}


def layout(service: Service) -> Layout:
    return LAYOUTS[service.name]


def variables(service: Service, ports: Mapping[int, Mapping[str, int]]) -> dict[str, str]:
    """All that compose.yaml leaves open about a service."""
    its = layout(service)
    values = {its.image_variable: str(getattr(service.settings, its.image))}
    for number, node in enumerate(its.nodes, start=1):
        for name, variable in node.ports.items():
            values[variable] = str(ports[number][name])
    if isinstance(service, RabbitMQ):
        values["ANSWERBOOK_RABBITMQ_PASSWORD"] = service.password
    if isinstance(service, RabbitMQ3):
        values["ANSWERBOOK_RABBITMQ_COOKIE"] = service.cookie
    if isinstance(service, Postgres):
        values["ANSWERBOOK_POSTGRES_PASSWORD"] = service.password
    return values
