"""`Document.objects.search(…)`: from what was typed to a page of results.

In two stages: find and rank ids, cut to the page; only then read titles and bodies, and make
headlines of those few.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F
from django.db.models.expressions import RawSQL

from search import facets, hits
from search.query import Analysis, Parsed, parse
from search.rankers import ranker
from search.results import COUNT_CAP, PAGE_SIZE, Count, Filters, Order, Page
from search.sampling import IN_SAMPLE
from search.spelling import did_you_mean
from search.tsquery import IsOneOf, Matches, TsQuery

if TYPE_CHECKING:
    from search.models import Document  # noqa: F401

FEW = PAGE_SIZE
"""Documents with every word; when there are less, those with any word are taken."""
FEW_EXPECTED = COUNT_CAP // 3
"""Documents; words that go together are in more than chance would have it."""
LARGE = 20_000
"""Documents that may match; from here on, a part of them is looked at first."""
ENOUGH = 100
"""Of a part: with so many, the rest needs no counting."""
LIKELY = 500
"""Of one word's best documents: more would tell no more of the filters, and take longer."""
POOR = 3
"""When there are less, another spelling is looked for."""
MOST_PAGES = 100


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

    def in_sample(self) -> "DocumentQuerySet":
        """Each sixteenth of them."""
        return self.filter(IN_SAMPLE)

    def of_ids(self, ids: Sequence[int]) -> "DocumentQuerySet":
        """Those with these ids."""
        # As one text: a list would be written out number by number, which takes its time.
        return self.among(RawSQL("%s::bigint[]", [f"{{{','.join(map(str, ids))}}}"]))

    def among(self, ids: RawSQL) -> "DocumentQuerySet":
        """Those whose ids are in an array that SQL makes."""
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
        found = _Found(self, parsed, analysis, filters, order)
        return found.page(max(1, page))

    def ranking(self, text: str, depth: int) -> list[tuple[int, float]]:
        """Ids and scores of the best `depth` documents: what `search` shows page by page."""
        parsed = _parsed(text)
        analysis = parsed.analyse()
        if not analysis:
            return []
        return _Found(self, parsed, analysis, Filters()).ids(0, depth)


def _parsed(text: str) -> Parsed:
    from search.models import Synonym

    return parse(text).with_synonyms(Synonym.objects.mapping())


DocumentManager = models.Manager.from_queryset(DocumentQuerySet)


class _Found:
    """What matches, by every word or by any."""

    def __init__(
        self,
        documents: DocumentQuerySet,
        parsed: Parsed,
        analysis: Analysis,
        filters: Filters,
        order: Order = "relevance",
    ) -> None:
        self._documents = documents
        self._parsed = parsed
        self._analysis = analysis
        self._filters = filters
        self._order = order
        self._ranker = ranker(analysis)
        self.query = analysis.all_words
        self.any_word = False
        self.matching, self.look = self._look(self.query)
        if self.count.number < FEW and analysis.any_word:
            matching, look = self._look(analysis.any_word)
            if look.count.number > self.count.number:
                self.query, self.matching, self.look = analysis.any_word, matching, look
                self.any_word = True

    @property
    def count(self) -> Count:
        return self.look.count

    def _look(self, query: str) -> tuple[DocumentQuerySet, facets.Look]:
        """What matches; where all was seen, it is known one by one."""
        matching = self._documents.matching(query).narrowed(self._filters)
        for some in self._parts(matching, query):
            look = facets.look(some, self._filters, all_of_them=False)
            if look.count.number >= ENOUGH:
                if self._filters == Filters() and self._ranker.least(query) > COUNT_CAP:
                    look = replace(look, count=Count(COUNT_CAP, capped=True))
                return matching, look
        # To score costs a look little; it is in vain where there turn out to be too many.
        few = self._order == "relevance" and self._ranker.expected(query) <= FEW_EXPECTED
        score = self._ranker.score(query) if few else None
        look = facets.look(matching, self._filters, score=score)
        return matching if look.ids is None else self._documents.of_ids(look.ids), look

    def _parts(self, matching: DocumentQuerySet, query: str) -> Iterator[DocumentQuerySet]:
        """Of what matches, where it may be much: that is quicker to look at than all."""
        if self._ranker.most(query) < LARGE:
            return
        likely = self._ranker.likely(LIKELY) if self._filters == Filters() else None
        if likely is not None:
            yield matching.among(likely)
        yield matching.in_sample()

    def page(self, number: int) -> Page:
        first = (number - 1) * PAGE_SIZE
        wanted = PAGE_SIZE + 1  # one more, to know whether there is another page
        ids = self.ids(first, first + wanted) if number <= MOST_PAGES else []
        return Page(
            text=self._parsed.text,
            filters=self._filters,
            order=self._order,
            number=number,
            hits=hits.of(ids[:PAGE_SIZE], self.query),
            count=self.count,
            any_word=self.any_word,
            has_next=len(ids) == wanted and number < MOST_PAGES,
            facets=self.look.facets,
            did_you_mean=did_you_mean(self._parsed.text) if self._is_poor else "",
            ignored=self._analysis.ignored,
        )

    @property
    def _is_poor(self) -> bool:
        return self.any_word or self.count.number < POOR

    def ids(self, first: int, last: int) -> list[tuple[int, float]]:
        if self.look.ids is not None and self.look.scores is not None:
            return list(zip(self.look.ids, self.look.scores, strict=True))[first:last]
        if self._order == "relevance":
            return self._ranker.best(self.matching, self.query, self.count, first, last)
        newest = self.matching.order_by(F("date").desc(nulls_last=True), "id")
        return [(id_, 0.0) for id_ in newest.values_list("id", flat=True)[first:last]]
