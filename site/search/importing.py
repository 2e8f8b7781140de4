"""Documents from a file into the index, all of them or none: for a command and for the admin.

Rows are streamed by COPY into a temporary table, and go from there into the documents, all in one
transaction. Whatever stops an import before its end, the old documents are whole.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from django.db import connection, transaction

from search import champions, statistics
from search.doing import Doing, silently
from search.lexemes import INDEXED_CHARACTERS
from search.rows import FIELDS, Refused, Row

if TYPE_CHECKING:
    from psycopg import Cursor

MOST_BY_TRIGGER = 5_000
"""Rows; more are quicker to count all anew."""
MOST_REFUSED = 10_000
"""Reasons that are kept; beyond, they are only counted."""
GIN = ["document_vector", "document_tags"]
_CLEAN = "SELECT gin_clean_pending_list(name::regclass) FROM unnest(%s::text[]) AS name"
_STAGING = """
    CREATE TEMPORARY TABLE staging (
        place bigint, source text, external_id text, title text, body text, kind text,
        tags text[], url text, date date
    ) ON COMMIT DROP
"""
_COPY = f"COPY staging (place, {', '.join(FIELDS)}) FROM STDIN"
BATCH = 20_000
"""Rows that go into the documents at once, so that one sees how far it is."""
# The last of each goes in. They are few, and to sort whole rows would write all of them once more.
_INDEX = """
    CREATE INDEX ON staging (place);
    ANALYZE staging (place);
    CREATE TEMPORARY TABLE superseded ON COMMIT DROP AS
        SELECT place FROM (
            SELECT place, max(place) OVER (PARTITION BY source, external_id) AS last FROM staging
        ) AS of_each WHERE place < last;
    ANALYZE superseded
"""
_CONTENT = ("title", "body", "kind", "tags", "url", "date")
_UPSERT = f"""
    WITH written AS (
        INSERT INTO search_document AS old ({", ".join(FIELDS)})
        SELECT {", ".join(FIELDS)} FROM staging
        WHERE place >= %s AND place < %s AND NOT EXISTS (
            SELECT FROM superseded AS earlier WHERE earlier.place = staging.place
        )
        ON CONFLICT (source, external_id) DO UPDATE
        SET {", ".join(f"{name} = excluded.{name}" for name in _CONTENT)}
        WHERE ({", ".join(f"old.{name}" for name in _CONTENT)})
            IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _CONTENT)})
        -- A row that was there has a transaction that ended it as it was.
        RETURNING (xmax = 0) AS added
    )
    SELECT count(*) FILTER (WHERE added), count(*) FILTER (WHERE NOT added) FROM written
"""


@dataclass
class Imported:
    """What an import did, or with `dry_run` would have done."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    """Rows of which a later one in the same file has the same source and id."""
    refused: int = 0
    reasons: list[Refused] = field(default_factory=list)
    """Of the first MOST_REFUSED."""
    cut: list[int] = field(default_factory=list)
    """Lines of bodies that are indexed up to INDEXED_CHARACTERS only; all of each is kept."""

    @property
    def rows(self) -> int:
        """That went in, or were there."""
        return self.added + self.changed + self.unchanged + self.repeated


def import_rows(
    rows: Iterable[Row | Refused], *, dry_run: bool = False, doing: Doing = silently
) -> Imported:
    """Add and change documents; `doing` hears of what comes once all rows are read.

    Raises what reading and PostgreSQL raise, with nothing changed.
    """
    done = Imported()
    with (
        suppress(_Undone),
        transaction.atomic(),
        connection.cursor() as cursor,
        ExitStack() as stack,
    ):
        cursor.execute(_STAGING)
        staged = 0
        with cast("Cursor[Any]", cursor.cursor).copy(_COPY) as copy:
            for values in _good(rows, done):
                copy.write_row((staged, *values))
                staged += 1
        if staged > MOST_BY_TRIGGER:
            stack.enter_context(statistics.bulk(doing))
        cursor.execute(_INDEX)
        for first in range(0, staged, BATCH):
            doing("indexing the documents", first, staged)
            cursor.execute(_UPSERT, [first, first + BATCH])
            added, changed = cursor.fetchone() or (0, 0)
            done.added, done.changed = done.added + added, done.changed + changed
        cursor.execute("SELECT count(*) FROM superseded")
        (done.repeated,) = cursor.fetchone() or (0,)
        done.unchanged = staged - done.repeated - done.added - done.changed
        cursor.execute("DROP TABLE staging, superseded")  # a caller's transaction may go on
        if dry_run:
            raise _Undone
        settle()
    return done


def settle() -> None:
    """What an import ends with, whichever way the rows came, in its own transaction."""
    champions.refresh_if_stale()
    with connection.cursor() as cursor:
        # Searches look through what waits to go into an index, so nothing is left to.
        cursor.execute(_CLEAN, [GIN])


class _Undone(Exception):
    """Takes back what a dry run did."""


def _good(rows: Iterable[Row | Refused], done: Imported) -> Iterator[Sequence[Any]]:
    for row in rows:
        if isinstance(row, Refused):
            done.refused += 1
            if len(done.reasons) < MOST_REFUSED:
                done.reasons.append(row)
            continue
        if len(row.body) > INDEXED_CHARACTERS:
            done.cut.append(row.line)
        yield [getattr(row, name) for name in FIELDS]
