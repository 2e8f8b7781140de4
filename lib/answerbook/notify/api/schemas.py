"""The JSON schemas of the OpenAPI document: what a caller sends, and what is answered."""

from typing import Any, Final

from answerbook.notify.api import times
from answerbook.notify.api.incoming import (
    DATA_NAME,
    DATA_VALUE,
    DEFAULT_TTL,
    EVENT_ID,
    KIND,
    MOST_DATA,
    MOST_EVENTS,
    MOST_TTL,
    TOPIC,
    USER_ID,
)
from answerbook.notify.api.problems import KINDS

Object = dict[str, Any]


def _text(pattern: str, description: str, example: str) -> Object:
    return {
        "type": "string",
        "pattern": f"^{pattern}$",
        "description": description,
        "examples": [example],
    }


_MOMENT: Final[Object] = {"type": "string", "format": "date-time"}
_COUNT: Final[Object] = {"type": "integer", "minimum": 0}

_FIELDS: Final[Object] = {
    "event_id": _text(
        EVENT_ID,
        "Unique among the key's events. Without one, a UUID of version 7 is made.",
        "order-1042-shipped",
    ),
    "user_id": _text(USER_ID, "Whose devices to notify; this or `topic`.", "u000042"),
    "topic": _text(
        TOPIC,
        "A topic of FCM, whose subscribers are notified whatever their preferences.",
        "news",
    ),
    "kind": _text(KIND, "Which template, and which preference.", "order_shipped"),
    "priority": {
        "enum": ["high", "normal"],
        "default": "normal",
        "description": "`high` is sent first, and in quiet hours too.",
    },
    "occurred_at": {
        "type": "string",
        "format": "date-time",
        "pattern": f"^{times.PATTERN}$",
        "description": "RFC 3339, of any year. By default the time of arrival.",
        "examples": ["2026-01-31T12:00:00Z"],
    },
    "ttl_seconds": {
        "type": "integer",
        "minimum": 0,
        "maximum": MOST_TTL,
        "default": DEFAULT_TTL,
        "description": (
            "From its arrival; what was not sent by then is recorded as expired. 0 is FCM's now or "
            "never: it keeps nothing for a device that is off; on its way there the event has 60 s."
        ),
    },
    "data": {
        "type": "object",
        "maxProperties": MOST_DATA,
        "propertyNames": {"type": "string", "pattern": f"^{DATA_NAME}$"},
        "additionalProperties": {"type": "string", "maxLength": DATA_VALUE},
        "description": "Words for the template.",
        "examples": [{"order": "1042"}],
    },
}


def _object(required: list[str], properties: Object, description: str) -> Object:
    return {
        "type": "object",
        "description": description,
        "required": required,
        "additionalProperties": False,
        "properties": properties,
    }


def _event(target: str, other: str) -> Object:
    properties = {name: field for name, field in _FIELDS.items() if name != other}
    return _object(["kind", target], properties, f"An event for a {target.partition('_')[0]}.")


_FLAW: Final = _object(
    ["detail"],
    {
        "detail": {"type": "string"},
        "pointer": {
            "type": "string",
            "description": "Where in the body, as a JSON Pointer (RFC 6901).",
        },
        "header": {"type": "string", "description": "Or which header."},
    },
    "One thing that is wrong.",
)

SCHEMAS: Final[dict[str, Object]] = {
    "UserEvent": _event("user_id", "topic"),
    "TopicEvent": _event("topic", "user_id"),
    "Event": {
        "anyOf": [
            {"$ref": "#/components/schemas/UserEvent"},
            {"$ref": "#/components/schemas/TopicEvent"},
        ]
    },
    "Batch": {
        "type": "array",
        "minItems": 1,
        "maxItems": MOST_EVENTS,
        "items": {"$ref": "#/components/schemas/Event"},
        "description": "No `event_id` stands twice in it.",
    },
    "Accepted": _object(
        ["event_id", "status"],
        {"event_id": {"type": "string"}, "status": {"const": "accepted"}},
        "The answer to one event.",
    ),
    "Outcome": _object(
        ["index", "event_id", "status"],
        {
            "index": {**_COUNT, "description": "Which event of the request, from 0."},
            "event_id": {"type": ["string", "null"]},
            "status": {"enum": ["accepted", "refused"]},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Flaw"}},
        },
        "What became of one event of a batch.",
    ),
    "Outcomes": _object(
        ["accepted", "refused", "items"],
        {
            "accepted": {**_COUNT, "minimum": 1},
            "refused": _COUNT,
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Outcome"}},
        },
        "The answer to a batch, in the request's order.",
    ),
    "State": _object(
        ["event_id", "state", "run_id", "notifications"],
        {
            "event_id": {"type": "string"},
            "state": {"enum": ["accepted", "expanded", "suppressed", "expired", "dead"]},
            "run_id": {"type": "string"},
            "reason": {"type": "string"},
            "accepted_at": _MOMENT,
            "at": _MOMENT,
            "notifications": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/Notification"},
            },
        },
        "An event: `accepted` until it ends expanded, suppressed, expired or dead.",
    ),
    "Notification": _object(
        ["notification_id", "state"],
        {
            "notification_id": {"type": "string"},
            "state": {"enum": ["pending", "sent", "suppressed", "expired", "dead"]},
            "device_id": {"type": "string", "description": "Or `topic:NAME`."},
            "reason": {"type": "string"},
            "attempts": _COUNT,
            "message_name": {"type": "string", "description": "FCM's name for it."},
            "at": _MOMENT,
        },
        "One message to one device. `sent`: FCM accepted it, which is all a server can know.",
    ),
    "Problem": _object(
        ["type", "title", "status", "detail"],
        {
            "type": {"enum": [f"/docs#{kind}" for kind in KINDS], "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Flaw"}},
        },
        "Problem details (RFC 9457).",
    ),
    "Flaw": _FLAW,
}
