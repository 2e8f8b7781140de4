"""What is done with every answer: headers that keep others out, and errors that say what to do."""

from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from psycopg.errors import QueryCanceled

from search import views
from search.metrics import metrics
from search.problems import problem

Next = Callable[[HttpRequest], HttpResponse]
API = "/api/"


class Isolated:
    """No other site may read an answer, and a page asks for no device."""

    def __init__(self, get_response: Next) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        return response


class Problems:
    """A search that takes too long and a database that is away are 503, never 500.

    Programs, under /api/, get every error as problem details.
    """

    def __init__(self, get_response: Next) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        is_problem = response.headers.get("Content-Type") == "application/problem+json"
        if response.status_code < 400 or is_problem or not request.path.startswith(API):
            return response
        answer = problem(response.status_code, DETAILS.get(response.status_code, ""))
        if "Allow" in response.headers:
            answer.headers["Allow"] = response.headers["Allow"]
        return answer

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, OperationalError) and isinstance(error.__cause__, QueryCanceled):
            return _unavailable(request, "too_broad.html", "The search is too broad.", 30)
        if isinstance(error, OperationalError | InterfaceError):
            return _unavailable(request, "away.html", "The database does not answer.", 5)
        return None


class Probes:
    """Answers /healthz, /readyz and /metrics before anything asks for the name they came by.

    Who asks these asks a container at its address, and the name that Django allows is the site's.
    """

    def __init__(self, get_response: Next) -> None:
        self._get_response = get_response
        self._views: dict[str, Next] = {
            "/healthz": views.healthz,
            "/readyz": views.readyz,
            "/metrics": metrics,
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = self._views.get(request.path_info, self._get_response)
        return view(request)


DETAILS = {
    404: "There is nothing at this address.",
    405: "This address takes GET and HEAD.",
    500: "Something went wrong here; it has been written down.",
}


def _unavailable(request: HttpRequest, template: str, why: str, seconds: int) -> HttpResponse:
    if request.path.startswith(API):
        response: HttpResponse = problem(503, why)
    else:
        response = render(request, f"search/{template}", status=503)
    response.headers["Retry-After"] = str(seconds)
    response.headers["Cache-Control"] = "no-store"
    return response
