"""How long a search may take."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction


@contextmanager
def limited() -> Iterator[None]:
    """Ends a statement in the block that takes longer than `SITE_SEARCH_SECONDS`.

    What then comes is Django's OperationalError, of psycopg's QueryCanceled: middleware.Problems
    makes a page of it. 0 seconds are no limit.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{settings.SEARCH_SECONDS}s'")
        yield
