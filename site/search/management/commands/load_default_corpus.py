"""`manage.py load_default_corpus`: what the site has to search before anybody imports anything."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from search import vocabulary
from search.importing import import_rows
from search.models import Document
from search.rows import Row, read

FILE = Path(__file__).resolve().parents[2] / "corpus" / "default.jsonl.gz"
SOURCES = ("answerbook", "python")


class Command(BaseCommand):
    """The command."""

    help = (
        "Load the documents that the site ships: sections of Answerbook's notebooks, and the "
        "documentation strings of Python's standard library. Again, it brings them up to date and "
        "takes away those that are no longer among them; other documents stay."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        del args, options
        rows = list(read(FILE))
        names = {(row.source, row.external_id) for row in rows if isinstance(row, Row)}
        with transaction.atomic():
            done = import_rows(rows)
            ours = Document.objects.filter(source__in=SOURCES)
            known = ours.values_list("id", "source", "external_id")
            gone = [id_ for id_, *name in known if tuple(name) not in names]
            Document.objects.filter(id__in=gone).delete()
        if done.added + done.changed + len(gone):
            vocabulary.refresh()
        self.stdout.write(
            f"{done.added:,} added, {done.changed:,} changed, {done.unchanged:,} as they were, "
            f"{len(gone):,} taken away."
        )
