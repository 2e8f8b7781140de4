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
from search.tsquery import as_prefix, as_query

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
"""Of a lexeme of `unnest(vector)`."""
# For one lexeme ts_rank_cd is the sum of its occurrences' weights, in C and without unpacking the
# vector: a tenth of what unnest takes. Weights are {D, C, B, A}, and at most 1.
_OCCURRENCES = (
    f"round({TITLE} * ts_rank_cd('{{{{{1 / TITLE}, 0, {TAGS / TITLE}, 1}}}}', vector, query))"
)


def share(frequency: str, mean: str) -> str:
    """What a lexeme gives a document of `length` words, but for its rarity; all of it SQL."""
    return f"{K1 + 1} * {frequency} / ({frequency} + {K1} * ({1 - B} + {B} * length / {mean}))"


IMPACT = share(FREQUENCY, "%(mean)s")
_SCORED = f"""
    WITH wanted AS (
        SELECT term::tsquery AS query, idf FROM unnest(%s::text[], %s::float8[]) AS one (term, idf)
    )
    SELECT id, score
    FROM ({{matching}}) AS document
    JOIN search_length ON document_id = id,
    LATERAL (
        SELECT coalesce(sum(idf * {share("frequency", "%s")}), 0) AS score
        FROM wanted, LATERAL (SELECT {_OCCURRENCES} AS frequency OFFSET 0) AS counted
    ) AS scored
    ORDER BY score DESC, id
    OFFSET %s LIMIT %s
"""


class Exact:
    """The ranker that looks at everything."""

    def is_common(self, analysis: Analysis) -> bool:
        del analysis
        return False

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
                [*map(as_query, analysis.lexemes), *map(as_prefix, analysis.prefixes)],
                [*known.idfs, *known.idfs_of_prefixes],
                *parameters,
                known.mean_length,
                first,
                last - first,
            ],
        )
        return [(id_, float(score)) for id_, score in cursor.fetchall()]
