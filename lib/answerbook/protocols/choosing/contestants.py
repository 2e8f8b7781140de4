"""The list: every protocol of question 1, carrying the same payloads.

Used by the notebook on choosing and by benchmarks/protocols.py, in this order. Brokers are given by
whoever asks: nothing here starts one, but for MQTT's, which is a peer of this package.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from answerbook.protocols.choosing import (
    amqp_message,
    card_message,
    graphql_call,
    grpc_call,
    jsonrpc_call,
    kafka_record,
    mqtt_publish,
    rest,
    secure_rest,
    sftp_file,
    signed_webhook,
    soap_call,
    sse_stream,
    websocket_talk,
)
from answerbook.protocols.choosing.line import Line
from answerbook.protocols.choosing.way import Way, direct

Promise = Literal[
    "at most once",
    "known, or in doubt",
    "at least once a hop",
    "exactly once a hop",
    "at least once",
]


@dataclass(frozen=True)
class Brokers:
    """Where they are, with their passwords."""

    amqp: str = field(repr=False)
    """As a URL."""
    kafka: str
    """As host and port."""


@dataclass(frozen=True)
class Contestant:
    """One protocol, used in one way."""

    name: str
    told_by: Literal["receiver", "broker", "nobody"]
    """Whose acknowledgement the sender waits for."""
    promise: Promise
    """What becomes of a payload, as it is sent here: a call whose answer is lost is in doubt, for
    nobody repeats it. A hop is from publisher to broker, or from there to the subscriber."""
    in_flight: int | None
    """How many payloads are under way at most; None where only TCP sets a limit."""
    client: tuple[Callable[..., Any], ...]
    """What was written to use it: what sends, and what receives where that is a client too."""
    opening: Callable[[Brokers | None, Path, Line], AbstractContextManager[Way]]

    @contextmanager
    def open(self, brokers: Brokers | None = None, line: Line | None = None) -> Iterator[Way]:
        """A receiver with an empty ledger, ready for payloads, for as long as the block lasts.

        Raises ValueError for AMQP and Kafka without `brokers`; the others need none.
        """
        with (
            TemporaryDirectory(prefix="choosing-") as folder,
            self.opening(brokers, Path(folder), line or Line()) as way,
        ):
            yield way


def _call(name: str, module: Any, opening: Any = None) -> Contestant:
    """A receiver that listens, and answers each payload before the next one is sent."""
    opening = opening or partial(direct, module.__name__, module.send)
    return Contestant(
        name,
        "receiver",
        "known, or in doubt",
        1,
        (module.send,),
        lambda _, folder, line: opening(folder, line),
    )


def _amqp(name: str, in_flight: int, send: Callable[..., Any]) -> Contestant:
    return Contestant(
        name,
        "broker",
        "at least once",
        in_flight,
        (send, amqp_message.receive),
        lambda brokers, folder, line: amqp_message.open_way(
            send, _given(brokers).amqp, folder, line
        ),
    )


def _kafka(name: str, in_flight: int, send: Callable[..., Any]) -> Contestant:
    return Contestant(
        name,
        "broker",
        "at least once",
        in_flight,
        (send, kafka_record.receive),
        lambda brokers, folder, line: kafka_record.open_way(
            send, _given(brokers).kafka, folder, line
        ),
    )


def _given(brokers: Brokers | None) -> Brokers:
    if brokers is None:
        raise ValueError("This contestant needs brokers: say where they are, with open(brokers).")
    return brokers


def _mqtt(qos: int, promise: Promise) -> Contestant:
    return Contestant(
        f"MQTT QoS {qos}",
        "broker" if qos else "nobody",
        promise,
        1 if qos else None,
        (mqtt_publish.send, mqtt_publish.receive),
        lambda _, folder, line: mqtt_publish.open_way(qos, folder, line),
    )


CONTESTANTS = (
    _call("REST", rest),
    _call("GraphQL", graphql_call),
    _call("SOAP", soap_call),
    _call("JSON-RPC", jsonrpc_call),
    _call("gRPC", grpc_call),
    _call("webhook", signed_webhook, signed_webhook.open_way),
    _call("WebSocket", websocket_talk),
    _call("ISO 8583", card_message),
    _call("SFTP", sftp_file, sftp_file.open_way),
    Contestant(
        "SSE",
        "nobody",
        "at most once",
        None,
        (sse_stream.receive,),
        lambda _, folder, line: sse_stream.open_way(folder, line),
    ),
    _mqtt(0, "at most once"),
    _mqtt(1, "at least once a hop"),
    _mqtt(2, "exactly once a hop"),
    _amqp("AMQP", 1, amqp_message.send),
    _amqp("AMQP in flight", amqp_message.IN_FLIGHT, amqp_message.send_in_flight),
    _kafka("Kafka", 1, kafka_record.send),
    _kafka("Kafka in flight", kafka_record.IN_FLIGHT, kafka_record.send_in_flight),
)


def _secure(name: str, send: Callable[..., Any]) -> Contestant:
    return Contestant(
        name,
        "receiver",
        "known, or in doubt",
        1,
        (send,),
        lambda _, folder, line: secure_rest.open_way(send, folder, line),
    )


OVER_TLS = (
    _secure("REST over TLS, pooled", secure_rest.send_pooled),
    _secure("REST over TLS, unpooled", secure_rest.send_unpooled),
)
"""REST twice more, to see what a pool of connections saves."""


def named(name: str) -> Contestant:
    """Raises KeyError for a name that is not in the list."""
    return {contestant.name: contestant for contestant in CONTESTANTS + OVER_TLS}[name]
