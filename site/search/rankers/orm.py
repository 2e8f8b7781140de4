"""Ranking with what Django and PostgreSQL bring: `SearchRank`, which is `ts_rank`.

It scores every row that matches, so a common word costs what its rows cost; and it does not know
how rare a word is. It is what notebook 5_1 teaches first.
"""

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.search import SearchRank
from django.db.models import F, Value

from search.rankers import Ranker
from search.results import Count
from search.tsquery import TsQuery

if TYPE_CHECKING:
    from search.manager import DocumentQuerySet

BY_LENGTH = 1
"""A rank is divided by 1 + the logarithm of the document's length."""


class Orm(Ranker):
    """The ranker."""

    def score(self, query: str) -> tuple[str, list[Any]]:
        return f"ts_rank(vector, %s::tsquery, {BY_LENGTH})", [query]

    def best(
        self, matching: "DocumentQuerySet", query: str, count: Count, first: int, last: int
    ) -> list[tuple[int, float]]:
        del count
        rank = SearchRank(F("vector"), TsQuery(query), normalization=Value(BY_LENGTH))
        ranked = matching.annotate(rank=rank).order_by("-rank", "id")
        return list(ranked.values_list("id", "rank")[first:last])
