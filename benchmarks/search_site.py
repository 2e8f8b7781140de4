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
import search_documents
import search_text
from search_documents import say

from answerbook import services
from answerbook.load.pages import asked_for
from answerbook.notebook.search_site import cpu_seconds
from answerbook.services import Site
from answerbook.services.site import root

DOCUMENTS, SEARCHES = 1_000_000, 40
COMPARED = 24
"""Searches of each class whose first ten are held against scoring everything."""
USERS = 4
"""That ask for pages at once: two for each worker, so that neither ever waits for one."""
OBVIOUS = 12
"""Searches of each class in the obvious way, which takes its time."""
AT_LEAST = {
    "documents imported a second": ("import", "documents_per_second", 5_000),
    "pages a second, classes mixed": ("pages", "pages_per_second", 100),
}
AT_MOST = {
    "milliseconds that 95 of 100 pages keep": ("pages", "p95_ms", 100),
    "megabytes of the web server's workers": ("pages", "memory_mb", 250),
    "tables and indexes, times the text": ("size", "times_the_text", 4),
}
"""What is wanted of the whole: where in the results it stands, and the goal."""


def main() -> int:
    """0, or 1 where a goal is not reached."""
    options = _options()
    machine.use_native_engine()
    described = machine.description(anyway=options.anyway)
    real = search_text.corpus(root() / "search" / "corpus" / "default.jsonl.gz")
    os.environ |= {"SITE_RATE": "1000000", "SITE_BURST": "1000000"}
    with machine.new_home():
        site = services.require("site")
        path = Path(os.environ["ANSWERBOOK_HOME"], "documents.jsonl")
        say(f"writing {options.documents:,} documents")
        text = search_text.write(path, options.documents, real)
        results: dict[str, Any] = {"machine": described, "documents": options.documents}
        results["import"] = search_documents.load(site, path, options.documents)
        _open_django(site)
        search_documents.settle()
        results["frequencies"] = search_documents.frequencies(real)
        results["size"] = search_documents.size(text)
        results["classes"] = classes(options.searches, path, naive=not options.quick)
        results["words"] = words(options.searches)
        results["pages"] = pages(site)
        results["goals"] = goals(results)
    written = machine.write("search", results, options.folder)
    missed = _report(results)
    say(f"written: {written}")
    return 1 if missed else 0


def _open_django(site: Site) -> None:
    sys.path.insert(0, str(root()))
    os.environ |= site.variables() | {"DJANGO_SETTINGS_MODULE": "project.settings"}
    django.setup()


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
    with cpu_seconds(site, site) as spent:
        load = asked_for(site.url, texts, users=USERS)
    say(f"  {load.a_second:.0f} a second, p95 {load.p95:g} ms, {load.failures} failures")
    cpu = {role: round(1e3 * seconds / load.count, 1) for role, seconds in spent.items()}
    cpu["locust"] = round(1e3 * load.cpu_seconds / load.count, 1)
    say("  of the processors, ms a page: " + ", ".join(f"{k} {v}" for k, v in cpu.items()))
    return {
        "pages_per_second": round(load.a_second, 1),
        "p95_ms": load.p95,
        "failures": load.failures,
        "cpu_ms_per_page": cpu,
        "memory_mb": round(site.engine.memory(site, 1) / 1e6),
    }


def goals(results: dict[str, Any]) -> dict[str, Any]:
    """What is wanted of the whole, what was measured, and whether that will do."""
    found: dict[str, Any] = {}
    for what, (part, name, goal) in (AT_LEAST | AT_MOST).items():
        value, at_most = results[part][name], what in AT_MOST
        met = value <= goal if at_most else value >= goal
        found[what] = {"value": value, "goal": goal, "at_most": at_most, "met": met}
    return found


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
    missed += [
        f"{what}: {one['value']}, goal {one['goal']:g}"
        for what, one in results["goals"].items()
        if not one["met"]
    ]
    for line in missed:
        say(f"not reached: {line}")
    return missed


def _options() -> argparse.Namespace:
    parser = machine.options("Measure the search site.")
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--searches", type=int, default=SEARCHES, help="of each class")
    parser.add_argument("--quick", action="store_true", help="leave out the tutorial's way")
    return parser.parse_args()
