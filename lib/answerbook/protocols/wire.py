"""A TCP connection that loses what one side says, or breaks, at a moment that the lesson chooses.

Used by the notebook on devices and files. Whether an acknowledgement got lost decides what a
protocol's promise is worth, and a real network loses it when it likes. A `Wire` stands between a
client and a server on loopback, passes every byte on, and counts them:

    with Wire(broker.port) as wire:
        client.connect("127.0.0.1", wire.port)
        wire.lose("answers")    # what the server says from now on is thrown away
        …
        wire.cut()              # its connections break; the next ones are whole again
"""

import socket
from contextlib import suppress
from threading import Lock, Thread
from typing import Literal

from answerbook.protocols.stopping import Stopping

Side = Literal["requests", "answers"]
"""Bytes that the client sends, or bytes that the server sends."""

CHUNK_BYTES = 65_536


class Wire(Stopping):
    """Connects every client of its `port` to one server. Ends at `stop` or with its block."""

    def __init__(self, server_port: int) -> None:
        """Listen on a free loopback port; nothing is asked of `server_port` until a client comes.

        Where the server does not listen, the client's connection is closed at once.
        """
        self._server = ("127.0.0.1", server_port)
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._stopped = False
        self._passed: dict[Side, int] = {"requests": 0, "answers": 0}
        self._lost: dict[Side, int] = {"requests": 0, "answers": 0}
        # How many more bytes pass before the rest is lost, or before the connection breaks.
        self._losing: dict[Side, int] = {}
        self._breaking: dict[Side, int] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def lose(self, side: Side, after: int = 0) -> None:
        """Let `after` more bytes of that side pass, and throw away the rest until the next cut."""
        with self._lock:
            self._losing[side] = after

    def cut(self) -> None:
        """Break all connections. What connects afterwards is whole: nothing is lost any more."""
        with self._lock:
            self._losing.clear()
            self._breaking.clear()
            broken, self._open = self._open, set()
        for end in broken:
            _break(end)

    def cut_after(self, count: int, side: Side = "requests") -> None:
        """Cut by itself once `count` more bytes of that side have passed."""
        with self._lock:
            self._breaking[side] = count

    def passed(self, side: Side) -> int:
        """Bytes of that side that reached the other end, of all connections so far."""
        with self._lock:
            return self._passed[side]

    def lost(self, side: Side) -> int:
        """Bytes of that side that were thrown away so far."""
        with self._lock:
            return self._lost[side]

    def stop(self) -> None:
        """Stop listening and break what is connected. Does nothing the second time."""
        with self._lock:
            self._stopped = True
        _break(self._listener)
        self.cut()

    def __repr__(self) -> str:
        return f"<wire from port {self.port} to port {self._server[1]}>"

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = self._listener.accept()
                try:
                    server = self._reach(client)
                except OSError:
                    _break(client)
                    continue
                self._connect(client, server)

    def _reach(self, client: socket.socket) -> socket.socket:
        """A new connection to the server. Raises OSError where there is none to be had."""
        return socket.create_connection(self._server)

    def _connect(self, client: socket.socket, server: socket.socket) -> None:
        for end in (client, server):
            # A byte that was sent alone is passed on alone, and at once.
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            stopped = self._stopped
            self._open |= set() if stopped else {client, server}
        if stopped:  # while the server was being reached
            _break(client)
            _break(server)
            return
        Thread(target=self._pass_on, args=(client, server, "requests"), daemon=True).start()
        Thread(target=self._pass_on, args=(server, client, "answers"), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, side: Side) -> None:
        with suppress(OSError):  # either end broke
            while chunk := source.recv(CHUNK_BYTES):
                kept, breaks = self._admit(side, chunk)
                target.sendall(kept)
                if breaks:
                    self.cut()
        with self._lock:
            self._open -= {source, target}
        _break(source)
        _break(target)

    def _admit(self, side: Side, chunk: bytes) -> tuple[bytes, bool]:
        """What of `chunk` passes, and whether the connection breaks after it."""
        with self._lock:
            kept = chunk[: self._losing.get(side, len(chunk))]
            kept = kept[: self._breaking.get(side, len(kept))]
            for budget in (self._losing, self._breaking):
                if side in budget:
                    budget[side] -= len(kept)
            self._passed[side] += len(kept)
            self._lost[side] += len(chunk) - len(kept)
            return kept, self._breaking.get(side) == 0


def _break(end: socket.socket) -> None:
    with suppress(OSError):  # it was not connected any more; this wakes who waits on it
        end.shutdown(socket.SHUT_RDWR)
    end.close()
