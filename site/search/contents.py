"""What is indexed, for the home page: how many documents, of which sources."""

from dataclasses import dataclass

from django.core.cache import cache
from django.db import connection

KEPT = 300
"""Seconds that a worker goes by the last count."""
MOST_SOURCES = 6


@dataclass(frozen=True)
class Contents:
    """Of the index."""

    documents: int
    sources: tuple[tuple[str, int], ...]
    """Name and documents; the largest first."""
    more: bool = False
    """There are other sources."""


def known() -> Contents:
    """Counted at most every KEPT seconds: of a million documents it takes a tenth of one."""
    contents = cache.get("contents")
    if contents is None:
        contents = _count()
        cache.set("contents", contents, KEPT)
    assert isinstance(contents, Contents)
    return contents


def _count() -> Contents:
    with connection.cursor() as cursor:
        cursor.execute("SELECT documents FROM search_corpus")
        (documents,) = cursor.fetchone() or (0,)
        cursor.execute(
            "SELECT source, count(*) FROM search_document GROUP BY source"
            " ORDER BY count(*) DESC, source LIMIT %s",
            [MOST_SOURCES + 1],
        )
        sources = cursor.fetchall()
    return Contents(documents, tuple(sources[:MOST_SOURCES]), len(sources) > MOST_SOURCES)
