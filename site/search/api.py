"""The same search for programs, as JSON; its OpenAPI document is in openapi.py."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from search import suggestions
from search.address import Address
from search.openapi import DOCUMENT
from search.problems import problem
from search.query import MOST_CHARACTERS
from search.results import Count, Hit, Page
from search.views import found

ORDERS = ("relevance", "date")
KNOWN = ("q", "kind", "source", "tag", "year", "order", "page")


@csrf_exempt  # nothing is changed here; another method is 405, not 403
@require_safe
def search(request: HttpRequest) -> JsonResponse:
    """A page of results; 422 where a parameter is not what it should be."""
    address = Address.of(request.GET)
    wrong = _wrong(request, KNOWN) or _wrong_value(request, address)
    if wrong:
        return wrong
    page, seconds = found(address)
    return JsonResponse(_page(page) | {"milliseconds": round(seconds * 1_000, 1)})


@csrf_exempt
@require_safe
def suggest(request: HttpRequest) -> JsonResponse:
    wrong = _wrong(request, ("q",))
    if wrong:
        return wrong
    return JsonResponse({"suggestions": suggestions.suggest(request.GET["q"])})


@csrf_exempt
@require_safe
def openapi(request: HttpRequest) -> JsonResponse:
    del request
    return JsonResponse(DOCUMENT)


def _wrong(request: HttpRequest, known: tuple[str, ...]) -> JsonResponse | None:
    for name in request.GET:
        if name not in known:
            return _refused(name, f"is no parameter; there are {', '.join(known)}")
        if len(request.GET.getlist(name)) > 1:
            return _refused(name, "is given twice")
    text = request.GET.get("q")
    if text is None:
        return _refused("q", "is missing")
    if len(text) > MOST_CHARACTERS:
        return _refused("q", f"has {len(text)} characters, of at most {MOST_CHARACTERS}")
    return None


def _wrong_value(request: HttpRequest, address: Address) -> JsonResponse | None:
    given = request.GET
    if "year" in given and str(address.filters.year) != given["year"]:
        return _refused("year", "is no year from 1 to 9999")
    if "page" in given and str(address.page) != given["page"]:
        return _refused("page", "is no number from 1 to 100000")
    if given.get("order", "date") not in ORDERS:
        return _refused("order", "is neither relevance nor date")
    return None


def _refused(name: str, why: str) -> JsonResponse:
    return problem(422, f"{name} {why}.", name=name)


def _page(page: Page) -> dict[str, Any]:
    return {
        "query": page.text,
        "order": page.order,
        "page": page.number,
        "count": _count(page.count),
        "any_word": page.any_word,
        "has_next": page.has_next,
        "did_you_mean": page.did_you_mean or None,
        "ignored": page.ignored,
        "hits": [_hit(hit) for hit in page.hits],
        "facets": {
            facet: [
                {"value": each.value, "count": _count(each.count), "selected": each.selected}
                for each in values
            ]
            for facet, values in page.facets.items()
        },
    }


def _count(count: Count) -> dict[str, Any]:
    return {"number": count.number, "more": count.capped}


def _hit(hit: Hit) -> dict[str, Any]:
    return {
        "id": hit.id,
        "source": hit.source,
        "kind": hit.kind,
        "title_html": hit.title,
        "snippet_html": hit.snippet,
        "url": hit.url,
        "tags": hit.tags,
        "date": hit.date and hit.date.isoformat(),
        "score": hit.score,
    }
