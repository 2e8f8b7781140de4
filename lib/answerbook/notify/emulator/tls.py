"""TLS connections: the protocol that client and server agreed on in the handshake (ALPN) serves."""

import asyncio
from typing import Final, cast

from answerbook.notify.emulator.connection import Answers, Connection, Connections
from answerbook.notify.emulator.http1 import Http1
from answerbook.notify.emulator.http2 import Http2

SHUTDOWN_SECONDS: Final = 1.0
"""How long a connection that we close waits for the client's farewell."""


class Secure(asyncio.Protocol):
    """Stands behind TLS and hands all on to Http1 or Http2.

    Made by the server for each connection to the TLS port, and by the proxy, which calls `begin`
    itself: bytes may come before it does.
    """

    def __init__(self, router: Answers, connections: Connections) -> None:
        self._router = router
        self._connections = connections
        self._http: Connection | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.begin(cast("asyncio.Transport", transport))

    def begin(self, transport: asyncio.Transport) -> None:
        """The handshake is over; `transport` is the encrypted one."""
        agreed = transport.get_extra_info("ssl_object").selected_alpn_protocol()
        kind = Http2 if agreed == "h2" else Http1
        self._http = kind(self._router, self._connections, plain=False)
        self._http.connection_made(transport)
        for data in self._early:
            self._http.data_received(data)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        if self._http is None:
            self._early.append(data)
        else:
            self._http.data_received(data)

    def eof_received(self) -> bool | None:
        # TLS has no half-closed connections.
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._http is not None:
            self._http.connection_lost(exc)

    def pause_writing(self) -> None:
        if self._http is not None:
            self._http.pause_writing()

    def resume_writing(self) -> None:
        if self._http is not None:
            self._http.resume_writing()
