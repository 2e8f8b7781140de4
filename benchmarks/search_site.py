"""What benchmarks/search.py does: a million documents, four ways to search them, one run.

Natively, on this machine, nothing else running. The documents are made up from real paragraphs
(search_text.py), and how frequent their words are is held against the real ones. Writes
results/search.json, which notebook 5.2 shows. To try it out:

    python benchmarks/search.py --documents 20000 --searches 10 --folder /tmp
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import django
import machine
import psutil
import search_text

from answerbook import services
from answerbook.load.pages import asked_for
from answerbook.services import Site
from answerbook.services.site import root

DOCUMENTS, SEARCHES = 1_000_000, 40
COMPARED = 24
"""Searches of each class whose first ten are held against scoring everything."""
OBVIOUS = 12
"""Searches of each class in the obvious way, which takes its time."""
RANKS = (1, 3, 10, 30, 100, 300, 1_000)
TABLES = (
    *("search_document", "search_term", "search_length", "search_champion", "search_recent"),
    "search_word",
)


def main() -> int:
    """0, or 1 where a goal is not reached."""
    options = _options()
    machine.use_native_engine()
    described = machine.description()
    real = search_text.corpus(root() / "search" / "corpus" / "default.jsonl.gz")
    os.environ |= {"SITE_RATE": "1000000", "SITE_BURST": "1000000"}
    with machine.new_home():
        site = services.require("site")
        path = Path(os.environ["ANSWERBOOK_HOME"], "documents.jsonl")
        say(f"writing {options.documents:,} documents")
        text = search_text.write(path, options.documents, real)
        results: dict[str, Any] = {"machine": described, "documents": options.documents}
        results["import"] = load(site, path, options.documents)
        _open_django(site)
        results["frequencies"] = frequencies(real)
        results["size"] = size(text)
        results["classes"] = classes(options.searches, path, naive=not options.quick)
        results["words"] = words(options.searches)
        results["pages"] = pages(site)
    written = machine.write("search", results, options.folder)
    missed = _report(results)
    say(f"written: {written}")
    return 1 if missed else 0


def say(text: str) -> None:
    print(text, flush=True)


# -- documents -----------------------------------------------------------------------------------


def load(site: Site, path: Path, documents: int) -> dict[str, Any]:
    """Import the file as an operator does, and watch what it takes."""
    say("importing them")
    process = psutil.Popen(
        [sys.executable, root() / "manage.py", "import_documents", path],
        env={**os.environ, **site.variables()},
    )
    began, peak = time.monotonic(), 0
    while process.poll() is None:
        try:
            peak = max(peak, process.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.2)
    assert process.wait() == 0, "the import failed"
    seconds = time.monotonic() - began
    say(f"  {documents / seconds:,.0f} documents a second, {peak / 1e6:.0f} MB")
    return {
        "seconds": round(seconds, 1),
        "documents_per_second": round(documents / seconds),
        "peak_mb": round(peak / 1e6),
    }


def _open_django(site: Site) -> None:
    sys.path.insert(0, str(root()))
    os.environ |= site.variables() | {"DJANGO_SETTINGS_MODULE": "project.settings"}
    django.setup()


def frequencies(real: list[dict[str, Any]]) -> dict[str, Any]:
    """The share of documents that has the n-th most frequent lexeme: here, and in real text.

    Raises AssertionError where they are more than a factor of two apart at any of the first
    thousand ranks.
    """
    here = _shares("SELECT documents FROM search_term ORDER BY documents DESC LIMIT 1000", _count())
    texts = search_text.consecutive(real)
    with _cursor() as cursor:
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
    with _cursor() as cursor:
        cursor.execute(query)
        return [found / documents for (found,) in cursor.fetchall()]


def _count() -> int:
    with _cursor() as cursor:
        cursor.execute("SELECT documents FROM search_corpus")
        return int(cursor.fetchone()[0])


def size(text: int) -> dict[str, Any]:
    """Megabytes of each table with its indexes, and how many times the text that is."""
    with _cursor() as cursor:
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


def _cursor() -> Any:
    from django.db import connection

    return connection.cursor()


# -- searches ------------------------------------------------------------------------------------


def classes(searches: int, path: Path, *, naive: bool) -> dict[str, Any]:
    """Each class of searches by each way; the median and the time that 95 of 100 keep."""
    import search_queries
    from search_others import Tantivy, naive_way, obvious_way

    drawn = search_queries.drawn(searches)
    say("indexing the same documents with tantivy")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        tantivy = Tantivy(Path(folder), path)
        found: dict[str, Any] = {}
        for kind, asked in drawn.items():
            ours = timed(site_way, asked)
            found[kind] = {
                "goal_ms": search_queries.GOALS[kind],
                "site": ours,
                "obvious": timed(obvious_way, asked[:OBVIOUS]),
                "tantivy": timed(tantivy.search, asked),
                "overlap": overlap(asked[:COMPARED]),
            }
            line = ", ".join(
                f"{name} {found[kind][name]['p95_ms']:g} ms"
                for name in ("site", "obvious", "tantivy")
            )
            say(f"  {kind}: {line}; overlap {found[kind]['overlap']:.2f}")
        if naive:
            for kind in ("rare word", "word in a third"):
                found[kind]["naive"] = timed(naive_way, drawn[kind][:1], warm=False)
                say(f"  {kind}, the tutorial's way: {found[kind]['naive']['p95_ms']:,.0f} ms")
    return found


def site_way(asked: Any) -> None:
    """As the view does it."""
    from search.models import Document

    Document.objects.search(asked.text, asked.filters, asked.order, asked.page)


def overlap(asked: Iterable[Any]) -> float:
    """Of the first ten, how many are among the first ten by scoring everything; on average."""
    from django.test.utils import override_settings

    from search.models import Document

    shares = []
    for each in asked:
        pages = []
        for ranker in ("bm25", "exact"):
            with override_settings(RANKER=ranker):
                page = Document.objects.search(each.text, each.filters, each.order, each.page)
                pages.append([hit.id for hit in page.hits])
        fast, exact = pages
        if exact:
            shares.append(len(set(fast) & set(exact)) / len(exact))
    return round(statistics.mean(shares), 3)


def words(searches: int) -> dict[str, Any]:
    """Better spellings and suggestions."""
    import search_queries

    from search.spelling import did_you_mean
    from search.suggestions import suggest

    return {
        "did you mean": {
            "goal_ms": 10,
            "site": timed(did_you_mean, search_queries.typos(searches)),
        },
        "suggestion": {"goal_ms": 20, "site": timed(suggest, search_queries.beginnings(searches))},
    }


def timed(
    act: Callable[[Any], object], asked: Iterable[Any], *, warm: bool = True
) -> dict[str, Any]:
    """Each once to warm what it reads, then once by the clock."""
    asked = list(asked)
    if warm:
        for each in asked:
            act(each)
    took = []
    for each in asked:
        began = time.perf_counter()
        act(each)
        took.append(1e3 * (time.perf_counter() - began))
    took.sort()
    return {
        "p50_ms": round(statistics.median(took), 2),
        "p95_ms": round(took[min(len(took) - 1, int(0.95 * len(took)))], 2),
        "searches": len(took),
    }


# -- pages ---------------------------------------------------------------------------------------


def pages(site: Site) -> dict[str, Any]:
    """Mixed searches through nginx and two workers, by Locust; and the workers' memory."""
    import search_queries

    drawn = search_queries.drawn(20, seed=2)
    texts = [each.text for asked in drawn.values() for each in asked]
    say("asking for pages through nginx")
    load = asked_for(site.url, texts)
    say(f"  {load.a_second:.0f} a second, p95 {load.p95:g} ms, {load.failures} failures")
    return {
        "pages_per_second": round(load.a_second, 1),
        "p95_ms": load.p95,
        "failures": load.failures,
        "memory_mb": round(site.engine.memory(site, 1) / 1e6),
    }


def _report(results: dict[str, Any]) -> list[str]:
    """Print what was not reached, and give it."""
    missed = [
        f"{kind}: p95 {one['site']['p95_ms']} ms, goal {one['goal_ms']} ms"
        for kind, one in {**results["classes"], **results["words"]}.items()
        if one["site"]["p95_ms"] > one["goal_ms"]
    ]
    missed += [
        f"{kind}: overlap {one['overlap']}, goal 0.9"
        for kind, one in results["classes"].items()
        if one["overlap"] < 0.9
    ]
    for line in missed:
        say(f"not reached: {line}")
    return missed


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the search site.")
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--searches", type=int, default=SEARCHES, help="of each class")
    parser.add_argument("--quick", action="store_true", help="leave out the tutorial's way")
    parser.add_argument("--folder", type=Path, default=machine.RESULTS)
    return parser.parse_args()
