"""Each contestant brings payloads to its receiver, and counts only what the receiver has."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import asyncssh
import grpc  # type: ignore[import-untyped]
import psutil
import pytest
import requests
import zeep
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from answerbook.notebook import wait_for
from answerbook.protocols.choosing import (
    amqp_message,
    contestants,
    ledger,
    measure,
    mqtt_publish,
    payloads,
    rest,
    signed_webhook,
    soap_call,
)
from answerbook.protocols.choosing.contestants import Contestant
from answerbook.protocols.choosing.line import CONNECT, GREETING, WiredLine, port_of
from answerbook.protocols.choosing.measure import Lost
from answerbook.protocols.choosing.outage import Away, away
from answerbook.protocols.choosing.payloads import Payloads
from answerbook.protocols.choosing.way import Way
from answerbook.protocols.framing import framed
from answerbook.protocols.peer import PeerFailed

pytestmark = pytest.mark.usefixtures("temporary")

WITHOUT_BROKERS = [
    contestant
    for contestant in (*contestants.CONTESTANTS, *contestants.OVER_TLS)
    if not contestant.name.startswith(("AMQP", "Kafka"))
]
LISTENING = [each for each in WITHOUT_BROKERS if each.told_by == "receiver"]
CALLED = 10
"""Payloads before the receiver is killed."""
SECONDS = 10
REFUSALS = (OSError, asyncssh.Error, grpc.RpcError, ConnectionClosed)
"""What the clients' libraries raise when the other side is gone."""


def parametrized(chosen: list[Contestant]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("contestant", chosen, ids=[each.name for each in chosen])


@pytest.fixture
def way(request: pytest.FixtureRequest) -> Iterator[Way]:
    with contestants.named(request.param).open() as opened:
        yield opened


def through(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("way", [name], indirect=True)


def numbers(way: Way) -> list[int]:
    return ledger.numbers(way.folder)


# -- all of them ------------------------------------------------------------------------------


@parametrized(WITHOUT_BROKERS)
def test_payloads_arrive_once_and_in_order_and_nothing_is_left(
    contestant: Contestant, temporary: Path
) -> None:
    before = psutil.Process().children()
    with contestant.open() as way:
        speed = measure.speed(way, Payloads(30))
        assert list(range(30)) == numbers(way)
        assert 30 == speed.count
        assert 0 < speed.p50 <= speed.p99
        assert 0 < speed.a_second
        receiver = way.receiver
    assert not psutil.pid_exists(receiver.pid)
    assert [] == list(temporary.iterdir())
    assert before == psutil.Process().children()


@parametrized(LISTENING)
def test_a_killed_receiver_acknowledges_nothing_more_and_another_goes_on(
    contestant: Contestant,
) -> None:
    with contestant.open() as way:
        sent = Payloads(2 * CALLED, before={CALLED: way.kill})
        with pytest.raises(REFUSALS):
            measure.send(way, sent)
        assert list(range(CALLED)) == numbers(way)
        assert CALLED + 1 == len(sent.taken)
        way.restart()
        measure.send(way, Payloads.again(CALLED))
        assert list(range(CALLED + 1)) == numbers(way)


@parametrized(LISTENING)
def test_a_receiver_whose_port_is_taken_says_so(contestant: Contestant) -> None:
    with (
        contestant.open() as way,
        pytest.raises(PeerFailed, match="is taken by another program"),
    ):
        way.restart()


@pytest.mark.parametrize("name", ["MQTT QoS 0", "MQTT QoS 1", "MQTT QoS 2"])
def test_what_a_broker_took_does_not_count_before_the_receiver_has_it(name: str) -> None:
    with contestants.named(name).open() as way:
        sent = Payloads(2 * CALLED, before={CALLED: way.kill})
        with pytest.raises(Lost, match=r"Of 20 payloads that were sent, the receiver lacks \d+"):
            measure.speed(way, sent)
        assert 2 * CALLED == len(sent.taken)
        assert set(numbers(way)) <= set(range(CALLED))


@through("SSE")
def test_a_server_of_events_learns_that_its_listener_left_and_not_what_it_had(way: Way) -> None:
    sent = Payloads(1_000_000, before={1_000: way.kill})
    with pytest.raises(ConnectionError, match="left before the last event"):
        measure.send(way, sent)
    had = numbers(way)
    assert list(range(len(had))) == had
    assert len(had) < len(sent.taken) < 1_000_000
    way.restart()
    measure.send(way, Payloads(5, first=len(had)))
    measure.arrived(way, range(len(had) + 5))
    assert list(range(len(had) + 5)) == numbers(way)


@parametrized(LISTENING)
def test_a_receiver_that_is_away_is_missed_and_nothing_comes_later(contestant: Contestant) -> None:
    found = away(contestant)
    assert isinstance(found.error, REFUSALS)
    assert not found.came


@pytest.mark.parametrize("name", ["MQTT QoS 0", "MQTT QoS 1"])
def test_a_broker_takes_a_message_for_nobody_and_it_never_comes(name: str) -> None:
    found = away(contestants.named(name))
    assert Away(error=None, came=False) == found
    assert "all is well" == found.told


def test_what_a_sender_is_told_is_named_after_the_error() -> None:
    assert "ConnectionError" == Away(requests.ConnectionError("refused"), came=False).told


def test_a_lost_answer_leaves_the_receiver_with_the_payload_and_the_sender_in_doubt() -> None:
    with WiredLine() as line, contestants.named("REST").open(line=line) as way:
        with pytest.raises(requests.Timeout):
            measure.send(way, Payloads(CALLED, before={5: partial(line.lose, "answers")}))
        assert list(range(6)) == numbers(way)
        line.cut()
        measure.send(way, Payloads.again(5))
        assert [*range(6), 5] == numbers(way)


def test_a_contestant_that_needs_a_broker_asks_for_it(temporary: Path) -> None:
    for name in ("AMQP", "Kafka in flight"):
        with pytest.raises(ValueError, match="needs brokers"), contestants.named(name).open():
            pass
    assert [] == list(temporary.iterdir())


# -- what is measured -------------------------------------------------------------------------


def test_bytes_of_a_websocket_are_its_frames() -> None:
    """A client's frame: 2 bytes, 2 of length, 4 of mask; the answer: 2, and 1 to 3 digits."""
    counted = measure.bytes_on_the_wire(contestants.named("WebSocket"))
    assert 1_000 + 8 + 3 < counted <= 1_000 + 8 + 5


@pytest.mark.parametrize(("name", "acknowledging"), [("MQTT QoS 0", 0), ("MQTT QoS 1", 2 + 4)])
def test_a_broker_passes_a_payload_over_two_connections(name: str, acknowledging: int) -> None:
    """A PUBLISH: 3 bytes, 2 of length, the topic. Acknowledged: 2 for its number, a PUBACK."""
    counted = measure.bytes_on_the_wire(contestants.named(name))
    assert 2 * (1_000 + 3 + 2 + len(mqtt_publish.TOPIC) + acknowledging) == counted


def test_who_is_told_nothing_is_promised_no_more_than_at_most_once() -> None:
    promises: dict[str, set[str]] = {}
    for each in (*contestants.CONTESTANTS, *contestants.OVER_TLS):
        promises.setdefault(each.told_by, set()).add(each.promise)
    assert {
        "nobody": {"at most once"},
        "receiver": {"known, or in doubt"},
        "broker": {"at least once a hop", "exactly once a hop", "at least once"},
    } == promises


def test_lines_are_those_of_the_functions_that_ran() -> None:
    with contestants.named("REST").open() as way:
        assert rest.send is getattr(way.send, "func", None)
    assert 6 == measure.lines(contestants.named("REST"))
    assert (amqp_message.send, amqp_message.receive) == contestants.named("AMQP").client


@through("REST")
def test_a_run_of_some_seconds_ends_after_them(way: Way) -> None:
    speed = measure.speed(way, Payloads(seconds=0.3))
    assert 10 < speed.count
    assert speed.count == len(numbers(way))


@through("REST")
def test_a_payload_that_came_twice_does_not_stand_for_another(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "PATIENCE_SECONDS", 0.2)
    measure.send(way, Payloads.again(0))
    measure.send(way, Payloads.again(0))
    measure.arrived(way, range(1))
    with pytest.raises(Lost, match="lacks 1"):
        measure.arrived(way, range(2))


# -- payloads and ledger ----------------------------------------------------------------------


@given(st.integers(min_value=0, max_value=10**15))
def test_a_payload_has_a_thousand_bytes_and_its_number(number: int) -> None:
    document = payloads.payload(number)
    assert 1_000 == len(document.encode("ascii"))
    assert number == payloads.read(document)[0]


@pytest.mark.parametrize("document", ["", "[]", '{"number": 1}', "payload", b"\xff", "7"])
def test_what_is_no_payload_is_refused(document: str | bytes, tmp_path: Path) -> None:
    book = ledger.Ledger(tmp_path)
    with pytest.raises(ValueError):  # noqa: PT011  json's errors are of this kind too
        book.take(document)
    assert 0 == ledger.count(tmp_path)


def test_threads_write_whole_entries_side_by_side(tmp_path: Path) -> None:
    book = ledger.Ledger(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(book.take, Payloads(2_000)))
    entries = list(ledger.entries(tmp_path))
    assert set(range(2_000)) == {entry.number for entry in entries}
    assert all(entry.sent <= entry.arrived for entry in entries)


def test_a_ledger_outlives_its_writer(tmp_path: Path) -> None:
    writer = (
        "import os, sys, pathlib\n"
        "from answerbook.protocols.choosing import ledger, payloads\n"
        "ledger.Ledger(pathlib.Path(sys.argv[1])).take(payloads.payload(7))\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", writer, str(tmp_path)], check=False, timeout=SECONDS)
    assert [7] == ledger.numbers(tmp_path)


# -- what a receiver refuses ------------------------------------------------------------------


@through("webhook")
def test_a_webhook_of_a_stranger_is_not_taken(way: Way) -> None:
    with pytest.raises(requests.HTTPError, match="401"):
        signed_webhook.send(way.receiver.url, "whsec_" + "A" * 43 + "=", Payloads(1))
    assert [] == numbers(way)


@through("SOAP")
def test_a_soap_call_without_a_payload_is_a_fault_of_the_client(way: Way) -> None:
    with pytest.raises(zeep.exceptions.Fault, match="This is no payload") as refused:
        soap_call.send(way.receiver.url, iter(["{}"]))
    assert "soap:Client" == refused.value.code
    assert [] == numbers(way)


@through("ISO 8583")
@pytest.mark.parametrize("sent", [framed(b"0600"), b"\xff\xff", framed(b"0600" + bytes(8))])
def test_a_card_message_without_a_payload_ends_the_connection(way: Way, sent: bytes) -> None:
    address = ("127.0.0.1", port_of(way.receiver.url))
    with closing(socket.create_connection(address, SECONDS)) as terminal:
        terminal.sendall(sent)
        assert b"" == terminal.recv(100)
    assert [] == numbers(way)
    measure.send(way, Payloads(1))


# -- the line that counts ---------------------------------------------------------------------


@pytest.fixture
def proxy() -> Iterator[tuple[WiredLine, socket.socket]]:
    with WiredLine() as line:
        address = ("127.0.0.1", port_of(line.proxy()))
        with closing(socket.create_connection(address, SECONDS)) as client:
            yield line, client


def test_a_proxy_connects_to_the_port_it_is_asked_for_and_counts(
    proxy: tuple[WiredLine, socket.socket],
) -> None:
    line, client = proxy
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        client.sendall(GREETING)
        assert b"\x05\x00" == client.recv(2)
        port = listener.getsockname()[1].to_bytes(2, "big")
        client.sendall(CONNECT + socket.inet_aton("127.0.0.1") + port)
        assert b"\x05\x00\x00\x01" == client.recv(10)[:4]
        server, _ = listener.accept()
        with closing(server):
            client.sendall(b"hello")
            assert b"hello" == server.recv(5)
            wait_for(lambda: line.passed == len(b"hello"), "five bytes are counted")


@pytest.mark.parametrize("words", [b"GET / HTTP/1.1\r\n\r\n", GREETING + b"\x05\x02\x00\x01"])
def test_a_proxy_closes_on_who_asks_for_something_else(
    words: bytes, proxy: tuple[WiredLine, socket.socket]
) -> None:
    _, client = proxy
    client.sendall(words)
    heard = b"?"
    with suppress(ConnectionError):
        while heard not in (b"", GREETING):
            heard = client.recv(100)
        assert b"" == heard


def test_an_address_without_a_port_is_refused() -> None:
    assert 80 == port_of("http://127.0.0.1:80/a")
    assert 5672 == port_of("amqp://user:7@127.0.0.1:5672/%2F")
    with pytest.raises(ValueError, match="has no port"):
        port_of("http://127.0.0.1/a")
