"""The contract between the stages: topics, record schemas, identities, metric names and ports.

Every stage reads this module and nothing else of another stage; `load` and `services` may read it
too. Records are JSON, one object a Kafka record. A record whose `version` is newer than its reader
knows is refused with UnsupportedVersion; fields that a reader does not know are ignored. Times are
integers, milliseconds since 1970 UTC, but for `ttl_seconds`.
"""

import hashlib
import time
from typing import Any, Final, Literal, TypeVar

import msgspec

# -- topics --------------------------------------------------------------------------------------

EVENTS: Final = "events"
"""What the API accepted. Key: the user's id, or `topic:NAME`."""
NOTIFICATIONS_HIGH: Final = "notifications.high"
NOTIFICATIONS_NORMAL: Final = "notifications.normal"
"""What render made. Key: the device's id, or `topic:NAME`."""
RECEIPTS_EVENTS: Final = "receipts.events"
"""What became of each event. Key: the event's id."""
RECEIPTS_NOTIFICATIONS: Final = "receipts.notifications"
"""What became of each notification. Key: its id; the partition's *number* is that of the
notification, so that whoever takes over a partition finds there what was sent from it."""
RETRIES: Final = {f"retries.{seconds}s": seconds for seconds in (5, 30, 120, 600)}
"""Topic → seconds that a notification waits in it. Partition: that of the notification."""
DEAD_LETTERS: Final = "dead-letters"
"""What no retry can mend. Key: the id of the notification or event, where it is known."""

NOTIFICATIONS: Final = (NOTIFICATIONS_HIGH, NOTIFICATIONS_NORMAL)
TOPICS: Final = (
    EVENTS,
    *NOTIFICATIONS,
    RECEIPTS_EVENTS,
    RECEIPTS_NOTIFICATIONS,
    *RETRIES,
    DEAD_LETTERS,
)
"""All, each with the same number of partitions."""

RENDER_GROUP: Final = "render"
"""Render commits here what its checkpoint says, so that its lag can be seen."""
DELIVER_GROUP: Final = "deliver"
TRACK_GROUP: Final = "track"

# -- records -------------------------------------------------------------------------------------

VERSION: Final = 1

Priority = Literal["high", "normal"]
EventOutcome = Literal["expanded", "suppressed", "expired", "dead"]
NotificationOutcome = Literal["sent", "suppressed", "expired", "dead"]
Stage = Literal["api", "render", "deliver", "track"]


class UnsupportedVersion(ValueError):
    """A record was written by a newer program than its reader."""


class Malformed(ValueError):
    """Bytes are no record of the type that was asked for; the message says why."""


class Record(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What every record carries."""

    run_id: str
    """Which run of a load test or of production it belongs to; the audit balances one run."""
    version: int = VERSION


class Event(Record, kw_only=True):
    """One event as it was accepted. Exactly one of `user_id` and `topic` is set."""

    event_id: str
    """Unique in the system: `<key id>/<the caller's id>`."""
    kind: str
    priority: Priority
    accepted_at: int
    occurred_at: int
    """The caller's; any time, past or future."""
    ttl_seconds: int
    """From `accepted_at`; 0 to 2,419,200."""
    user_id: str | None = None
    topic: str | None = None
    data: dict[str, str] = {}


class Notification(Record, kw_only=True):
    """One message to one device or topic, ready for FCM."""

    notification_id: str
    event_id: str
    device_id: str
    """Or `topic:NAME`."""
    kind: str
    priority: Priority
    message: msgspec.Raw
    """FCM's `message` object. Its `data` holds notification_id, event_id and run_id, so that what
    FCM accepted can be held against what was accepted at the door."""
    accepted_at: int
    rendered_at: int
    expires_at: int
    """After which it is recorded as expired and not sent."""
    attempt: int = 0
    """Sends that failed before."""
    not_before: int = 0
    """When a retry is due."""
    first_attempt_at: int = 0
    replay: int = 0
    """How often it came back from the dead letters."""


class EventReceipt(Record, kw_only=True):
    """What render made of an event."""

    event_id: str
    outcome: EventOutcome
    at: int
    accepted_at: int = 0
    reason: str = ""
    """A word of REASONS where the outcome is not `expanded`."""
    notifications: list[str] = []
    """Ids of those it was expanded into."""
    user_id: str | None = None
    topic: str | None = None


class NotificationReceipt(Record, kw_only=True):
    """What became of a notification; the last word on it, but for a replay from dead letters."""

    notification_id: str
    event_id: str
    device_id: str
    outcome: NotificationOutcome
    at: int
    """For `sent`: when FCM's answer came."""
    accepted_at: int = 0
    rendered_at: int = 0
    attempt: int = 0
    replay: int = 0
    reason: str = ""
    """FCM's error code, or a word of REASONS."""
    message_name: str = ""
    """FCM's name for what it accepted: `projects/*/messages/*`."""


class DeadLetter(Record, kw_only=True):
    """A record that went no further, whole, with the reason."""

    stage: Stage
    reason: str
    at: int
    detail: str = ""
    event_id: str = ""
    notification_id: str = ""
    source_topic: str = ""
    source_partition: int = -1
    source_offset: int = -1
    payload: str = ""
    """The record as it came; base64 where it is no UTF-8."""
    encoding: Literal["utf-8", "base64"] = "utf-8"


REASONS: Final[dict[str, str]] = {
    "unknown_user": "no such user",
    "no_device": "the user has no device that is not pruned",
    "preference": "the user switched this kind off",
    "quiet_hours": "it is night where the user is, and the priority is not high",
    "expired": "its time to live was over",
    "malformed": "the record is no event",
    "unsupported_version": "the record is of a newer version",
    "no_template": "there is no template for its kind",
    "too_large": "the message passes FCM's limit (4,096 bytes, 2,048 to a topic)",
    "attempts": "every attempt failed",
}
"""Reasons of our own; FCM's error codes stand beside them in capitals."""
PRUNING: Final = ("UNREGISTERED", "SENDER_ID_MISMATCH")  # the device is gone: no dead letter

R = TypeVar("R", bound=Record)

_encoder = msgspec.json.Encoder()
_decoders: dict[type, msgspec.json.Decoder[Any]] = {}


def encode(record: Record) -> bytes:
    """The record as it stands in Kafka: UTF-8 JSON without the fields that have their defaults."""
    return _encoder.encode(record)


def decode(content: bytes, kind: type[R]) -> R:
    """A record of `kind`. Raises UnsupportedVersion, and Malformed for anything else."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        record: R = decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if _version(content) > VERSION:
            raise UnsupportedVersion(_newer(content)) from error
        raise Malformed(str(error)) from error
    if record.version > VERSION:
        raise UnsupportedVersion(_newer(content))
    return record


class _OnlyVersion(msgspec.Struct):
    version: int = VERSION


def _version(content: bytes) -> int:
    try:
        return msgspec.json.decode(content, type=_OnlyVersion).version
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return VERSION


def _newer(content: bytes) -> str:
    return f"the record has version {_version(content)}, and this program knows {VERSION}"


# -- identity ------------------------------------------------------------------------------------


def notification_id(event_id: str, user_id: str, device_id: str) -> str:
    """32 hexadecimal digits: the same for every replay of an event to a device.

    Render computes it in SQL; a test holds the two together. For a topic, `user_id` is empty and
    `device_id` is `topic:NAME`.
    """
    return hashlib.sha256(f"{event_id}|{user_id}|{device_id}".encode()).hexdigest()[:32]


def now() -> int:
    """Milliseconds since 1970 UTC, as records carry them."""
    return time.time_ns() // 1_000_000


# -- what is written beside Kafka ----------------------------------------------------------------

LEDGER_FIELDS: Final = ("event_id", "answered_at")
"""The sender's ledger: a line for each event that was answered 202, its fields parted by tabs,
on disk (fsync) before the sender counts it. `<run id>.ledger` in the ledger folder."""
EMULATOR_FIELDS: Final = (
    "name",
    "at",
    "target",
    "run_id",
    "event_id",
    "notification_id",
)
"""The emulator's record: a line for each message it accepted, its fields parted by tabs; target is
`token:…`, `fid:…`, `topic:…` or `condition:…`, and the last three come from the message's data."""

# -- watching ------------------------------------------------------------------------------------

PORTS: Final[dict[str, int]] = {
    "api": 8080,
    "emulator": 8081,
    "emulator_tls": 8443,
    "emulator_proxy": 8888,
    "render": 9101,
    "deliver": 9102,
    "track": 9103,
}
"""Where each program listens by default: for render, deliver and track, for /metrics, /healthz and
/readyz; the others have these beside what they are for."""

METRICS: Final[dict[str, str]] = {
    "answerbook_api_events_total": "Events by outcome (accepted, refused) and HTTP status",
    "answerbook_api_request_seconds": "From a request's arrival to its answer",
    "answerbook_api_buffered_events": "Events handed to Kafka and not yet acknowledged",
    "answerbook_render_events_total": "Events by outcome",
    "answerbook_render_notifications_total": "Notifications made, by priority",
    "answerbook_render_batch_seconds": "Duration of the last micro-batch",
    "answerbook_render_batch_rows": "Rows of the last micro-batch",
    "answerbook_render_rows_dropped_by_watermark_total": "Must stay 0",
    "answerbook_render_users": "Users that events are held against",
    "answerbook_render_users_read_timestamp_seconds": "When users and templates were last read",
    "answerbook_deliver_sends_total": "Answers of FCM by code (OK or the error)",
    "answerbook_deliver_send_seconds": "From a send to FCM's answer",
    "answerbook_deliver_notifications_total": "Notifications by outcome",
    "answerbook_deliver_duplicates_total": "Notifications not sent because they had been",
    "answerbook_deliver_retries_total": "Notifications put off, by retry topic",
    "answerbook_deliver_in_flight": "Sends without an answer yet",
    "answerbook_deliver_target_down": "1 while FCM does not answer and nothing but probes is sent",
    "answerbook_deliver_end_to_end_seconds": "From the door to FCM's answer",
    "answerbook_track_receipts_total": "Receipts written, by topic",
    "answerbook_track_refused_total": "Receipts that became dead letters, by error",
    "answerbook_track_pruned_devices_total": "Devices that FCM does not know any more",
    "answerbook_emulator_messages_total": "Answers by code (OK or the error)",
    "answerbook_lag_records": "Records that a consumer group is behind, by topic",
}
"""Prometheus metrics: name → help. Programs take the help from here and define no others that
another program or a dashboard reads."""
