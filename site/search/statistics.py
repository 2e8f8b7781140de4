"""How many documents have a lexeme, how long each is, how long all are: what BM25 is made of.

Triggers keep these right (migrations/0004_statistics.py). Here they are read, and counted anew
after an import that was too large for them.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction

from search import champions
from search.doing import Doing, silently

_REBUILD = """
    DELETE FROM search_term;
    DELETE FROM search_length;
    INSERT INTO search_term (term, documents)
        SELECT word, ndoc FROM ts_stat('SELECT vector FROM search_document');
    -- By a table, which several processes fill; an INSERT is filled by one.
    CREATE TEMPORARY TABLE measured AS
        SELECT id, search_vector_length(vector) AS length FROM search_document;
    INSERT INTO search_length (document_id, length) SELECT id, length FROM measured;
    DROP TABLE measured;
    UPDATE search_corpus SET (documents, length) =
        (SELECT count(*), coalesce(sum(length), 0) FROM search_length);
"""
_TERMS = """
    SELECT documents, length,
        ARRAY(SELECT coalesce(known.documents, 0)
              FROM unnest(%s::text[]) WITH ORDINALITY AS wanted (term, place)
              LEFT JOIN search_term AS known USING (term) ORDER BY place),
        ARRAY(SELECT (SELECT coalesce(sum(known.documents), 0) FROM search_term AS known
                      -- A range, which the key's index serves; starts_with() does for constants.
                      WHERE known.term >= prefix AND known.term < prefix || chr(1114111))
              FROM unnest(%s::text[]) WITH ORDINALITY AS wanted (prefix, place) ORDER BY place)
    FROM search_corpus
"""


@dataclass(frozen=True)
class Statistics:
    """Of a corpus, for the words of one query."""

    documents: int
    mean_length: float
    """Words that the index holds, of a document."""
    frequencies: tuple[int, ...]
    """Documents that have each lexeme."""
    of_prefixes: tuple[int, ...]
    """At most as many have a word that begins so."""

    @property
    def idfs(self) -> list[float]:
        """Of the lexemes, in their order."""
        return [self.idf(frequency) for frequency in self.frequencies]

    @property
    def idfs_of_prefixes(self) -> list[float]:
        return [self.idf(frequency) for frequency in self.of_prefixes]

    def idf(self, frequency: int) -> float:
        """Inverse document frequency, never negative: ln(1 + (N - n + 0.5) / (n + 0.5))."""
        frequency = min(frequency, self.documents)
        return math.log(1 + (self.documents - frequency + 0.5) / (frequency + 0.5))


def of(lexemes: Sequence[str], prefixes: Sequence[str] = ()) -> Statistics:
    """What the corpus says of these."""
    with connection.cursor() as cursor:
        cursor.execute(_TERMS, [list(lexemes), list(prefixes)])
        row = cursor.fetchone()
    assert row is not None, "the migration made it"
    documents, length, frequencies, of_prefixes = row
    return Statistics(
        documents,
        float(length) / documents if documents else 1.0,
        tuple(map(int, frequencies)),
        tuple(map(int, of_prefixes)),
    )


def rebuild(doing: Doing = silently) -> None:
    """Count everything anew. Whoever searches meanwhile sees the old numbers."""
    with transaction.atomic(), connection.cursor() as cursor:
        doing("counting words", 0, 0)
        cursor.execute(_REBUILD)
        doing("listing the best documents of common words", 0, 0)
        champions.refresh()


@contextmanager
def bulk(doing: Doing = silently) -> Iterator[None]:
    """A transaction whose changes are counted once, at its end."""
    with transaction.atomic():
        begin_bulk()
        yield
        end_bulk(doing)


def begin_bulk() -> None:
    """From here to `end_bulk`, or to the transaction's end, triggers count nothing.

    Whoever else wants to change documents waits until then; whoever searches does not.
    """
    with connection.cursor() as cursor:
        # To look into each statement's rows, PostgreSQL keeps a copy of all of them.
        cursor.execute("ALTER TABLE search_document DISABLE TRIGGER USER")
        # New entries of the indexes wait in a list and go in together: an eighth of the time.
        cursor.execute("SET LOCAL gin_pending_list_limit = '64MB'")
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")


def end_bulk(doing: Doing = silently) -> None:
    """Count what was changed since `begin_bulk`."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE search_document ENABLE TRIGGER USER")
        cursor.execute("ANALYZE search_document")
    rebuild(doing)
    with connection.cursor() as cursor:
        # The planner is to know what is new from the first search on.
        cursor.execute("ANALYZE search_length, search_term, search_champion")
