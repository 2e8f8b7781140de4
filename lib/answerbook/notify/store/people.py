"""Reads who gets what from the store: for notebooks, tests, and who subscribes devices to topics.

What programs read in bulk they read themselves (render with Spark, over JDBC).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time

import psycopg
from psycopg.rows import class_row


@dataclass(frozen=True)
class Device:
    """One installation of the app."""

    device_id: str
    address: str
    """What FCM knows it by."""
    address_kind: str
    """`token` or `fid`."""
    platform: str
    last_seen: datetime
    pruned_at: datetime | None
    pruned_reason: str | None


@dataclass(frozen=True)
class User:
    """One user with all that is theirs."""

    user_id: str
    name: str
    language: str
    time_zone: str
    quiet: tuple[time, time] | None
    """Local times; the second is before the first where they pass midnight."""
    devices: list[Device]
    preferences: dict[str, bool]
    """Kind → whether they want it. A kind that is not here they do."""
    topics: list[str]


def user(connection: psycopg.Connection, user_id: str) -> User:
    """One user, devices in order of their ids. Raises LookupError when there is none."""
    row = connection.execute(
        "SELECT name, language, time_zone, quiet_from, quiet_until FROM users WHERE user_id = %s",
        [user_id],
    ).fetchone()
    if row is None:
        raise LookupError(f"There is no user {user_id}. Make some: `answerbook notify seed`.")
    name, language, time_zone, begin, end = row
    return User(
        user_id,
        name,
        language,
        time_zone,
        None if begin is None else (_clock(begin), _clock(end)),
        devices(connection, user_id),
        dict(
            connection.execute(
                "SELECT kind, enabled FROM preferences WHERE user_id = %s ORDER BY kind", [user_id]
            ).fetchall()
        ),
        [
            topic
            for (topic,) in connection.execute(
                "SELECT topic FROM topic_subscriptions WHERE user_id = %s ORDER BY topic", [user_id]
            )
        ],
    )


def devices(connection: psycopg.Connection, user_id: str) -> list[Device]:
    """A user's devices, pruned ones too, in order of their ids."""
    with connection.cursor(row_factory=class_row(Device)) as cursor:
        return cursor.execute(
            "SELECT device_id, address, address_kind, platform, last_seen, pruned_at, pruned_reason"
            " FROM devices WHERE user_id = %s ORDER BY device_id",
            [user_id],
        ).fetchall()


def subscriptions(connection: psycopg.Connection) -> Iterator[tuple[str, str]]:
    """Every pair of a device's address (token or fid) and a topic that its user subscribed to.

    Pruned devices are left out. Streams: the connection is busy until the last pair was taken.
    """
    with connection.cursor() as cursor:
        yield from cursor.stream(
            "SELECT address, topic FROM topic_subscriptions JOIN devices USING (user_id)"
            " WHERE pruned_at IS NULL ORDER BY topic, device_id"
        )


def _clock(minute: int) -> time:
    return time(minute // 60, minute % 60)
