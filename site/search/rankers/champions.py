"""BM25 for a million documents: few are scored, and they are the right ones.

Where few match, all are scored (`bm25.Exact`). Where many do, candidates come from champion lists
(search/champions.py): what each lexeme's list says of a document adds up to an estimate, a lexeme
whose list does not have it counts as what the list's end says, and the best of these are looked at
and scored exactly. Where that does not fill the page, more are.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection
from django.db.models.expressions import RawSQL

from search.impact import K1
from search.rankers.bm25 import Exact
from search.results import Count
from search.tsquery import as_query

if TYPE_CHECKING:
    from search.manager import DocumentQuerySet

CANDIDATES = 800
"""That are scored at first, whatever the page: so that the pages of one search agree."""
OF_BEGINNINGS = 400
"""The same, where there is a beginning: lists tell nearly all of it, and to score takes longer."""
AHEAD = 120
"""Places up to which the first candidates are enough."""
SPARE = 40
"""Of one word's list, in case that some are gone or have changed."""
MORE = 4
"""Times as many at least, where a page was not filled."""
MOST = 4_000
"""Where more had to be looked at, to score all that match takes no longer."""
MOST_OF_RARE = 4_000
"""Documents of lexemes without a list."""
WANTED = 0.5
"""Of what a list's end gives, what is taken to be that of a match which the list does not have."""
FEW_OF_BEGINNINGS = 3_000
"""Documents that a beginning may match, and all are scored: lists leave its rarest endings out."""
ENDINGS = 20
"""Of a beginning, the most frequent lexemes whose lists are used."""
DEPTH = 20_000
"""Entries that are looked at, of the lists of all its endings together."""
# Side by side in the list of columns: as functions of a FROM, they would be written down first.
_LISTED = """
    SELECT element, idf, chance * worst AS lack,
        unnest(documents[:depth]) AS document, unnest(impacts[:depth]) AS impact
    FROM unnest(%s::text[], %s::int[], %s::float8[], %s::float8[], %s::int[])
        AS wanted (term, element, idf, chance, depth)
    JOIN search_champion USING (term)
"""
# A document of no list would have the `lack` of each; what is more than that is its gain.
_OF_WORDS = f"""
    SELECT document FROM ({_LISTED}) AS listed
    GROUP BY document ORDER BY sum(idf * (impact - lack)) DESC, document LIMIT %s
"""
# Endings of one beginning are one element of the query. An ending's weight x comes back from its
# impact, k * x / (1 + x), and is added to those of the others.
_WEIGHT = f"impact / greatest({K1 + 1} - impact, 1e-6)"
_OF_ONE_BEGINNING = f"""
    SELECT document FROM ({_LISTED}) AS listed
    GROUP BY document ORDER BY sum({_WEIGHT}) DESC, document LIMIT %s
"""
_OF_BEGINNINGS = f"""
    SELECT document FROM (
        SELECT document, idf * ({K1 + 1} * sum(x) / (1 + sum(x)) - max(lack)) AS gain
        FROM (SELECT document, element, idf, lack, {_WEIGHT} AS x FROM ({_LISTED}) AS listed) AS x
        GROUP BY document, element, idf
    ) AS by_element
    GROUP BY document ORDER BY sum(gain) DESC, document LIMIT %s
"""
_FIRST = "SELECT unnest(documents[:%s]) FROM search_champion WHERE term = %s"
_HAVING = "SELECT id FROM search_document WHERE vector @@ %s::tsquery LIMIT %s"
_AND_RECENT = "ARRAY(({}) UNION ALL SELECT document_id FROM search_recent)"
_LISTS = """
    SELECT element, term, known.documents, champion.length
    FROM (
        SELECT place AS element, word AS term
        FROM unnest(%s::text[]) WITH ORDINALITY AS words (word, place)
        UNION ALL
        SELECT -place, ending
        FROM unnest(%s::text[]) WITH ORDINALITY AS beginnings (prefix, place),
            LATERAL (
                SELECT term AS ending FROM search_term
                WHERE term >= prefix AND term < prefix || chr(1114111)
                ORDER BY documents DESC, term LIMIT %s
            ) AS endings
    ) AS wanted
    JOIN search_term AS known USING (term)
    JOIN search_champion AS champion USING (term)
    -- A short list says too little of what it does not have.
    WHERE element < 0 OR known.documents > %s
"""


@dataclass(frozen=True)
class _List:
    """A lexeme that has one."""

    element: int
    """Of the query: from 1 its lexemes, from -1 downwards its beginnings."""
    term: str
    documents: int
    """That have the lexeme."""
    length: int


class Champions(Exact):
    """The ranker that looks at the best."""

    def likely(self, number: int) -> RawSQL | None:
        if self._elements != 1 or not self._lists:
            return None
        most = max(self._lists, key=lambda each: each.documents)
        return RawSQL(f"ARRAY({_FIRST})", [number, most.term])

    def _of_one_word(self) -> int:
        known = super()._of_one_word()
        if known or self._elements != 1:
            return known
        # Of a beginning, its most frequent ending.
        return max((each.documents for each in self._lists), default=0)

    def best(
        self, matching: "DocumentQuerySet", query: str, count: Count, first: int, last: int
    ) -> list[tuple[int, float]]:
        if not count.capped or not self._lists or self._are_few(query):
            return super().best(matching, query, count, first, last)
        number, wanted = self._first_number(last), last - first
        end = sum(each.length for each in self._lists)
        while True:
            few = matching.among(self._candidates(query, number))
            found = super().best(few, query, count, first, last)
            if len(found) == wanted:
                return found
            # As many as would have filled it, if those to come match as often as these did.
            enough = round(1.3 * number * last / (first + len(found) or 1))
            if number >= end or enough > MOST:
                break
            number = max(enough, MORE * number)
        return super().best(matching, query, count, first, last)

    def _are_few(self, query: str) -> bool:
        """Whether a query with a beginning matches so few that all can be scored."""
        most = min(self.most(query), self.known.documents)
        return bool(self.analysis.prefixes) and most <= FEW_OF_BEGINNINGS

    @cached_property
    def _lists(self) -> list[_List]:
        """Of the query's lexemes and of its beginnings' most frequent ones."""
        with connection.cursor() as cursor:
            words, beginnings = list(self.analysis.lexemes), list(self.analysis.prefixes)
            cursor.execute(_LISTS, [words, beginnings, ENDINGS, settings.CHAMPIONS_FROM])
            return [_List(*row) for row in cursor.fetchall()]

    @property
    def _elements(self) -> int:
        return len(self.analysis.lexemes) + len(self.analysis.prefixes)

    def _first_number(self, last: int) -> int:
        """How many candidates to begin with."""
        if self.analysis.is_one_lexeme:  # in the list's order, which is exact
            return last + SPARE
        at_first = OF_BEGINNINGS if self.analysis.prefixes else CANDIDATES
        return at_first * (last // AHEAD + 1)

    def _candidates(self, query: str, number: int) -> RawSQL:
        """An array of ids."""
        if self.analysis.is_one_lexeme:  # as it stands, the list is in order
            return RawSQL(_AND_RECENT.format(_FIRST), [number, self._lists[0].term])
        endings = sum(each.element < 0 for each in self._lists)
        sql = _OF_WORDS
        if endings:
            sql = _OF_ONE_BEGINNING if self._elements == 1 else _OF_BEGINNINGS
        parameters: list[Any] = [
            [each.term for each in self._lists],
            [each.element for each in self._lists],
            [self._idf(each.element) for each in self._lists],
            [self._chance(each, query) for each in self._lists],
            [each.length if each.element > 0 else DEPTH // endings for each in self._lists],
            number,
        ]
        listed = {each.term for each in self._lists}
        rare = [as_query(term) for term in self.analysis.lexemes if term not in listed]
        if rare:  # few documents, and the word says much of each
            sql = f"({sql}) UNION ALL ({_HAVING})"
            parameters += [" | ".join(rare), MOST_OF_RARE]
        return RawSQL(_AND_RECENT.format(sql), parameters)

    def _idf(self, element: int) -> float:
        if element > 0:
            return self.known.idfs[element - 1]
        return self.known.idfs_of_prefixes[-element - 1]

    def _chance(self, listed: _List, query: str) -> float:
        """That a match which the list has not has its lexeme all the same."""
        if listed.element < 0:
            return 0.0  # other endings are as likely in the documents of this one
        if query == self.analysis.all_words:
            return WANTED
        return max(0, listed.documents - listed.length) / max(1, self.known.documents)
