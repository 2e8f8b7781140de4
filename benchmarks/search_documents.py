"""The documents of benchmarks/search.py in the site's index: imported, counted, and their size."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import search_text
from django.db import connection

from answerbook.services import Site
from answerbook.services.site import root

RANKS = (1, 3, 10, 30, 100, 300, 1_000)
TABLES = (
    *("search_document", "search_term", "search_length", "search_champion", "search_recent"),
    "search_word",
)


def say(text: str) -> None:
    print(text, flush=True)


def load(site: Site, path: Path, documents: int) -> dict[str, Any]:
    """Import the file as an operator does, and watch what it takes."""
    say("importing them")
    process = psutil.Popen(
        [sys.executable, root() / "manage.py", "import_documents", "--verbosity=2", path],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **site.variables()},
    )
    began, peak = time.monotonic(), 0
    while process.poll() is None:
        try:
            peak = max(peak, process.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.2)
    told, _ = process.communicate()
    assert process.returncode == 0, "the import failed"
    seconds = time.monotonic() - began
    steps = {step: float(took) for took, step in re.findall(r"(?m)^([\d.]+) s (.+)$", told)}
    for step, took in steps.items():
        say(f"  {took:6.1f} s {step}")
    say(f"  {documents / seconds:,.0f} documents a second, {peak / 1e6:.0f} MB")
    return {
        "seconds": round(seconds, 1),
        "documents_per_second": round(documents / seconds),
        "peak_mb": round(peak / 1e6),
        "steps": steps,
    }


def settle() -> None:
    """What PostgreSQL does after a large import, unasked, in a minute or two; done by itself here.

    Otherwise that and the searches are measured together.
    """
    with connection.cursor() as cursor:
        began = time.monotonic()
        cursor.execute("VACUUM (ANALYZE)")
    say(f"  vacuumed in {time.monotonic() - began:.0f} s")


def frequencies(real: list[dict[str, Any]]) -> dict[str, Any]:
    """The share of documents that has the n-th most frequent lexeme: here, and in real text.

    Raises AssertionError where they are more than a factor of two apart at any of the first
    thousand ranks.
    """
    here = _shares("SELECT documents FROM search_term ORDER BY documents DESC LIMIT 1000", _count())
    texts = search_text.consecutive(real)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE real (vector tsvector)")
        cursor.executemany(
            "INSERT INTO real SELECT to_tsvector('site', %s)",
            [[text] for text in texts],
        )
    query = "SELECT ndoc FROM ts_stat('SELECT vector FROM real') ORDER BY ndoc DESC LIMIT 1000"
    there = _shares(query, len(texts))
    apart = [max(one / other, other / one) for one, other in zip(here, there, strict=True)]
    assert max(apart) < 2, f"rank {apart.index(max(apart)) + 1}: {max(apart):.2f} times apart"
    curve = [
        {"rank": rank, "here": round(here[rank - 1], 4), "real": round(there[rank - 1], 4)}
        for rank in RANKS
    ]
    for point in curve:
        say(f"  lexeme {point['rank']:4}: in {point['here']:.1%}; in real text {point['real']:.1%}")
    say(f"  at most {max(apart):.2f} times apart, of {len(apart)} ranks")
    return {"curve": curve, "ranks": len(apart), "most_apart": round(max(apart), 2)}


def _shares(query: str, documents: int) -> list[float]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [found / documents for (found,) in cursor.fetchall()]


def _count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT documents FROM search_corpus")
        return int(cursor.fetchone()[0])


def size(text: int) -> dict[str, Any]:
    """Megabytes of each table with its indexes, and how many times the text that is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, pg_total_relation_size(name::regclass) FROM unnest(%s::text[]) AS name",
            [list(TABLES)],
        )
        tables = dict(cursor.fetchall())
    return {
        "text_mb": round(text / 1e6),
        "tables_mb": {name: round(number / 1e6) for name, number in tables.items()},
        "times_the_text": round(sum(tables.values()) / text, 2),
    }
