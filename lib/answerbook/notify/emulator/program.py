"""`answerbook notify emulator`: runs the emulator until SIGTERM.

It listens on three ports of `settings.host`: plain HTTP (`port`), TLS (`emulator_tls_port`) and the
CONNECT proxy (`emulator_proxy_port`); 0 is any free one. Where it listens stands in `address.json`
of its folder while it runs.
"""

import asyncio
import gc
import signal
import ssl
import sys
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
import uvloop

from answerbook.config import NotifySettings
from answerbook.notify import records, running
from answerbook.notify.emulator.accepted import Record
from answerbook.notify.emulator.address import Address, forget, publish
from answerbook.notify.emulator.certificates import bundle, server_context
from answerbook.notify.emulator.connection import Connections
from answerbook.notify.emulator.control import Control
from answerbook.notify.emulator.fcm import Fcm
from answerbook.notify.emulator.http1 import Http1
from answerbook.notify.emulator.oauth import Tokens
from answerbook.notify.emulator.proxy import Proxy
from answerbook.notify.emulator.quota import Quota
from answerbook.notify.emulator.router import Router
from answerbook.notify.emulator.secrets_kept import control_token
from answerbook.notify.emulator.service_account import service_account
from answerbook.notify.emulator.tls import SHUTDOWN_SECONDS, Secure
from answerbook.notify.emulator.watching import watch

DRAIN_SECONDS: Final = 5.0
BACKLOG: Final = 4_096


def main(settings: NotifySettings) -> None:
    """Serve until SIGTERM or SIGINT, then drain, write the record and return."""
    log = running.log()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(_serve(settings, log))
    if code:
        sys.exit(code)


@dataclass
class _Parts:
    record: Record
    router: Router
    connections: Connections
    context: ssl.SSLContext
    ready: asyncio.Event


def _parts(settings: NotifySettings, log: structlog.stdlib.BoundLogger) -> _Parts:
    folder = settings.folder
    record = Record(folder, log)
    tokens = Tokens(service_account(folder, settings.fcm_project))
    fcm = Fcm(record, tokens, Quota(settings.emulator_quota_per_minute))
    connections = Connections()
    token = control_token(folder, settings.emulator_token)
    control = Control(fcm, token, settings.fcm_project, connections.lifted)
    ready = asyncio.Event()
    router = Router(fcm, tokens, control, watch(fcm, ready.is_set), log)
    context = server_context(folder)
    bundle(folder)
    return _Parts(record, router, connections, context, ready)


async def _serve(settings: NotifySettings, log: structlog.stdlib.BoundLogger) -> int:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    try:
        parts = _parts(settings, log)
    except OSError as error:
        log.error("it cannot use its folder", folder=str(settings.folder), error=str(error))
        return 1
    servers: list[asyncio.Server] = []
    try:
        address = await _listen(settings, parts, servers)
    except OSError as error:
        log.error("it cannot listen", host=settings.host, error=str(error))
        parts.record.close()
        return 1
    # What was made up to here lives as long as the program: the collector need not look at it.
    gc.collect()
    gc.freeze()
    publish(settings.folder, address)
    parts.ready.set()
    log.info("listening", url=address.url, tls=address.tls_port, proxy=address.proxy_port)
    await ended.wait()
    parts.ready.clear()
    forget(settings.folder)
    for server in servers:
        server.close()
    await parts.connections.drain(DRAIN_SECONDS)
    parts.record.close()
    log.info("ended")
    return 0


async def _listen(
    settings: NotifySettings, parts: _Parts, servers: list[asyncio.Server]
) -> Address:
    """Open the three ports. Raises OSError when one is taken; those open are in `servers`."""
    loop = asyncio.get_running_loop()
    router, connections, context = parts.router, parts.connections, parts.context
    port = records.PORTS["emulator"] if settings.port is None else settings.port
    wanted = (
        (partial(Http1, router, connections, plain=True), port, None),
        (partial(Secure, router, connections), settings.emulator_tls_port, context),
        (partial(Proxy, router, connections, context), settings.emulator_proxy_port, None),
    )
    ports = []
    for protocol, number, secure in wanted:
        server = await loop.create_server(
            protocol,
            settings.host,
            number,
            ssl=secure,
            ssl_shutdown_timeout=SHUTDOWN_SECONDS if secure else None,
            backlog=BACKLOG,
        )
        servers.append(server)
        ports.append(server.sockets[0].getsockname()[1])
    return Address(settings.host, *ports)
