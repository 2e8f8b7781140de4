"""Orders, and idempotency keys that make it safe to place one again.

A key is claimed before the work begins, so that a second request with it finds the claim. The
order and the answer that is kept under the key are one commit: whenever the process dies, either
both are there or neither is.
"""

import asyncio
import hashlib
import json
import sqlite3

from pydantic import BaseModel, PositiveInt
from starlette.requests import Request
from starlette.responses import JSONResponse

from answerbook.protocols.shop import queries
from answerbook.protocols.shop.database import transaction
from answerbook.protocols.shop.problems import Problem, parsed

LONGEST_KEY = 255


class Wanted(BaseModel):
    """The body of an order."""

    item: str
    quantity: PositiveInt = 1


class Orders:
    """Places orders, each once where it comes with a key."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._keys = Keys(connection)

    async def listed(self, _: Request) -> JSONResponse:
        rows = self._connection.execute("SELECT item, quantity FROM orders ORDER BY number")
        return JSONResponse([{"item": item, "quantity": quantity} for item, quantity in rows])

    async def place(self, request: Request) -> JSONResponse:
        """What takes `seconds` of the query is the work: a real shop asks a bank meanwhile."""
        body = await request.body()
        seconds = queries.seconds(request.query_params)
        key = request.headers.get("idempotency-key")
        if key is None:
            await asyncio.sleep(seconds)
            return self._placed(parsed(Wanted, body), None)
        kept = self._keys.claim(key, body)
        if kept is not None:
            return kept
        try:
            await asyncio.sleep(seconds)
            return self._placed(parsed(Wanted, body), key)
        except BaseException:
            # Nothing was done, so there is nothing to remember.
            self._keys.release(key)
            raise

    def _placed(self, wanted: Wanted, key: str | None) -> JSONResponse:
        with transaction(self._connection):
            self._take(wanted)
            number = self._connection.execute(
                "INSERT INTO orders (item, quantity) VALUES (?, ?)", (wanted.item, wanted.quantity)
            ).lastrowid
            answer = {"order": number, "item": wanted.item, "quantity": wanted.quantity}
            if key is not None:
                self._keys.keep(key, 201, answer)
        return JSONResponse(answer, 201)

    def _take(self, wanted: Wanted) -> None:
        """Raises Problem when there are not so many of it."""
        row = self._connection.execute(
            "SELECT stock FROM items WHERE name = ?", (wanted.item,)
        ).fetchone()
        if row is None:
            raise Problem("no-such-item", 422, f"The shop has no {wanted.item}.")
        (left,) = row
        if wanted.quantity > left:
            detail = f"You asked for {wanted.quantity}; {left} are left."
            raise Problem("out-of-stock", 409, detail, item=wanted.item, left=left)
        self._connection.execute(
            "UPDATE items SET stock = stock - ?, version = version + 1 WHERE name = ?",
            (wanted.quantity, wanted.item),
        )


class Keys:
    """Idempotency keys: each stands for one body, and for the answer that this body got.

    The statuses are those of the IETF's draft (draft-ietf-httpapi-idempotency-key-header). A real
    shop has keys per customer, and drops them after a day or so.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def claim(self, key: str, body: bytes) -> JSONResponse | None:
        """None when the key is new and ours from now on, else the answer that it stands for.

        Raises Problem: 400 for what cannot be a key, 422 when it stands for another body, 409
        while the first request with it is under way.
        """
        if not 0 < len(key) <= LONGEST_KEY:
            raise Problem("no-key", 400, f"A key has 1 to {LONGEST_KEY} characters.")
        fingerprint = hashlib.sha256(body).digest()
        claimed = self._connection.execute(
            "INSERT INTO idempotency_keys (key, fingerprint) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (key, fingerprint),
        )
        if claimed.rowcount:
            return None
        known, status, answer = self._connection.execute(
            "SELECT fingerprint, status, answer FROM idempotency_keys WHERE key = ?", (key,)
        ).fetchone()
        if known != fingerprint:
            raise Problem("key-reused", 422, "This key came with another body before.")
        if status is None:
            raise Problem("in-progress", 409, "The first request with this key is under way.")
        return JSONResponse(json.loads(answer), status, {"Idempotent-Replayed": "true"})

    def keep(self, key: str, status: int, answer: object) -> None:
        """Within the transaction that does the work."""
        self._connection.execute(
            "UPDATE idempotency_keys SET status = ?, answer = ? WHERE key = ?",
            (status, json.dumps(answer), key),
        )

    def release(self, key: str) -> None:
        self._connection.execute("DELETE FROM idempotency_keys WHERE key = ?", (key,))
