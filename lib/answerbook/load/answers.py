"""What the API's answer says about each event of a request: accepted, to be sent again, refused.

The API answers one event with `{"event_id", "status": "accepted"}`, and several with
`{"accepted", "refused", "items": [{"index", "event_id", "status", "errors"}, …]}`; where it takes
none of them, with problem details (RFC 9457) whose `errors` point to what is wrong. Both senders
read it here, so that both count alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from time import time

import msgspec

NEVER = frozenset({401, 403, 404, 405})
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same event may be sent again: it has the same id."""
PAUSE_SECONDS = 1.0
"""Before sending again, where the answer does not say how long."""
LONGEST_PAUSE = 60.0


class NotAllowed(Exception):
    """The API takes nothing from this sender: a wrong key, or a wrong address."""


class _Error(msgspec.Struct):
    detail: str = ""
    pointer: str | None = None


class _Item(msgspec.Struct):
    index: int
    status: str
    event_id: str | None = None
    errors: list[_Error] = []


class _Answer(msgspec.Struct):
    """Of one event, of several, or a problem."""

    status: str | int = ""
    event_id: str = ""
    items: list[_Item] | None = None
    title: str = ""
    detail: str = ""
    errors: list[_Error] = []


_decode = msgspec.json.Decoder(_Answer).decode


@dataclass
class Outcome:
    """What became of the events of one request; positions are those in the request."""

    accepted: list[str] = field(default_factory=list)
    """The caller's ids of those that were answered 202."""
    again: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    """Position → why."""
    pause: float = 0.0
    """Seconds to wait before sending again."""


def read(status: int, headers: Mapping[str, str], body: bytes, count: int) -> Outcome:
    """Read the answer to a request of `count` events.

    An answer that is none (a proxy's page, half a body) counts as no answer: all are sent again.
    Raises NotAllowed when no event of this sender would be taken.
    """
    try:
        answer = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        answer = _Answer(detail=body[:200].decode(errors="replace"))
    if status in NEVER:
        raise NotAllowed(f"The API answered {status}: {answer.detail or answer.title}")
    if status == 202 and answer.items is not None:
        outcome = _of_items(answer.items, count)
    elif status == 202 and answer.status == "accepted" and count == 1:
        outcome = Outcome(accepted=[answer.event_id])
    elif status in AGAIN or status < 300:
        outcome = Outcome(again=list(range(count)))
    else:
        outcome = Outcome(refused=_reasons(answer, status, count))
    if outcome.again:
        outcome.pause = retry_after(headers)
    return outcome


def _of_items(items: list[_Item], count: int) -> Outcome:
    outcome = Outcome()
    silent = set(range(count))
    for item in items:
        silent.discard(item.index)
        if item.status == "accepted" and item.event_id:
            outcome.accepted.append(item.event_id)
        else:
            outcome.refused[item.index] = _reason(item.errors[0]) if item.errors else item.status
    outcome.again += sorted(silent)  # what no item speaks of was not answered
    return outcome


def _reasons(problem: _Answer, status: int, count: int) -> dict[int, str]:
    """Why each event was refused, where all of a request were."""
    whole = f"{status}: {problem.detail or problem.title}"
    reasons = dict.fromkeys(range(count), whole)
    for error in reversed(problem.errors):  # the first that names an event says why
        place = (error.pointer or "").partition("/")[2].partition("/")[0]
        if count == 1:
            reasons[0] = _reason(error)
        elif place.isdigit() and int(place) < count:
            reasons[int(place)] = _reason(error)
    return reasons


def _reason(error: _Error) -> str:
    """The field and what is wrong with it, without the event's place in the request."""
    path = [part for part in (error.pointer or "").split("/") if part and not part.isdigit()]
    return f"{'/'.join(path)}: {error.detail}" if path else error.detail


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that `Retry-After` asks for, as a number or a date; PAUSE_SECONDS without one."""
    value = headers.get("Retry-After") or ""
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time()
        except ValueError:
            seconds = PAUSE_SECONDS
    return min(max(seconds, 0.0), LONGEST_PAUSE)
