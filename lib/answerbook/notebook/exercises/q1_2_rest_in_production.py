"""Exercises of notebook 1_2_rest_in_production."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

import requests

from answerbook.notebook.exercises import Exercise

SECONDS = 10
HAVE = 70_000_000


def _resume(answer: Mapping[str, str], base: str) -> str | None:
    url = f"{base}/report"
    current = requests.head(url, timeout=SECONDS)
    sent = {name.lower(): value for name, value in answer.items()}
    with requests.get(url, headers=answer, stream=True, timeout=SECONDS) as part:
        if part.status_code == HTTPStatus.OK:
            return (
                "The whole is sent: its tag is not the one that you named, quotes included."
                if "range" in sent
                else "The whole is sent: nothing asks for a part."
            )
        if part.status_code != HTTPStatus.PARTIAL_CONTENT:
            return f"It is answered {part.status_code}."
        first, _, last = part.headers["Content-Range"].partition(" ")[2].partition("-")
    if int(first) != HAVE:
        return f"It begins with byte {int(first):,}. The first byte has the number 0."
    if last.partition("/")[0] != str(int(current.headers["Content-Length"]) - 1):
        return "It ends too early."
    if sent.get("if-range") != current.headers["ETag"]:
        return "The rest is sent, also when it is the rest of another version."
    return None


resume = Exercise(
    solution={"Range": f"bytes={HAVE}-", "If-Range": '"edition-2"'},
    wrong=(
        {"Range": f"bytes={HAVE}-"},
        {"Range": f"bytes={HAVE + 1}-", "If-Range": '"edition-2"'},
        {"Range": f"bytes={HAVE}-", "If-Range": "edition-2"},
        {"Range": f"bytes={HAVE}-", "If-Range": '"edition-1"'},
        {"Range": f"bytes={HAVE}-{HAVE + 999}", "If-Range": '"edition-2"'},
        {"Range": f"bytes=-{HAVE}", "If-Range": '"edition-2"'},
        {"If-Range": '"edition-2"'},
        f"bytes={HAVE}-",
    ),
    test=_resume,
    because="206 and the rest while it is the same version, 200 and all of it when it is not.",
)


def _excluded(answer: Callable[[Exception], object]) -> str | None:
    for error in (requests.ConnectionError(), requests.Timeout(), ValueError()):
        if answer(error):
            return f"A {type(error).__name__} does not open the breaker."
    for status in (429, 500, 503):
        if answer(_refused(status)):
            return f"A {status} does not open the breaker."
    for status in (400, 401, 404, 409, 412, 422, 499):
        if not answer(_refused(status)):
            return f"A {status} opens the breaker, and the next caller pays for it."
    return None


def _refused(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError(response=response)


def _status(error: Exception) -> int:
    """Of an HTTPError; 0 for what has none."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code
    return 0


def _callers_mistake(error: Exception) -> bool:
    return 400 <= _status(error) < 500 and _status(error) != 429


def _all_of_4xx(error: Exception) -> bool:
    return 400 <= _status(error) < 500


def _all_but_503(error: Exception) -> bool:
    return _status(error) != 503


def _only_404(error: Exception) -> bool:
    return _status(error) == 404


def _without_looking(error: requests.HTTPError) -> bool:
    assert error.response is not None, "this is the mistake"
    return 400 <= error.response.status_code < 500 and error.response.status_code != 429


excluded = Exercise(
    solution=_callers_mistake,
    wrong=(_all_of_4xx, _all_but_503, _only_404, _without_looking, True, [400, 404, 422]),
    test=_excluded,
    because="What the caller can mend says nothing about the server; 429 says that it has enough.",
)
