"""Which documents come first: two answers behind one interface, chosen by `SITE_RANKER`."""

from typing import TYPE_CHECKING, Protocol

from django.conf import settings

from search.query import Analysis
from search.results import Count

if TYPE_CHECKING:
    from search.manager import DocumentQuerySet


class Ranker(Protocol):
    """Ranks what matches."""

    def is_common(self, analysis: Analysis) -> bool:
        """Whether it is known, without a look at the index, that more match than are counted."""

    def best(
        self,
        matching: "DocumentQuerySet",
        query: str,
        analysis: Analysis,
        count: Count,
        first: int,
        last: int,
    ) -> list[tuple[int, float]]:
        """Ids and scores from place `first` up to, without, `last`; best first, ties by id.

        `matching` is filtered by `query`, one of the analysis's two, and by all that the reader
        chose; there are `count` of them.
        """


def ranker() -> Ranker:
    from search.rankers import bm25, champions, orm

    rankers: dict[str, type[Ranker]] = {
        "orm": orm.Orm,
        "bm25": champions.Champions,
        "exact": bm25.Exact,
    }
    return rankers[settings.RANKER]()
