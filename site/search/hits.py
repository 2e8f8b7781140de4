"""The documents of one page as they are shown, with what matched marked in title and snippet."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from search import snippets
from search.results import Hit
from search.tsquery import TsQuery

MARKED, SNIPPET = "marked", "snippet"
"""Annotations of a row."""
_QUERY, _IDS = "\ue003", "{0}"
"""What stands in the SQL for a query and for ids until it is run."""


def of(scores: Sequence[tuple[int, float]], query: str) -> tuple[Hit, ...]:
    """For ids and scores, in their order; without those that are gone."""
    from search.models import Document

    sql, parameters = _sql()
    ids = ",".join(str(id_) for id_, _ in scores)
    given = {_QUERY: query, _IDS: f"{{{ids}}}"}
    values = [given.get(value, value) if isinstance(value, str) else value for value in parameters]
    rows = {row.id: row for row in Document.objects.raw(sql, values)}
    return tuple(_hit(row, score) for id_, score in scores if (row := rows.get(id_)) is not None)


@cache
def _sql() -> tuple[str, tuple[Any, ...]]:
    """Django's own, kept: to compose it takes three times as long as to run it."""
    from search.models import Document

    query = TsQuery(_QUERY)
    rows = (
        Document.objects.of_ids([0])
        .annotate(**{MARKED: snippets.title(query), SNIPPET: snippets.snippet(query)})
        .defer("body", "vector")
    )
    sql, parameters = rows.query.sql_with_params()
    return sql, tuple(parameters)


def _hit(row: Any, score: float) -> Hit:
    return Hit(
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
