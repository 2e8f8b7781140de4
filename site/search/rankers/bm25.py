"""BM25 in SQL, over the lexemes that the index holds.

A document's score is the sum, over the query's lexemes, of how rare each is in the corpus and how
often the document has it, which counts less with each time and less in a long document. A word in
the title counts as three, in the tags as two.

`Exact` scores every document that matches: right, and as slow as a word is common. What is asked by
default is champions.py, which comes to the same and scores few of them.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from django.db import connection

from search import statistics
from search.impact import TAGS, TITLE, share
from search.rankers import Ranker
from search.results import Count
from search.statistics import Statistics
from search.tsquery import as_prefix, as_query

if TYPE_CHECKING:
    from search.manager import DocumentQuerySet

# For one lexeme ts_rank_cd is the sum of its occurrences' weights, in C and without unpacking the
# vector: a tenth of what unnest takes. Weights are {D, C, B, A}, and at most 1.
_OCCURRENCES = (
    f"round({TITLE} * ts_rank_cd('{{{{{1 / TITLE}, 0, {TAGS / TITLE}, 1}}}}', vector, query))"
)


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


class Exact(Ranker):
    """The ranker that looks at everything."""

    @cached_property
    def known(self) -> Statistics:
        """What the corpus says of the query's words."""
        return statistics.of(self.analysis.lexemes, self.analysis.prefixes)

    def most(self, query: str) -> int:
        numbers = [*self.known.frequencies, *self.known.of_prefixes]
        return min(numbers) if query == self.analysis.all_words else max(numbers)

    def best(
        self, matching: "DocumentQuerySet", query: str, count: Count, first: int, last: int
    ) -> list[tuple[int, float]]:
        del query, count
        rows, parameters = matching.order_by().values("id", "vector").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(
                _SCORED.format(matching=rows),
                [
                    [
                        *map(as_query, self.analysis.lexemes),
                        *map(as_prefix, self.analysis.prefixes),
                    ],
                    [*self.known.idfs, *self.known.idfs_of_prefixes],
                    *parameters,
                    self.known.mean_length,
                    first,
                    last - first,
                ],
            )
            return [(id_, float(score)) for id_, score in cursor.fetchall()]
