"""A request's content → records, or what is wrong with each event of it. Called by intake.py.

There are two ways through. The quick one decodes typed events in one call of msgspec and is taken
by every request without a fault. Where it stumbles, the careful one looks at each field of each
event and names all that is wrong; what it finds right is right, so that the two never disagree.
"""

import re
from typing import Annotated, Any, Final, Literal, NamedTuple, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

from answerbook.notify.api import times
from answerbook.notify.api.identity import uuid7
from answerbook.notify.api.problems import Flaw, Problem
from answerbook.notify.records import Event, Priority

MOST_EVENTS: Final = 1_000
MOST_DATA: Final = 32
MOST_TTL: Final = 2_419_200
"""Seconds: FCM's own limit, 28 days."""
DEFAULT_TTL: Final = 86_400
MOST_FLAWS: Final = 100
"""That one answer names."""

EVENT_ID: Final = "[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}"
USER_ID: Final = "[A-Za-z0-9._:@~+-]{1,128}"
TOPIC: Final = "[A-Za-z0-9_.~%-]{1,900}"
KIND: Final = "[A-Za-z0-9._-]{1,64}"
DATA_NAME: Final = (
    "(?!(?:from|message_type|event_id|notification_id|run_id)$|google|gcm)[A-Za-z0-9_-]{1,64}"
)
"""FCM keeps the names `from`, `message_type`, `google…` and `gcm…`; the ids are ours."""
DATA_VALUE: Final = 1_024
"""Characters."""
Form = Literal["json", "ndjson"]


def whole(pattern: str) -> str:
    """A pattern for all of a text: in Python, unlike in JSON Schema, `$` allows a newline."""
    return rf"^{pattern.replace('$', chr(92) + 'Z')}\Z"


Identifier = Annotated[str, Meta(pattern=whole(EVENT_ID))]
DataName = Annotated[str, Meta(pattern=whole(DATA_NAME))]
DataValue = Annotated[str, Meta(max_length=DATA_VALUE)]


class Incoming(msgspec.Struct, forbid_unknown_fields=True):
    """An event as its caller writes it."""

    kind: Annotated[str, Meta(pattern=whole(KIND))]
    event_id: Identifier | UnsetType = UNSET
    user_id: Annotated[str, Meta(pattern=whole(USER_ID))] | UnsetType = UNSET
    topic: Annotated[str, Meta(pattern=whole(TOPIC))] | UnsetType = UNSET
    priority: Priority = "normal"
    occurred_at: Annotated[str, Meta(pattern=whole(times.PATTERN))] | UnsetType = UNSET
    ttl_seconds: Annotated[int, Meta(ge=0, le=MOST_TTL)] = DEFAULT_TTL
    data: Annotated[dict[DataName, DataValue], Meta(max_length=MOST_DATA)] = {}


EXPECTED: Final[dict[str, str]] = {
    "kind": "1 to 64 of A-Z, a-z, 0-9, dot, underscore and hyphen",
    "event_id": "1 to 128 of A-Z, a-z, 0-9 and . _ : ~ -, beginning with a letter or digit",
    "user_id": "1 to 128 of A-Z, a-z, 0-9 and . _ : @ ~ + -",
    "topic": "1 to 900 of A-Z, a-z, 0-9 and - _ . ~ %",
    "priority": "`high` or `normal`",
    "occurred_at": "a time of RFC 3339 that exists, as 2026-01-31T12:00:00Z",
    "ttl_seconds": f"a whole number of seconds from 0 to {MOST_TTL}",
    "data": f"an object of at most {MOST_DATA} texts",
}
_TYPES: Final[dict[str, Any]] = get_type_hints(Incoming, include_extras=True)
_one = msgspec.json.Decoder(Incoming)
_many = msgspec.json.Decoder(list[Incoming])
_raw_many = msgspec.json.Decoder(list[msgspec.Raw])


class Door(NamedTuple):
    """What a request says about all its events."""

    key_id: str
    run_id: str
    accepted_at: int


class Refused(NamedTuple):
    """An event that is not taken, and why."""

    event_id: str | None
    flaws: list[Flaw]


class Content(NamedTuple):
    """What a request holds, in its order."""

    events: list[Event | Refused]
    is_batch: bool


def read(body: bytes, form: Form, door: Door) -> Content:
    """Every event of a body. Raises Problem: 400 for what is no JSON, 413, and 422 for nothing."""
    is_batch = form == "ndjson" or body.lstrip(b" \t\r\n")[:1] == b"["
    try:
        return Content(_quickly(body, form, door, is_batch), is_batch)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        items = _apart(body, form, is_batch)
    events: list[Event | Refused] = []
    seen: set[str] = set()
    for index, raw in enumerate(items):
        event = _carefully(raw, f"/{index}" if is_batch else "", door)
        if isinstance(event, Event):
            if event.event_id in seen:
                event = _twice(event, index)
            else:
                seen.add(event.event_id)
        events.append(event)
    return Content(events, is_batch)


def _quickly(body: bytes, form: Form, door: Door, is_batch: bool) -> list[Event | Refused]:
    """All events, when nothing at all is wrong. Raises ValueError or RecursionError."""
    if not is_batch:
        return [_record(_one.decode(body), door)]
    if form == "ndjson":
        lines = _lines(body)
        if len(lines) > MOST_EVENTS:
            raise ValueError("too many")
        incoming = [_one.decode(line) for line in lines]
    else:
        incoming = _many.decode(body)
    events: list[Event | Refused] = [_record(one, door) for one in incoming]
    if not 0 < len(events) <= MOST_EVENTS:
        raise ValueError("none, or too many")
    if len({event.event_id for event in events}) < len(events):
        raise ValueError("an id stands twice")
    return events


def _record(sent: Incoming, door: Door) -> Event:
    """Raises ValueError where user and topic, or neither, are given, or there is no such time."""
    user_id = None if sent.user_id is UNSET else sent.user_id
    topic = None if sent.topic is UNSET else sent.topic
    if (user_id is None) == (topic is None):
        raise ValueError("exactly one of user_id and topic")
    key_id, run_id, accepted_at = door
    return Event(
        run_id=run_id,
        event_id=f"{key_id}/{uuid7() if sent.event_id is UNSET else sent.event_id}",
        kind=sent.kind,
        priority=sent.priority,
        accepted_at=accepted_at,
        occurred_at=(
            accepted_at if sent.occurred_at is UNSET else times.milliseconds(sent.occurred_at)
        ),
        ttl_seconds=sent.ttl_seconds,
        user_id=user_id,
        topic=topic,
        data=sent.data,
    )


# -- the careful way -----------------------------------------------------------------------------


def _apart(body: bytes, form: Form, is_batch: bool) -> list[msgspec.Raw]:
    """The events' own texts. Raises Problem."""
    items: list[msgspec.Raw]
    try:
        if form == "ndjson":
            items = [msgspec.Raw(line) for line in _lines(body)]
        else:
            items = _raw_many.decode(body) if is_batch else [msgspec.Raw(body)]
    except (ValueError, RecursionError) as error:
        raise _no_json(error) from error
    if len(items) > MOST_EVENTS:
        raise Problem(
            413, "too-large", f"A request holds at most {MOST_EVENTS} events.", events=len(items)
        )
    if not items:
        flaw = Flaw("A batch holds at least one event.", "")
        raise Problem(422, "invalid-content", flaws=[flaw])
    return items


def _carefully(raw: msgspec.Raw, pointer: str, door: Door) -> Event | Refused:
    try:
        item = msgspec.json.decode(raw)
    except msgspec.ValidationError:  # JSON, with a number that no computer holds
        return Refused(None, [Flaw("A number in it is out of range.", pointer)])
    except (ValueError, RecursionError) as error:
        raise _no_json(error, pointer) from error
    if not isinstance(item, dict):
        return Refused(None, [Flaw("An event is a JSON object.", pointer)])
    fields, flaws = _examined(item, pointer)
    if flaws:
        event_id = fields.get("event_id")
        return Refused(event_id, flaws)
    return _record(Incoming(**fields), door)


def _examined(item: dict[str, Any], pointer: str) -> tuple[dict[str, Any], list[Flaw]]:
    fields: dict[str, Any] = {}
    flaws: list[Flaw] = []
    for name, value in item.items():
        if name not in _TYPES:
            flaws.append(Flaw("There is no such field.", _below(pointer, name)))
        elif name == "data" and isinstance(value, dict) and len(value) <= MOST_DATA:
            flaws += _data_flaws(value, f"{pointer}/data")
            fields[name] = value
        else:
            try:
                fields[name] = _converted(name, value)
            except ValueError:
                flaws.append(Flaw(f"Expected {EXPECTED[name]}.", f"{pointer}/{name}"))
    if "kind" not in item:
        flaws.append(Flaw(f"It is missing: {EXPECTED['kind']}.", f"{pointer}/kind"))
    if ("user_id" in item) == ("topic" in item):
        flaws.append(Flaw("Give exactly one of user_id and topic.", f"{pointer}/user_id"))
    return fields, flaws[:MOST_FLAWS]


def _converted(name: str, value: object) -> object:
    if name == "ttl_seconds" and isinstance(value, float) and value.is_integer():
        value = int(value)  # 60.0 is an integer to JSON Schema
    converted: object = msgspec.convert(value, _TYPES[name])
    if name == "occurred_at":
        times.milliseconds(str(converted))
    return converted


def _data_flaws(data: dict[str, Any], pointer: str) -> list[Flaw]:
    flaws = []
    for name, value in data.items():
        if not re.search(whole(DATA_NAME), name):
            flaws.append(
                Flaw(
                    "Expected a name of 1 to 64 of A-Z, a-z, 0-9, underscore and hyphen that is"
                    " not reserved (from, message_type, google…, gcm…, event_id,"
                    " notification_id, run_id).",
                    _below(pointer, name),
                )
            )
        elif not isinstance(value, str) or len(value) > DATA_VALUE:
            flaws.append(
                Flaw(f"Expected a text of at most {DATA_VALUE} characters.", _below(pointer, name))
            )
    return flaws


def _twice(event: Event, index: int) -> Refused:
    event_id = event.event_id.partition("/")[2]
    return Refused(event_id, [Flaw("The id stands before in this batch.", f"/{index}/event_id")])


def _lines(body: bytes) -> list[bytes]:
    return [line for line in body.split(b"\n") if not line.isspace() and line]


def _below(pointer: str, name: str) -> str:
    """A pointer to a member; to what holds it, where the name is too long to repeat."""
    if len(name) > 100:
        return pointer
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"


def _no_json(error: Exception, pointer: str = "") -> Problem:
    where = f"At {pointer}: " if pointer else ""
    why = "it nests too deeply" if isinstance(error, RecursionError) else str(error)
    return Problem(400, "malformed-body", f"The body is not JSON. {where}{why}.")
