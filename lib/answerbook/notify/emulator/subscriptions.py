"""Topic subscriptions: the calls of today's SDK, one for each token, and the legacy batch.

Kept in memory: a restart forgets them. Nothing is delivered, so all that they change is what these
calls answer and what `GET /control/counts` tells of a topic.
"""

from typing import Final

import msgspec

from answerbook.notify.emulator.answers import (
    Answer,
    Violation,
    as_json,
    fcm_error,
    invalid,
    not_found,
    platform_error,
)
from answerbook.notify.emulator.faults import Plan
from answerbook.notify.emulator.validation import Invalid, check_topic, is_token

MOST_TOPICS_OF_TOKEN: Final = 2_000
MOST_IN_BATCH: Final = 1_000
LEGACY_ERRORS: Final = {"UNREGISTERED": "NOT_FOUND", "INVALID_ARGUMENT": "INVALID_ARGUMENT"}
"""Legacy results know fewer errors; any other is INTERNAL there."""


class _Batch(msgspec.Struct):
    to: str
    registration_tokens: list[str]


class Subscriptions:
    """Who subscribed to what."""

    def __init__(self) -> None:
        self._topics: dict[str, set[str]] = {}
        self._subscribers: dict[str, int] = {}

    def count(self, topic: str) -> int:
        """Tokens that are subscribed to a topic."""
        return self._subscribers.get(topic, 0)

    def topics(self) -> dict[str, int]:
        """Topic → tokens that are subscribed to it."""
        return dict(self._subscribers)

    def reset(self) -> None:
        self._topics.clear()
        self._subscribers.clear()

    def subscribe(self, project: str, token: str, topic: str, plan: Plan) -> Answer:
        """POST /v1/projects/P/registrations/TOKEN/topicSubscriptions?topic_name=TOPIC."""
        refusal = _refusal(token, topic, plan)
        if refusal is not None:
            return refusal
        if topic in self._topics.get(token, ()):
            return platform_error(409, "ALREADY_EXISTS", "Requested entity already exists")
        if not self._add(token, topic):
            return platform_error(429, "RESOURCE_EXHAUSTED", "Too many topics for this token.")
        name = f"projects/{project}/registrations/{token}/topicSubscriptions/{topic}"
        return as_json({"name": name})

    def unsubscribe(self, token: str, topic: str, *, allow_missing: bool, plan: Plan) -> Answer:
        """DELETE …/topicSubscriptions/TOPIC?allow_missing=true."""
        refusal = _refusal(token, topic, plan)
        if refusal is not None:
            return refusal
        if not self._remove(token, topic) and not allow_missing:
            return not_found()
        return as_json({})

    def batch(self, body: bytes, *, add: bool, plan: Plan) -> Answer:
        """POST /iid/v1:batchAdd or :batchRemove, which today's SDK calls legacy."""
        try:
            request = msgspec.json.decode(body, type=_Batch)
            topic = request.to.removeprefix("/topics/")
            check_topic(topic, "to")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Invalid) as error:
            return as_json({"error": f"InvalidArgument: {error}"}, 400)
        tokens = request.registration_tokens
        if not 1 <= len(tokens) <= MOST_IN_BATCH:
            text = f"InvalidArgument: 1 to {MOST_IN_BATCH} registration_tokens, not {len(tokens)}"
            return as_json({"error": text}, 400)
        return as_json({"results": [self._one(token, topic, add, plan) for token in tokens]})

    def _one(self, token: str, topic: str, add: bool, plan: Plan) -> dict[str, str]:
        error = plan.token_error(token)
        if error is not None:
            return {"error": LEGACY_ERRORS.get(error, "INTERNAL")}
        if not is_token(token):
            return {"error": "INVALID_ARGUMENT"}
        if not add:
            self._remove(token, topic)
        elif topic not in self._topics.get(token, ()) and not self._add(token, topic):
            return {"error": "TOO_MANY_TOPICS"}
        return {}

    def _add(self, token: str, topic: str) -> bool:
        topics = self._topics.setdefault(token, set())
        if len(topics) >= MOST_TOPICS_OF_TOKEN:
            return False
        topics.add(topic)
        self._subscribers[topic] = self._subscribers.get(topic, 0) + 1
        return True

    def _remove(self, token: str, topic: str) -> bool:
        topics = self._topics.get(token, set())
        if topic not in topics:
            return False
        topics.remove(topic)
        if not topics:
            del self._topics[token]
        self._subscribers[topic] -= 1
        if not self._subscribers[topic]:
            del self._subscribers[topic]
        return True


def _refusal(token: str, topic: str, plan: Plan) -> Answer | None:
    try:
        check_topic(topic, "topic_name")
    except Invalid as error:
        return invalid(error.violation, schema=False)
    if not is_token(token):
        text = "The registration token is not a valid FCM registration token"
        return invalid(Violation("registration", text), schema=False)
    error_code = plan.token_error(token)
    return fcm_error(error_code) if error_code is not None else None
