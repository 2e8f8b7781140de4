"""Exercises of notebook 1_1_rest."""

import requests
from urllib3.util import Retry

from answerbook.notebook.exercises import Exercise

SECONDS = 10


def _slow_bytes(answer: object) -> str | None:
    if answer is None:
        return None
    if answer == 5:
        return "The five seconds begin anew with each byte that comes."
    return "Compare the longest wait for a byte with each of the two timeouts."


slow_bytes = Exercise(
    solution=None,
    wrong=(5, 2, 7, 60),
    test=_slow_bytes,
    because="A read timeout limits one wait, and no wait here is longer than three seconds.",
)


def _redirect(answer: int, base: str) -> str | None:
    if not 300 <= answer <= 399:
        return "A redirect has a status from 300 to 399."
    redirected = requests.post(
        f"{base}/redirect-to?url=/anything&status_code={answer}",
        json={"item": "lamp"},
        timeout=SECONDS,
    )
    if not redirected.history:
        return f"requests does not follow a {answer}."
    arrived = redirected.json()
    if arrived["method"] != "POST":
        return f"With {answer} it arrived as a {arrived['method']}."
    return None if arrived["json"] == {"item": "lamp"} else f"With {answer} the body was lost."


redirect = Exercise(
    solution=307,
    wrong=(302, 303, 301, 304, 200, "POST"),
    test=_redirect,
    because="307 and 308 keep the method and the body; 301 and 302 turn a POST into a GET.",
)


def _careful(answer: Retry) -> str | None:
    if answer.total != 5:
        return f"It repeats {answer.total} times in all."
    for status in (429, 503):
        if not answer.is_retry("GET", status):
            return f"A GET that is answered {status} is not repeated."
    if answer.is_retry("GET", 500):
        return "A 500 is repeated too."
    return "A POST is repeated too." if answer.is_retry("POST", 503) else None


careful = Exercise(
    solution=Retry(total=5, status_forcelist=[429, 503]),
    wrong=(
        Retry(5),
        Retry(total=3, status_forcelist=[429, 503]),
        Retry(total=5, status_forcelist=[503]),
        Retry(total=5, status_forcelist=[429, 500, 503]),
        Retry(total=5, status_forcelist=[429, 503], allowed_methods=None),
        5,
    ),
    test=_careful,
    because="The defaults know which methods are safe to repeat; the statuses are yours to choose.",
)


def _patience(answer: object) -> str | None:
    if answer == 30:
        return None
    if answer in (31, 15):
        return "The wait before repetition n is 1 × 2ⁿ⁻¹ seconds, with one exception: the first."
    return "Add up the waits before each of the five repetitions."


patience = Exercise(
    solution=30,
    wrong=(31, 15, 62, 5, "half a minute"),
    test=_patience,
    because="None before the first repetition, then 2, 4, 8 and 16 seconds.",
)
