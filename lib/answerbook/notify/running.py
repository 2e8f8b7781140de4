"""How a program of the system is watched and ended: its HTTP port for probes, and SIGTERM.

Used by render, deliver and track; the API and the emulator answer the same paths themselves.
"""

import logging
import signal
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import structlog
import structlog.tracebacks
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

NotReady = str


class Watch:
    """Answers /metrics, /healthz and /readyz on a port, from a thread.

    `ready` returns None, or why the program is not ready (503). `alive` likewise for /healthz:
    whoever asks restarts a program that is not. Ends at `stop`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        ready: Callable[[], NotReady | None],
        alive: Callable[[], NotReady | None] = lambda: None,
    ) -> None:
        answers = {"/healthz": alive, "/readyz": ready}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path == "/metrics":
                    self._answer(200, generate_latest(REGISTRY), CONTENT_TYPE_LATEST)
                elif path in answers:
                    why = answers[path]()
                    self._answer(503 if why else 200, (why or "ok").encode() + b"\n")
                else:
                    self._answer(404, b"There are /metrics, /healthz and /readyz.\n")

            def _answer(self, status: int, body: bytes, kind: str = "text/plain") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *words: Any) -> None:
                """Not a line for each probe."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = Thread(target=self._server.serve_forever, name="watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def until_terminated() -> Event:
    """An event that SIGTERM and SIGINT set. Call it in the main thread."""
    ended = Event()

    def end(_signal: int, _frame: object) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    return ended


def log() -> structlog.stdlib.BoundLogger:
    """The program's log: one JSON object a line, on standard error, with time and level."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without the values of variables: those of a request hold keys and people's data.
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            ),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger
