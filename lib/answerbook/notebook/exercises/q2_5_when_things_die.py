"""Exercises of notebook 2_5_when_things_die."""

from collections.abc import Callable, Sequence

from answerbook.notebook.exercises import Exercise

Doubt = Callable[[Sequence[tuple[str, str]]], object]


def _drain(answer: object) -> str | None:
    if answer == 10:
        return None
    if answer == 9:
        return "After 9 seconds some records still wait: round up."
    if answer == 8:
        return "While it drains, 278 new ones come in each second."
    return "What waits at the restart, by what is left of the rate once new events are served."


drain = Exercise(
    solution=10,
    wrong=(8, 9, 60, 0, "ten"),
    test=_drain,
    because="60 s × 278 waited, and 2,000 − 278 of them go each second. A stage that is only as "
    "fast as what comes in never catches up.",
)

PLACES = {
    "a": "caller",
    "b": "events",
    "c": "notifications",
    "d": "retries",
    "e": "receipts",
}
PLACE_HINTS = {
    "a": "a: nobody has answered 202. Whose is the event then?",
    "b": "b: what does render read?",
    "c": "c: what does a worker read for the first time?",
    "d": "d: it was tried once, and must not block those behind it.",
    "e": "e: what does track write into the store?",
}


def _places(answer: dict[str, str]) -> str | None:
    if answer.keys() != PLACES.keys():
        return "The answer has one entry for each of the letters a to e."
    wrong = [letter for letter, place in PLACES.items() if answer[letter] != place]
    return PLACE_HINTS[wrong[0]] if wrong else None


places = Exercise(
    solution=PLACES,
    wrong=(
        PLACES | {"a": "events"},
        PLACES | {"b": "notifications", "c": "events"},
        PLACES | {"d": "notifications"},
        PLACES | {"e": "caller"},
        {"a": "caller"},
        "events",
    ),
    test=_places,
    because="Between any two programs stands a log: who dies finds its work where it stopped.",
)

OK, CUT, BUSY = "OK", "CUT", "UNAVAILABLE"


def _doubt(answer: Doubt) -> str | None:
    cases: tuple[tuple[Sequence[tuple[str, str]], str], ...] = (
        ([("a", OK), ("b", OK)], "Two answers of OK are two messages, surely."),
        ([("a", BUSY), ("a", OK)], "A 503 says that it was not taken: one message, surely."),
        ([("a", CUT), ("a", OK)], "A cut connection may hide an OK: one message, perhaps two."),
        ([("a", CUT)], "Cut and not tried again: perhaps none, perhaps one."),
        ([("a", CUT), ("b", BUSY), ("a", CUT), ("a", OK), ("b", OK)], "Each cut adds a doubt."),
        ([], "Nothing was tried: none, at least and at most."),
    )
    for attempts, hint in cases:
        found = answer(attempts)
        if not isinstance(found, tuple) or found != _least_and_most(attempts):
            return hint
    return None


def _least_and_most(attempts: Sequence[tuple[str, str]]) -> tuple[int, int]:
    sure = sum(code == OK for _, code in attempts)
    return sure, sure + sum(code == CUT for _, code in attempts)


def _all(attempts: Sequence[tuple[str, str]]) -> tuple[int, int]:
    return sum(code == OK for _, code in attempts), len(attempts)


def _by_name(attempts: Sequence[tuple[str, str]]) -> tuple[int, int]:
    names = {name for name, code in attempts if code == OK}
    return len(names), len(names)


def _sure(attempts: Sequence[tuple[str, str]]) -> int:
    return sum(code == OK for _, code in attempts)


doubt = Exercise(
    solution=_least_and_most,
    wrong=(_all, _by_name, _sure, (1, 2)),
    test=_doubt,
    because="A refusal is knowledge, a silence is doubt. The window between the two numbers is "
    "what no sender can close without the receiver's help.",
)
