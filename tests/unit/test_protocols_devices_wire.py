"""The wire passes everything on, and loses or breaks exactly what it is told to."""

import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from threading import Event, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from answerbook.notebook import wait_for
from answerbook.protocols.wire import Side, Wire

SECONDS = 10


class Echo:
    """Sends back what it gets, on each connection."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while piece := connection.recv(65_536):
                connection.sendall(piece)


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    started = Echo()
    yield started
    started.stop()


@pytest.fixture
def wire(echo: Echo) -> Iterator[Wire]:
    with Wire(echo.port) as started:
        yield started


def connect(wire: Wire) -> socket.socket:
    return socket.create_connection(("127.0.0.1", wire.port), timeout=SECONDS)


def read(connection: socket.socket, count: int) -> bytes:
    """`count` bytes, or all until the connection ends."""
    found = b""
    while len(found) < count and (piece := connection.recv(count - len(found))):
        found += piece
    return found


def read_until_broken(connection: socket.socket) -> bytes:
    found = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65_536):
            found += piece
    return found


def test_a_wire_passes_every_byte_on_and_counts_it(wire: Wire) -> None:
    payload = bytes(range(256)) * 4_000
    with closing(connect(wire)) as connection:
        sender = Thread(target=connection.sendall, args=(payload,))
        sender.start()
        assert payload == read(connection, len(payload))
        sender.join()
    assert len(payload) == wire.passed("requests") == wire.passed("answers")
    assert 0 == wire.lost("requests") == wire.lost("answers")


@pytest.mark.parametrize("side", ["requests", "answers"])
def test_what_one_side_says_is_lost_until_the_next_cut(wire: Wire, side: Side) -> None:
    with closing(connect(wire)) as connection:
        wire.lose(side, after=2)
        connection.sendall(b"hello")
        assert b"he" == read(connection, 2)
        wait_for_loss(wire, side, 3)
        wire.cut()
        assert b"" == read_until_broken(connection)
    with closing(connect(wire)) as connection:
        connection.sendall(b"whole")
        assert b"whole" == read(connection, 5)
    assert 3 == wire.lost(side)


@settings(max_examples=50, deadline=None)
@given(payload=st.binary(max_size=200), after=st.integers(0, 250))
def test_exactly_the_bytes_after_a_count_are_lost(echo: Echo, payload: bytes, after: int) -> None:
    with Wire(echo.port) as wire, closing(connect(wire)) as connection:
        wire.lose("requests", after)
        connection.sendall(payload)
        connection.shutdown(socket.SHUT_WR)
        wait_for_loss(wire, "requests", max(0, len(payload) - after))
        # The wire may end the connection before the echo is back: count what passed.
        assert payload[:after].startswith(read_until_broken(connection))
        assert len(payload[:after]) == wire.passed("requests")


def test_a_connection_breaks_after_as_many_bytes_as_it_was_told(wire: Wire) -> None:
    with closing(connect(wire)) as connection:
        wire.cut_after(1_000)
        with suppress(ConnectionError):
            connection.sendall(bytes(100_000))
        read_until_broken(connection)
    assert 1_000 == wire.passed("requests")
    with closing(connect(wire)) as connection:
        connection.sendall(b"whole")
        assert b"whole" == read(connection, 5)


def test_a_connection_can_break_before_the_first_byte_of_an_answer(wire: Wire) -> None:
    with closing(connect(wire)) as connection:
        wire.cut_after(0, "answers")
        connection.sendall(b"whole")
        assert b"" == read_until_broken(connection)
    assert (5, 0) == (wire.passed("requests"), wire.passed("answers"))
    with closing(connect(wire)) as connection:
        connection.sendall(b"again")
        assert b"again" == read(connection, 5)


def test_a_stopped_wire_listens_no_more_and_breaks_what_it_carried(echo: Echo) -> None:
    wire = Wire(echo.port)
    with closing(connect(wire)) as connection:
        connection.sendall(b"x")
        assert b"x" == read(connection, 1)
        wire.stop()
        wire.stop()
        assert b"" == read_until_broken(connection)
    with pytest.raises(ConnectionRefusedError):
        connect(wire)


def test_a_client_that_comes_while_a_wire_stops_is_not_connected(echo: Echo) -> None:
    reached, stopped = Event(), Event()

    class Slow(Wire):
        def _reach(self, client: socket.socket) -> socket.socket:
            server = super()._reach(client)
            reached.set()
            assert stopped.wait(SECONDS)
            return server

    wire = Slow(echo.port)
    with closing(connect(wire)) as connection:
        assert reached.wait(SECONDS)
        wire.stop()
        stopped.set()
        assert b"" == read_until_broken(connection)


def test_a_wire_to_nowhere_closes_what_connects() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    with Wire(port) as wire, closing(connect(wire)) as connection:
        assert b"" == read_until_broken(connection)


def wait_for_loss(wire: Wire, side: Side, count: int) -> None:
    wait_for(lambda: wire.lost(side) >= count, f"{count} bytes of {side} are lost")
