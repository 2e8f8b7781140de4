"""The dead letter for a receipt that cannot be stored, for program.py. Pure."""

import base64

import msgspec

from answerbook.notify import records
from answerbook.notify.records import DeadLetter, UnsupportedVersion
from answerbook.notify.track.receipts import Source


class _Known(msgspec.Struct):
    """What may be readable in what is no receipt as a whole."""

    run_id: str = ""
    event_id: str = ""
    notification_id: str = ""


def letter(message: Source, error: ValueError) -> DeadLetter:
    """The message as it came, and why it goes no further."""
    content = message.value() or b""
    known = _known(content)
    payload, is_text = _payload(content)
    return DeadLetter(
        run_id=known.run_id,
        stage="track",
        reason="unsupported_version" if isinstance(error, UnsupportedVersion) else "malformed",
        detail=str(error),
        at=records.now(),
        event_id=known.event_id,
        notification_id=known.notification_id,
        source_topic=message.topic() or "",
        source_partition=_number(message.partition()),
        source_offset=_number(message.offset()),
        payload=payload,
        encoding="utf-8" if is_text else "base64",
    )


def _number(value: int | None) -> int:
    return -1 if value is None else value


def _known(content: bytes) -> _Known:
    try:
        return msgspec.json.decode(content, type=_Known)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Known()


def _payload(content: bytes) -> tuple[str, bool]:
    try:
        return content.decode(), True
    except UnicodeDecodeError:
        return base64.b64encode(content).decode(), False
