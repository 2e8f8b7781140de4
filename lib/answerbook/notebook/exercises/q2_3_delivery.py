"""Exercises of notebook 2_3_delivery."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from answerbook.notebook.exercises import Exercise
from answerbook.notify.deliver.policy import FIRST_BACKOFF, GROWTH, LONGEST_BACKOFF
from answerbook.notify.emulator.validation import Invalid, read_request

Waits = Callable[[int, float], tuple[float, float]]
Message = Mapping[str, Any]

SHARE = 600_000 // 60 * 2 // 6


def _share(answer: int) -> str | None:
    if answer == 10_000:
        return "That is the whole project's; others hold the other partitions."
    if answer == 200_000:
        return "That is a minute's. A second was asked for."
    if answer != SHARE:
        return "Divide the quota by the seconds of a minute, and take two of six parts of it."
    return None


share = Exercise(
    solution=SHARE,
    wrong=(10_000, 200_000, 5_000, 1_667, "3,333"),
    test=_share,
    because="A worker's bucket fills in proportion to the partitions that it holds.",
)


def _waits(answer: Waits) -> str | None:
    for attempt in (1, 2, 3, 8):
        bound = min(LONGEST_BACKOFF, FIRST_BACKOFF * GROWTH ** (attempt - 1))
        low, high = answer(attempt, 0)
        if high != bound:
            return f"After attempt {attempt} the bound is {bound:g} s."
        if low != 0:
            return "Full jitter draws from zero on."
        low, high = answer(attempt, 30)
        if low < 30 or high < 30:
            return "Never before Retry-After, however short the bound is."
        if (low, high) != (30, max(bound, 30)):
            return "Retry-After is a floor, and is not added to the wait."
    return None


def _between(attempt: int, retry_after: float) -> tuple[float, float]:
    bound = min(600, 4 ** (attempt - 1))
    return retry_after, max(bound, retry_after)


def _endless(attempt: int, retry_after: float) -> tuple[float, float]:
    return retry_after, max(4 ** (attempt - 1), retry_after)


def _late(attempt: int, retry_after: float) -> tuple[float, float]:
    return retry_after, max(min(600, 4**attempt), retry_after)


def _no_jitter(attempt: int, retry_after: float) -> tuple[float, float]:
    wait = max(min(600, 4 ** (attempt - 1)), retry_after)
    return wait, wait


def _added(attempt: int, retry_after: float) -> tuple[float, float]:
    return retry_after, min(600, 4 ** (attempt - 1)) + retry_after


def _deaf(attempt: int, retry_after: float) -> tuple[float, float]:
    return 0, min(600, 4 ** (attempt - 1))


waits = Exercise(
    solution=_between,
    wrong=(_endless, _late, _no_jitter, _added, _deaf, (0, 1)),
    test=_waits,
    because="It spreads what failed together, and comes no sooner than the server has asked.",
)


def _score(answer: Message) -> str | None:
    try:
        _, message, kind, target = read_request(json.dumps({"message": answer}).encode())
    except Invalid as refused:
        return f"FCM refuses it: {refused.violation.field}: {refused}"
    if (kind, target) != ("topic", "finals"):
        return "It is for whoever has subscribed to finals."
    if message.android is None:
        return "What only Android knows stands under android."
    if message.android.ttl != "60s":
        return "Its ttl is a text: a number of seconds, and an s."
    if not message.android.collapse_key:
        return "What is to be replaced by the next has the same key as the next."
    return None


_ANDROID = {"ttl": "60s", "collapse_key": "score"}

score = Exercise(
    solution={"topic": "finals", "android": _ANDROID},
    wrong=(
        {"topic": "/topics/finals", "android": _ANDROID},
        {"to": "/topics/finals", "collapse_key": "score", "time_to_live": 60},
        {"topic": "finals", "token": "token-of-ann", "android": _ANDROID},
        {"token": "finals", "android": _ANDROID},
        {"topic": "finals"},
        {"topic": "finals", "android": {"ttl": 60, "collapse_key": "score"}},
        {"topic": "finals", "android": {"ttl": "3600s", "collapse_key": "score"}},
        {"topic": "finals", "android": {"ttl": "60s"}},
        "finals",
    ),
    test=_score,
    because="A minute later it is gone, and of several that wait a phone gets the last.",
)
