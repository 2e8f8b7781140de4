"""Which documents come first: two answers behind one interface, chosen by `SITE_RANKER`."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models.expressions import RawSQL

from search.query import Analysis
from search.results import Count

if TYPE_CHECKING:
    from search.manager import DocumentQuerySet


class Ranker(ABC):
    """Ranks what matches one query."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    def most(self, query: str) -> int:
        """About how many documents match one of the analysis's two queries, at the most.

        From the corpus's statistics, without a look at the index; 0 where nothing is known.
        """
        del query
        return 0

    def least(self, query: str) -> int:
        """How many documents match at the least, by the corpus's statistics; 0 where it is open."""
        del query
        return 0

    def expected(self, query: str) -> float:
        """How many match, if the query's words had nothing to do with each other; 0 for unknown."""
        del query
        return 0.0

    @abstractmethod
    def score(self, query: str) -> tuple[str, list[Any]]:
        """SQL for the score of a document of `vector` and `length`, and its parameters."""

    def likely(self, number: int) -> RawSQL | None:
        """An array of the ids of so many documents, of which nearly all match.

        Nothing, where those are not known without a look at the index.
        """
        del number
        return None

    @abstractmethod
    def best(
        self, matching: "DocumentQuerySet", query: str, count: Count, first: int, last: int
    ) -> list[tuple[int, float]]:
        """Ids and scores from place `first` up to, without, `last`; best first, ties by id.

        `matching` is filtered by `query`, one of the analysis's two, and by all that the reader
        chose; there are `count` of them.
        """


def ranker(analysis: Analysis) -> Ranker:
    from search.rankers import bm25, champions, orm

    rankers: dict[str, type[Ranker]] = {
        "orm": orm.Orm,
        "bm25": champions.Champions,
        "exact": bm25.Exact,
    }
    return rankers[settings.RANKER](analysis)
