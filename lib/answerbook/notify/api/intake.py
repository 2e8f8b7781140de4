"""POST /v1/events: from a request to records that Kafka has acknowledged, and the answer.

A bare ASGI application, not a Starlette endpoint: it is the one address that takes thousands of
requests a second. Called by application.py.
"""

import re
import time
from typing import Any, Literal

import msgspec
from starlette.types import Receive, Scope, Send

from answerbook.notify import records
from answerbook.notify.api import metrics
from answerbook.notify.api.body import Bodies, Gone
from answerbook.notify.api.bucket import Bucket
from answerbook.notify.api.incoming import MOST_FLAWS, Content, Door, Form, Refused, read
from answerbook.notify.api.keyring import Keyring
from answerbook.notify.api.problems import Answer, Flaw, Header, Problem, answer, reply, retry_after
from answerbook.notify.api.states import Recent
from answerbook.notify.kafka import BufferFull, Item, NotWritten, Writer
from answerbook.notify.records import EVENTS, Event
from answerbook.notify.running import log

RUN_ID = "[A-Za-z0-9._-]{1,64}"
DEFAULT_RUN_ID = "live"
FORMS: dict[bytes, Form] = {b"application/json": "json", b"application/x-ndjson": "ndjson"}
RETRY_SECONDS = 2
"""When to come back after Kafka did not acknowledge."""

_is_run_id = re.compile(RUN_ID).fullmatch


class Accepted(msgspec.Struct):
    """The answer to one event."""

    event_id: str
    status: Literal["accepted"] = "accepted"


class Outcome(msgspec.Struct, omit_defaults=True):
    """What became of one event of a batch."""

    index: int
    event_id: str | None
    status: Literal["accepted", "refused"]
    errors: list[Flaw] = []


class Outcomes(msgspec.Struct):
    """The answer to a batch of which at least one event was accepted."""

    accepted: int
    refused: int
    items: list[Outcome]


class Intake:
    """The application of POST /v1/events."""

    def __init__(self, keyring: Keyring, writer: Writer, recent: Recent) -> None:
        self._keyring = keyring
        self._writer = writer
        self._recent = recent
        self._bodies = Bodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        try:
            given = await self._answer(scope, receive)
        except Problem as problem:
            metrics.count("refused", problem.answer.status, problem.events)
            given = problem.answer
        except Gone:
            return
        await reply(send, given)
        metrics.SECONDS.observe(time.perf_counter() - began)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        key_id, bucket = self._keyring.caller(headers.get(b"authorization"))
        form = _form(headers)
        run_id = _run_id(headers)
        if wait := bucket.wait(1):
            raise _too_fast(bucket, wait, 1)
        body = await self._bodies.read(receive, headers.get(b"content-length"))
        door = Door(key_id, run_id, records.now())
        try:
            content = read(body, form, door)
        except Problem:
            bucket.take(1)  # what is no batch of events costs as one event
            raise
        if wait := bucket.take(len(content.events)):
            raise _too_fast(bucket, wait, len(content.events))
        limits = _limits(bucket)
        accepted = [event for event in content.events if isinstance(event, Event)]
        if not accepted:
            raise _all_refused(content, limits)
        await self._write(accepted, bucket)
        self._recent.add([event.event_id for event in accepted], run_id, door.accepted_at)
        metrics.count("accepted", 202, len(accepted))
        return _accepted(content, len(key_id) + 1, limits)

    async def _write(self, events: list[Event], bucket: Bucket) -> None:
        """Return when every in-sync replica has all of them. Raises Problem: 503."""
        encode = records.encode
        items: list[Item] = [
            (EVENTS, (event.user_id or f"topic:{event.topic}").encode(), encode(event), -1)
            for event in events
        ]
        try:
            await self._writer.write(items)
        except (BufferFull, NotWritten) as error:
            bucket.give_back(len(events))
            log().warning("Kafka did not acknowledge", events=len(events), error=str(error))
            raise Problem(
                503, "not-written", "", retry_after(RETRY_SECONDS), events=len(events)
            ) from error


# -- what a request says about itself ------------------------------------------------------------


def _form(headers: dict[bytes, bytes]) -> Form:
    """JSON or NDJSON. Raises Problem: 415."""
    given = headers.get(b"content-type", b"")
    media, _, parameters = given.partition(b";")
    form = FORMS.get(media.strip().lower())
    if form is None or not _is_utf8(parameters):
        raise Problem(
            415,
            "unsupported-type",
            "Send application/json, or application/x-ndjson, in UTF-8.",
            (b"accept", b", ".join(FORMS)),
        )
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise Problem(
            415,
            "unsupported-type",
            "Send the body without a content encoding.",
            (b"accept-encoding", b"identity"),
        )
    return form


def _is_utf8(parameters: bytes) -> bool:
    for parameter in parameters.split(b";"):
        name, _, value = parameter.partition(b"=")
        if name.strip().lower() == b"charset":
            return value.strip(b' "').lower() in (b"utf-8", b"utf8")
    return True


def _run_id(headers: dict[bytes, bytes]) -> str:
    """The run that the events belong to. Raises Problem: 422."""
    given = headers.get(b"x-run-id")
    if given is None:
        return DEFAULT_RUN_ID
    run_id = given.decode("latin-1")
    if not _is_run_id(run_id):
        detail = "Expected 1 to 64 of A-Z, a-z, 0-9, dot, underscore and hyphen."
        raise Problem(422, "invalid-content", flaws=[Flaw(detail, header="X-Run-Id")])
    return run_id


# -- answers -------------------------------------------------------------------------------------


def _accepted(content: Content, prefix: int, limits: tuple[Header, ...]) -> Answer:
    """`prefix` is what stands before the caller's own id in a record's."""
    if not content.is_batch:
        (event,) = content.events
        assert isinstance(event, Event)
        event_id = event.event_id[prefix:]
        location = (b"location", b"/v1/events/" + event_id.encode())
        return answer(202, Accepted(event_id), location, *limits)
    items: list[Outcome] = []
    accepted = 0
    for index, event in enumerate(content.events):
        if isinstance(event, Event):
            accepted += 1
            items.append(Outcome(index, event.event_id[prefix:], "accepted"))
        else:
            items.append(Outcome(index, event.event_id, "refused", event.flaws))
    refused = len(items) - accepted
    if refused:
        metrics.count("refused", 202, refused)
    return answer(202, Outcomes(accepted, refused, items), *limits)


def _all_refused(content: Content, limits: tuple[Header, ...]) -> Problem:
    flaws = [flaw for event in content.events if isinstance(event, Refused) for flaw in event.flaws]
    return Problem(
        422,
        "invalid-content",
        "",
        *limits,
        flaws=flaws[:MOST_FLAWS],
        events=len(content.events),
    )


def _limits(bucket: Bucket) -> tuple[Header, ...]:
    return (
        (b"ratelimit-limit", b"%d" % bucket.burst),
        (b"ratelimit-remaining", b"%d" % bucket.remaining),
        (b"ratelimit-reset", b"%d" % bucket.full_in),
    )


def _too_fast(bucket: Bucket, wait: float, events: int) -> Problem:
    detail = f"This key may send {bucket.rate} events a second, {bucket.burst} at once."
    seconds: Any = max(1, -int(-wait // 1))
    return Problem(
        429, "rate-passed", detail, retry_after(seconds), *_limits(bucket), events=events
    )
