"""How the two ends reach each other: straight, or through wires that count and lose.

Used by the contestants, which ask a line for every address that they connect to, and by `measure`.
The speed is measured on a straight line; bytes are counted in another run, on a `WiredLine`.
"""

import re
import socket

from answerbook.protocols.stopping import Stopping
from answerbook.protocols.wire import Side, Wire

PORT = re.compile(r":(\d+)(?=/|$)")

SOCKS_SECONDS = 5.0
GREETING, NO_LOG_IN = b"\x05\x01\x00", b"\x05\x00"
CONNECT = b"\x05\x01\x00\x01"
"""To an IPv4 address, whose four bytes follow, and two of a port (RFC 1928)."""
CONNECTED = b"\x05\x00\x00\x01" + bytes(6)


class Line:
    """Straight: an address is what it is."""

    def to(self, address: str) -> str:
        """The address at which a client reaches the server that is at `address`."""
        return address

    def proxy(self) -> str | None:
        """A SOCKS 5 proxy, for a client whose server tells it where else to connect (Kafka's)."""
        return None


class SocksWire(Wire):
    """A wire to whichever port of loopback a client asks for, in SOCKS 5; that is not counted."""

    def __init__(self) -> None:
        super().__init__(0)

    def _reach(self, client: socket.socket) -> socket.socket:
        client.settimeout(SOCKS_SECONDS)
        _expect(client, GREETING)
        client.sendall(NO_LOG_IN)
        _expect(client, CONNECT)
        address = _exactly(client, 6)
        server = socket.create_connection(("127.0.0.1", int.from_bytes(address[4:], "big")))
        client.sendall(CONNECTED)
        client.settimeout(None)
        return server


class WiredLine(Line, Stopping):
    """Everything passes through wires, which count, and break when told. Ends with its block."""

    def __init__(self) -> None:
        self._wires: list[Wire] = []

    def to(self, address: str) -> str:
        wire = Wire(port_of(address))
        self._wires.append(wire)
        return PORT.sub(f":{wire.port}", address, count=1)

    def proxy(self) -> str:
        wire = SocksWire()
        self._wires.append(wire)
        return f"socks5://127.0.0.1:{wire.port}"

    @property
    def passed(self) -> int:
        """Bytes so far, both ways, of all connections."""
        return sum(wire.passed("requests") + wire.passed("answers") for wire in self._wires)

    def lose(self, side: Side) -> None:
        """Throw away what that side says from now on, until the next cut."""
        for wire in self._wires:
            wire.lose(side)

    def cut(self) -> None:
        """Break all connections; the next ones are whole."""
        for wire in self._wires:
            wire.cut()

    def stop(self) -> None:
        for wire in self._wires:
            wire.stop()


def port_of(address: str) -> int:
    """The port in an address such as `http://127.0.0.1:8080/path` or `127.0.0.1:8080`."""
    found = PORT.search(address)
    if found is None:
        raise ValueError(f"This address has no port: {address!r}.")
    return int(found[1])


def _expect(client: socket.socket, words: bytes) -> None:
    if _exactly(client, len(words)) != words:
        raise ConnectionError("This client asks for something else than it is offered here.")


def _exactly(client: socket.socket, count: int) -> bytes:
    """The next `count` bytes. Raises ConnectionError where the client leaves before."""
    read = b""
    while len(read) < count:
        if not (piece := client.recv(count - len(read))):
            raise ConnectionError("The client left before it had said where to.")
        read += piece
    return read
