"""Server-Sent Events: an event for each payload. Run as a program, the client that listens.

The sender is the server, which runs here, in a thread; the receiver is the client, which connects.
Nothing goes back on a stream of events: acknowledged is what the client wrote into its ledger, and
the sender never knows. It is held up only by TCP, when the buffers on the way are full.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING

import httpx
from httpx_sse import connect_sse

from answerbook.protocols import asgi
from answerbook.protocols.choosing import receiver
from answerbook.protocols.choosing.line import Line
from answerbook.protocols.choosing.receiver import Ready, Take
from answerbook.protocols.choosing.way import Way

if TYPE_CHECKING:
    from sse_starlette import EventSourceResponse, ServerSentEvent
    from starlette.requests import Request

TIMEOUT = 5
HELLO = "hello"


def receive(take: Take, ready: Ready, url: str) -> None:
    with httpx.Client(timeout=None) as client, connect_sse(client, "GET", url) as stream:
        for event in stream.iter_sse():
            if event.event == HELLO:
                ready()
            else:
                take(event.data)


class Feed:
    """The server's side: whoever listens is given the next payloads that are to be sent."""

    def __init__(self) -> None:
        self._listeners: Queue[Listener] = Queue()

    def send(self, payloads: Iterator[str]) -> None:
        """Send to the one who listens.

        Raises ConnectionError when that one leaves before the end, queue.Empty when nobody comes.
        """
        listener = self._listeners.get(timeout=TIMEOUT)
        while listener.left:
            listener = self._listeners.get(timeout=TIMEOUT)
        listener.give(payloads).result()

    async def answer(self, _: "Request") -> "EventSourceResponse":
        from sse_starlette import EventSourceResponse

        return EventSourceResponse(self._events())

    async def _events(self) -> "AsyncIterator[ServerSentEvent]":
        from sse_starlette import ServerSentEvent

        yield ServerSentEvent(event=HELLO, data="")
        while True:
            listener = Listener()
            self._listeners.put(listener)
            try:
                for number, payload in enumerate(await listener.payloads):
                    yield ServerSentEvent(payload, id=str(number))
                    # A send that need not wait lets nobody else in, not even the news that the
                    # client has left.
                    await asyncio.sleep(0)
                listener.done.set_result(None)
            finally:
                listener.leave()


class Listener:
    """A client that is connected, as the server's loop and the sender's thread both see it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.payloads: asyncio.Future[Iterator[str]] = self._loop.create_future()
        self.done: Future[None] = Future()

    @property
    def left(self) -> bool:
        return self.done.done()

    def give(self, payloads: Iterator[str]) -> "Future[None]":
        self._loop.call_soon_threadsafe(self.payloads.set_result, payloads)
        return self.done

    def leave(self) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("The listener left before the last event."))


@contextmanager
def open_way(folder: Path, line: Line) -> Iterator[Way]:
    """A server here, with a client that listens, for as long as the block lasts."""
    feed = Feed()
    with asgi.serve_handler("/events", feed.answer) as server:
        start = partial(receiver.start, __name__, folder, url=line.to(f"{server.url}/events"))
        with Way(feed.send, start, folder) as way:
            yield way


if __name__ == "__main__":
    receiver.receive_until_told(receive)
