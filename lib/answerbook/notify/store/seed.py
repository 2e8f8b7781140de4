"""Fills the store with invented users, for `answerbook notify seed`, load tests and notebooks.

What it makes is told by invented.py and texts.py. It owns the users whose id is `u` and at least
six digits, and the templates of its kinds; whatever else is in the store, it leaves alone.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

import psycopg

from answerbook.notify.store.invented import Person, people
from answerbook.notify.store.schema import LOCK, comment, set_comment
from answerbook.notify.store.texts import KINDS, TEXTS

USERS: Final = 100_000
VERSION: Final = 1
"""Of what is invented: a store that was filled by another one is filled again."""
BLOCK: Final = 5_000
"""Users at a time: what is held in memory, and how often progress is told."""
OWN: Final = "^u[0-9]{6,}$"

COLUMNS: Final = {
    "users": "user_id, name, language, time_zone, quiet_from, quiet_until",
    "devices": "device_id, user_id, address, address_kind, platform, last_seen",
    "preferences": "user_id, kind, enabled",
    "topic_subscriptions": "user_id, topic",
}


class Seeded(NamedTuple):
    """What the store holds of ours now."""

    changed: bool
    users: int
    devices: int


def seed(
    database_url: str, users: int = USERS, progress: Callable[[int], None] = lambda _: None
) -> Seeded:
    """Fill the store with `users` people; nothing is done when it holds them already.

    Another number replaces them, in one transaction: who reads meanwhile sees the old ones whole.
    `progress` is called with the number of users written so far. Raises psycopg.Error; the tables
    must be there (`schema.apply`).
    """
    mark = f"seeded: {users} users, version {VERSION}"
    with psycopg.connect(database_url, connect_timeout=10) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        changed = comment(connection, "users") != mark or not _is_there(connection, users)
        if changed:
            # DELETE and not TRUNCATE, which would show an empty table to those who read meanwhile.
            connection.execute("DELETE FROM users WHERE user_id ~ %s", [OWN])
            connection.execute("DELETE FROM templates WHERE kind = ANY(%s)", [list(KINDS)])
            _write_templates(connection)
            for first in range(1, users + 1, BLOCK):
                last = min(first + BLOCK - 1, users)
                _write(connection, list(people(first, last, KINDS)))
                progress(last)
            set_comment(connection, "users", mark)
        counted = connection.execute(
            "SELECT (SELECT count(*) FROM users WHERE user_id ~ %(own)s),"
            " (SELECT count(*) FROM devices WHERE user_id ~ %(own)s)",
            {"own": OWN},
        ).fetchone()
    if changed:
        _analyze(database_url)
    assert counted is not None
    return Seeded(changed, *counted)


def _is_there(connection: psycopg.Connection, users: int) -> bool:
    """Whether exactly that many users of ours are there; their devices may have been pruned."""
    row = connection.execute("SELECT count(*) FROM users WHERE user_id ~ %s", [OWN]).fetchone()
    return row == (users,)


def _write_templates(connection: psycopg.Connection) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO templates (kind, language, title, body) VALUES (%s, %s, %s, %s)",
            [
                (kind, language, title, body)
                for kind, languages in TEXTS.items()
                for language, (title, body) in languages.items()
            ],
        )


def _write(connection: psycopg.Connection, some: list[Person]) -> None:
    rows: dict[str, Iterable[str]] = {
        "users": map(_user, some),
        "devices": (row for person in some for row in _devices(person)),
        "preferences": (
            f"{person.user_id}\t{kind}\t{'f' if off else 't'}\n"
            for person in some
            for kind, off in person.preferences
        ),
        "topic_subscriptions": (
            f"{person.user_id}\t{topic}\n" for person in some for topic in person.topics
        ),
    }
    with connection.cursor() as cursor:
        for table, lines in rows.items():
            with cursor.copy(f"COPY {table} ({COLUMNS[table]}) FROM STDIN".encode()) as copy:
                copy.write("".join(lines))


def _user(person: Person) -> str:
    begin, end = person.quiet or ("\\N", "\\N")
    return (
        f"{person.user_id}\t{person.name}\t{person.language}\t{person.time_zone}\t{begin}\t{end}\n"
    )


def _devices(person: Person) -> Iterator[str]:
    for device in person.devices:
        yield (
            f"{device.device_id}\t{person.user_id}\t{device.address}\t{device.address_kind}\t"
            f"{device.platform}\t{_moment(device.last_seen)}\n"
        )


def _moment(seconds: int) -> str:
    """As PostgreSQL reads it whatever the session's time zone is."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _analyze(database_url: str) -> None:
    """Tell the planner, which would otherwise take the new tables for empty ones."""
    with psycopg.connect(database_url, autocommit=True, connect_timeout=10) as connection:
        connection.execute("ANALYZE users, devices, preferences, topic_subscriptions, templates")
