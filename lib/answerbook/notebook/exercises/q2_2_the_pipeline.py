"""Exercises of notebook 2_2_the_pipeline."""

import hashlib
from collections.abc import Callable, Sequence
from itertools import count

from answerbook.notebook.exercises import Exercise

Identify = Callable[[str, str, str, int], str]
Find = Callable[[Sequence[str], Sequence[str]], object]

FIXED_SECONDS = 0.3
ROWS_A_SECOND = 20_000
ARRIVING = 5_000


def _settled_batch(answer: float) -> str | None:
    arrived = ARRIVING * (FIXED_SECONDS + answer / ROWS_A_SECOND)
    if answer == ARRIVING * FIXED_SECONDS:
        return "That many arrive in the fixed part alone; the rows of the batch take time, too."
    if abs(arrived - answer) > 1:
        more = "more" if arrived > answer else "fewer"
        return f"While {answer:,.0f} events are worked off, {arrived:,.0f} arrive: {more}."
    return None


settled_batch = Exercise(
    solution=2_000,
    wrong=(1_500, 5_000, 20_000, 250, "2,000"),
    test=_settled_batch,
    because="A batch grows until it takes what arrives while it runs; past 20,000/s none does.",
)


def _notification_id(answer: Identify) -> str | None:
    once = answer("key/order", "u1", "u1-1", 1)
    if not isinstance(once, str):
        return "An id is text here."
    if once != answer("key/order", "u1", "u1-1", 1):
        return "Called twice for the same notification, it gave two ids."
    if once != answer("key/order", "u1", "u1-1", 2):
        return "The second attempt is the same notification; nobody would recognise it."
    if once == answer("key/order", "u1", "u1-2", 1):
        return "The user's second device got the id of the first: its message is never sent."
    if once in (answer("key/other", "u1", "u1-1", 1), answer("key/order", "u2", "u1-1", 1)):
        return "Another event, or another user, is another notification."
    if answer("key/a", "bc", "d", 1) == answer("key/ab", "c", "d", 1):
        return "“a” with “bc” and “ab” with “c” look alike when nothing parts them."
    return None


def _parted(event_id: str, user_id: str, device_id: str, attempt: int) -> str:
    return hashlib.sha256(f"{event_id}|{user_id}|{device_id}".encode()).hexdigest()[:32]


def _with_attempt(event_id: str, user_id: str, device_id: str, attempt: int) -> str:
    return f"{event_id}|{user_id}|{device_id}|{attempt}"


def _without_device(event_id: str, user_id: str, device_id: str, attempt: int) -> str:
    return f"{event_id}|{user_id}"


def _joined(event_id: str, user_id: str, device_id: str, attempt: int) -> str:
    return hashlib.sha256((event_id + user_id + device_id).encode()).hexdigest()


_numbers = count()


def _drawn(event_id: str, user_id: str, device_id: str, attempt: int) -> str:
    return str(next(_numbers))


notification_id = Exercise(
    solution=_parted,
    wrong=(_with_attempt, _without_device, _joined, _drawn, "sha256"),
    test=_notification_id,
    because="The same notification has the same id, whoever computes it and however often.",
)


def _lost(answer: Find) -> str | None:
    if answer(["a", "b"], ["a", "b"]):
        return "Two were promised and both ended: nothing is lost."
    found = answer(["a", "b", "c"], ["a", "c", "c"])
    if found != {"b"}:
        return f"“b” was promised and has not ended, though three receipts are there: {found!r}."
    if answer(["a"], ["a", "stranger"]):
        return "A receipt of another run is no loss of this one."
    return None


def _difference(promised: Sequence[str], ended: Sequence[str]) -> object:
    return set(promised) - set(ended)


def _by_count(promised: Sequence[str], ended: Sequence[str]) -> object:
    return set(promised) if len(promised) > len(ended) else set()


def _backwards(promised: Sequence[str], ended: Sequence[str]) -> object:
    return set(ended) - set(promised)


def _either(promised: Sequence[str], ended: Sequence[str]) -> object:
    return set(promised) ^ set(ended)


def _how_many(promised: Sequence[str], ended: Sequence[str]) -> object:
    return len(promised) - len(ended)


lost = Exercise(
    solution=_difference,
    wrong=(_by_count, _backwards, _either, _how_many, {"b"}),
    test=_lost,
    because="Ids tell what counts hide: one lost and one done twice are as many as were promised.",
)
