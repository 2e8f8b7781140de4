"""Who a caller is: the API keys, held in memory and read again from PostgreSQL every few seconds.

While PostgreSQL is away the keys that were read last go on to hold.
"""

import asyncio
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from answerbook.notify.api.bucket import Bucket
from answerbook.notify.api.problems import Problem, retry_after
from answerbook.notify.running import log
from answerbook.notify.store.keys import Key, find_key, load_keys

REFRESH_SECONDS = 2.0
"""How long a new key may be refused, and a revoked one taken."""
CHALLENGE = b'Bearer realm="answerbook"'
DATABASE_SECONDS = 3.0
"""What PostgreSQL may take for an answer."""
DATABASE_ERRORS = (psycopg.Error, PoolTimeout, TimeoutError, OSError)

Pool = AsyncConnectionPool[psycopg.AsyncConnection[Any]]


class Keyring:
    """The keys, and the bucket of each."""

    def __init__(self, keys: dict[str, Key] | None = None) -> None:
        """Without keys it refuses all, with 503, until some were loaded."""
        self._keys: dict[str, Key] = {}
        self._buckets: dict[str, Bucket] = {}
        self.loaded = False
        if keys is not None:
            self.replace(keys)

    def replace(self, keys: dict[str, Key]) -> None:
        """These keys hold from now on. Buckets of keys that stay are kept."""
        for key in keys.values():
            bucket = self._buckets.get(key.key_id)
            if bucket is None:
                self._buckets[key.key_id] = Bucket(key.events_per_second)
            elif bucket.rate != key.events_per_second:
                bucket.set_rate(key.events_per_second)
        for gone in self._buckets.keys() - keys.keys():
            del self._buckets[gone]
        self._keys = keys
        self.loaded = True

    def caller(self, authorization: bytes | None) -> tuple[str, Bucket]:
        """The key id and bucket of whoever sent this header. Raises Problem: 401, or 503."""
        if authorization is None:
            raise Problem(
                401,
                "no-key",
                "Send `Authorization: Bearer ab_…`, an API key.",
                (b"www-authenticate", CHALLENGE),
            )
        if not self.loaded:
            raise Problem(503, "unavailable", "The keys have not been read yet.", retry_after(1))
        scheme, _, token = authorization.decode("latin-1").partition(" ")
        key = find_key(self._keys, token.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            challenge = CHALLENGE + b', error="invalid_token"'
            raise Problem(
                401, "no-key", "The API key is not valid.", (b"www-authenticate", challenge)
            )
        return key.key_id, self._buckets[key.key_id]

    async def keep_fresh(self, pool: Pool) -> None:
        """Read the keys again and again, until cancelled."""
        failing = False
        while True:
            try:
                async with asyncio.timeout(DATABASE_SECONDS), pool.connection() as connection:
                    self.replace(await load_keys(connection))
                if failing:
                    log().info("keys are read again")
                failing = False
            except DATABASE_ERRORS as error:
                if not failing:
                    log().warning("keys cannot be read", error=str(error), cached=len(self._keys))
                failing = True
            await asyncio.sleep(REFRESH_SECONDS)
