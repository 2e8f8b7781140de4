"""`manage.py import_documents FILE`: anyone's documents, from CSV or JSON Lines."""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from search import vocabulary
from search.importing import Imported, import_rows
from search.lexemes import INDEXED_CHARACTERS
from search.management.steps import Steps
from search.rows import FIELDS, REQUIRED, UnreadableFile, read

SHOWN = 20
"""Reasons on the screen, unless all are asked for."""


@contextmanager
def nothing_imported() -> Iterator[None]:
    """What fails in here leaves the old documents, and says so."""
    try:
        yield
    except (UnreadableFile, OSError) as error:
        raise CommandError(f"Nothing was imported. {error}") from error
    except DatabaseError as error:
        raise CommandError(f"Nothing was imported. PostgreSQL says: {error}") from error


def collect_words() -> None:
    """Once the documents are in: whatever happens here, they stay."""
    try:
        vocabulary.refresh()
    except DatabaseError as error:
        raise CommandError(
            f"The documents are imported. Their words for better spellings are not, until the next "
            f"import. PostgreSQL says: {error}"
        ) from error


class Command(BaseCommand):
    """The command."""

    help = (
        "Import documents from FILE: .csv with a header, .jsonl or .ndjson, each also as .gz. "
        f"Fields: {', '.join(FIELDS)}; {', '.join(REQUIRED)} are needed. Tags are a list in JSON, "
        "parted by commas in CSV; a date is as 2026-01-31. A document with the same source and "
        "external_id is replaced; importing a file twice changes nothing. Rows that cannot go in "
        "are reported with their line, and the others go in: then the exit code is 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--source", default="", help="of rows that name none")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done")
        parser.add_argument(
            "--all-reasons", action="store_true", help=f"why each row is left out, not {SHOWN}"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        path: Path = options["file"]
        with nothing_imported():
            size = path.stat().st_size
        with Steps(path.name, size) as steps:
            with nothing_imported():
                rows = read(path, options["source"], steps.read)
                done = import_rows(rows, dry_run=options["dry_run"], doing=steps.doing)
            if not options["dry_run"] and done.added + done.changed:
                steps.doing("collecting words for better spellings")
                collect_words()
        self._tell(done, options)
        if options["verbosity"] > 1:
            for step, seconds in steps.seconds.items():
                self.stdout.write(f"{seconds:.1f} s {step}")
        if done.refused:
            raise CommandError(f"{done.refused:,} rows were left out.", returncode=1)

    def _tell(self, done: Imported, options: dict[str, Any]) -> None:
        would = "Would be: " if options["dry_run"] else ""
        self.stdout.write(
            f"{would}{done.added:,} added, {done.changed:,} changed, {done.unchanged:,} as they "
            f"were, {done.repeated:,} repeated in the file, {done.refused:,} left out."
        )
        shown = done.reasons if options["all_reasons"] else done.reasons[:SHOWN]
        for refused in shown:
            self.stderr.write(f"line {refused.line:,}: {refused.reason}")
        if done.refused > len(shown):
            self.stderr.write(f"… and {done.refused - len(shown):,} more (--all-reasons)")
        for line in done.cut:
            self.stderr.write(
                f"line {line:,}: the body is longer than {INDEXED_CHARACTERS:,} characters, and "
                "what comes after them is kept and not found"
            )
