"""Answers as bytes, and refusals that a program can read: problem details after RFC 9457."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from starlette.types import Send

Header = tuple[bytes, bytes]
JSON: Final = (b"content-type", b"application/json")
PROBLEM: Final = (b"content-type", b"application/problem+json")

KINDS: Final[dict[str, str]] = {
    "malformed-body": "The body is not JSON.",
    "no-key": "The request carries no API key, or one that opens nothing.",
    "not-found": "There is nothing at this address, or nothing of this caller's.",
    "method-not-allowed": "The address does not take this method; Allow says which it takes.",
    "slow-body": "The body did not arrive in time.",
    "too-large": "The body, or the number of events in it, passes the limit.",
    "unsupported-type": "The body's type or encoding is none that is read here.",
    "invalid-content": "The request is not what this address takes; `errors` says where.",
    "rate-passed": "The key's events per second are used up; Retry-After says until when.",
    "internal": "A fault of this program's, which its log holds.",
    "not-written": "Kafka did not acknowledge in time. Send the same again, with the same ids.",
    "unavailable": "Something this needs does not answer now.",
}
"""Kind of problem → what it means. `type` points to where /docs says so."""

_encode = msgspec.json.Encoder().encode


class Flaw(msgspec.Struct, omit_defaults=True):
    """One thing that is wrong with a request."""

    detail: str
    """For a person, and may change."""
    pointer: str | None = None
    """Where in the body: a JSON Pointer (RFC 6901). `/3/kind` is the kind of the fourth event."""
    header: str | None = None
    """Or which header."""


class Answer(NamedTuple):
    """A whole HTTP answer."""

    status: int
    body: bytes
    headers: Sequence[Header]


def answer(status: int, content: object, *headers: Header) -> Answer:
    """`content`, msgspec structs included, as JSON."""
    return Answer(status, _encode(content), (JSON, *headers))


class Problem(Exception):
    """Raised where a request is handled: it ends in this refusal."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str = "",
        *headers: Header,
        flaws: Iterable[Flaw] = (),
        events: int = 1,
    ) -> None:
        """`kind` is a word of KINDS; `detail` is for a person; `events` is what metrics count."""
        super().__init__(detail or KINDS[kind])
        self.events = events
        content: dict[str, Any] = {
            "type": f"/docs#{kind}",
            "title": kind.replace("-", " ").capitalize(),
            "status": status,
            "detail": detail or KINDS[kind],
        }
        if listed := list(flaws):
            content["errors"] = listed
        self.answer = Answer(status, _encode(content), (PROBLEM, *headers))


def retry_after(seconds: int) -> Header:
    return (b"retry-after", b"%d" % seconds)


async def reply(send: Send, given: Answer) -> None:
    """Send an answer over ASGI."""
    length = (b"content-length", b"%d" % len(given.body))
    await send(
        {
            "type": "http.response.start",
            "status": given.status,
            "headers": [*given.headers, length],
        }
    )
    await send({"type": "http.response.body", "body": given.body})
