"""The pages: home, results and one document; and what a machine asks: health."""

from threading import Event
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from search import analytics, contents
from search.address import Address
from search.limits import limited
from search.metrics import searching
from search.models import Document
from search.query import MOST_CHARACTERS
from search.results import FACETS, PAGE_SIZE, Facet, FacetValue, Page

_migrated = Event()
"""Set once no migration was missing; of this worker."""
TITLES: dict[Facet, str] = {"kind": "Kind", "source": "Source", "tag": "Tag", "year": "Year"}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return _home(request, Address())


@require_safe
def results(request: HttpRequest) -> HttpResponse:
    address = Address.of(request.GET)
    if not address.text:
        return _home(request, address)
    page, seconds = found(address)
    return render(request, "search/results.html", _shown(address, page) | {"seconds": seconds})


def found(address: Address) -> tuple[Page, float]:
    """A page of results and the seconds that it took; measured, and written down."""
    with searching() as done:
        with limited():
            page = Document.objects.search(
                address.text, address.filters, address.order, address.page
            )
        seconds = done(page)
    analytics.record(page, seconds)
    return page, seconds


@require_safe
def document(request: HttpRequest, pk: int) -> HttpResponse:
    """One document's text."""
    shown = get_object_or_404(Document.objects.defer("vector"), pk=pk)
    context = {"document": shown, "address": Address(), "most": MOST_CHARACTERS}
    return render(request, "search/document.html", context)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether the process answers."""
    del request
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether a search would be answered: PostgreSQL is there, with every migration."""
    del request
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM search_document LIMIT 1")
        why = "" if _is_migrated() else "migrations are missing: manage.py migrate"
    except DatabaseError:
        why = "PostgreSQL does not answer, or has no tables yet"
    if why:
        return JsonResponse({"status": "not ready", "why": why}, status=503)
    return JsonResponse({"status": "ok"})


def _is_migrated() -> bool:
    """Whether no migration is missing; asked until it is so, then known."""
    if not _migrated.is_set():
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        _migrated.set()
    return True


def _home(request: HttpRequest, address: Address) -> HttpResponse:
    context = {
        "address": address,
        "most": MOST_CHARACTERS,
        "contents": contents.known(),
        "examples": settings.EXAMPLES,
    }
    return render(request, "search/home.html", context)


def _shown(address: Address, page: Page) -> dict[str, Any]:
    base = reverse("results")

    def link(to: Address) -> str:
        return f"{base}?{to.query}"

    return {
        "address": address,
        "most": MOST_CHARACTERS,
        "page": page,
        "first": (page.number - 1) * PAGE_SIZE + 1,
        "facets": [
            {
                "name": facet,
                "title": TITLES[facet],
                "values": [_value(address, facet, value, link) for value in values],
            }
            for facet in FACETS
            if (values := page.facets.get(facet, ()))
        ],
        "narrowed": page.filters != type(page.filters)(),
        "wide": link(Address(address.text, order=address.order)),
        "orders": [
            ("relevance", "Relevance", link(address.ordered("relevance"))),
            ("date", "Newest first", link(address.ordered("date"))),
        ],
        "before": link(address.at(page.number - 1)) if page.number > 1 else "",
        "after": link(address.at(page.number + 1)) if page.has_next else "",
        "better": link(address.asking(page.did_you_mean)) if page.did_you_mean else "",
    }


def _value(address: Address, facet: Facet, value: FacetValue, link: Any) -> dict[str, Any]:
    to = address.narrowed(facet, "" if value.selected else value.value)
    more = "+" if value.count.capped else ""
    # Written here: there are many of them on a page, and a template's filters take their time.
    return {
        "link": link(to),
        "name": value.value,
        "documents": f"{value.count.number:,}{more}",
        "selected": value.selected,
    }
