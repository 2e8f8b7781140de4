"""The process of the ingest API: `answerbook notify api`.

uvicorn with uvloop and httptools, one process. Measured against granian on 2 cores, the same
application, acks=all, CPU of the whole process: 110 µs a request of one event (granian 128 to
155), 9 µs an event in batches of 100 (the same), and it ends as `main` says it does.
"""

import errno
import socket
import sys
from threading import Event

import uvicorn

from answerbook.config import NotifySettings
from answerbook.notify.api.application import build
from answerbook.notify.records import PORTS
from answerbook.notify.running import log, until_terminated

BACKLOG = 2_048
"""Connections that wait to be accepted."""
KEEP_ALIVE_SECONDS = 75
"""Between two requests on a connection."""
DRAIN_SECONDS = 5.0
"""Beyond what Kafka may take, for the requests under way at the end."""


def main(settings: NotifySettings) -> None:
    """Serve until SIGTERM or SIGINT; then finish what is under way. Exits 1 on a taken port."""
    ended = until_terminated()
    listening = _listen(settings.host, PORTS["api"] if settings.port is None else settings.port)
    config = uvicorn.Config(
        build(settings),
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="critical",
        server_header=False,
        proxy_headers=False,  # nothing here asks where a request came from
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(settings.api_ack_seconds + DRAIN_SECONDS),
    )
    host, port = listening.getsockname()[:2]
    log().info("listening", host=host, port=port)
    _Server(config, ended).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Heeds a signal that came before uvicorn listened to any.

    uvicorn raises the signals that ended it once more after its own end; they then find the
    handlers of `until_terminated`, so that the program exits 0.
    """

    def __init__(self, config: uvicorn.Config, ended: Event) -> None:
        super().__init__(config)
        self._ended = ended

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._ended.is_set():
            self.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        why = "it is taken" if error.errno == errno.EADDRINUSE else error.strerror
        sys.exit(
            f"The API cannot listen on {host} port {port}: {why}. Choose another with "
            "ANSWERBOOK_NOTIFY_PORT (0 for any that is free)."
        )
