"""BM25 in SQL, over the lexemes that the index holds.

A document's score is the sum, over the query's lexemes, of how rare each is in the corpus and how
often the document has it, which counts less with each time and less in a long document. A word in
the title counts as three, in the tags as two.

`Exact` scores every document that matches: right, and as slow as a word is common. What is asked by
default is champions.py, which comes to the same and scores few of them.
"""

import math
from functools import cached_property
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
_OF_A_LEXEME = f"%s * {share(_FREQUENCY, half('%s'))}"
# Written out lexeme by lexeme: a loop over them in SQL takes as long as all else.
_SCORED = """
    SELECT id, {score} AS score
    FROM ({matching}) AS document JOIN search_length ON document_id = id
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
        is_either = not any(sign in query for sign in "!&<")  # neither not, and, nor followed by
        return self._of_one_word() if is_either else 0

    def _of_one_word(self) -> int:
        """Documents of the most frequent of the query's words."""
        return max(self.known.frequencies, default=0)

    def expected(self, query: str) -> float:
        known, most = self.known, self.most(query)
        if query != self.analysis.all_words or not most:
            return most
        shares = [number / known.documents for number in known.frequencies]
        return known.documents * math.prod(shares) if shares else most

    def score(self, query: str) -> tuple[str, list[Any]]:
        del query
        known, analysis = self.known, self.analysis
        idfs = [*known.idfs, *known.idfs_of_prefixes]
        words = [*map(as_query, analysis.lexemes), *map(as_prefix, analysis.prefixes)]
        mean = known.mean_length
        parameters: list[Any] = []
        for idf, word in zip(idfs, words, strict=True):
            parameters += [idf, mean, word, mean]  # in the order of `share`
        return " + ".join([_OF_A_LEXEME] * len(words)) or "0::float8", parameters

    def best(
        self, matching: "DocumentQuerySet", query: str, count: Count, first: int, last: int
    ) -> list[tuple[int, float]]:
        del count
        rows, parameters = matching.order_by().values("id", "vector").query.sql_with_params()
        score, of_score = self.score(query)
        with connection.cursor() as cursor:
            cursor.execute(
                _SCORED.format(score=score, matching=rows),
                [*of_score, *parameters, first, last - first],
            )
            return [(id_, float(score)) for id_, score in cursor.fetchall()]
