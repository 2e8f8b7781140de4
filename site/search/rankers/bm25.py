"""BM25 in SQL, over the lexemes that the index holds.

A document's score is the sum, over the query's lexemes, of how rare each is in the corpus and how
often the document has it, which counts less with each time and less in a long document. A word in
the title counts as three, in the tags as two.

`Exact` scores every document that matches: right, and as slow as a word is common. What is asked by
default is champions.py, which comes to the same and scores few of them.
"""

from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.db import connection

from search import statistics
from search.impact import TAGS, TITLE, half, share
from search.rankers import Ranker
from search.results import Count
from search.statistics import Statistics
from search.tsquery import as_prefix, as_query

if TYPE_CHECKING:
    from search.manager import DocumentQuerySet

# For one lexeme ts_rank_cd is the sum of its occurrences' weights, in C and without unpacking the
# vector: a tenth of what unnest takes. Weights are {D, C, B, A}, and at most 1.
_FREQUENCY = (
    f"round({TITLE} * ts_rank_cd('{{{1 / TITLE}, 0, {TAGS / TITLE}, 1}}', vector, %s::tsquery))"
)
_OF_A_LEXEME = f"%s * {share(_FREQUENCY, 'half')}"
# Written out lexeme by lexeme: a loop over them in SQL takes as long as all else.
_SCORED = """
    SELECT id, {score} AS score
    FROM (
        SELECT id, vector, {half} AS half FROM ({matching}) AS document
        JOIN search_length ON document_id = id
    ) AS weighed
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

    def least(self, query: str) -> int:
        if any(sign in query for sign in "!&<"):  # not, and, followed by
            return 0
        return max(self.known.frequencies, default=0)

    def best(
        self, matching: "DocumentQuerySet", query: str, count: Count, first: int, last: int
    ) -> list[tuple[int, float]]:
        del query, count
        rows, parameters = matching.order_by().values("id", "vector").query.sql_with_params()
        queries = [
            *map(as_query, self.analysis.lexemes),
            *map(as_prefix, self.analysis.prefixes),
        ]
        idfs = [*self.known.idfs, *self.known.idfs_of_prefixes]
        of_lexemes: list[Any] = [*chain.from_iterable(zip(idfs, queries, strict=True))]
        score = " + ".join([_OF_A_LEXEME] * len(queries)) or "0::float8"
        with connection.cursor() as cursor:
            cursor.execute(
                _SCORED.format(score=score, half=half("%s"), matching=rows),
                [
                    *of_lexemes,
                    self.known.mean_length,
                    *parameters,
                    first,
                    last - first,
                ],
            )
            return [(id_, float(score)) for id_, score in cursor.fetchall()]
