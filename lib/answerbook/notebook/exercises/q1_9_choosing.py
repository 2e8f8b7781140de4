"""Exercises of notebook 1_9_choosing."""

from collections import Counter
from collections.abc import Callable, Sequence

from answerbook.notebook.exercises import Exercise

Reconcile = Callable[[int, Sequence[int]], object]


def _window(answer: object) -> str | None:
    if answer == 20:
        return None
    if answer == 1:
        return "One at a time is 500 a second: the next one waits until 2 ms have passed."
    if answer == 20_000:
        return "Mind the units: a round trip is 2 ms, not 2 s."
    return "Each place in the window carries one payload every 2 ms. How many places are needed?"


window = Exercise(
    solution=20,
    wrong=(1, 2, 5, 20_000, "twenty"),
    test=_window,
    because="Under way = rate × round trip, whatever the protocol (Little's law): 10,000 × 0.002.",
)

SITUATIONS = {"a": "REST", "b": "AMQP", "c": "Kafka", "d": "SSE", "e": "MQTT", "f": "SFTP"}
HINTS = {
    "a": "a: somebody waits for the yes or no.",
    "b": "b: each job is done once, by whoever is free, and nobody asks for it again.",
    "c": "c: each team reads everything, and last week's too.",
    "d": "d: it goes one way, to browsers, which come back by themselves.",
    "e": "e: who speaks to devices whose network comes and goes?",
    "f": "f: how does the bank take a large file, and never half of it?",
}


def _match(answer: dict[str, str]) -> str | None:
    if answer.keys() != SITUATIONS.keys():
        return "The answer has one entry for each of the letters a to f."
    wrong = [letter for letter, choice in SITUATIONS.items() if answer[letter] != choice]
    return HINTS[wrong[0]] if wrong else None


match = Exercise(
    solution=SITUATIONS,
    wrong=(
        SITUATIONS | {"a": "AMQP"},
        SITUATIONS | {"b": "Kafka", "c": "AMQP"},
        SITUATIONS | {"d": "MQTT", "e": "SSE"},
        SITUATIONS | {"f": "REST"},
        {"a": "REST"},
        "REST",
    ),
    test=_match,
    because="Who waits, who is online, who reads it again: none of it was a question of speed.",
)

OUTAGES: tuple[tuple[int, tuple[int, ...]], ...] = (
    (3, (0, 1, 2)),
    (5, (0, 1, 1, 3)),
    (4, (2, 0, 2, 2)),
    (2, ()),
    (0, ()),
)


def _reconcile(answer: Reconcile) -> str | None:
    for taken, there in OUTAGES:
        missing = sorted(set(range(taken)) - set(there))
        repeats = sum(times - 1 for times in Counter(there).values())
        found = answer(taken, list(there))
        if found != (missing, repeats):
            return (
                f"For {taken} payloads and a ledger of {list(there)} it gives {found}, where "
                f"{len(missing)} are missing and {repeats} came once too often."
            )
    return None


def _right(taken: int, there: Sequence[int]) -> object:
    return sorted(set(range(taken)) - set(there)), len(there) - len(set(there))


def _only_the_tail(taken: int, there: Sequence[int]) -> object:
    return list(range(len(there), taken)), 0


def _counting(taken: int, there: Sequence[int]) -> object:
    return list(range(taken))[len(there) :], len(there) - taken


def _repeated_numbers(taken: int, there: Sequence[int]) -> object:
    repeated = [number for number, times in Counter(there).items() if times > 1]
    return sorted(set(range(taken)) - set(there)), len(repeated)


reconcile = Exercise(
    solution=_right,
    wrong=(_only_the_tail, _counting, _repeated_numbers, ([3], 1)),
    test=_reconcile,
    because="What is missing is sent again under its number, and what came twice is known by it.",
)
