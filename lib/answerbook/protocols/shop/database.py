"""What the shop remembers: goods, orders and idempotency keys, in one SQLite file."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    cents INTEGER NOT NULL,
    stock INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX IF NOT EXISTS items_by_price ON items (cents, number);
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    item TEXT NOT NULL,
    quantity INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key TEXT PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    status INTEGER,
    answer TEXT
);
"""
COLOURS = ("", "red ", "blue ", "green ")
THINGS = (
    "lamp", "chair", "table", "shelf", "sofa", "desk", "stool", "mirror", "clock", "rug",
)  # fmt: skip
STOCK = 7


def opened(path: str) -> sqlite3.Connection:
    """The database at `path` (":memory:" for none), with goods in it."""
    # The server runs in a thread, this is called in another; they never use it at once.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    # A commit then outlives the process, though not a power cut, and costs no fsync.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(SCHEMA)
    # Who claimed these keys died before it had done anything: a commit keeps work and answer.
    connection.execute("DELETE FROM idempotency_keys WHERE status IS NULL")
    if not connection.execute("SELECT 1 FROM items").fetchone():
        connection.executemany(
            "INSERT INTO items (name, cents, stock) VALUES (?, ?, ?)",
            [
                # Several of a price: an order by price alone would not be one.
                (colour + thing, 1_000 + 500 * (index * 7 % 10), STOCK)
                for index, (colour, thing) in enumerate(product(COLOURS, THINGS))
            ],
        )
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that the block writes, or nothing when it raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
