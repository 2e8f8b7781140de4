"""What is done about each of FCM's answers: one table.

Used by sender.py, worker.py and topics.py. docs/delivery.md shows the same table; a test holds
the two together.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal

import msgspec

from answerbook.notify.deliver.fcm.http import Answer
from answerbook.notify.records import RETRIES

FIRST_BACKOFF: Final = 1.0
"""Seconds; the upper bound of the wait before the second attempt."""
GROWTH: Final = 4.0
LONGEST_BACKOFF: Final = 600.0
LONGEST_RETRY_AFTER: Final = 86_400.0
"""Seconds; what asks for more is not believed."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from an answer."""

    then: Literal["sent", "dead", "retry"]
    why: str
    letter: bool = False
    """A dead letter besides the receipt, so that `answerbook notify replay` can send it again."""
    least: float = 0.0
    """Seconds to wait, whatever the attempt."""
    slow: bool = False
    """The token bucket slows down."""
    outage: bool = False
    """It speaks of the service and not of the message: many in a row stop all sending."""
    renew: bool = False
    """A new access token first."""


POLICY: Final[dict[str, Rule]] = {
    "OK": Rule("sent", "FCM accepted it"),
    "UNREGISTERED": Rule("dead", "the app is gone from the device: `track` prunes it"),
    "SENDER_ID_MISMATCH": Rule("dead", "the token is another project's: `track` prunes it"),
    "INVALID_ARGUMENT": Rule("dead", "the message itself is wrong", letter=True),
    "THIRD_PARTY_AUTH_ERROR": Rule("retry", "APNs or web push refused its key", renew=True),
    "UNAUTHENTICATED": Rule("retry", "the access token was refused", outage=True, renew=True),
    "PERMISSION_DENIED": Rule("retry", "the account may not send for the project", outage=True),
    "NOT_FOUND": Rule("retry", "there is no such project or path", outage=True),
    "QUOTA_EXCEEDED": Rule("retry", "the project or device gets too many", least=60.0, slow=True),
    "RESOURCE_EXHAUSTED": Rule("retry", "too many requests, without a quota named", slow=True),
    "INTERNAL": Rule("retry", "FCM failed", outage=True),
    "UNAVAILABLE": Rule("retry", "FCM is overloaded or down", outage=True),
    "DEADLINE_EXCEEDED": Rule("retry", "FCM or a proxy gave up waiting", outage=True),
    "TIMEOUT": Rule("retry", "no answer in time; it may have been accepted", outage=True),
    "CUT": Rule("retry", "the connection ended first; it may have been accepted", outage=True),
    "BAD_ANSWER": Rule("retry", "the answer was no HTTP, or no answer of FCM's", outage=True),
    "OTHER_5XX": Rule("retry", "any other status from 500", outage=True),
    "OTHER_4XX": Rule("dead", "any other status below 500", letter=True),
}

BY_STATUS: Final[dict[int, str]] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""Where the body names no code of the table."""

SAME_AS: Final[dict[str, str]] = {"APNS_AUTH_ERROR": "THIRD_PARTY_AUTH_ERROR"}


class _Accepted(msgspec.Struct):
    name: str


class _Detail(msgspec.Struct):
    error_code: str = msgspec.field(name="errorCode", default="")


class _Error(msgspec.Struct):
    status: str = ""
    message: str = ""
    details: list[_Detail] = []


class _Refused(msgspec.Struct):
    error: _Error


_accepted = msgspec.json.Decoder(_Accepted)
_refused = msgspec.json.Decoder(_Refused)


def read(answer: Answer) -> tuple[str, str]:
    """The answer's code, a key of POLICY, and FCM's name for the message or its words."""
    status = answer.status
    if status == 200:
        try:
            return "OK", _accepted.decode(answer.body).name
        except (msgspec.DecodeError, UnicodeDecodeError):
            return "BAD_ANSWER", _words(answer.body)
    if answer.failure:
        return answer.failure, ""
    try:
        error = _refused.decode(answer.body).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        error = _Error(message=_words(answer.body))
    for name in (*(detail.error_code for detail in error.details), error.status):
        code = SAME_AS.get(name, name)
        # A 200 that is none cannot be called OK by its body.
        if code in POLICY and code != "OK":
            return code, error.message
    other = "OTHER_5XX" if status >= 500 else "OTHER_4XX" if status >= 400 else "BAD_ANSWER"
    return BY_STATUS.get(status, other), error.message


def _words(body: bytes) -> str:
    return body[:200].decode(errors="replace")


def delay(rule: Rule, attempt: int, retry_after: str) -> float:
    """Seconds until the next attempt, after `attempt` (from 1) of them failed.

    Exponential with full jitter, so that what failed together does not come back together; on top
    of the rule's least wait, and never before what Retry-After says.
    """
    most = min(LONGEST_BACKOFF, FIRST_BACKOFF * GROWTH ** (attempt - 1))
    return max(rule.least + random.uniform(0.0, most), seconds(retry_after))


def seconds(retry_after: str) -> float:
    """What a Retry-After header asks for: seconds, or a date; 0 for none and for nonsense."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_RETRY_AFTER)
    if not text:
        return 0.0
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    left = (date - datetime.now(UTC)).total_seconds()
    return min(max(left, 0.0), LONGEST_RETRY_AFTER)


def retry_topic(wait: float) -> str:
    """The topic with the shortest time that is at least `wait` seconds, or the longest there is."""
    for topic, time in RETRIES.items():
        if wait <= time:
            return topic
    return next(reversed(RETRIES))
