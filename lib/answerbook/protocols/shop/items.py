"""The goods: pages that hold still while goods come and go, and changes that get lost or do not.

An item's ETag is its version. A change under If-Match is one UPDATE whose WHERE names the version,
so that of two that were made on the same one only the first succeeds.
"""

import sqlite3
from typing import Any

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from werkzeug.http import parse_etags

from answerbook.protocols.shop import cursors, queries
from answerbook.protocols.shop.problems import Problem, parsed

COLUMNS = "number, name, cents, stock, version"
USUAL_PAGE, LARGEST_PAGE = 10, 100
LARGEST_NUMBER = 2**63 - 1
"""That SQLite can hold."""


class Item(BaseModel):
    """What a client may say about an item."""

    name: str
    cents: int = Field(ge=0, le=LARGEST_NUMBER)
    stock: int = Field(ge=0, le=LARGEST_NUMBER, default=0)


class Items:
    """Each method that takes a request is a handler."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def page(self, request: Request) -> JSONResponse:
        query = request.query_params
        limit = queries.whole(query, "limit", USUAL_PAGE, 1, LARGEST_PAGE)
        if "offset" in query:
            rows = self._connection.execute(
                f"SELECT {COLUMNS} FROM items ORDER BY cents, number LIMIT ? OFFSET ?",
                (limit, queries.whole(query, "offset", 0, 0, LARGEST_NUMBER)),
            ).fetchall()
            return JSONResponse([_content(row) for row in rows])
        rows = self._connection.execute(
            f"SELECT {COLUMNS} FROM items WHERE (cents, number) > (?, ?) "
            "ORDER BY cents, number LIMIT ?",
            (*cursors.decoded(query.get("after", cursors.START)), limit),
        ).fetchall()
        headers = {}
        if len(rows) == limit:
            number, _, cents, *_ = rows[-1]
            after = request.url.include_query_params(after=cursors.encoded(cents, number))
            headers["Link"] = f'<{after}>; rel="next"'
        return JSONResponse([_content(row) for row in rows], headers=headers)

    async def add(self, request: Request) -> JSONResponse:
        item = parsed(Item, await request.body())
        number = self._connection.execute(
            "INSERT INTO items (name, cents, stock) VALUES (?, ?, ?)",
            (item.name, item.cents, item.stock),
        ).lastrowid
        assert number is not None, "a row was inserted"
        headers = {"Location": f"/items/{number}"}
        return _shown(self._row(number), status=201, headers=headers)

    async def show(self, request: Request) -> Response:
        row = self._row(request.path_params["number"])
        # By weak comparison, as RFC 9110 has it for this header.
        if parse_etags(request.headers.get("if-none-match")).contains_weak(_version(row)):
            return Response(status_code=304, headers=_validators(row))
        return _shown(row)

    async def change(self, request: Request) -> JSONResponse:
        """With If-Match, if nobody has changed it since; without, whatever others did."""
        number = request.path_params["number"]
        item = parsed(Item, await request.body())
        row = self._row(number)
        wanted = request.headers.get("if-match")
        # By strong comparison: a weak tag says "as good as", which is not good enough here.
        if wanted is not None and not parse_etags(wanted).contains(_version(row)):
            raise _changed_since(row)
        changed = self._connection.execute(
            "UPDATE items SET name = ?, cents = ?, stock = ?, version = version + 1 "
            "WHERE number = ? AND version = ?",
            (item.name, item.cents, item.stock, number, row[-1]),
        )
        # With several processes on one database, another may have come in between.
        if not changed.rowcount:
            raise _changed_since(self._row(number))
        return _shown(self._row(number))

    async def change_guarded(self, request: Request) -> JSONResponse:
        if "if-match" not in request.headers:
            detail = "Send If-Match with the ETag of what you changed."
            raise Problem("condition-required", 428, detail)
        return await self.change(request)

    async def remove(self, request: Request) -> Response:
        self._row(request.path_params["number"])
        self._connection.execute(
            "DELETE FROM items WHERE number = ?", (request.path_params["number"],)
        )
        return Response(status_code=204)

    def _row(self, number: int) -> Any:
        row = None
        if number <= LARGEST_NUMBER:
            row = self._connection.execute(
                f"SELECT {COLUMNS} FROM items WHERE number = ?", (number,)
            ).fetchone()
        if row is None:
            raise Problem("no-such-item", 404, f"There is no item {number}.")
        return row


def _content(row: Any) -> dict[str, Any]:
    number, name, cents, stock, _ = row
    return {"number": number, "name": name, "cents": cents, "stock": stock}


def _shown(row: Any, status: int = 200, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(_content(row), status, {**(headers or {}), **_validators(row)})


def _validators(row: Any) -> dict[str, str]:
    # A cache may keep it, and has to ask each time whether it is still good.
    return {"ETag": f'"{_version(row)}"', "Cache-Control": "no-cache"}


def _version(row: Any) -> str:
    return f"{row[0]}-{row[-1]}"


def _changed_since(row: Any) -> Problem:
    return Problem(
        "changed-since",
        412,
        "Somebody has changed it since you read it: read it again, and decide anew.",
        _validators(row),
    )
