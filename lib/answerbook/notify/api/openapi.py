"""The API's OpenAPI 3.1 document; tests hold it against the running program (Schemathesis)."""

from functools import cache
from typing import Any, Final

import msgspec

from answerbook.notify.api.body import MOST_BYTES
from answerbook.notify.api.bucket import LARGEST_BATCH
from answerbook.notify.api.incoming import EVENT_ID
from answerbook.notify.api.intake import DEFAULT_RUN_ID, RUN_ID
from answerbook.notify.api.schemas import SCHEMAS

Object = dict[str, Any]

ABOUT: Final = f"""\
Send events; each becomes notifications to its user's devices, or to those that follow a topic.

**202 means written.** It is sent when every in-sync replica of Kafka's `events` topic has the
event, in memory at least: Kafka does not wait for disks. From there each event ends expanded into
notifications, suppressed, expired or dead, and nothing is dropped without a record.

**Sending again is safe.** After a 503, a 429, a timeout or a lost connection send the same
request again, with the same `event_id`s: an event is known by its key and `event_id`, and its
notifications by ids made of these, so that the sender to phones knows what it has sent. An event
without `event_id` gets one at the door; sent again, it is another event.

**One request** holds one event, or up to {LARGEST_BATCH:,} as a JSON array or as NDJSON, in at most
{MOST_BYTES:,} bytes. A batch is answered 202 when at least one of its events was accepted; read
`items` for those that were refused. When all are refused the answer is 422.

**Rate.** A key may send so many events a second; a bucket holds a second's worth, at least
{LARGEST_BATCH:,}. Each event of a request takes a token, refused ones too, and a body that is no
events at all takes one. A batch that finds too few tokens is refused whole, with 429 and
Retry-After.
"""


def content() -> bytes:
    """The document as it is served."""
    return msgspec.json.encode(document())


@cache
def document() -> Object:
    """The document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Answerbook notifications: events", "version": "1", "description": ABOUT},
        "security": [{"key": []}],
        "tags": [
            {"name": "events", "description": "Send events, and ask what became of them."},
            {"name": "program", "description": "About the program itself; these need no key."},
        ],
        "paths": {
            "/v1/events": {"post": _post()},
            "/v1/events/{event_id}": {"get": _get()},
            "/healthz": {"get": _plain("Whether the program lives.", {"200": "It does."})},
            "/readyz": {
                "get": _plain(
                    "Whether events can be taken: Kafka answers and the keys are known.",
                    {"200": "They can.", "503": "Why they cannot."},
                )
            },
            "/metrics": {"get": _plain("Metrics for Prometheus.", {"200": "Metrics."})},
            "/openapi.json": {"get": _served("This document.", "application/json", "object")},
            "/docs": {"get": _served("This document, for people.", "text/html", "string")},
        },
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`ab_<key id>_<secret>`, as `answerbook notify key` shows it.",
                }
            },
            "headers": _HEADERS,
        },
    }


# -- operations ----------------------------------------------------------------------------------


def _post() -> Object:
    batch = {"$ref": "#/components/schemas/Batch"}
    event = {"$ref": "#/components/schemas/Event"}
    return {
        "operationId": "sendEvents",
        "tags": ["events"],
        "summary": "Send one event, or up to 1,000.",
        "parameters": [
            {
                "name": "X-Run-Id",
                "in": "header",
                "description": "Which run the events belong to; an audit balances one run.",
                "schema": {"type": "string", "pattern": f"^{RUN_ID}$", "default": DEFAULT_RUN_ID},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"anyOf": [event, batch]}},
                "application/x-ndjson": {
                    "schema": {
                        **batch,
                        "description": "Each of its items on a line. Pointers count items.",
                    }
                },
            },
        },
        "responses": {
            "202": {
                "description": "Kafka has acknowledged every event that is not told as refused.",
                "headers": {"Location": _header("Location"), **_limits()},
                "content": _json(
                    {
                        "anyOf": [
                            {"$ref": "#/components/schemas/Accepted"},
                            {"$ref": "#/components/schemas/Outcomes"},
                        ]
                    }
                ),
            },
            "400": _problem("The body is not JSON."),
            "401": _problem("No API key, or a wrong one.", "WWW-Authenticate"),
            "408": _problem("The body did not arrive within 30 s."),
            "413": _problem(
                f"More than {MOST_BYTES:,} bytes, or more than {LARGEST_BATCH:,} events."
            ),
            "415": _problem("Another type than JSON or NDJSON, or an encoding."),
            "422": _problem("No event was accepted; `errors` says why."),
            "429": _problem("The key's rate is passed.", "Retry-After", *_LIMITS),
            "500": _problem("A fault of the program's."),
            "503": _problem("Kafka did not acknowledge in time.", "Retry-After"),
        },
    }


def _get() -> Object:
    return {
        "operationId": "getEvent",
        "tags": ["events"],
        "summary": "What became of an event of this key.",
        "parameters": [
            {
                "name": "event_id",
                "in": "path",
                "required": True,
                "description": "As it was sent, or as the answer to it told.",
                "schema": {"type": "string", "pattern": f"^{EVENT_ID}$"},
            }
        ],
        "responses": {
            "200": {
                "description": "Its state and that of its notifications.",
                "content": _json({"$ref": "#/components/schemas/State"}),
            },
            "401": _problem("No API key, or a wrong one.", "WWW-Authenticate"),
            "404": _problem("Not an event of this key, or not known yet after a restart."),
            "500": _problem("A fault of the program's."),
            "503": _problem("The store of outcomes does not answer.", "Retry-After"),
        },
    }


def _plain(summary: str, answers: dict[str, str]) -> Object:
    text = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "tags": ["program"],
        "summary": summary,
        "security": [],
        "responses": {
            status: {"description": description, "content": text}
            for status, description in answers.items()
        },
    }


def _served(summary: str, media: str, kind: str) -> Object:
    answer = {"description": summary, "content": {media: {"schema": {"type": kind}}}}
    return {"tags": ["program"], "summary": summary, "security": [], "responses": {"200": answer}}


# -- answers -------------------------------------------------------------------------------------

_INTEGER = {"schema": {"type": "integer", "minimum": 0}}
_HEADERS: Final[Object] = {
    "Location": {
        "description": "Of a single event: where its state is told.",
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {"required": True, "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds.", "required": True, **_INTEGER},
    "RateLimit-Limit": {"description": "Tokens in a full bucket.", "required": True, **_INTEGER},
    "RateLimit-Remaining": {"description": "Tokens left.", "required": True, **_INTEGER},
    "RateLimit-Reset": {
        "description": "Seconds until the bucket is full.",
        "required": True,
        **_INTEGER,
    },
}
_LIMITS: Final = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def _header(name: str) -> Object:
    return {"$ref": f"#/components/headers/{name}"}


def _limits() -> Object:
    return {name: _header(name) for name in _LIMITS}


def _json(schema: Object) -> Object:
    return {"application/json": {"schema": schema}}


def _problem(description: str, *headers: str) -> Object:
    answer: Object = {
        "description": description,
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }
    if headers:
        answer["headers"] = {name: _header(name) for name in headers}
    return answer
