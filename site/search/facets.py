"""The values that results can be narrowed to, with how many each would leave.

All of them come from one look at the first COUNT_CAP results: to count a common word's documents
by kind exactly, each of them would have to be read. Where there are more, a number is a lower
bound, and says so.
"""

from typing import TYPE_CHECKING

from django.db import connection

from search.results import COUNT_CAP, FACETS, Count, Facet, FacetValue, Filters

if TYPE_CHECKING:
    from search.manager import DocumentQuerySet

MOST_VALUES = 8
_SQL = """
    WITH sample AS MATERIALIZED ({sample}),
    counted AS (
        SELECT 'kind' AS facet, kind AS value, count(*) AS documents FROM sample GROUP BY kind
        UNION ALL
        SELECT 'source', source, count(*) FROM sample GROUP BY source
        UNION ALL
        SELECT 'tag', tag, count(*) FROM sample, unnest(tags) AS tag GROUP BY tag
        UNION ALL
        SELECT 'year', year::text, count(*)
        FROM (SELECT extract(year FROM date)::int AS year FROM sample WHERE date IS NOT NULL) AS of
        GROUP BY year
    )
    SELECT facet, value, documents, (SELECT count(*) FROM sample)
    FROM (SELECT *, row_number() OVER (PARTITION BY facet ORDER BY documents DESC, value) AS place
          FROM counted WHERE value <> '') AS ranked
    WHERE place <= %s OR value = ANY(%s)
    ORDER BY facet, documents DESC, value
"""


def of(matching: "DocumentQuerySet", filters: Filters) -> dict[Facet, tuple[FacetValue, ...]]:
    """For results that the filters have narrowed already."""
    rows = matching.order_by().values("kind", "source", "tags", "date")[: COUNT_CAP + 1]
    sample, parameters = rows.query.sql_with_params()
    year = "" if filters.year is None else str(filters.year)
    chosen: dict[Facet, str] = {
        "kind": filters.kind,
        "source": filters.source,
        "tag": filters.tag,
        "year": year,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL.format(sample=sample),
            [*parameters, MOST_VALUES, [value for value in chosen.values() if value]],
        )
        found = cursor.fetchall()
    return {
        facet: tuple(
            FacetValue(value, _count(number, seen), value == chosen[facet])
            for name, value, number, seen in found
            if name == facet
        )
        for facet in FACETS
    }


def _count(number: int, seen: int) -> Count:
    return Count(min(number, COUNT_CAP), seen > COUNT_CAP)
