"""What the receivers' processes have in common: how they begin, and how they wait for their end.

Used by the modules of the contestants when they run as programs. A receiver that listens is started
with a port and a folder; one that connects to a broker, with a folder alone: the address, which may
have a password in it, stands in a file there that only its owner can read.
"""

import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any, NoReturn

from answerbook.protocols import peer
from answerbook.protocols.choosing.ledger import Ledger

SETTINGS = "settings.json"
THREADS = 10
"""Requests that a WSGI server answers at the same moment."""

Take = Callable[[str | bytes], int]
"""Writes a payload into the ledger; its number."""
Ready = Callable[[], None]
"""To be called once nothing that is sent from now on can be missed."""
Receive = Callable[..., None]
"""Gets `take`, `ready` and its settings by name; does not return."""


def listening() -> tuple[int, Ledger]:
    """In the new process: the port that was asked for, and the ledger."""
    return int(sys.argv[1]), Ledger(Path(sys.argv[2]))


def serve_asgi(port: int, path: str, application: Callable[..., Any]) -> NoReturn:
    from answerbook.protocols import asgi

    try:
        serving = asgi.serve(application, port)
    except OSError as error:
        peer.refuse(port, error)
    peer.serve_until_told(serving.url + path)


def serve_wsgi(
    port: int,
    path: str,
    application: Callable[..., Any],
    certificate: tuple[str, str] | None = None,
) -> NoReturn:
    """`certificate` is the paths of a certificate and of its key; with it, over TLS."""
    from cheroot.ssl.builtin import BuiltinSSLAdapter
    from cheroot.wsgi import Server

    # cheroot lets a port be had again after a kill only where it was asked for by its number.
    server = Server(("127.0.0.1", port or _free_port()), application, numthreads=THREADS)
    if certificate:
        server.ssl_adapter = BuiltinSSLAdapter(*certificate)
    try:
        server.prepare()
    except OSError as error:
        peer.refuse(port, error)
    Thread(target=server.serve, daemon=True).start()
    scheme = "https" if certificate else "http"
    peer.serve_until_told(f"{scheme}://127.0.0.1:{server.bind_addr[1]}{path}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def start(module: str, folder: Path, **settings: object) -> peer.Peer:
    """Start `module` as a receiver that connects; returns when it is ready for payloads.

    Raises peer.PeerFailed when it cannot.
    """
    file = folder / SETTINGS
    file.touch(mode=0o600)
    file.write_text(json.dumps(settings))
    return peer.start(module, str(folder))


def receive_until_told(receive: Receive) -> NoReturn:
    """In the new process: receive, and say so once it is ready."""
    folder = Path(sys.argv[1])
    settings = json.loads((folder / SETTINGS).read_text())
    ledger, ready, ended = Ledger(folder), Event(), Event()

    def work() -> None:
        try:
            receive(ledger.take, ready.set, **settings)
        finally:
            if ready.is_set():
                os._exit(1)  # a receiver that receives no more is not there any more
            ended.set()
            ready.set()  # the exception is on its way to standard error

    thread = Thread(target=work, daemon=True)
    thread.start()
    ready.wait()
    if ended.is_set():
        thread.join()
        sys.exit(1)
    peer.serve_until_told("receiver://ready")
