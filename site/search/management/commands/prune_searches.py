"""`manage.py prune_searches`: forget searches that are older than `SITE_ANALYTICS_DAYS`."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from search import analytics


class Command(BaseCommand):
    """The command."""

    help = (
        "Delete the searches that are older than SITE_ANALYTICS_DAYS. The site does it by itself "
        "while people search; this is for a site that nobody asks."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        del args, options
        self.stdout.write(
            f"{analytics.prune():,} older than {settings.ANALYTICS_DAYS} days deleted."
        )
