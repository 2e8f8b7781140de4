"""What people look for, so that the site can get better at it: never who.

A row has the text as it was looked for, how much was found and how long it took. Nothing of it
leads to a person: no address, no session, no browser; and a row is deleted after
`SITE_ANALYTICS_DAYS`.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Avg, Count, Max, Min
from django.utils import timezone

from search.models import Asked
from search.results import Page

PRUNE_EVERY = 3_600.0
"""Seconds, for each worker."""
MOST = 50
"""Rows of a report."""
SLOW = 100
"""Milliseconds from which a search counts as slow."""
_log = logging.getLogger(__name__)


class _Prunings:
    """When this worker is to prune again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last = float("-inf")

    def is_due(self) -> bool:
        """True to one of those who ask at once."""
        with self._lock:
            if time.monotonic() - self._last < PRUNE_EVERY:
                return False
            self._last = time.monotonic()
            return True


_prunings = _Prunings()


@dataclass(frozen=True)
class Line:
    """One text of a report."""

    text: str
    times: int
    """Asked so often."""
    results: int
    milliseconds: float
    """On average."""
    slowest: int


def record(page: Page, seconds: float) -> None:
    """Write a search down. A site that cannot, for whatever reason, goes on searching."""
    if settings.ANALYTICS_DAYS == 0 or page.number > 1 or not page.text:
        return
    try:
        with transaction.atomic():
            # A crash may lose the last of them; nobody is to wait for a disk because of that.
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit = off")
            Asked.objects.create(
                text=page.text.lower(),
                results=page.count.number,
                milliseconds=round(seconds * 1_000),
            )
            if _prunings.is_due():
                prune()
    except DatabaseError:
        _log.exception("A search could not be written down.")


def prune() -> int:
    """Delete what is older than `SITE_ANALYTICS_DAYS`; how many."""
    oldest = timezone.now() - timedelta(days=settings.ANALYTICS_DAYS)
    deleted, _ = Asked.objects.filter(at__lt=oldest).delete()
    return deleted


def top() -> Sequence[Line]:
    """What is asked most often."""
    return _report("-times", "text")


def without_results() -> Sequence[Line]:
    """What is asked and nothing found."""
    return _report("-times", "text", results=0)


def slow() -> Sequence[Line]:
    """What took longest."""
    return _report("-slowest", "text", milliseconds__gte=SLOW)


def _report(*order: str, **only: int) -> Sequence[Line]:
    rows = (
        Asked.objects.filter(**only)
        .values("text")
        .annotate(
            times=Count("id"),
            fewest=Min("results"),
            average=Avg("milliseconds"),
            slowest=Max("milliseconds"),
        )
        .order_by(*order)[:MOST]
    )
    return [
        Line(row["text"], row["times"], row["fewest"], row["average"], row["slowest"])
        for row in rows
    ]
