"""Which documents come first: two answers behind one interface, chosen by `SITE_RANKER`."""

from typing import TYPE_CHECKING, Protocol

from django.conf import settings
from django.db.models import QuerySet

from search.query import Analysis

if TYPE_CHECKING:
    from search.models import Document


class Ranker(Protocol):
    """Ranks what matches."""

    def best(
        self,
        matching: "QuerySet[Document]",
        query: str,
        analysis: Analysis,
        first: int,
        last: int,
    ) -> list[tuple[int, float]]:
        """Ids and scores from place `first` up to, without, `last`; best first, ties by id.

        `matching` is filtered by `query`, one of the analysis's two, and by all that the reader
        chose.
        """


def ranker() -> Ranker:
    from search.rankers import bm25, orm

    return orm.Orm() if settings.RANKER == "orm" else bm25.Exact()
