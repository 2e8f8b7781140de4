"""What Prometheus collects of this site, over all of uWSGI's workers.

nginx lets nobody but its metrics port through to `metrics`: it says so by a parameter that no
header of a client can be.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from search.results import Page

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0)
REQUESTS = Counter("site_requests", "Requests answered.", ["route", "status"])
SECONDS = Histogram("site_request_seconds", "From request to answer.", ["route"], buckets=BUCKETS)
SEARCHES = Counter("site_searches", "Searches, by what came of them.", ["outcome"])
SEARCH_SECONDS = Histogram("site_search_seconds", "Of a search alone.", buckets=BUCKETS)


class Measured:
    """Counts every answer, by the name of its route: an address may hold anything."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self._get_response(request)
        match = request.resolver_match
        route = (match.view_name if match else "") or "none"
        REQUESTS.labels(route, str(response.status_code)).inc()
        SECONDS.labels(route).observe(time.perf_counter() - began)
        return response


@contextmanager
def searching() -> Iterator[Callable[[Page], float]]:
    """Time a search; call what it gives with the page found, for the seconds that it took."""
    began = time.perf_counter()

    def done(page: Page) -> float:
        seconds = time.perf_counter() - began
        SEARCH_SECONDS.observe(seconds)
        outcome = "any word" if page.any_word else "all words" if page.count.number else "nothing"
        SEARCHES.labels(outcome).inc()
        return seconds

    try:
        yield done
    except Exception:
        SEARCHES.labels("error").inc()
        raise


def metrics(request: HttpRequest) -> HttpResponse:
    """In Prometheus's text format; 404 for the public."""
    if request.META.get("SITE_METRICS") != "1":
        raise Http404
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
