"""Whether FCM would take a message: the checks that its reference documents, in its words.

`read_request` is called for every send, so it decodes with types first (a microsecond); only what
that refuses is read again by `fields.py`, which finds the field at fault. What a message holds for
one platform is checked in `platforms.py`.
"""

import re
from typing import Final

import msgspec

from answerbook.notify.emulator import conditions, fields
from answerbook.notify.emulator.answers import Violation
from answerbook.notify.emulator.platforms import label, platform_violation
from answerbook.notify.emulator.schema import TARGETS, Message, SendRequest

MOST_BYTES: Final = 4_096
"""Of the payload: keys and values of `data`, and the notification's texts, in UTF-8."""
MOST_BYTES_TO_TOPIC: Final = 2_048
MOST_TOKEN: Final = 4_096
RESERVED: Final = frozenset({"from", "message_type"})
RESERVED_PREFIXES: Final = ("google.", "gcm.notification.")

_decode = msgspec.json.Decoder(SendRequest).decode
_topic = re.compile(conditions.TOPIC).fullmatch
_token = re.compile(rf"[!-~]{{1,{MOST_TOKEN}}}").fullmatch


class Invalid(ValueError):
    """FCM would answer INVALID_ARGUMENT. `schema`: its front end would, before FCM sees it."""

    def __init__(self, violation: Violation, *, schema: bool = False) -> None:
        super().__init__(violation.description)
        self.violation = violation
        self.schema = schema


def read_request(body: bytes) -> tuple[SendRequest, Message, str, str]:
    """The request in a body, its message, and the kind and the name of its target.

    Raises Invalid.
    """
    try:
        request = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            request = fields.read(body)
        except fields.NoMessage as error:
            raise Invalid(error.violation, schema=True) from error
    message = request.message
    if message is None:
        raise Invalid(Violation("message", "The message is not set."))
    kind, target = _target(message)
    if message.data:
        _check_keys(message.data, "message.data")
    if message.android is not None or message.webpush is not None or message.apns is not None:
        _check_platforms(message)
    if message.fcm_options is not None:
        _refuse(label("message.fcm_options", message.fcm_options.analytics_label))
    # JSON is never shorter than the text in it, so most bodies need no counting.
    if len(body) > MOST_BYTES_TO_TOPIC:
        _check_size(message, kind)
    return request, message, kind, target


def _target(message: Message) -> tuple[str, str]:
    token = message.token
    if token is not None and message.fid is message.topic is message.condition is None:
        _check_token(token, "token")
        return "token", token
    given = [kind for kind in TARGETS if getattr(message, kind) is not None]
    if not given:
        raise Invalid(Violation("message", "Recipient of the message is not set."))
    if len(given) > 1:
        raise Invalid(_two_targets(given[1]), schema=True)
    kind = given[0]
    target: str = getattr(message, kind)
    if kind == "topic":
        check_topic(target, "message.topic")
    elif kind == "condition":
        try:
            conditions.topics_of(target)
        except conditions.NoCondition as error:
            text = f"Invalid condition expression provided: {error}."
            raise Invalid(Violation("message.condition", text)) from error
    else:
        _check_token(target, kind)
    return kind, target


def _two_targets(second: str) -> Violation:
    text = f"oneof field 'target' is already set. Cannot set '{second}'"
    return Violation("message", f"Invalid value at 'message' (oneof), {text}")


def check_topic(name: str, field: str) -> None:
    """Raises Invalid unless it is a topic's name (without `/topics/`)."""
    if not _topic(name):
        raise Invalid(Violation(field, "Malformed topic name: it is one of [a-zA-Z0-9-_.~%]+"))


def is_token(token: str) -> bool:
    """Whether it may be a registration token or an installation id: one word of ASCII."""
    return _token(token) is not None


def _check_token(token: str, kind: str) -> None:
    if not is_token(token):
        text = (
            "The registration token is not a valid FCM registration token"
            if kind == "token"
            else "The fid is not a valid Firebase installation ID"
        )
        raise Invalid(Violation(f"message.{kind}", text))


def _check_keys(data: dict[str, str], path: str) -> None:
    for number, key in enumerate(data):
        if key in RESERVED or key.startswith(RESERVED_PREFIXES):
            raise Invalid(Violation(f"{path}[{number}].key", f"Invalid data payload key: {key}"))


def _check_platforms(message: Message) -> None:
    if message.android is not None and message.android.data:
        _check_keys(message.android.data, "message.android.data")
    _refuse(platform_violation(message))


def _check_size(message: Message, kind: str) -> None:
    most = MOST_BYTES_TO_TOPIC if kind in ("topic", "condition") else MOST_BYTES
    for platform, size in _sizes(message).items():
        if size > most:
            text = f"{platform} message is too big: {size} bytes, and {most} is the limit"
            raise Invalid(Violation("message", text))


def _sizes(message: Message) -> dict[str, int]:
    """Bytes of the payload for each platform that the message names, and for all together."""
    data = message.data or {}
    note = message.notification
    texts = [note.title, note.body, note.image] if note is not None else []
    sizes = {"The": _bytes(data, texts)}
    android = message.android
    if android is not None:
        own = android.notification
        more = [own.title, own.body, own.image] if own is not None else [None] * 3
        texts_there = [first or second for first, second in zip(more, texts or more, strict=True)]
        sizes["Android"] = _bytes(data if android.data is None else android.data, texts_there)
    if message.webpush is not None:
        web = message.webpush
        shown = msgspec.json.encode(web.notification).decode() if web.notification else None
        sizes["Web push"] = _bytes(data if web.data is None else web.data, [shown, *texts])
    if message.apns is not None and message.apns.payload:
        sizes["APNs"] = len(msgspec.json.encode(message.apns.payload)) + _bytes(data, [])
    return sizes


def _bytes(data: dict[str, str], texts: list[str | None]) -> int:
    pairs = sum(len(key.encode()) + len(value.encode()) for key, value in data.items())
    return pairs + sum(len(text.encode()) for text in texts if text)


def _refuse(violation: Violation | None) -> None:
    if violation is not None:
        raise Invalid(violation)
