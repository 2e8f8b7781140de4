"""BM25 in SQL, over the lexemes that the index holds.

A document's score is the sum, over the query's lexemes, of how rare each is in the corpus and how
often the document has it, which counts less with each time and less in a long document. A word in
the title counts as three, in the tags as two.

`Exact` scores every document that matches: right, and as slow as a word is common. What is asked by
default is champions.py, which comes to the same and scores few of them.
"""

from typing import TYPE_CHECKING

from django.db import connection

from search import statistics
from search.query import Analysis
from search.results import Count

if TYPE_CHECKING:
    from search.manager import DocumentQuerySet

K1 = 1.2
"""How soon another occurrence stops to matter."""
B = 0.75
"""How much a document's length matters."""
TITLE, TAGS = 3, 2
"""What an occurrence counts there; 1 in the body."""

FREQUENCY = (
    f"(cardinality(weights) + {TITLE - 1} * cardinality(array_positions(weights, 'A'))"
    f" + {TAGS - 1} * cardinality(array_positions(weights, 'B')))"
)


def share(mean: str) -> str:
    """What a lexeme gives a document of `length` words, but for its rarity; `mean` is SQL."""
    return f"{K1 + 1} * {FREQUENCY} / ({FREQUENCY} + {K1} * ({1 - B} + {B} * length / {mean}))"


IMPACT = share("%(mean)s")
_SCORED = f"""
    WITH wanted AS (
        SELECT * FROM unnest(%s::text[], %s::float8[], %s::boolean[]) AS one (term, idf, is_prefix)
    )
    SELECT id, score
    FROM ({{matching}}) AS document
    JOIN search_length ON document_id = id,
    LATERAL (
        SELECT coalesce(sum(idf * {share("%s")}), 0) AS score
        FROM unnest(vector) JOIN wanted
            ON lexeme = term OR is_prefix AND starts_with(lexeme, term)
    ) AS scored
    ORDER BY score DESC, id
    OFFSET %s LIMIT %s
"""


class Exact:
    """The ranker that looks at everything."""

    def count(self, matching: "DocumentQuerySet", analysis: Analysis, *, narrowed: bool) -> Count:
        del analysis, narrowed
        return matching.counted()

    def best(
        self,
        matching: "DocumentQuerySet",
        query: str,
        analysis: Analysis,
        count: Count,
        first: int,
        last: int,
    ) -> list[tuple[int, float]]:
        del query, count
        known = statistics.of(analysis.lexemes, analysis.prefixes)
        return scored(matching, analysis, known, first, last)


def scored(
    matching: "DocumentQuerySet",
    analysis: Analysis,
    known: statistics.Statistics,
    first: int,
    last: int,
) -> list[tuple[int, float]]:
    """Score all of `matching`; ids and scores from place `first` up to, without, `last`."""
    rows, parameters = matching.order_by().values("id", "vector").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            _SCORED.format(matching=rows),
            [
                [*analysis.lexemes, *analysis.prefixes],
                [*known.idfs, *known.idfs_of_prefixes],
                [False] * len(analysis.lexemes) + [True] * len(analysis.prefixes),
                *parameters,
                known.mean_length,
                first,
                last - first,
            ],
        )
        return [(id_, float(score)) for id_, score in cursor.fetchall()]
