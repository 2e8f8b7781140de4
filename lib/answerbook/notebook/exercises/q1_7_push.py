"""Exercises of notebook 1_7_push."""

import base64
import hmac
import time
from collections.abc import Callable, Sequence

from answerbook.notebook.exercises import Exercise
from answerbook.protocols import webhooks

SignAll = Callable[[Sequence[bytes], str, int, bytes], object]

KEYS = (b"the key that goes, of 32 bytes....", b"the key that comes, of 32 bytes...")
MESSAGE_ID = "msg_2"
BODY = b'{"item": "lamp"}'


def _stream(answer: tuple[list[str], str]) -> str | None:
    texts, last = answer
    if "sofa" in texts:
        return "An event ends with a blank line; the last one has none."
    if any("still here" in text or not text for text in texts):
        return "A line that begins with a colon is a comment, and an event needs data."
    if list(texts) != ["lamp", "chair\ntable"]:
        return "Two data lines of one event are one text."
    if not isinstance(last, str):
        return "An id is text."
    return None if last == "8" else "The id counts when its event does."


stream = Exercise(
    solution=(["lamp", "chair\ntable"], "8"),
    wrong=(
        (["lamp", "chair\ntable", "sofa"], "9"),
        (["lamp", "chair\ntable"], "9"),
        (["lamp", "chair\ntable"], 8),
        (["lamp", "chair", "table"], "8"),
        (["lamp", "still here", "chair\ntable"], "8"),
        (["lamp", "", "chair\ntable"], "8"),
        "8",
    ),
    test=_stream,
    because="What broke off in the middle comes again, as a whole, because its id was not kept.",
)


def _rotation(answer: SignAll) -> str | None:
    sent = int(time.time())
    signature = answer(KEYS, MESSAGE_ID, sent, BODY)
    if not isinstance(signature, str):
        return f"The value of a header is text, not {type(signature).__name__}."
    headers = {
        "webhook-id": MESSAGE_ID,
        "webhook-timestamp": str(sent),
        "webhook-signature": signature,
    }
    refused = [number for number, key in enumerate(KEYS) if not _accepts(key, headers)]
    if len(refused) == len(KEYS):
        return "No receiver accepts it, whichever key it has."
    if refused:
        return f"A receiver that has only the {('old', 'new')[refused[0]]} key refuses it."
    return None


def _accepts(key: bytes, headers: dict[str, str]) -> bool:
    try:
        webhooks.verify(key, headers, BODY)
    except webhooks.Refused:
        return False
    return True


def _signed(key: bytes, message_id: str, sent: int, body: bytes) -> str:
    digest = hmac.digest(key, f"{message_id}.{sent}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(digest).decode()


def _both(keys: Sequence[bytes], message_id: str, sent: int, body: bytes) -> str:
    return " ".join(_signed(key, message_id, sent, body) for key in keys)


def _only_new(keys: Sequence[bytes], message_id: str, sent: int, body: bytes) -> str:
    return _signed(keys[-1], message_id, sent, body)


def _with_commas(keys: Sequence[bytes], message_id: str, sent: int, body: bytes) -> str:
    return _both(keys, message_id, sent, body).replace(" ", ", ")


def _one_version(keys: Sequence[bytes], message_id: str, sent: int, body: bytes) -> str:
    return _both(keys, message_id, sent, body).replace(" v1,", " ")


def _body_alone(keys: Sequence[bytes], message_id: str, sent: int, body: bytes) -> str:
    digests = (hmac.digest(key, body, "sha256") for key in keys)
    return " ".join("v1," + base64.b64encode(digest).decode() for digest in digests)


def _in_hexadecimal(keys: Sequence[bytes], message_id: str, sent: int, body: bytes) -> str:
    signed = f"{message_id}.{sent}.".encode() + body
    return " ".join("v1," + hmac.digest(key, signed, "sha256").hex() for key in keys)


rotation = Exercise(
    solution=_both,
    wrong=(_only_new, _with_commas, _one_version, _body_alone, _in_hexadecimal, "v1,…"),
    test=_rotation,
    because="A receiver with either key finds a signature that fits, so nobody has to switch at "
    "the same moment.",
)
