"""The API's keys: made and revoked by an operator (`answerbook notify key`), read by the API.

What a caller holds is `ab_<key id>_<secret>`. The secret is 256 random bits, so that a plain
SHA-256 of it is all that has to be stored: there is nothing to guess, and no need for a slow hash
on every request.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

PREFIX = "ab"
KEY_ID = r"[a-z0-9-]{1,32}"
"""What a key's id is made of, as a regular expression."""
DEFAULT_RATE = 1_000
"""Events a second."""

_UNKNOWN = hashlib.sha256(b"the hash that an unknown key is compared with").digest()


class KeyTaken(ValueError):
    """There is, or was, a key of that id. Ids are not used twice: events are named after them."""


class NoSuchKey(LookupError):
    """No key has that id."""


@dataclass(frozen=True)
class Key:
    """A key that is not revoked."""

    key_id: str
    events_per_second: int
    secret_hash: bytes = field(repr=False)


class ListedKey(NamedTuple):
    """A key as an operator sees it."""

    key_id: str
    events_per_second: int
    created_at: datetime
    revoked_at: datetime | None


def create_key(
    connection: psycopg.Connection[Any], key_id: str, events_per_second: int = DEFAULT_RATE
) -> str:
    """Make a key; what its caller sends as `Authorization: Bearer …`, shown here and never again.

    Raises ValueError for an id or a rate that cannot be, and KeyTaken.
    """
    if not re.fullmatch(KEY_ID, key_id):
        raise ValueError(f"{key_id!r} is no key id: 1 to 32 of a-z, 0-9 and the hyphen.")
    if not 0 < events_per_second < 2**31:
        raise ValueError("A key's rate is at least one event a second.")
    secret = secrets.token_urlsafe(32)
    row = connection.execute(
        "INSERT INTO api_keys (key_id, secret_hash, events_per_second) VALUES (%s, %s, %s)"
        " ON CONFLICT DO NOTHING RETURNING key_id",
        (key_id, hash_of(secret), events_per_second),
    ).fetchone()
    connection.commit()
    if row is None:
        raise KeyTaken(f"There is, or was, a key {key_id}. Choose another id.")
    return f"{PREFIX}_{key_id}_{secret}"


def revoke_key(connection: psycopg.Connection[Any], key_id: str) -> None:
    """Have the API refuse the key, within seconds. Raises NoSuchKey."""
    row = connection.execute(
        "UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE key_id = %s"
        " RETURNING key_id",
        (key_id,),
    ).fetchone()
    connection.commit()
    if row is None:
        raise NoSuchKey(f"There is no key {key_id}.")


def list_keys(connection: psycopg.Connection[Any]) -> list[ListedKey]:
    """All keys, the revoked ones too, by id."""
    rows = connection.execute(
        "SELECT key_id, events_per_second, created_at, revoked_at FROM api_keys ORDER BY key_id"
    ).fetchall()
    return [ListedKey(*row) for row in rows]


async def load_keys(connection: psycopg.AsyncConnection[Any]) -> dict[str, Key]:
    """The keys that are not revoked, by id."""
    cursor = await connection.execute(
        "SELECT key_id, events_per_second, secret_hash FROM api_keys WHERE revoked_at IS NULL"
    )
    return {
        key_id: Key(key_id, rate, bytes(secret_hash))
        for key_id, rate, secret_hash in await cursor.fetchall()
    }


def hash_of(secret: str) -> bytes:
    """What stands in the database for a secret: its SHA-256, 32 bytes."""
    return hashlib.sha256(secret.encode()).digest()


def find_key(keys: dict[str, Key], token: str) -> Key | None:
    """The key that a token `ab_<key id>_<secret>` opens, or None.

    Takes as long for an unknown id as for a wrong secret.
    """
    prefix, _, rest = token.partition("_")
    key_id, _, secret = rest.partition("_")
    key = keys.get(key_id)
    right = hmac.compare_digest(hash_of(secret), key.secret_hash if key else _UNKNOWN)
    return key if right and key is not None and prefix == PREFIX else None
