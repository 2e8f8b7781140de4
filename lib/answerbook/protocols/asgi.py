"""An ASGI application, answering on loopback from a thread of this process.

Used by the notebook on push, whose webhook receiver is a function in a cell: the provider that
calls it is another process, and needs an address. The peers `sse` and `webhook_provider` run on it,
in processes of their own.
"""

import logging
import socket
from collections.abc import Callable
from threading import Thread
from types import TracebackType
from typing import Any, Self

STOP_SECONDS = 1
"""What requests that are under way may take when the server stops; then they are cancelled."""


class Serving:
    """A server in a thread. Ends at `stop`, with its `with` block, or with the process."""

    def __init__(self, application: Callable[..., Any], listener: socket.socket) -> None:
        import uvicorn

        self.port: int = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        # What it would log goes to nobody; a notebook's cell would show it among its results.
        logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())
        settings = uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<application at {self.url}>" if self.running else f"<{self.url}, stopped>"


def serve(application: Callable[..., Any], port: int = 0) -> Serving:
    """Serve `application` (Starlette's, or any other) on loopback, by default on a free port.

    Raises OSError when `port` is taken.
    """
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    # Each connection inherits it. asyncio sets it only where a socket was made with TCP's number,
    # which this one was not; without it a body waits 40 ms for its headers' acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Serving(application, listener)


def serve_handler(path: str, handler: Callable[..., Any], port: int = 0) -> Serving:
    """Serve one Starlette handler, such as a function in a cell, for GET and POST of `path`.

    Its `url` is that of the server, without the path. Raises OSError when `port` is taken.
    """
    from starlette.applications import Starlette
    from starlette.routing import Route

    return serve(Starlette(routes=[Route(path, handler, methods=["GET", "POST"])]), port)
