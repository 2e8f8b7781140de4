"""What a search gives: the page of hits, the filters beside it, and what they were asked with.

The query set makes these, the views and the API show them; nothing here touches the database.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from django.utils.safestring import SafeString

Order = Literal["relevance", "date"]
Facet = Literal["kind", "source", "tag", "year"]
FACETS: tuple[Facet, ...] = ("kind", "source", "tag", "year")
PAGE_SIZE = 10
COUNT_CAP = 1_000
"""Matches are counted up to here; beyond, the page says "more than 1,000"."""


@dataclass(frozen=True)
class Filters:
    """What the results are narrowed to; an empty one narrows nothing."""

    kind: str = ""
    source: str = ""
    tag: str = ""
    year: int | None = None


@dataclass(frozen=True)
class Count:
    """Matches, counted up to a cap."""

    number: int
    capped: bool = False
    """There are more than `number`."""


@dataclass(frozen=True)
class FacetValue:
    """A value that the results can be narrowed to."""

    value: str
    count: Count
    selected: bool = False


@dataclass(frozen=True)
class Hit:
    """A document among the results."""

    id: int
    source: str
    kind: str
    title: SafeString
    """Escaped, with `<mark>` around what matched; the same is true of `snippet`."""
    snippet: SafeString
    url: str
    tags: tuple[str, ...]
    date: date | None
    score: float
    is_elsewhere: bool = False
    """`url` leads off this site."""


@dataclass(frozen=True)
class Page:
    """One page of results, and all that stands around it."""

    text: str
    """The query as it was typed."""
    filters: Filters
    order: Order
    number: int
    """From 1."""
    hits: tuple[Hit, ...]
    count: Count
    any_word: bool = False
    """Too little had every word, so documents with any of them were taken."""
    has_next: bool = False
    facets: dict[Facet, tuple[FacetValue, ...]] = field(default_factory=dict)
    did_you_mean: str = ""
    """A better spelling of the whole query, or nothing."""
    ignored: tuple[str, ...] = ()
    """Words of the query that the index leaves out, such as "the"."""
