"""MQTT: a PUBLISH for each payload, at QoS 0, 1 or 2. Run as a program, the subscriber.

The broker (amqtt, in a process of its own) acknowledges to the publisher what it has in memory: at
QoS 1 by PUBACK, at QoS 2 by PUBREC and PUBCOMP. At QoS 0 it does not: the publisher goes on once a
message is in its socket, and TCP alone holds it up. Acknowledged by the receiver is what the
subscriber wrote into its ledger, and only then, above QoS 0, acknowledged to the broker; the
publisher is not told.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from answerbook.protocols import mqtt
from answerbook.protocols.choosing import receiver
from answerbook.protocols.choosing.line import Line
from answerbook.protocols.choosing.receiver import Ready, Take
from answerbook.protocols.choosing.way import Way

TIMEOUT = 5
TOPIC = "payloads"


def send(url: str, qos: int, payloads: Iterator[str]) -> None:
    address, connected = urlsplit(url), Event()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(str(address.username), address.password)
    client.on_connect = lambda *_: connected.set()
    client.connect(str(address.hostname), int(address.port or 0))
    client.loop_start()
    connected.wait(TIMEOUT)
    for payload in payloads:
        sent = client.publish(TOPIC, payload, qos)
        sent.wait_for_publish(TIMEOUT)
        if not sent.is_published():
            raise TimeoutError("The broker has not taken a message.")
    client.disconnect()
    client.loop_stop()


def receive(take: Take, ready: Ready, url: str, qos: int) -> None:
    def subscribe(client: paho.Client, *_: Any) -> None:
        client.subscribe(TOPIC, qos)

    def on_message(client: paho.Client, data: Any, message: paho.MQTTMessage) -> None:
        take(bytes(message.payload))

    address = urlsplit(url)
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(str(address.username), address.password)
    client.on_connect = subscribe
    client.on_subscribe = lambda *_: ready()
    client.on_message = on_message
    client.connect(str(address.hostname), int(address.port or 0))
    client.loop_forever()


@contextmanager
def open_way(qos: int, folder: Path, line: Line) -> Iterator[Way]:
    """A broker of its own, with a subscriber, for as long as the block lasts."""
    with mqtt.serve() as broker:
        url = f"mqtt://{broker.user}:{broker.password}@{broker.host}:{broker.port}"
        start = partial(receiver.start, __name__, folder, url=line.to(url), qos=qos)
        with Way(partial(send, line.to(url), qos), start, folder) as way:
            yield way


if __name__ == "__main__":
    receiver.receive_until_told(receive)
