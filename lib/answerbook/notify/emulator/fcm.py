"""What FCM does with a message: who may send, is it valid, within the quota, and then the faults.

Called by `router.py` for every request of FCM's; `send` is the hot path.
"""

import os
import time
from collections import Counter
from typing import Final

from answerbook.notify.emulator.accepted import Record
from answerbook.notify.emulator.answers import (
    Answer,
    fcm_error,
    invalid,
    permission_denied,
    quota_exceeded,
    unauthenticated,
)
from answerbook.notify.emulator.conditions import topics_of
from answerbook.notify.emulator.faults import Plan
from answerbook.notify.emulator.oauth import Tokens
from answerbook.notify.emulator.quota import Quota
from answerbook.notify.emulator.subscriptions import Subscriptions
from answerbook.notify.emulator.validation import Invalid, read_request

OWNER: Final = "Bearer owner"
"""What Google's emulators take in place of a token; here on the plain port alone."""
RETRIABLE: Final = frozenset({429, 500, 503})
NO_MESSAGE: Final = "fake_message_id"
"""The name of what was validated only; as FCM's."""
MOST_TOPICS: Final = 10_000
"""Topics whose messages are counted."""


class Fcm:
    """The service. `counts` has an entry for each answer: OK, VALIDATED or the error's code."""

    def __init__(self, record: Record, tokens: Tokens, quota: Quota) -> None:
        self.record = record
        self.tokens = tokens
        self.quota = quota
        self.plan = Plan()
        self.subscriptions = Subscriptions()
        self.counts: Counter[str] = Counter()
        self.targets: Counter[str] = Counter()
        """Accepted messages by the kind of their target."""
        self.topics: Counter[str] = Counter()
        """Accepted messages by topic; one to a condition counts for each topic in it."""
        self.lost = 0
        """Messages accepted whose answer was lost on purpose."""
        self._made = 0
        self._boot = os.urandom(4).hex()

    def refusal(self, project: str, authorization: str, *, plain: bool) -> Answer | None:
        """401 or 403 for who may not act for a project, else None."""
        if plain and authorization == OWNER:
            return None
        allowed = self.tokens.project(authorization)
        if allowed is None:
            self.counts["UNAUTHENTICATED"] += 1
            return unauthenticated(bool(authorization))
        if allowed != project:
            self.counts["PERMISSION_DENIED"] += 1
            return permission_denied(project)
        return None

    def send(self, project: str, authorization: str, body: bytes, *, plain: bool) -> Answer:
        """Answer messages:send."""
        if not self.plan.active:
            return self._send(project, authorization, body, plain)
        fallen = self.fallen()
        if fallen is not None:
            return fallen
        before = self._made
        answer = self._send(project, authorization, body, plain)
        return self.with_faults(answer, accepted=self._made > before)

    def fallen(self) -> Answer | None:
        """What an outage answers; None while there is none."""
        kind = self.plan.outage()
        if kind is None:
            return None
        self.counts[f"OUTAGE_{kind.upper()}"] += 1
        answer = self.with_faults(fcm_error("UNAVAILABLE"))._replace(delay=0.0)
        if kind == "unavailable":
            return answer
        return answer._replace(fate="cut" if kind == "refuse" else "hang")

    def _send(self, project: str, authorization: str, body: bytes, plain: bool) -> Answer:
        refusal = self.refusal(project, authorization, plain=plain)
        if refusal is not None:
            return refusal
        if not self.quota.take(project):
            self.counts["QUOTA_EXCEEDED"] += 1
            return quota_exceeded(project)
        try:
            request, message, kind, target = read_request(body)
        except Invalid as error:
            self.counts["INVALID_ARGUMENT"] += 1
            return invalid(error.violation, schema=error.schema)
        if self.plan.active:
            code = self.plan.error(target if kind in ("token", "fid") else "")
            if code is not None:
                self.counts[code] += 1
                return fcm_error(code)
        if request.validate_only:
            self.counts["VALIDATED"] += 1
            return Answer(200, f'{{"name":"projects/{project}/messages/{NO_MESSAGE}"}}'.encode())
        if self.record.stuck:
            self.counts["UNAVAILABLE"] += 1
            return fcm_error("UNAVAILABLE", message="The emulator's record cannot be written.")
        name = self._accept(project, kind, target, message.data or {})
        return Answer(200, f'{{"name":"{name}"}}'.encode())

    def _accept(self, project: str, kind: str, target: str, data: dict[str, str]) -> str:
        now = time.time_ns()
        self._made += 1
        name = f"projects/{project}/messages/0:{now // 1000}%{self._boot}{self._made:08x}"
        get = data.get
        self.record.add(
            name,
            now // 1_000_000,
            f"{kind}:{target}",
            get("run_id", ""),
            get("event_id", ""),
            get("notification_id", ""),
        )
        self.counts["OK"] += 1
        self.targets[kind] += 1
        if kind == "topic" or kind == "condition":
            for topic in [target] if kind == "topic" else topics_of(target):
                if topic in self.topics or len(self.topics) < MOST_TOPICS:
                    self.topics[topic] += 1
        return name

    def with_faults(self, answer: Answer, *, accepted: bool = False) -> Answer:
        """The answer with the latency and headers that are set, and perhaps lost."""
        plan = self.plan
        fate = answer.fate
        if accepted:
            fate = plan.fate()
            self.lost += fate != "answer"
        headers = answer.headers
        if plan.faults.retry_after is not None and answer.status in RETRIABLE:
            headers = (*headers, ("retry-after", str(plan.faults.retry_after)))
        return answer._replace(headers=headers, fate=fate, delay=plan.delay())

    def reset(self) -> None:
        """Lift all faults, forget subscriptions, fill the quota and count from 0."""
        self.plan = Plan()
        self.subscriptions.reset()
        self.quota.reset()
        for counter in (self.counts, self.targets, self.topics):
            counter.clear()
        self.lost = 0
