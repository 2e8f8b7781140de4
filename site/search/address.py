"""The address of a page of results: every state is in it, and it is the same for the same state."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from search.results import Facet, Filters, Order

MOST_YEAR = 9_999


@dataclass(frozen=True)
class Address:
    """What is asked for."""

    text: str = ""
    filters: Filters = field(default_factory=Filters)
    order: Order = "relevance"
    page: int = 1

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Address":
        """Of a query string's parameters. What makes no sense counts as not given."""
        return cls(
            text=given.get("q", "").strip(),
            filters=Filters(
                kind=_clean(given.get("kind", "")),
                source=_clean(given.get("source", "")),
                tag=_clean(given.get("tag", "")),
                year=_number(given.get("year", ""), MOST_YEAR),
            ),
            order="date" if given.get("order") == "date" else "relevance",
            page=_number(given.get("page", ""), 100_000) or 1,
        )

    @property
    def query(self) -> str:
        """The query string, shortest."""
        filters = self.filters
        parameters: dict[str, Any] = {
            "q": self.text,
            "kind": filters.kind,
            "source": filters.source,
            "tag": filters.tag,
            "year": filters.year or "",
            "order": "" if self.order == "relevance" else self.order,
            "page": "" if self.page == 1 else self.page,
        }
        return urlencode({name: value for name, value in parameters.items() if value != ""})

    def at(self, page: int) -> "Address":
        return replace(self, page=page)

    def ordered(self, order: Order) -> "Address":
        return replace(self, order=order, page=1)

    def asking(self, text: str) -> "Address":
        return replace(self, text=text, page=1)

    def narrowed(self, facet: Facet, value: str) -> "Address":
        """With a filter set, or with an empty value taken away."""
        given: Any = _number(value, MOST_YEAR) if facet == "year" else value
        return replace(self, filters=replace(self.filters, **{facet: given}), page=1)


def _clean(value: str) -> str:
    return value.replace("\x00", "").encode("utf-8", "ignore").decode()


def _number(value: str, most: int) -> int | None:
    if not (value.isascii() and value.isdigit() and len(value) <= len(str(most))):
        return None
    return int(value) if 0 < int(value) <= most else None
