"""BM25 for a million documents: few are scored, and they are the right ones.

Where few match, all are scored (`bm25.Exact`). Where many do, candidates come from champion lists
(search/champions.py): what each lexeme's list says of a document adds up to an estimate, a lexeme
whose list does not have it counts as what the list's end says, and the best of these are looked at
and scored exactly. Where that does not fill the page, more are.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

from search.rankers.bm25 import Exact
from search.results import COUNT_CAP, Count
from search.tsquery import as_query

if TYPE_CHECKING:
    from search.manager import DocumentQuerySet

CANDIDATES = 600
"""That are scored at first, whatever the page: so that the pages of one search agree."""
AHEAD = 120
"""Places up to which the first candidates are enough."""
SPARE = 40
"""Of one word's list, in case that some are gone or have changed."""
MORE = 4
"""Times as many, where a page was not filled."""
MOST_OF_RARE = 4_000
"""Documents of lexemes without a list."""
ENDINGS = 20
"""Of a beginning, the most frequent lexemes whose lists are used."""
DEPTH = 20_000
"""Entries that are looked at, of the lists of all its endings together."""
# A document of no list would have `chance * worst` of each; what is more than that is its gain.
_CANDIDATES = """
    WITH wanted AS (
        SELECT * FROM unnest(%s::text[], %s::float8[], %s::float8[], %s::int[])
            AS one (term, idf, chance, depth)
    ), known AS (
        SELECT document, idf * (impact - chance * worst) AS gain
        FROM wanted JOIN search_champion USING (term),
            unnest(documents[:depth], impacts[:depth]) AS listed (document, impact)
    )
    SELECT document FROM known GROUP BY document ORDER BY sum(gain) DESC, document LIMIT %s
"""
_ONE = "SELECT unnest(documents[1:%s]) FROM search_champion WHERE term = %s"
_HAVING = "SELECT id FROM search_document WHERE vector @@ %s::tsquery LIMIT %s"
_RECENT = "SELECT document_id FROM search_recent"


@dataclass(frozen=True)
class _List:
    """A lexeme whose list is looked into."""

    term: str
    idf: float
    chance: float
    """That a match which is not in the list has the lexeme all the same."""
    depth: int
    """How much of it is looked at."""


class Champions(Exact):
    """The ranker that looks at the best."""

    @property
    def is_common(self) -> bool:
        """For one word alone, the corpus's statistics know it."""
        return self.analysis.is_one_lexeme and self.known.frequencies[0] > COUNT_CAP

    def best(
        self, matching: "DocumentQuerySet", query: str, count: Count, first: int, last: int
    ) -> list[tuple[int, float]]:
        lists = self._lists(query) if count.capped else []
        if not lists:
            return super().best(matching, query, count, first, last)
        others = [*_ids(_RECENT), *self._of_rare(lists)]
        number = self._first_number(last)
        while True:
            candidates = self._candidates(lists, number)
            few = matching.of_ids([*candidates, *others])
            found = super().best(few, query, count, first, last)
            if len(found) == last - first:
                return found
            if len(candidates) < number:  # the lists are at their end
                return super().best(matching, query, count, first, last)
            number *= MORE

    def _lists(self, query: str) -> list[_List]:
        """Of the query's lexemes and of its beginnings' most frequent ones, those that have one."""
        analysis, known = self.analysis, self.known
        frequency = dict(zip(analysis.lexemes, known.frequencies, strict=True))
        idf = dict(zip(analysis.lexemes, known.idfs, strict=True))
        of_prefix = {}
        for prefix, its_idf in zip(analysis.prefixes, known.idfs_of_prefixes, strict=True):
            for term, documents in _endings(prefix):
                of_prefix[term] = its_idf
                frequency.setdefault(term, documents)
        lengths = _lengths([*idf, *of_prefix])
        # Every word is wanted: a match that a list lacks has its lexeme. Any is: seldom.
        every = query == analysis.all_words
        return [
            _List(
                term,
                its_idf,
                1.0
                if every and term in idf
                else max(0, frequency[term] - lengths[term]) / max(1, known.documents),
                lengths[term] if term in idf else DEPTH // len(of_prefix),
            )
            for term, its_idf in {**of_prefix, **idf}.items()
            if term in lengths
        ]

    def _of_rare(self, lists: list[_List]) -> list[int]:
        """Documents of the lexemes that have no list: few, and each says much."""
        listed = {each.term for each in lists}
        rare = [as_query(term) for term in self.analysis.lexemes if term not in listed]
        return _ids(_HAVING, " | ".join(rare), MOST_OF_RARE) if rare else []

    def _first_number(self, last: int) -> int:
        """How many candidates to begin with."""
        if self.analysis.is_one_lexeme:  # in the list's order, which is exact
            return last + SPARE
        # A beginning's share comes of all its endings together, and each list knows one of them.
        at_first = 3 * CANDIDATES if self.analysis.prefixes else CANDIDATES
        return at_first * (last // AHEAD + 1)

    def _candidates(self, lists: list[_List], number: int) -> list[int]:
        if self.analysis.is_one_lexeme:
            return _ids(_ONE, number, lists[0].term)  # as it stands, it is in order
        return _ids(
            _CANDIDATES,
            [each.term for each in lists],
            [each.idf for each in lists],
            [each.chance for each in lists],
            [each.depth for each in lists],
            number,
        )


def _endings(prefix: str) -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT term, documents FROM search_term WHERE starts_with(term, %s)"
            " ORDER BY documents DESC, term LIMIT %s",
            [prefix, ENDINGS],
        )
        return list(cursor.fetchall())


def _lengths(terms: list[str]) -> dict[str, int]:
    """Of the lists that there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT term, cardinality(documents) FROM search_champion WHERE term = ANY(%s)", [terms]
        )
        return dict(cursor.fetchall())


def _ids(query: str, *parameters: Any) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return [id_ for (id_,) in cursor.fetchall()]
