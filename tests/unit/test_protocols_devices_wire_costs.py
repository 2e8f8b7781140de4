"""The bytes of an exchange are those that passed for it, and a log-in is no exchange."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import pytest

from answerbook.protocols import wire_costs
from answerbook.protocols.wire import Wire

SECONDS = 10
GREETING = b"who are you?"


@pytest.fixture
def greeter() -> Iterator[int]:
    """The port of a server that greets one client, and then answers each byte with two."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        serving = Thread(target=_greet, args=(listener,))
        serving.start()
        yield listener.getsockname()[1]
        serving.join(SECONDS)
    assert not serving.is_alive()


def _greet(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(GREETING)
        while piece := connection.recv(1):
            connection.sendall(piece * 2)


def test_an_exchange_is_counted_both_ways_and_without_the_log_in(greeter: int) -> None:
    numbers = []
    with Wire(greeter) as wire:
        client = socket.create_connection(("127.0.0.1", wire.port), timeout=SECONDS)
        with client, client.makefile("rb") as answers:
            assert GREETING == answers.read(len(GREETING))

            async def ask(number: int) -> None:
                numbers.append(number)
                for _ in range(number):
                    client.sendall(b"x")
                    assert b"xx" == answers.read(2)

            cost = asyncio.run(wire_costs.measure(wire, ask, 4))
    assert [0, 1, 2, 3] == numbers
    assert (len(GREETING), 3 * 6 / 4) == (cost.log_in, cost.exchange)


def test_the_time_is_that_of_one_exchange(greeter: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 103.0])
    with (
        Wire(greeter) as wire,
        socket.create_connection(("127.0.0.1", wire.port), timeout=SECONDS) as client,
    ):
        assert GREETING == client.recv(len(GREETING), socket.MSG_WAITALL)

        async def rest(_: int) -> None:
            """Nothing passes."""

        with monkeypatch.context() as patched:
            patched.setattr("time.perf_counter", lambda: next(clock))
            cost = asyncio.run(wire_costs.measure(wire, rest, 6))
    assert (0.0, 500.0) == (cost.exchange, cost.milliseconds)
