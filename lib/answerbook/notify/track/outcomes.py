"""Writes a batch of outcomes to PostgreSQL in one transaction, for program.py.

Rows go by COPY into temporary tables, which are not logged, and from there into the real ones.
`synchronous_commit` stays on: offsets are committed to Kafka as soon as PostgreSQL has answered,
so an answer that a crash of the server could undo would lose outcomes for good. With thousands of
rows a transaction the wait for the disk costs nothing that could be measured.
"""

from typing import Final

import psycopg

from answerbook.notify.track.receipts import Batch

STAGED: Final = """
CREATE TEMPORARY TABLE staged_events (
    event_id text, run_id text, outcome text, reason text, notifications text[],
    accepted_at bigint, at bigint
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE staged_notifications (
    notification_id text, event_id text, run_id text, device_id text, outcome text, reason text,
    attempt integer, replay integer, message_name text,
    accepted_at bigint, rendered_at bigint, at bigint
) ON COMMIT DELETE ROWS;
"""

# Sorted, so that two of these programs that have the same ids never wait for each other in a ring.
# The list of outcomes says what receipts.RANKS says.
EVENTS: Final = """
INSERT INTO event_outcomes AS known
    (event_id, run_id, outcome, reason, notifications, accepted_at, at)
SELECT event_id, run_id, outcome, reason, notifications,
       to_timestamp(nullif(accepted_at, 0) / 1000e0), to_timestamp(at / 1000e0)
  FROM staged_events ORDER BY event_id COLLATE "C"
ON CONFLICT (event_id) DO UPDATE
   SET run_id = excluded.run_id, outcome = excluded.outcome, reason = excluded.reason,
       notifications = excluded.notifications, accepted_at = excluded.accepted_at,
       at = excluded.at
 WHERE array_position(ARRAY['dead', 'expired', 'suppressed', 'expanded'], excluded.outcome)
     > array_position(ARRAY['dead', 'expired', 'suppressed', 'expanded'], known.outcome)
"""
NOTIFICATIONS: Final = """
INSERT INTO notification_outcomes AS known
    (notification_id, event_id, run_id, device_id, outcome, reason, attempt, replay, message_name,
     accepted_at, rendered_at, at)
SELECT notification_id, event_id, run_id, device_id, outcome, reason, attempt, replay,
       message_name, to_timestamp(nullif(accepted_at, 0) / 1000e0),
       to_timestamp(nullif(rendered_at, 0) / 1000e0), to_timestamp(at / 1000e0)
  FROM staged_notifications ORDER BY notification_id COLLATE "C"
ON CONFLICT (notification_id) DO UPDATE
   SET run_id = excluded.run_id, outcome = excluded.outcome, reason = excluded.reason,
       attempt = excluded.attempt, replay = excluded.replay,
       message_name = excluded.message_name, accepted_at = excluded.accepted_at,
       rendered_at = excluded.rendered_at, at = excluded.at
 WHERE array_position(ARRAY['dead', 'expired', 'suppressed', 'sent'], excluded.outcome)
     > array_position(ARRAY['dead', 'expired', 'suppressed', 'sent'], known.outcome)
    OR (known.outcome = 'dead' AND excluded.outcome = 'dead' AND excluded.replay > known.replay)
"""
# Not a device that was seen after FCM's answer: it has registered again, under a new token.
PRUNE: Final = """
UPDATE devices
   SET pruned_at = to_timestamp(gone.at / 1000e0), pruned_reason = gone.reason
  FROM unnest(%s::text[], %s::bigint[], %s::text[]) AS gone (device_id, at, reason)
 WHERE devices.device_id = gone.device_id AND pruned_at IS NULL
   AND last_seen <= to_timestamp(gone.at / 1000e0)
"""


class Outcomes:
    """One connection to the store, opened when it is first needed and again after it broke."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._connection: psycopg.Connection | None = None

    def write(self, batch: Batch) -> int:
        """Write all or nothing; how many devices were pruned. Raises psycopg.Error.

        psycopg.DataError and errors.ProgramLimitExceeded mean that a row of it can never be stored.
        """
        connection = self._connected()
        with connection.transaction(), connection.cursor() as cursor:
            for table, statement, rows in (
                ("staged_events", EVENTS, batch.events),
                ("staged_notifications", NOTIFICATIONS, batch.notifications),
            ):
                if rows:
                    with cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
                        copy.write("".join([row.line for row in rows.values()]))
                    cursor.execute(statement.encode())
            if not batch.gone:
                return 0
            devices = sorted(batch.gone.items())
            cursor.execute(
                PRUNE.encode(),
                [
                    [device_id for device_id, _ in devices],
                    [gone.at for _, gone in devices],
                    [gone.reason for _, gone in devices],
                ],
            )
            return cursor.rowcount

    def check(self) -> None:
        """Raises psycopg.Error when the store is not there, or has no tables."""
        self._connected().execute("SELECT FROM event_outcomes, notification_outcomes LIMIT 0")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.broken or self._connection.closed:
            self.close()
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=5,
                application_name="answerbook-track",
                client_encoding="utf8",
                keepalives_idle=10,
            )
            self._connection.execute(STAGED.encode())
        return self._connection
