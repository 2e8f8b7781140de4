"""The pages: home and results; and what a machine asks: health."""

from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from search.address import Address
from search.models import Document
from search.query import MOST_CHARACTERS
from search.results import FACETS, Facet, FacetValue, Page

TITLES: dict[Facet, str] = {"kind": "Kind", "source": "Source", "tag": "Tag", "year": "Year"}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "search/home.html", {"address": Address(), "most": MOST_CHARACTERS})


@require_safe
def results(request: HttpRequest) -> HttpResponse:
    address = Address.of(request.GET)
    if not address.text:
        return render(request, "search/home.html", {"address": address, "most": MOST_CHARACTERS})
    page = Document.objects.search(address.text, address.filters, address.order, address.page)
    return render(request, "search/results.html", _shown(address, page))


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether the process answers."""
    del request
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether a search would be answered: PostgreSQL is there, with the tables."""
    del request
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM search_document LIMIT 1")
    except DatabaseError:
        why = "PostgreSQL does not answer, or has no tables yet"
        return JsonResponse({"status": "not ready", "why": why}, status=503)
    return JsonResponse({"status": "ok"})


def _shown(address: Address, page: Page) -> dict[str, Any]:
    base = reverse("results")

    def link(to: Address) -> str:
        return f"{base}?{to.query}"

    return {
        "address": address,
        "most": MOST_CHARACTERS,
        "page": page,
        "first": (page.number - 1) * 10 + 1,
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
    return {"value": value, "link": link(to)}
