"""One look at what matches: how many, which, and what they can be narrowed to.

It reads COUNT_CAP documents and no more: to count a common word's documents by kind exactly, each
of them would have to be read. Where there are more, a number is a lower bound, and says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

from search.results import COUNT_CAP, FACETS, Count, Facet, FacetValue, Filters

if TYPE_CHECKING:
    from search.manager import DocumentQuerySet

MOST_VALUES = 8
_SQL = """
    WITH seen AS MATERIALIZED ({seen}),
    counted AS (
        SELECT CASE WHEN GROUPING(kind) = 0 THEN 'kind'
                WHEN GROUPING(source) = 0 THEN 'source' ELSE 'year' END AS facet,
            coalesce(kind, source, year::text) AS value, count(*) AS documents
        FROM (SELECT kind, source, extract(year FROM date)::int AS year FROM seen) AS each
        GROUP BY GROUPING SETS (kind, source, year)
        UNION ALL
        SELECT 'tag', tag, count(*) FROM (SELECT unnest(tags) AS tag FROM seen) AS each GROUP BY tag
    )
    SELECT facet, value, documents, NULL::bigint[], NULL::float8[]
    FROM (SELECT *, row_number() OVER (PARTITION BY facet ORDER BY documents DESC, value) AS place
          FROM counted WHERE value <> '') AS ranked
    WHERE place <= %s OR value = ANY(%s)
    UNION ALL
    SELECT NULL, NULL, count(*),
        CASE WHEN count(*) <= %s THEN array_agg(id ORDER BY score DESC, id) END,
        CASE WHEN count(*) <= %s THEN array_agg(score ORDER BY score DESC, id) END
    FROM seen
"""
_PLAIN = "SELECT *, 0::float8 AS score FROM ({rows}) AS document"
_SCORED = """
    SELECT id, kind, source, tags, date, {score} AS score
    FROM ({rows}) AS document JOIN search_length ON document_id = id
"""
Facets = dict[Facet, tuple[FacetValue, ...]]


@dataclass(frozen=True)
class Look:
    """What was seen."""

    count: Count
    ids: Sequence[int] | None
    """Of all that match; None where there are more than were counted."""
    scores: Sequence[float] | None
    """Of these, best first; None where they were not asked for."""
    facets: Facets


def look(
    matching: "DocumentQuerySet",
    filters: Filters,
    *,
    score: tuple[str, list[Any]] | None = None,
    all_of_them: bool = True,
) -> Look:
    """At results that the filters have narrowed already; with `score`, a ranker's, best first.

    Without `all_of_them` they are a part of the results, and whatever is counted a lower bound.
    """
    columns = ["id", "kind", "source", "tags", "date", *(["vector"] if score else [])]
    rows, parameters = matching.order_by().values(*columns)[: COUNT_CAP + 1].query.sql_with_params()
    sql, of_score = score or ("", [])
    seen = (_SCORED if score else _PLAIN).format(rows=rows, score=sql)
    chosen: dict[Facet, str] = {
        "kind": filters.kind,
        "source": filters.source,
        "tag": filters.tag,
        "year": "" if filters.year is None else str(filters.year),
    }
    values = [value for value in chosen.values() if value]
    with connection.cursor() as cursor:
        given = [*of_score, *parameters, MOST_VALUES, values, COUNT_CAP, COUNT_CAP]
        cursor.execute(_SQL.format(seen=seen), given)
        *counted, (_, _, number, ids, scores) = cursor.fetchall()
    capped = number > COUNT_CAP or not all_of_them
    number = min(number, COUNT_CAP)
    facets: dict[Facet, list[tuple[int, str]]] = {facet: [] for facet in FACETS}
    for facet, value, documents, *_ in counted:
        facets[facet].append((documents, value))
    return Look(
        Count(number if all_of_them else _rounded(number), capped),
        None if capped else ids or [],
        None if capped or not score else scores or [],
        {
            facet: tuple(
                FacetValue(value, Count(min(documents, COUNT_CAP), capped), value == chosen[facet])
                for documents, value in sorted(found, key=lambda one: (-one[0], one[1]))
            )
            for facet, found in facets.items()
        },
    )


def _rounded(number: int) -> int:
    """To its first digit, downwards: what is a bound by chance is not to look exact."""
    unit = int(10 ** (len(str(number)) - 1))
    return number // unit * unit
