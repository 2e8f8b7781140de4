"""A minimal HTTP/1.1 client for the one thing the worker does all day: POST, and read the answer.

Used by sender.py and topics.py. It exists because no kept library reaches the goal of 8,000
messages/s through one process: aiohttp, the quickest, takes 94 to 102 µs of CPU for each of these
requests, this takes 6 to 7 (both with 100 connections on uvloop, against the same bare server, in
turns, on a busy 2-core machine), and everything else that a message costs is 25 to 35. An answer
is a callback, not a task; there is one request at a time on a connection and no pipelining,
so a connection that went wrong concerns one message. Framing is httptools' (the parser of
Node.js), strict: an answer without Content-Length or chunks, with both, with bytes after its end,
or above 64 KiB is never taken for a whole one, and its connection is given up.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import httptools

from answerbook.notify.deliver.fcm.address import Address, Unreachable

TIMEOUT: Final = "TIMEOUT"
CUT: Final = "CUT"
BAD_ANSWER: Final = "BAD_ANSWER"
MOST_BYTES: Final = 65_536
"""Of an answer's body; FCM's are below 2 KiB."""


class Answer:
    """What came of a request: a status and a body, or a failure and no status."""

    __slots__ = ("body", "failure", "retry_after", "status")

    def __init__(
        self, status: int, body: bytes = b"", retry_after: str = "", failure: str = ""
    ) -> None:
        self.status = status
        self.body = body
        self.retry_after = retry_after
        self.failure = failure
        """TIMEOUT, CUT or BAD_ANSWER: whether the message was accepted is not known."""


Done = Callable[[Answer], None]


class Connection(asyncio.Protocol):
    """One connection of a Pool; `send` only while it is idle."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._done: Done | None = None
        self._retry_after = ""
        self._body = b""
        self._complete = self._spoiled = self._keep = False
        self.usable = False
        self.deadline = 0.0

    def send(self, request: bytes, deadline: float, done: Done) -> None:
        """`done` is called once: with the answer, or with why there is none by `deadline`."""
        self._done = done
        self.deadline = deadline
        self._retry_after = ""
        self._body = b""
        self._complete = False
        assert self._transport is not None
        self._transport.write(request)

    def fail(self, failure: str) -> None:
        """Give the connection up, and tell whoever waits for its answer."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()
        self._pool.lost(self)
        done, self._done = self._done, None
        if done is not None:
            done(Answer(0, failure=failure))

    @property
    def busy(self) -> bool:
        return self._done is not None

    # -- what the loop calls ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self.usable = True

    def data_received(self, data: bytes) -> None:
        if self._done is None:  # nobody asked
            self.fail(BAD_ANSWER)
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._spoiled = True
        if self._spoiled:
            self.fail(BAD_ANSWER)
        elif self._complete:
            self._answered(self._parser.get_status_code())

    def eof_received(self) -> None:
        """Closes the transport, and connection_lost tells."""

    def connection_lost(self, error: Exception | None) -> None:
        self.fail(CUT)

    def _answered(self, status: int) -> None:
        answer = Answer(status, self._body, self._retry_after)
        done, self._done = self._done, None
        if self._keep:
            self._pool.released(self)
        else:
            self.fail(CUT)  # nobody waits any more: this only ends it
        assert done is not None
        done(answer)

    # -- what the parser calls -------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._complete:  # a second answer to one request
            self._spoiled = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(name) == 11 and name.lower() == b"retry-after":
            self._retry_after = value.decode("latin-1")

    def on_body(self, part: bytes) -> None:
        self._body += part
        if len(self._body) > MOST_BYTES:
            self._spoiled = True

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() >= 200:  # else an interim answer: the real one follows
            self._complete = True
            self._keep = self._parser.should_keep_alive()


class Pool:
    """Up to `most` connections to one address, opened as they are needed.

    `idle` is called when a connection can be used, `refused` when one could not be made.
    """

    def __init__(
        self,
        address: Address,
        most: int,
        timeout: float,
        *,
        idle: Callable[[], None],
        refused: Callable[[str], None],
    ) -> None:
        self._address = address
        self._most = most
        self._timeout = timeout
        self._on_idle = idle
        self._on_refused = refused
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> int:
        """Requests without an answer."""
        return len(self._open) - len(self._idle)

    @property
    def connected(self) -> int:
        return len(self._open)

    def take(self) -> Connection | None:
        """An idle connection, the one used last."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return None

    def give_back(self, connection: Connection) -> None:
        """One that was taken and not used."""
        self._idle.append(connection)

    def grow(self, wanted: int) -> None:
        """Begin to open connections, so that `wanted` more come to be idle, if there is room."""
        count = min(wanted - len(self._opening), self._most - len(self._open) - len(self._opening))
        for _ in range(count):
            task = asyncio.ensure_future(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                connection = await self._address.connect(lambda: Connection(self))
        except (OSError, TimeoutError, Unreachable) as error:
            self._on_refused(str(error) or type(error).__name__)
            return
        if connection.usable:
            self._open.add(connection)
            self._idle.append(connection)
            self._on_idle()
        else:
            self._on_refused("the connection was closed at once")

    def sweep(self) -> None:
        """Give up what is past its deadline. Called a few times a second."""
        now = time.monotonic()
        for connection in [c for c in self._open if c.busy and c.deadline <= now]:
            connection.fail(TIMEOUT)

    def cut(self) -> None:
        """End every connection that waits for an answer."""
        for connection in [c for c in self._open if c.busy]:
            connection.fail(CUT)

    def close(self) -> None:
        """End all connections."""
        for task in self._opening:
            task.cancel()
        for connection in list(self._open):
            connection.fail(CUT)

    # -- what its connections call ---------------------------------------------------------------

    def released(self, connection: Connection) -> None:
        self._idle.append(connection)

    def lost(self, connection: Connection) -> None:
        if connection in self._open:
            self._open.discard(connection)
            if connection in self._idle:
                self._idle.remove(connection)
