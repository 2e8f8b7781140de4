"""What the emulator's two HTTP protocols share: open connections, and answers that come late.

`http1.py` and `http2.py` derive from Connection.
"""

import asyncio
from contextlib import suppress
from typing import Final, Protocol, cast

from answerbook.notify.emulator.answers import Answer

MOST_BODY: Final = 1_048_576
"""Bytes of a request's body; FCM's largest is that of a batch of 1,000 tokens."""
MOST_HEAD: Final = 65_536


class Answers(Protocol):
    """What a connection asks: the router."""

    def answer(
        self, method: bytes, target: bytes, authorization: str, body: bytes, *, plain: bool
    ) -> Answer: ...


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, router: Answers, connections: "Connections", *, plain: bool) -> None:
        self._router = router
        self._connections = connections
        self._plain = plain
        self._transport: asyncio.Transport | None = None
        self._late: dict[int, asyncio.TimerHandle] = {}
        """By the number of the stream; 0 without streams."""
        self._busy = False
        """Reading rests until an answer that is due has been given."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._connections.made(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None
        self._connections.lost(self)
        for timer in self._late.values():
            timer.cancel()

    def pause_writing(self) -> None:
        """The client reads nothing: read nothing more of it."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None and not self._busy:
            self._transport.resume_reading()

    def abort(self) -> None:
        """Cut it at once, with what was not yet sent."""
        if self._transport is not None:
            self._transport.abort()

    def close_when_idle(self) -> None:
        raise NotImplementedError


class Connections:
    """All that are open, so that they can be cut or drained."""

    def __init__(self) -> None:
        self.hanging: set[Connection] = set()
        """Those whose client waits for what an outage swallowed."""
        self.ending = False
        self._open: set[Connection] = set()
        self._none_open = asyncio.Event()

    def made(self, connection: Connection) -> None:
        self._open.add(connection)

    def lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        self.hanging.discard(connection)
        if not self._open:
            self._none_open.set()

    def lifted(self) -> None:
        """The outage is over, as with a server that hung and was started again: cut those."""
        for connection in list(self.hanging):
            connection.abort()

    async def drain(self, seconds: float) -> None:
        """Close connections as they come to rest; after `seconds`, all."""
        self.ending = True
        self._none_open.clear()
        for connection in list(self._open):
            connection.close_when_idle()
        if self._open:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._none_open.wait(), seconds)
        for connection in list(self._open):
            connection.abort()
