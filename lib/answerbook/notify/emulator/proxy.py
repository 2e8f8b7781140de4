"""A CONNECT proxy for Google's three hosts alone, so that HTTPS_PROXY leads a client here.

The tunnel ends in this process: after `200`, the same TLS is spoken as on the TLS port. Any other
host is refused with 403.
"""

import asyncio
import ssl
from typing import Final, cast

from answerbook.notify.emulator.certificates import HOSTS
from answerbook.notify.emulator.connection import MOST_HEAD, Answers, Connections
from answerbook.notify.emulator.tls import SHUTDOWN_SECONDS, Secure

ESTABLISHED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Proxy(asyncio.Protocol):
    """One client, until its tunnel stands."""

    def __init__(self, router: Answers, connections: Connections, context: ssl.SSLContext) -> None:
        self._router = router
        self._connections = connections
        self._context = context
        self._head = b""
        self._transport: asyncio.Transport | None = None
        self._tunnel: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._head += data
        if b"\r\n\r\n" not in self._head:
            if len(self._head) > MOST_HEAD:
                self._refuse(b"431 Request Header Fields Too Large", b"The head is too large.")
            return
        words = self._head.split(b"\r\n", 1)[0].split()
        if len(words) != 3 or words[0] != b"CONNECT":
            self._refuse(b"405 Method Not Allowed", b"This proxy takes CONNECT only.")
            return
        host, _, port = words[1].decode("latin-1").rpartition(":")
        if host.lower() not in HOSTS or port != "443":
            allowed = ", ".join(HOSTS)
            self._refuse(b"403 Forbidden", f"This proxy leads to {allowed} only.".encode())
            return
        assert self._transport is not None
        # Before the client learns of the tunnel: its first bytes belong to TLS.
        self._transport.pause_reading()
        self._transport.write(ESTABLISHED)
        self._tunnel = asyncio.get_running_loop().create_task(self._open(self._transport))

    async def _open(self, transport: asyncio.Transport) -> None:
        protocol = Secure(self._router, self._connections)
        try:
            secured = await asyncio.get_running_loop().start_tls(
                transport,
                protocol,
                self._context,
                server_side=True,
                ssl_shutdown_timeout=SHUTDOWN_SECONDS,
            )
        except (OSError, ssl.SSLError):
            transport.abort()  # the client does not trust us, or is gone
            return
        if secured is None:
            transport.abort()
        else:
            protocol.begin(secured)

    def _refuse(self, status: bytes, why: bytes) -> None:
        if self._transport is not None:
            self._transport.write(
                b"HTTP/1.1 %b\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n"
                b"connection: close\r\n\r\n%b\n" % (status, len(why) + 1, why)
            )
            self._transport.close()
