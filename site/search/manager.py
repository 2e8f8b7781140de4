"""`Document.objects.search(…)`: from what was typed to a page of results.

In two stages: find and rank ids, cut to the page; only then read titles and bodies, and make
headlines of those few.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F

from search import facets, snippets
from search.query import Analysis, Parsed, parse
from search.rankers import ranker
from search.results import COUNT_CAP, PAGE_SIZE, Count, Filters, Hit, Order, Page
from search.spelling import did_you_mean
from search.tsquery import IsOneOf, Matches, TsQuery

if TYPE_CHECKING:
    from search.models import Document  # noqa: F401

FEW = PAGE_SIZE
"""Documents with every word; when there are less, those with any word are taken."""
POOR = 3
"""When there are less, another spelling is looked for."""
MOST_PAGES = 100
MARKED, SNIPPET = "marked", "snippet"
"""What a hit is shown with; annotations of a row."""


class DocumentQuerySet(models.QuerySet["Document"]):
    """Documents, and the search among them."""

    def matching(self, query: str) -> "DocumentQuerySet":
        """Those that a tsquery, as text, matches."""
        return self.filter(Matches(F("vector"), TsQuery(query)))

    def narrowed(self, filters: Filters) -> "DocumentQuerySet":
        """Those that all filters let through."""
        chosen = self
        if filters.kind:
            chosen = chosen.filter(kind=filters.kind)
        if filters.source:
            chosen = chosen.filter(source=filters.source)
        if filters.tag:
            chosen = chosen.filter(tags__contains=[filters.tag])
        if filters.year is not None:
            chosen = chosen.filter(date__year=filters.year)
        return chosen

    def of_ids(self, ids: Sequence[int]) -> "DocumentQuerySet":
        """Those with these ids."""
        return self.filter(IsOneOf(ids))

    def search(
        self,
        text: str,
        filters: Filters | None = None,
        order: Order = "relevance",
        page: int = 1,
    ) -> Page:
        """One page of results for a typed text; an empty one for a text without a word in it."""
        filters = filters or Filters()
        parsed = _parsed(text)
        analysis = parsed.analyse()
        if not analysis:
            return Page(parsed.text, filters, order, 1, (), Count(0), ignored=analysis.ignored)
        found = _Found(self, parsed, analysis, filters)
        return found.page(order, max(1, page))

    def ranking(self, text: str, depth: int) -> list[tuple[int, float]]:
        """Ids and scores of the best `depth` documents: what `search` shows page by page."""
        parsed = _parsed(text)
        analysis = parsed.analyse()
        if not analysis:
            return []
        return _Found(self, parsed, analysis, Filters()).ids("relevance", 0, depth)


def _parsed(text: str) -> Parsed:
    from search.models import Synonym

    return parse(text).with_synonyms(Synonym.objects.mapping())


DocumentManager = models.Manager.from_queryset(DocumentQuerySet)


class _Found:
    """What matches, by every word or by any."""

    def __init__(
        self, documents: DocumentQuerySet, parsed: Parsed, analysis: Analysis, filters: Filters
    ) -> None:
        self._documents = documents
        self._parsed = parsed
        self._analysis = analysis
        self._filters = filters
        self._ranker = ranker(analysis)
        self.query = analysis.all_words
        self.any_word = False
        is_common = filters == Filters() and self._ranker.is_common
        self.matching, self.count = (
            (documents.matching(self.query), Count(COUNT_CAP, capped=True))
            if is_common
            else self._look(self.query)
        )
        if self.count.number < FEW and analysis.any_word:
            wider, count = self._look(analysis.any_word)
            if count.number > self.count.number:
                self.query, self.matching, self.count = analysis.any_word, wider, count
                self.any_word = True

    def _look(self, query: str) -> tuple[DocumentQuerySet, Count]:
        """What matches, and how many; where they can be counted, they are known one by one."""
        matching = self._documents.matching(query).narrowed(self._filters)
        ids = list(matching.order_by().values_list("id", flat=True)[: COUNT_CAP + 1])
        if len(ids) > COUNT_CAP:
            return matching, Count(COUNT_CAP, capped=True)
        return self._documents.of_ids(ids), Count(len(ids))

    def page(self, order: Order, number: int) -> Page:
        first = (number - 1) * PAGE_SIZE
        wanted = PAGE_SIZE + 1  # one more, to know whether there is another page
        ids = self.ids(order, first, first + wanted) if number <= MOST_PAGES else []
        return Page(
            text=self._parsed.text,
            filters=self._filters,
            order=order,
            number=number,
            hits=self._hits(ids[:PAGE_SIZE]),
            count=self.count,
            any_word=self.any_word,
            has_next=len(ids) == wanted and number < MOST_PAGES,
            facets=facets.of(self.matching, self._filters),
            did_you_mean=did_you_mean(self._parsed.text) if self._is_poor else "",
            ignored=self._analysis.ignored,
        )

    @property
    def _is_poor(self) -> bool:
        return self.any_word or self.count.number < POOR

    def ids(self, order: Order, first: int, last: int) -> list[tuple[int, float]]:
        if order == "relevance":
            return self._ranker.best(self.matching, self.query, self.count, first, last)
        newest = self.matching.order_by(F("date").desc(nulls_last=True), "id")
        return [(id_, 0.0) for id_ in newest.values_list("id", flat=True)[first:last]]

    def _hits(self, ids: list[tuple[int, float]]) -> tuple[Hit, ...]:
        query = TsQuery(self.query)
        rows = (
            self._documents.filter(id__in=[id_ for id_, _ in ids])
            .annotate(**{MARKED: snippets.title(query), SNIPPET: snippets.snippet(query)})
            .defer("body", "vector")
            .in_bulk()
        )
        return tuple(
            Hit(
                id=row.id,
                source=row.source,
                kind=row.kind,
                title=snippets.as_html(getattr(row, MARKED)),
                snippet=snippets.as_html(getattr(row, SNIPPET)),
                url=row.get_absolute_url(),
                tags=tuple(row.tags),
                date=row.date,
                score=score,
                is_elsewhere=row.is_elsewhere,
            )
            for id_, score in ids
            if (row := rows.get(id_)) is not None
        )
