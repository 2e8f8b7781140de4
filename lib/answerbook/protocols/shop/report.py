"""A large download that is made while it is sent: any part of it, without holding the whole.

Each block begins with its number, so that one which is missing, doubled or out of place changes
the digest.
"""

import asyncio
import base64
import hashlib
import random
from collections.abc import AsyncIterator, Iterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from werkzeug.http import parse_range_header

from answerbook.protocols.shop.problems import Problem

BLOCK_BYTES = 65_536
NUMBER_BYTES = 8


class Report:
    """Serves the current edition."""

    def __init__(self, size: int) -> None:
        self._edition = Edition(1, size)

    async def publish(self, _: Request) -> JSONResponse:
        """From now on everybody gets the next edition; who is downloading ends with theirs."""
        self._edition = Edition(self._edition.number + 1, self._edition.size)
        return JSONResponse({"edition": self._edition.number}, 201)

    async def download(self, request: Request) -> Response:
        edition = self._edition
        headers = {
            "Accept-Ranges": "bytes",
            "ETag": edition.etag,
            # Of the whole, also where a part is sent (RFC 9530).
            "Repr-Digest": f"sha-256=:{await edition.digest()}:",
            "Content-Type": "application/octet-stream",
        }
        part = _part(request, edition)
        start, stop = part or (0, edition.size)
        headers["Content-Length"] = str(stop - start)
        if part:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{edition.size}"
        status = 206 if part else 200
        if request.method == "HEAD":
            return Response(None, status, headers)
        return StreamingResponse(edition.sent(start, stop), status, headers)


class Edition:
    """The content under one ETag."""

    def __init__(self, number: int, size: int) -> None:
        self.number = number
        self.size = size
        self.etag = f'"edition-{number}"'
        self._filling = random.Random(number).randbytes(BLOCK_BYTES - NUMBER_BYTES)
        self._digest: asyncio.Task[str] | None = None

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` to before `stop`."""
        for number in range(start // BLOCK_BYTES, -(-stop // BLOCK_BYTES)):
            first = number * BLOCK_BYTES
            block = number.to_bytes(NUMBER_BYTES) + self._filling
            yield block[max(0, start - first) : min(BLOCK_BYTES, stop - first)]

    async def sent(self, start: int, stop: int) -> AsyncIterator[bytes]:
        # The server awaits the client between two pieces, and so holds one or two of them.
        for piece in self.pieces(start, stop):
            yield piece

    async def digest(self) -> str:
        """SHA-256 of the whole in Base64, which is computed once."""
        if self._digest is None:
            self._digest = asyncio.create_task(asyncio.to_thread(self._computed))
        return await asyncio.shield(self._digest)

    def _computed(self) -> str:
        hashed = hashlib.sha256()
        for piece in self.pieces(0, self.size):
            hashed.update(piece)
        return base64.b64encode(hashed.digest()).decode()


def _part(request: Request, edition: Edition) -> tuple[int, int] | None:
    """Where the wanted part begins and ends, or None for the whole, as RFC 9110 has it.

    A Range that is malformed, has several parts, or belongs to another edition is ignored. Raises
    Problem, 416, for a part that does not exist.
    """
    wanted = parse_range_header(request.headers.get("range"))
    condition = request.headers.get("if-range")
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        return None
    if condition is not None and condition != edition.etag:
        return None
    start, stop = wanted.ranges[0]
    if start < 0:  # the last so many
        start = max(0, edition.size + start)
    stop = edition.size if stop is None else min(stop, edition.size)
    if start >= stop:
        raise Problem(
            "no-such-part",
            416,
            f"The report has {edition.size} bytes.",
            {"Content-Range": f"bytes */{edition.size}"},
        )
    return start, stop
