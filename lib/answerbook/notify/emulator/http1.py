"""HTTP/1.1, for the plain port and for TLS clients without h2: the emulator's hot path.

httptools parses; answers to all that came in one read go out in one write. Requests are answered
in their order: one that waits (for a delay, say) holds back those behind it.
"""

import asyncio
from collections import deque
from functools import partial
from typing import Final

import httptools

from answerbook.notify.emulator.answers import Answer, platform_error
from answerbook.notify.emulator.connection import (
    MOST_BODY,
    MOST_HEAD,
    Answers,
    Connection,
    Connections,
)

REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
MOST_HEADS_KEPT: Final = 1_000

_heads: dict[tuple[int, int, str], bytes] = {}

Request = tuple[bytes, bytes, str, bytes, bool]
"""Method, target, authorization, body, and whether the connection stays open."""


class Http1(Connection):
    """One client's connection."""

    def __init__(self, router: Answers, connections: Connections, *, plain: bool) -> None:
        super().__init__(router, connections, plain=plain)
        self._parser = httptools.HttpRequestParser(self)
        self._out: list[bytes] = []
        self._queue: deque[Request] = deque()
        self._closing = False
        """Nothing more that comes is looked at."""
        self._ended = False
        self._head_bytes = 0
        self.on_message_begin()

    # -- what asyncio calls ----------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        if self._in_head:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(400, "The request is no HTTP/1.1.")
        if self._in_head and self._head_bytes > MOST_HEAD:
            self._refuse(431, "The request's head is too large.")
        if self._out:
            self._flush()

    def eof_received(self) -> bool:
        """The client sends no more; it may still read."""
        self._ended = True
        return bool(self._late)

    def close_when_idle(self) -> None:
        if not self._busy and self._transport is not None:
            self._transport.close()

    # -- what the parser calls -------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._in_head = True
        self._target = b""
        self._authorization = ""
        self._body: bytes = b""
        self._rest: list[bytes] | None = None
        self._size = 0

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        # By its length first: most names are not worth lowering.
        if len(name) == 13 and name.lower() == b"authorization":
            self._authorization = value.decode("latin-1")
        elif len(name) == 6 and name.lower() == b"expect" and value.lower() == b"100-continue":
            self._encourage()

    def _encourage(self) -> None:
        if not self._busy and not self._out and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > MOST_BODY:
            return
        if self._rest is not None:
            self._rest.append(body)
        elif self._body:
            self._rest = [self._body, body]
        else:
            self._body = body

    def on_message_complete(self) -> None:
        parser = self._parser
        if self._size > MOST_BODY:
            self._refuse(413, f"A body has at most {MOST_BODY} bytes.")
        if self._closing:
            return
        body = self._body if self._rest is None else b"".join(self._rest)
        request = (
            parser.get_method(),
            self._target,
            self._authorization,
            body,
            parser.should_keep_alive(),
        )
        if self._busy:
            self._queue.append(request)
        else:
            self._take(request)

    # -- answering -------------------------------------------------------------------------------

    def _take(self, request: Request) -> None:
        method, target, authorization, body, stays = request
        answer = self._router.answer(method, target, authorization, body, plain=self._plain)
        if answer.delay or answer.fate != "answer":
            self._wait(answer, stays, method)
        else:
            self._give(answer, stays, method)

    def _give(self, answer: Answer, stays: bool, method: bytes = b"") -> None:
        if self._connections.ending:
            stays = False
        self._out.append(_head(answer, stays))
        if method != b"HEAD":
            self._out.append(answer.body)
        if not stays:
            self._closing = True
            self._queue.clear()

    def _wait(self, answer: Answer, stays: bool, method: bytes) -> None:
        """Give an answer later, or never; until then nothing more is read."""
        self._busy = True
        if self._transport is not None:
            self._transport.pause_reading()
        if answer.delay:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(answer.delay, partial(self._due, answer, stays, method))
            self._late[0] = timer
        else:
            self._due(answer, stays, method)

    def _due(self, answer: Answer, stays: bool, method: bytes) -> None:
        self._late.clear()
        if self._transport is None:
            return
        if answer.fate == "cut":
            self.abort()
            return
        if answer.fate != "answer":
            if answer.fate == "hang":
                self._connections.hanging.add(self)
            # Read on, to notice when the client gives up; what it sends is not looked at.
            self._closing = True
            self._transport.resume_reading()
            return
        self._busy = False
        self._give(answer, stays, method)
        while self._queue and not self._busy and not self._closing:
            self._take(self._queue.popleft())
        self._flush()
        if self._busy or self._transport is None:
            return
        if self._ended:
            self._transport.close()
        else:
            self._transport.resume_reading()

    def _flush(self) -> None:
        transport = self._transport
        if transport is None or not self._out:
            return
        transport.write(b"".join(self._out))
        self._out.clear()
        if self._closing and not self._busy:
            transport.close()

    def _refuse(self, status: int, why: str) -> None:
        if not self._closing and not self._busy:
            self._give(platform_error(status, "INVALID_ARGUMENT", why), False)
        self._closing = True


def _head(answer: Answer, stays: bool) -> bytes:
    key = (answer.status, len(answer.body), answer.content_type)
    if stays and not answer.headers:
        head = _heads.get(key)
        if head is None:
            head = _lines(answer, stays)
            if len(_heads) < MOST_HEADS_KEPT:
                _heads[key] = head
        return head
    return _lines(answer, stays)


def _lines(answer: Answer, stays: bool) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, '')}",
        f"content-type: {answer.content_type}",
        f"content-length: {len(answer.body)}",
        *(f"{name}: {value}" for name, value in answer.headers),
        *([] if stays else ["connection: close"]),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
