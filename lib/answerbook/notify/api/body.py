"""A request's body, read with a limit: no more than that is ever held, whatever a caller sends."""

import asyncio

from starlette.types import Receive

from answerbook.notify.api.problems import Problem, retry_after

MOST_BYTES = 2 * 1024 * 1024
"""Of one body."""
MOST_BYTES_HELD = 64 * 1024 * 1024
"""Of all bodies that are being read."""
SECONDS = 30.0
"""For a body to arrive."""


class Gone(Exception):
    """The caller hung up before the body was whole; nobody is left to answer."""


class Bodies:
    """Reads bodies, and knows how much it holds of all together."""

    def __init__(self) -> None:
        self._held = 0

    async def read(self, receive: Receive, length: bytes | None) -> bytes:
        """The whole body; `length` is what Content-Length says. Raises Problem (413, 408, 503)."""
        if length is not None and length.isdigit() and int(length) > MOST_BYTES:
            raise _too_large()
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        body: bytes = message.get("body", b"")
        if len(body) > MOST_BYTES:
            raise _too_large()
        if not message.get("more_body"):
            return body
        return await self._rest(receive, body)

    async def _rest(self, receive: Receive, begin: bytes) -> bytes:
        chunks = [begin]
        size = len(begin)
        self._held += size
        try:
            async with asyncio.timeout(SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Gone
                    chunk = message.get("body", b"")
                    size += len(chunk)
                    self._held += len(chunk)
                    if size > MOST_BYTES:
                        raise _too_large()
                    if self._held > MOST_BYTES_HELD:
                        raise Problem(503, "unavailable", "Too much is being sent.", retry_after(1))
                    chunks.append(chunk)
                    if not message.get("more_body"):
                        return b"".join(chunks)
        except TimeoutError:
            raise Problem(408, "slow-body") from None
        finally:
            self._held -= size


def _too_large() -> Problem:
    return Problem(413, "too-large", f"A body has at most {MOST_BYTES} bytes.")
