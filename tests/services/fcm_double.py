"""A scripted FCM for the tests of deliver: an outside party that nobody can reach from here.

It answers on a thread of its own. What a token's messages get is scripted; everything else is
accepted. It records what it accepted, by the notification's id.
"""

import asyncio
import json
import socket
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httptools
import uvloop
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"

TOKEN_PATH = "/token"
OK = b""
HANG = b"hang"
"""Never answers."""
CUT = b"cut"
"""Ends the connection without an answer."""
LOST = b"lost"
"""Accepts the message, and ends the connection without an answer."""


def response(status: int, body: object, *headers: str) -> bytes:
    content = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def refusal(status: int, name: str, code: str = "", *headers: str) -> bytes:
    """As Google words its errors; `code` is FCM's own."""
    details = [{"@type": FCM_ERROR, "errorCode": code}] if code else []
    error = {"code": status, "message": f"it is {code or name}", "status": name, "details": details}
    return response(status, {"error": error}, *headers)


UNREGISTERED = refusal(404, "NOT_FOUND", "UNREGISTERED")
UNAVAILABLE = refusal(503, "UNAVAILABLE", "UNAVAILABLE")


class FcmDouble:
    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()
        """Notification id → how often."""
        self.order: list[str] = []
        self.requests: list[tuple[str, str]] = []
        """Method and path."""
        self.headers: dict[str, str] = {}
        """Of the last request."""
        self.script: defaultdict[str, deque[bytes]] = defaultdict(deque)
        """Token or topic → what its next requests get."""
        self.everyone = OK
        """What those get that have no script."""
        self.latency = 0.0
        self.tokens = 0
        """Access tokens that its OAuth endpoint gave out."""
        self.connections: set[_Peer] = set()
        self.port = 0
        self._loop = uvloop.new_event_loop()
        self._server: asyncio.AbstractServer | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def key_file(self, folder: Path) -> Path:
        """A service account's key, for tokens of this double."""
        key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        content = {
            "type": "service_account",
            "project_id": "answerbook",
            "private_key_id": "1",
            "private_key": private.decode(),
            "client_email": "deliver@answerbook.iam.gserviceaccount.com",
            "token_uri": self.url + TOKEN_PATH,
        }
        path = folder / "key.json"
        path.write_text(json.dumps(content))
        return path

    def start(self) -> None:
        self._thread.start()
        self.listen()

    def listen(self) -> None:
        self._do(self._listen())

    def refuse(self) -> None:
        """No connection any more, and those that are there end."""
        self._do(self._refuse())

    def close_connections(self) -> None:
        self._do(self._close_connections())

    def stop(self) -> None:
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _do(self, asked: Any) -> None:
        asyncio.run_coroutine_threadsafe(asked, self._loop).result(5)

    async def _listen(self) -> None:
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        self._server = await self._loop.create_server(lambda: _Peer(self), sock=listening)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._close_connections()

    async def _close_connections(self) -> None:
        for peer in list(self.connections):
            peer.transport.abort()

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        self.requests.append((method, path))
        if path == TOKEN_PATH:
            self.tokens += 1
            granted = {"access_token": f"token-{self.tokens}", "expires_in": 3600}
            return response(200, granted | {"token_type": "Bearer"})
        message = json.loads(body).get("message", {}) if body else {}
        target = message.get("token") or message.get("topic") or path
        script = self.script.get(target)
        said = script.popleft() if script else self.everyone
        if said in (OK, LOST) and message:
            name = message["data"]["notification_id"]
            self.accepted[name] += 1
            self.order.append(name)
            if said == OK:
                return response(200, {"name": f"projects/answerbook/messages/{name}"})
        return said or response(200, {})


class _Peer(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, double: FcmDouble) -> None:
        self.double = double
        self.parser = httptools.HttpRequestParser(self)
        self.path = ""
        self.body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.double.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.double.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.path, self.body = url.decode(), b""

    def on_header(self, name: bytes, value: bytes) -> None:
        self.double.headers[name.decode().lower()] = value.decode()

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        if self.double.latency:
            loop = asyncio.get_running_loop()
            loop.call_later(self.double.latency, self.reply, self.path, self.body)
        else:
            self.reply(self.path, self.body)

    def reply(self, path: str, body: bytes) -> None:
        said = self.double.answer(self.parser.get_method().decode(), path, body)
        if said in (CUT, LOST):
            self.transport.abort()
        elif said != HANG:
            with suppress(RuntimeError):  # it went away meanwhile
                self.transport.write(said)


@contextmanager
def fcm_double() -> Iterator[FcmDouble]:
    double = FcmDouble()
    double.start()
    try:
        yield double
    finally:
        double.stop()
