"""Where FCM is and how to get there: TLS, and a proxy where the environment names one.

Used by http.py. Proxies are those that urllib finds (HTTPS_PROXY, NO_PROXY …), authorities those
of OpenSSL's defaults (SSL_CERT_FILE).
"""

import asyncio
import base64
import re
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

P = TypeVar("P", bound=asyncio.Protocol)

HEADERS_BYTES = 16_384


class Unreachable(Exception):
    """There is no connection; the message says why."""


class Address:
    """The origin of a URL. Raises ValueError when it is none of HTTP."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url} is no address of HTTP")
        self.host = parts.hostname
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.path = parts.path.rstrip("/")
        self.authority = parts.netloc.rpartition("@")[2]
        """As the Host header carries it."""
        self._tls = parts.scheme == "https"
        self._context = _tls_context() if self._tls else None
        proxy = getproxies().get(parts.scheme) if self._tls else None
        self._proxy = None if proxy is None or proxy_bypass(self.host) else urlsplit(proxy)

    async def connect(self, protocol: Callable[[], P]) -> P:
        """A connection, after its TLS handshake. Raises OSError and Unreachable."""
        loop = asyncio.get_running_loop()
        name = self.host if self._tls else None
        if self._proxy is None:
            _, made = await loop.create_connection(
                protocol, self.host, self.port, ssl=self._context, server_hostname=name
            )
            return made
        tunnel = await self._tunnel(loop)
        try:
            _, made = await loop.create_connection(
                protocol, sock=tunnel, ssl=self._context, server_hostname=name
            )
        except BaseException:
            tunnel.close()
            raise
        return made

    async def _tunnel(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        assert self._proxy is not None
        place = (self._proxy.hostname or "", self._proxy.port or 80)
        tunnel = await loop.run_in_executor(None, lambda: socket.create_connection(place, 10.0))
        try:
            tunnel.setblocking(False)
            await loop.sock_sendall(tunnel, self._connect_request())
            answer = b""
            # The proxy's peer says nothing before our handshake, so nothing else can follow.
            while b"\r\n\r\n" not in answer:
                part = await loop.sock_recv(tunnel, 4_096)
                answer += part
                if not part or len(answer) > HEADERS_BYTES:
                    raise Unreachable("the proxy ended the connection")
            if not re.match(rb"HTTP/1\.[01] 200\b", answer):
                said = answer.partition(b"\r\n")[0].decode("latin-1")
                raise Unreachable(f"the proxy answered {said!r}")
        except BaseException:
            tunnel.close()
            raise
        return tunnel

    def _connect_request(self) -> bytes:
        assert self._proxy is not None
        place = f"{self.host}:{self.port}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
        if self._proxy.username is not None:
            user = f"{unquote(self._proxy.username)}:{unquote(self._proxy.password or '')}"
            lines.append(f"Proxy-Authorization: Basic {base64.b64encode(user.encode()).decode()}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
