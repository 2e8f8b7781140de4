"""Webhooks after Standard Webhooks, the receiver's side: who sent this, and did I have it before.

Used by the notebook on push; `webhook_provider` is the sender.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import re
import secrets
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

PREFIX = "whsec_"
SECONDS = re.compile(r"[0-9]{1,12}")
TOLERANCE_SECONDS = 300
"""How far a timestamp may be from now, either way: the five minutes of the reference libraries."""


class Refused(Exception):
    """A request that is not a fresh one of our sender's; the message says why, in a sentence."""


def new_secret() -> str:
    """What provider and subscriber share: `whsec_` and 32 random bytes in Base64.

    Standard Webhooks wants 24 to 64 bytes.
    """
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """The bytes that a secret stands for, with which `verify` and the sender compute."""
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)


def verify(key: bytes, headers: Mapping[str, str], body: bytes, now: float | None = None) -> str:
    """The message's id, when sender, id, time and body are what was signed.

    `body` is the bytes as they came; `now` is in seconds since 1970. Raises Refused. Stricter than
    the reference library, which decodes before it compares: here each byte has to be right.
    """
    try:
        message_id, sent, signatures = (
            headers[f"webhook-{part}"] for part in ("id", "timestamp", "signature")
        )
    except KeyError as error:
        raise Refused(f"The header {error} is missing.") from None
    # Full stops divide what is signed; one in the id would let it be divided in another way.
    if "." in message_id:
        raise Refused("The id has a full stop in it.")
    if not SECONDS.fullmatch(sent):
        raise Refused("The timestamp is not a whole number of seconds.")
    signed = f"{message_id}.{sent}.".encode() + body
    digest = hmac.digest(key, signed, hashlib.sha256)
    expected = b"v1," + base64.b64encode(digest)
    # Several while a secret is being replaced: one by each.
    if not any(hmac.compare_digest(expected, given.encode()) for given in signatures.split(" ")):
        raise Refused("No signature fits: another secret, or something was changed on the way.")
    if abs((time.time() if now is None else now) - int(sent)) > TOLERANCE_SECONDS:
        raise Refused(f"It was sent more than {TOLERANCE_SECONDS} s from now.")
    return message_id


class Inbox:
    """What came in, each message once, in a file that outlives the process."""

    def __init__(self, path: Path | str) -> None:
        # The server's thread stores, and another one looks.
        self._lock = Lock()
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS messages (position INTEGER PRIMARY KEY,"
            " id TEXT UNIQUE NOT NULL, body BLOB NOT NULL, arrived REAL NOT NULL)"
        )

    def store(self, message_id: str, body: bytes) -> bool:
        """Keep a message; False when it was kept before. On disk when this returns."""
        message = (message_id, body, time.monotonic())
        with self._lock:
            stored = self._database.execute(
                "INSERT INTO messages (id, body, arrived) VALUES (?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                message,
            )
            return stored.rowcount == 1

    def __len__(self) -> int:
        with self._lock:
            (count,) = self._database.execute("SELECT count(*) FROM messages").fetchone()
            return int(count)

    def messages(self) -> list[tuple[bytes, float]]:
        """Each body, and when it came by the monotonic clock, in order of arrival."""
        with self._lock:
            rows = self._database.execute("SELECT body, arrived FROM messages ORDER BY position")
            return rows.fetchall()

    def close(self) -> None:
        self._database.close()
