"""Conditions of topic messages: `'news' in topics && ('uk' in topics || !('fr' in topics))`."""

import re
from typing import Final

MOST_TOPICS: Final = 5
"""In one condition, as FCM documents."""
TOPIC: Final = r"[a-zA-Z0-9-_.~%]{1,900}"

_PARTS = re.compile(rf"\s*(?:(?P<topic>'{TOPIC}'\s+in\s+topics\b)|(?P<sign>&&|\|\||!|\(|\)))")


class NoCondition(ValueError):
    """It cannot be read, or names too many topics."""


def topics_of(condition: str) -> list[str]:
    """The topics that a condition names, in its order. Raises NoCondition."""
    signs, topics = _parts(condition)
    if len(topics) > MOST_TOPICS:
        raise NoCondition(f"a condition has at most {MOST_TOPICS} topics")
    if _either(signs, 0) != len(signs):
        raise NoCondition("it ends in the middle")
    return topics


def _parts(condition: str) -> tuple[list[str], list[str]]:
    signs, topics, at = [], [], 0
    while condition[at:].strip():
        found = _PARTS.match(condition, at)
        if found is None:
            raise NoCondition(f"it cannot be read from its character {at + 1} on")
        if found["topic"]:
            topics.append(found["topic"].split("'")[1])
        signs.append("topic" if found["topic"] else found["sign"])
        at = found.end()
        if len(signs) > 100:
            raise NoCondition("it is too long")
    return signs, topics


def _either(signs: list[str], at: int) -> int:
    """The place after `a && b || c`: a chain of whatever _one reads."""
    at = _one(signs, at)
    while at < len(signs) and signs[at] in ("&&", "||"):
        at = _one(signs, at + 1)
    return at


def _one(signs: list[str], at: int) -> int:
    sign = signs[at] if at < len(signs) else ""
    if sign == "topic":
        return at + 1
    if sign == "!":
        return _one(signs, at + 1)
    if sign == "(":
        at = _either(signs, at + 1)
        if at < len(signs) and signs[at] == ")":
            return at + 1
    raise NoCondition("a topic is missing, or a parenthesis")
