"""What the emulator answers: one type for every transport, and FCM's error bodies.

FCM's own refusals carry an `FcmError` among their details; what Google's front end refuses before
FCM sees it (no credentials, JSON that is no message) carries none, here as there.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec

JSON: Final = "application/json; charset=UTF-8"

Fate = Literal["answer", "cut", "silence", "hang"]
"""What becomes of an answer: it is given; the connection is cut instead; it never comes; or it
does not come, and the connection is cut when the outage is over."""

ErrorCode = Literal[
    "INVALID_ARGUMENT",
    "UNREGISTERED",
    "SENDER_ID_MISMATCH",
    "QUOTA_EXCEEDED",
    "UNAVAILABLE",
    "INTERNAL",
    "THIRD_PARTY_AUTH_ERROR",
]

ERRORS: Final[dict[str, tuple[int, str, str]]] = {
    "INVALID_ARGUMENT": (400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    "UNREGISTERED": (404, "NOT_FOUND", "Requested entity was not found."),
    "SENDER_ID_MISMATCH": (403, "PERMISSION_DENIED", "SenderId mismatch"),
    "QUOTA_EXCEEDED": (
        429,
        "RESOURCE_EXHAUSTED",
        "Resource has been exhausted (e.g. check quota).",
    ),
    "UNAVAILABLE": (503, "UNAVAILABLE", "The service is currently unavailable."),
    "INTERNAL": (500, "INTERNAL", "Internal error encountered."),
    "THIRD_PARTY_AUTH_ERROR": (
        401,
        "UNAUTHENTICATED",
        "Auth error from APNS or Web Push Service",
    ),
}
"""FCM's error code → HTTP status, Google's status, message."""

FCM_ERROR: Final = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST: Final = "type.googleapis.com/google.rpc.BadRequest"
ERROR_INFO: Final = "type.googleapis.com/google.rpc.ErrorInfo"
QUOTA_FAILURE: Final = "type.googleapis.com/google.rpc.QuotaFailure"


class Answer(NamedTuple):
    """One HTTP answer, whichever protocol carries it."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    """Beside content-type and content-length."""
    content_type: str = JSON
    delay: float = 0.0
    """Seconds to wait before it is given."""
    fate: Fate = "answer"


class Violation(NamedTuple):
    """A field that a request has wrong, by its path: `message.android.ttl`."""

    field: str
    description: str


def as_json(content: object, status: int = 200, **more: Any) -> Answer:
    return Answer(status, msgspec.json.encode(content), **more)


def fcm_error(code: str, *, message: str = "", details: Sequence[dict[str, Any]] = ()) -> Answer:
    """One of FCM's own errors, with its FcmError."""
    status, name, text = ERRORS[code]
    own = {"@type": FCM_ERROR, "errorCode": code}
    return platform_error(status, name, message or text, [own, *details])


def platform_error(
    status: int, name: str, message: str, details: Sequence[dict[str, Any]] = ()
) -> Answer:
    """An error in the form that all of Google's APIs share."""
    error: dict[str, Any] = {"code": status, "message": message, "status": name}
    if details:
        error["details"] = list(details)
    return as_json({"error": error}, status)


def invalid(violation: Violation, *, schema: bool) -> Answer:
    """INVALID_ARGUMENT for a field. `schema`: the JSON was no message, so FCM never saw it."""
    details = {"@type": BAD_REQUEST, "fieldViolations": [violation._asdict()]}
    if schema:
        return platform_error(400, "INVALID_ARGUMENT", violation.description, [details])
    return fcm_error("INVALID_ARGUMENT", message=violation.description, details=[details])


def quota_exceeded(project: str) -> Answer:
    failure = {
        "subject": f"project:{project}",
        "description": "Message rate exceeded: the quota of messages per minute is used up.",
    }
    details = {"@type": QUOTA_FAILURE, "violations": [failure]}
    return fcm_error("QUOTA_EXCEEDED", details=[details])


def unauthenticated(given: bool) -> Answer:
    """401 as Google gives it when no credentials came, or some that are not (any longer) valid."""
    if not given:
        return platform_error(
            401,
            "UNAUTHENTICATED",
            "Request is missing required authentication credential. Expected OAuth 2 access token, "
            "login cookie or other valid authentication credential.",
            [_info("CREDENTIALS_MISSING")],
        )
    return platform_error(
        401,
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, "
        "login cookie or other valid authentication credential.",
        [_info("ACCESS_TOKEN_EXPIRED")],
    )


def permission_denied(project: str) -> Answer:
    return platform_error(
        403,
        "PERMISSION_DENIED",
        f"Permission 'cloudmessaging.messages.create' denied on resource '//cloudresourcemanager."
        f"googleapis.com/projects/{project}' (or it may not exist).",
        [_info("IAM_PERMISSION_DENIED")],
    )


def not_found() -> Answer:
    return platform_error(404, "NOT_FOUND", "Requested entity was not found.")


def _info(reason: str) -> dict[str, Any]:
    return {"@type": ERROR_INFO, "reason": reason, "domain": "googleapis.com"}
