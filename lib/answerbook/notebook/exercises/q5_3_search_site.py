"""Exercises of notebook 5_3_search_site."""

from collections.abc import Callable, Mapping

import requests

from answerbook.notebook.exercises import Exercise

SECONDS = 10.0


def _ceiling(answer: float) -> str | None:
    if answer == 160:
        return None
    if answer in (40, 400 / 6, 100, 400):
        return "Count both parts of a page, and all four cores."
    return "How many milliseconds of processor time do four cores have in a second?"


ceiling = Exercise(
    solution=160,
    wrong=(40, 267, 400, 100, "160 pages"),
    test=_ceiling,
    because="Processor time of a page, times pages a second, is at most the number of cores.",
)


def _wait(answer: Callable[[float, float], float]) -> str | None:
    for readers, a_second, expected in ((8, 50, 160.0), (80, 50, 1_600.0), (1, 100, 10.0)):
        got = answer(readers, a_second)
        if abs(got * 1_000 - expected) < 1e-6:
            return "That is in seconds."
        if abs(got - expected) > 1e-6:
            return (
                f"With {readers} readers and {a_second} pages a second it gives {got:g}. In one "
                "second each reader gets his share of the pages: how long does one take then?"
            )
    return None


wait = Exercise(
    solution=lambda readers, a_second: 1_000 * readers / a_second,
    wrong=(
        lambda readers, a_second: readers / a_second,
        lambda readers, a_second: 1_000 / a_second,
        lambda readers, a_second: 1_000 * a_second / readers,
        160,
    ),
    test=_wait,
    because="Little's law: what is under way is the rate times the time that each takes.",
)


def _parameters(answer: Mapping[str, str | int], url: str) -> str | None:
    told = requests.get(f"{url}/api/search", params=dict(answer), timeout=SECONDS)
    if told.status_code != 200:
        return f"The site says: {told.json()['detail']}"
    found = told.json()
    if found["query"].lower() != "kafka":
        return f"The site looked for {found['query']!r}."
    if {hit["kind"] for hit in found["hits"]} != {"section"}:
        return "Not all that it found are sections."
    if found["order"] != "date":
        return "They come in order of relevance."
    return None if found["page"] == 2 else f"This is page {found['page']}."


parameters = Exercise(
    solution={"q": "kafka", "kind": "section", "order": "date", "page": 2},
    wrong=(
        {"q": "kafka", "kind": "section", "order": "newest", "page": 2},
        {"q": "kafka", "kind": "section", "page": 2},
        {"q": "kafka", "order": "date", "page": 2},
        {"q": "kafka", "kind": "section", "order": "date"},
        {"query": "kafka"},
        "/api/search?q=kafka",
    ),
    test=_parameters,
    because="All of a search is in its address, for a program as for a person.",
)


def _directive(answer: str) -> str | None:
    name = answer.strip().lower().rstrip(";").removesuffix(" 'none'")
    if name == "frame-ancestors":
        return None
    if name == "x-frame-options":
        return "That is a header of its own; the policy has a directive that does the same."
    return "Look at the policy above: one directive names who may be around the page."


directive = Exercise(
    solution="frame-ancestors",
    wrong=("X-Frame-Options", "default-src", "frame-src", "base-uri", 4),
    test=_directive,
    because="It is checked against the page around this one, which default-src does not cover.",
)
