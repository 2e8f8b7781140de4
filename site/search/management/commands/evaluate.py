"""`manage.py evaluate DOCS QUERIES QRELS`: how good the ranking is on a judged collection."""

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.test.utils import override_settings
from tqdm import tqdm

from search import vocabulary
from search.evaluation import UnreadableCollection, mean, read_judgements, read_queries, scores
from search.importing import import_rows
from search.models import Document
from search.rows import UnreadableFile, read

DEPTH = 1_000


class Command(BaseCommand):
    """The command."""

    help = (
        "Rank DOCS (JSON Lines, as import_documents reads them) for each of QUERIES (lines "
        "`id<tab>text`), and hold the rankings against QRELS (TREC's `query 0 external_id "
        "relevance`). Prints nDCG@10, MAP, recall@100 and the time a ranking took. The documents "
        "go into a database of their own, which is gone afterwards; the site's are not touched."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("docs", type=Path, metavar="DOCS")
        parser.add_argument("queries", type=Path, metavar="QUERIES")
        parser.add_argument("qrels", type=Path, metavar="QRELS")
        parser.add_argument("--ranker", choices=("bm25", "orm"), help="instead of SITE_RANKER")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        ranker = options["ranker"] or settings.RANKER
        try:
            queries = read_queries(options["queries"])
            judged = read_judgements(options["qrels"])
            with (
                override_settings(RANKER=ranker),
                own_database(),
                tqdm(total=options["docs"].stat().st_size, unit="B") as bar,
            ):
                done = import_rows(read(options["docs"], "evaluation", bar.update))
                vocabulary.refresh()
                bar.close()
                self._evaluate(queries, judged)
        except (UnreadableFile, UnreadableCollection, OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"PostgreSQL says: {error}") from error
        if done.refused:
            raise CommandError(f"{done.refused:,} documents were left out.", returncode=1)

    def _evaluate(self, queries: dict[str, str], judged: dict[str, dict[str, int]]) -> None:
        names = dict(Document.objects.values_list("id", "external_id"))
        each, seconds = [], []
        for query, text in tqdm(queries.items(), unit="query", leave=False):
            if query not in judged:
                continue
            began = time.perf_counter()
            ranking = Document.objects.ranking(text, DEPTH)
            seconds.append(time.perf_counter() - began)
            each.append(scores([names[id_] for id_, _ in ranking], judged[query]))
        of_all = mean(each)
        self.stdout.write(
            f"{len(names):,} documents, {len(each):,} queries, ranker {settings.RANKER}\n"
            f"nDCG@10     {of_all.ndcg:.4f}\n"
            f"MAP         {of_all.average_precision:.4f}\n"
            f"recall@100  {of_all.recall:.4f}\n"
            f"latency     {1e3 * median(seconds):.1f} ms (median), "
            f"{1e3 * max(seconds):.1f} ms (most)"
        )


@contextmanager
def own_database() -> Iterator[None]:
    """Django's test database: made, migrated, and gone at the end."""
    before = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)
