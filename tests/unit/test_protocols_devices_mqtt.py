"""The broker keeps what MQTT promises, as far as a lesson builds on it."""

import os
import signal
import socket
from collections.abc import Iterator
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from answerbook.notebook import wait_for
from answerbook.protocols import mqtt
from answerbook.protocols.wire import Side, Wire

SECONDS = 30


class Device:
    """A paho client that remembers what it got, and what the broker said when it came."""

    def __init__(
        self,
        broker: mqtt.Broker,
        name: str,
        *,
        port: int | None = None,
        clean: bool = True,
        password: str | None = None,
        will: tuple[str, str] | None = None,
    ) -> None:
        self.received: list[tuple[str, str]] = []
        self.retained: list[str] = []
        self.verdicts: list[tuple[str, bool]] = []
        self._granted: list[Any] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, name, clean)
        self._client.on_message = self._on_message
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *answer: self._granted.append(answer)
        self._client.username_pw_set(broker.user, password or broker.password)
        if will:
            self._client.will_set(*will, qos=1)
        self._client.connect(broker.host, port or broker.port)
        self._client.loop_start()
        wait_for(lambda: self.verdicts, f"{name} has the broker's answer", SECONDS)

    def subscribe(self, topic: str, qos: int) -> None:
        self._granted.clear()
        self._client.subscribe(topic, qos)
        wait_for(lambda: self._granted, f"the broker granted {topic}", SECONDS)

    def send(
        self, topic: str, text: str, qos: int = 1, *, retain: bool = False
    ) -> paho.MQTTMessageInfo:
        return self._client.publish(topic, text, qos, retain)

    def publish(self, topic: str, text: str, qos: int = 1, *, retain: bool = False) -> None:
        info = self.send(topic, text, qos, retain=retain)
        wait_for(info.is_published, f"{text} is acknowledged", SECONDS)

    def on(self, topic: str) -> list[str]:
        return [text for found, text in self.received if found == topic]

    def expect(self, topic: str, texts: list[str]) -> None:
        wait_for(lambda: self.on(topic) == texts, f"{texts} came on {topic}", SECONDS)

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, client: paho.Client, data: Any, message: paho.MQTTMessage) -> None:
        self.received.append((message.topic, message.payload.decode()))
        if message.retain:
            self.retained.append(message.topic)

    def _on_connect(
        self,
        client: paho.Client,
        data: Any,
        flags: paho.ConnectFlags,
        reason: Any,
        properties: Any,
    ) -> None:
        self.verdicts.append((str(reason), flags.session_present))
        if reason.is_failure:
            client.disconnect()


@pytest.fixture(scope="module")
def broker() -> Iterator[mqtt.Broker]:
    with mqtt.serve() as started:
        yield started


@pytest.fixture
def display(broker: mqtt.Broker) -> Iterator[Device]:
    device = Device(broker, "display")
    yield device
    device.leave()


@pytest.fixture
def sensor(broker: mqtt.Broker) -> Iterator[Device]:
    device = Device(broker, "sensor")
    yield device
    device.leave()


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_message_arrives_once_at_every_level(display: Device, sensor: Device, qos: int) -> None:
    display.subscribe(f"once/{qos}", qos)
    sensor.publish(f"once/{qos}", "hello", qos)
    display.expect(f"once/{qos}", ["hello"])


@pytest.mark.parametrize(
    ("lost", "qos", "arrivals"),
    [
        ("requests", 0, 0),
        ("requests", 1, 1),
        ("requests", 2, 1),
        ("answers", 0, 1),
        ("answers", 1, 2),
        ("answers", 2, 1),
    ],
)
def test_a_cut_costs_what_the_level_allows(
    broker: mqtt.Broker, display: Device, sensor: Device, lost: Side, qos: int, arrivals: int
) -> None:
    topic = f"cut/{lost}/{qos}"
    display.subscribe(topic, qos)
    with Wire(broker.port) as wire:
        door = Device(broker, f"door {lost} {qos}", port=wire.port, clean=False)
        wire.lose(lost)
        info = door.send(topic, "opened", qos)
        wait_for(lambda: wire.lost(lost) or display.on(topic), "something is lost", SECONDS)
        wire.cut()
        wait_for(info.is_published, "it is acknowledged", SECONDS)
        door.leave()
    sensor.publish(topic, "end", qos)
    display.expect(topic, ["opened"] * arrivals + ["end"])


def test_a_new_session_repeats_at_qos_2(broker: mqtt.Broker, display: Device) -> None:
    display.subscribe("orders", 2)
    with Wire(broker.port) as wire:
        till = Device(broker, "till", port=wire.port)
        wire.lose("answers", after=4)  # a PUBREC has four bytes
        till.send("orders", "7", 2)
        wait_for(lambda: wire.lost("answers"), "the PUBCOMP is lost", SECONDS)
    till.leave()
    till = Device(broker, "till")
    till.publish("orders", "7", 2)
    till.leave()
    display.expect("orders", ["7", "7"])


def test_the_last_retained_message_waits_for_a_subscriber(
    broker: mqtt.Broker, display: Device, sensor: Device
) -> None:
    for text in ("20", "21", "22"):
        sensor.publish("celsius", text, retain=True)
    display.subscribe("celsius", 1)
    display.expect("celsius", ["22"])
    assert ["celsius"] == display.retained
    sensor.publish("celsius", "", retain=True)
    newcomer = Device(broker, "newcomer")
    newcomer.subscribe("celsius", 1)
    sensor.publish("celsius", "24")
    newcomer.expect("celsius", ["24"])
    newcomer.leave()


def test_a_will_is_published_for_a_device_that_dies_and_not_for_one_that_leaves(
    broker: mqtt.Broker, display: Device, sensor: Device
) -> None:
    display.subscribe("lamp", 1)
    with Wire(broker.port) as wire:
        lamp = Device(broker, "lamp", port=wire.port, will=("lamp", "offline"))
    display.expect("lamp", ["offline"])
    lamp.leave()
    Device(broker, "lamp", will=("lamp", "offline again")).leave()
    sensor.publish("lamp", "end")
    display.expect("lamp", ["offline", "end"])


def test_a_persistent_session_keeps_what_a_clean_one_misses(
    broker: mqtt.Broker, display: Device, sensor: Device
) -> None:
    for clean in (True, False):
        phone = Device(broker, f"phone {clean}", clean=clean)
        phone.subscribe("news", 1)
        phone.leave()
    display.subscribe("news", 1)
    sensor.publish("news", "missed")
    display.expect("news", ["missed"])
    for clean, expected in {True: [], False: ["missed"]}.items():
        phone = Device(broker, f"phone {clean}", clean=clean)
        assert [("Success", not clean)] == phone.verdicts
        phone.subscribe(f"end {clean}", 1)
        sensor.publish(f"end {clean}", "end")
        phone.expect(f"end {clean}", ["end"])
        assert expected == phone.on("news")
        phone.leave()


@pytest.mark.parametrize("password", ["guess", "x" * 1_000])
def test_a_wrong_password_is_refused(broker: mqtt.Broker, password: str) -> None:
    stranger = Device(broker, "stranger", password=password)
    assert [("Not authorized", False)] == stranger.verdicts
    stranger.leave()


def test_every_broker_has_a_password_of_its_own(broker: mqtt.Broker) -> None:
    with mqtt.serve() as another:
        assert broker.password != another.password
        stranger = Device(another, "stranger", password=broker.password)
        assert [("Not authorized", False)] == stranger.verdicts
        stranger.leave()


def test_a_killed_broker_forgets_subscriptions_and_its_clients_come_back() -> None:
    broker = mqtt.serve()
    display, sensor = Device(broker, "display"), Device(broker, "sensor")
    display.subscribe("alarm", 1)
    os.kill(broker.pid, signal.SIGKILL)
    sensor.send("alarm", "fire")
    with mqtt.serve(broker.port, broker.password):
        wait_for(lambda: len(display.verdicts) > 1, "the display is back", SECONDS)
        wait_for(lambda: len(sensor.verdicts) > 1, "the sensor is back", SECONDS)
        display.subscribe("alarm", 1)
        sensor.publish("alarm", "end")
        wait_for(lambda: "end" in display.on("alarm"), "the end", SECONDS)
        display.leave()
        sensor.leave()
    broker.stop()


def test_a_stream_that_is_no_mqtt_does_not_end_the_broker(
    broker: mqtt.Broker, display: Device, sensor: Device
) -> None:
    with socket.create_connection((broker.host, broker.port), timeout=SECONDS) as garbage:
        garbage.sendall(b"GET / HTTP/1.1\r\n\r\n")
    display.subscribe("after", 1)
    sensor.publish("after", "alive")
    display.expect("after", ["alive"])
