"""An ASGI application, answering on loopback from a thread of this process.

Used by the notebook on push, whose webhook receiver is a function in a cell: the provider that
calls it is another process, and needs an address. The notebooks on REST serve handlers of theirs in
the same way. The peers `shop`, `sse` and `webhook_provider` run on it, in processes of their own.
"""

import logging
import socket
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

from answerbook.protocols.stopping import Stopping

STOP_SECONDS = 1
"""What requests that are under way may take when the server stops; then they are cancelled."""


class Serving(Stopping):
    """A server in a thread. Ends at `stop`, with its `with` block, or with the process."""

    def __init__(
        self,
        application: Callable[..., Any],
        listener: socket.socket,
        certificate: Path | str | None = None,
    ) -> None:
        import uvicorn

        self.port: int = listener.getsockname()[1]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        # What it would log goes to nobody; a notebook's cell would show it among its results.
        logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())
        settings = uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS,
            ssl_certfile=certificate,
        )
        settings.load()  # reads the certificate, which may be gone when the thread has begun
        self._server = uvicorn.Server(settings)
        self._listener = listener
        self._thread = Thread(target=self._server.run, args=([listener],), daemon=True)
        # The port listens already: whoever connects before the thread is ready waits its turn.
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Close the port, end what is open, and wait for the thread. Nothing the second time."""
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    def __repr__(self) -> str:
        return f"<application at {self.url}>" if self.running else f"<{self.url}, stopped>"


def serve(
    application: Callable[..., Any], port: int = 0, certificate: Path | str | None = None
) -> Serving:
    """Serve `application` (Starlette's, or any other) on loopback, by default on a free port.

    `certificate` is a PEM file of a private key and its certificate chain; with it, over TLS. The
    file is read before this returns. Raises OSError when `port` is taken, or the file is no
    certificate.
    """
    listener = listening(port)
    try:
        return Serving(application, listener, certificate)
    except OSError:  # no such certificate, or none that it can use
        listener.close()
        raise


def listening(port: int) -> socket.socket:
    """A socket that listens on loopback, whose connections send at once what they are given.

    asyncio sees to that only for sockets that name their protocol, which those of
    `socket.create_server` do not; a body then waits 40 ms for the acknowledgement of its headers.
    """
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    # What is accepted inherits it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def serve_handler(
    path: str,
    handler: Callable[..., Any],
    port: int = 0,
    certificate: Path | str | None = None,
) -> Serving:
    """Serve one Starlette handler, such as a function in a cell, for GET and POST of `path`.

    Its `url` is that of the server, without the path. Otherwise it is as `serve`.
    """
    from starlette.applications import Starlette
    from starlette.routing import Route

    application = Starlette(routes=[Route(path, handler, methods=["GET", "POST"])])
    return serve(application, port, certificate)
