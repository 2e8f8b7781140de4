"""What the API's answer says about each event of a request: accepted, to be sent again, refused.

The API answers one event with its item, and several with `{"counts": …, "items": [{"index",
"event_id", "status", …}, …]}`. Both senders read it here, so that both count alike.
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


class _Item(msgspec.Struct):
    index: int = 0
    event_id: str = ""
    status: int = 0
    detail: str = ""
    title: str = ""


class _Answer(_Item):
    items: list[_Item] | None = None


_decode = msgspec.json.Decoder(_Answer).decode


@dataclass
class Outcome:
    """What became of the events of one request; positions are those in the request."""

    accepted: list[str] = field(default_factory=list)
    """Ids as the API knows them, each answered 202."""
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
        if status < 300:
            return Outcome(again=list(range(count)), pause=PAUSE_SECONDS)
    if status in NEVER:
        raise NotAllowed(f"The API answered {status} {answer.detail or answer.title}".strip())
    if answer.items is not None:
        outcome = _of_items(answer.items, count)
    elif status == 202 and answer.event_id:
        outcome = Outcome(accepted=[answer.event_id])
    elif status in AGAIN or status < 300:
        outcome = Outcome(again=list(range(count)))
    else:
        why = f"{status} {answer.detail or answer.title}".strip()
        outcome = Outcome(refused=dict.fromkeys(range(count), why))
    if outcome.again:
        outcome.pause = retry_after(headers)
    return outcome


def _of_items(items: list[_Item], count: int) -> Outcome:
    outcome = Outcome()
    silent = set(range(count))
    for item in items:
        silent.discard(item.index)
        if item.status == 202:
            outcome.accepted.append(item.event_id)
        elif item.status in AGAIN:
            outcome.again.append(item.index)
        else:
            outcome.refused[item.index] = f"{item.status} {item.detail or item.title}".strip()
    outcome.again += sorted(silent)  # what no item speaks of was not answered
    return outcome


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
