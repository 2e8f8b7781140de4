"""Failures on demand: a shop that is busy, slow or silent."""

import asyncio
import sqlite3
from collections import Counter

from starlette.requests import Request
from starlette.responses import JSONResponse

from answerbook.protocols.shop import queries
from answerbook.protocols.shop.problems import Problem

MOST_BUSY = 1_000


class Trouble:
    """Remembers how often it was asked for what, to fail as often as it was asked to."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._asked: Counter[str] = Counter()

    async def stock(self, request: Request) -> JSONResponse:
        """After `seconds`: refuse the first `busy` requests of this very address, then answer."""
        query = request.query_params
        self._asked[str(request.url)] += 1
        refused = self._asked[str(request.url)] <= queries.whole(query, "busy", 0, 0, MOST_BUSY)
        await asyncio.sleep(queries.seconds(query))
        if refused:
            headers = {"Retry-After": query["retry_after"]} if "retry_after" in query else {}
            status = queries.whole(query, "status", 503, 400, 599)
            raise Problem("busy", status, "The shop is busy: come back later.", headers)
        (left,) = self._connection.execute("SELECT stock FROM items WHERE name = 'lamp'").fetchone()
        return JSONResponse({"item": "lamp", "left": left})

    async def silence(self, _: Request) -> JSONResponse:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets this event")

    async def caller(self, request: Request) -> JSONResponse:
        assert request.client is not None, "a client on TCP has an address"
        return JSONResponse({"port": request.client.port})
