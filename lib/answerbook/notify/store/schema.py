"""Makes the store's tables, for `answerbook notify schema` and for tests.

The tables themselves stand in schema.sql. Programs never call this: in production an operator runs
the command once, before they start.
"""

import hashlib
from pathlib import Path

import psycopg
from psycopg import sql

LOCK = 0x616E73776572  # "answer"; any number, the same for all who change the store as a whole
MARKED = "event_outcomes"
"""The table whose comment says which schema.sql was applied; the last that a program writes to."""


def apply(database_url: str) -> bool:
    """Make what is not there; False when all was. Raises psycopg.Error.

    Any number of callers may do so at once: one works, the others wait for it. Once this very
    schema.sql was applied nothing is locked again, since even `CREATE INDEX IF NOT EXISTS` would
    wait for whoever writes to the table, and stop those who come after.
    """
    script = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
    mark = f"schema.sql {hashlib.sha256(script.encode()).hexdigest()}"
    with psycopg.connect(database_url, connect_timeout=10) as connection:
        connection.execute("SET LOCAL client_min_messages = warning")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if mark == comment(connection, MARKED):
            return False
        connection.execute(script.encode())
        set_comment(connection, MARKED, mark)
    return True


def comment(connection: psycopg.Connection, table: str) -> str | None:
    """The comment of a table; None without one, or without the table."""
    row = connection.execute(
        "SELECT obj_description(to_regclass(%s), 'pg_class')", [table]
    ).fetchone()
    return row[0] if row else None


def set_comment(connection: psycopg.Connection, table: str, text: str) -> None:
    connection.execute(
        sql.SQL("COMMENT ON TABLE {} IS {}").format(sql.Identifier(table), sql.Literal(text))
    )
