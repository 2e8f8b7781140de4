"""A server in a few lines: what it says to a connection is a function, which stands in the cell.

    def greet(connection):
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.sendall(b"hello")
            return tls.version()

    with Listener(greet) as server:
        with socket.create_connection(server.address) as client: …
        server.heard()     # what `greet` returned for it, or the exception that ended it

For notebook 3_7_tls_and_tokens, where both sides of a refusal are looked at, and for the man in
the middle of `attacks.interception`.
"""

from __future__ import annotations

import socket
import weakref
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from answerbook.protocols.stopping import Stopping

SECONDS = 10.0
"""After which a side that says nothing is given up."""

Talk = Callable[[socket.socket], Any]


class Listener(Stopping):
    """Listens on a free port of 127.0.0.1 and runs `talk` for each connection, in a thread.

    Ends at `stop`, with its `with` block, or when nothing refers to it any more.
    """

    def __init__(self, talk: Talk) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = listening.getsockname()
        self._heard: SimpleQueue[Any] = SimpleQueue()
        Thread(target=_accept, args=(listening, talk, self._heard), daemon=True).start()
        # Also when a cell runs again and the variable that held this server is replaced.
        self._end = weakref.finalize(self, _stop, listening)

    @property
    def port(self) -> int:
        return self.address[1]

    def heard(self) -> Any:
        """What `talk` returned for the next connection to end, or the exception that it raised.

        Raises TimeoutError when none ends for SECONDS.
        """
        try:
            return self._heard.get(timeout=SECONDS)
        except Empty:
            raise TimeoutError(f"No connection ended for {SECONDS:g} s.") from None

    def stop(self) -> None:
        """Take no more connections. Does nothing the second time."""
        self._end()


def _accept(listening: socket.socket, talk: Talk, heard: SimpleQueue[Any]) -> None:
    with suppress(OSError):  # it was stopped
        while True:
            connection, _ = listening.accept()
            connection.settimeout(SECONDS)
            Thread(target=_converse, args=(connection, talk, heard), daemon=True).start()


def _converse(connection: socket.socket, talk: Talk, heard: SimpleQueue[Any]) -> None:
    """Run `talk`, and close the connection only when the client has.

    `ssl` closes a socket whose handshake failed. Closing it with something unread makes the kernel
    reset the connection, and a reset can overtake the alert that says why: so a second handle on
    the same connection keeps it open until the client has read.
    """
    with connection.dup() as kept:
        kept.settimeout(SECONDS)
        try:
            heard.put(talk(connection))
        except Exception as error:  # noqa: BLE001 - whatever ended it is what the cell looks at
            heard.put(error)
        finally:
            connection.close()
        with suppress(OSError):  # the client was quicker
            kept.shutdown(socket.SHUT_WR)
            while kept.recv(65_536):
                pass


def _stop(listening: socket.socket) -> None:
    # A thread that waits in accept() is not woken by close() alone.
    with suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)
    listening.close()
