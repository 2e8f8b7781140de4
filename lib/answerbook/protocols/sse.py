"""A local server of Server-Sent Events, with a log from which a client that was away catches up.

Used by the notebook on push.

    GET /events                       each price from now on
    GET /events, Last-Event-ID: 17    18 and all that follow, those of the past at once

An event is committed to the log before anyone is told, and each client reads the log: there is no
moment between catching up and live in which an event could get lost or come twice.
"""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from answerbook.protocols import peer
from answerbook.protocols.ticks import ticking

if TYPE_CHECKING:
    from sse_starlette import EventSourceResponse, ServerSentEvent
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

RETRY_MILLISECONDS = 200
"""How long a client is asked to wait before it connects again."""
PING_SECONDS = 1.0
"""A comment goes out this often, so that a client can tell a quiet server from a dead one."""
MOST_ROWS = 500


def serve(port: int = 0, log: Path | str | None = None) -> peer.Peer:
    """Serve prices on loopback, by default on a free port; its `url` is that of the events.

    `log` is the file that keeps them; a server that is started on the log of one that was killed
    goes on from its last number. Without one the log ends with the process. Raises
    peer.PeerFailed when `port` is taken.
    """
    return peer.start(__name__, str(port), str(log or ":memory:"))


class Log:
    """The events so far. One process writes it and reads it."""

    def __init__(self, path: str) -> None:
        # The server runs in a thread, this is made in another; they never use it at once.
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        # A commit then outlives the process, though not a power cut, and costs no fsync.
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY, body TEXT NOT NULL)"
        )

    def last(self) -> int:
        (number,) = self._database.execute("SELECT max(number) FROM events").fetchone()
        return number or 0

    def append(self, number: int, body: str) -> None:
        self._database.execute("INSERT INTO events VALUES (?, ?)", (number, body))

    def after(self, number: int) -> list[tuple[int, str]]:
        """The next events after `number`, at most MOST_ROWS of them."""
        rows = self._database.execute(
            "SELECT number, body FROM events WHERE number > ? ORDER BY number LIMIT ?",
            (number, MOST_ROWS),
        )
        return rows.fetchall()


class Feed:
    """Publishes to the log, and streams it to whoever asks."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._news = asyncio.Event()

    async def publish(self) -> None:
        async for number, body in ticking(self._log.last() + 1):
            self._log.append(number, body)
            news, self._news = self._news, asyncio.Event()
            news.set()

    async def answer(self, request: "Request") -> "Response | EventSourceResponse":
        from sse_starlette import EventSourceResponse
        from starlette.responses import PlainTextResponse

        last = request.headers.get("last-event-id") or str(self._log.last())
        # Python reads no digits without end, and SQLite no number beyond 63 bits.
        if not (last.isascii() and last.isdigit() and len(last) < 19):
            return PlainTextResponse("Last-Event-ID is the number of an event of ours.", 400)
        return EventSourceResponse(self._events(int(last)), ping=PING_SECONDS)

    async def _events(self, last: int) -> "AsyncIterator[ServerSentEvent]":
        from sse_starlette import ServerSentEvent

        yield ServerSentEvent(retry=RETRY_MILLISECONDS)
        while True:
            # Taken before the log is read: what is appended after that sets it.
            news = self._news
            rows = self._log.after(last)
            for last, body in rows:
                yield ServerSentEvent(body, id=str(last))
            if not rows:
                await news.wait()


def application(log: Log) -> "Starlette":
    from starlette.applications import Starlette
    from starlette.routing import Route

    feed = Feed(log)

    @asynccontextmanager
    async def publishing(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(feed.publish())
        yield
        task.cancel()

    return Starlette(routes=[Route("/events", feed.answer)], lifespan=publishing)


def _run(port: int, log: str) -> None:
    from answerbook.protocols import asgi

    try:
        serving = asgi.serve(application(Log(log)), port)
    except OSError as error:
        peer.refuse(port, error)
    peer.serve_until_told(f"{serving.url}/events")


if __name__ == "__main__":
    _run(int(sys.argv[1]), sys.argv[2])
