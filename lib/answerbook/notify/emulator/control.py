"""The control API: faults, counts and the record. Every call needs `Authorization: Bearer TOKEN`.

PUT /control/faults     set all faults (see `faults.py`); 422 names the field that is wrong
GET /control/faults     those that are set
DELETE /control/faults  lift all
GET /control/counts     what was answered, accepted and lost; topics; the quota that is left
GET /control/accepted?notification_id=…   lines of the record
POST /control/reset     lift faults, forget subscriptions, fill the quota, count from 0
"""

import asyncio
import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from pydantic import SecretStr

from answerbook.notify.emulator.answers import Answer, as_json
from answerbook.notify.emulator.faults import Plan, WrongFaults, read_faults
from answerbook.notify.emulator.fcm import Fcm


class Control:
    """Answers under /control. `lifted` is called when an outage is over."""

    def __init__(
        self, fcm: Fcm, token: SecretStr, project: str, lifted: Callable[[], None]
    ) -> None:
        self._fcm = fcm
        self._token = f"Bearer {token.get_secret_value()}".encode()
        self._project = project
        self._lifted = lifted
        self._end: asyncio.TimerHandle | None = None
        """Of the outage that is set."""

    def answer(self, method: str, path: str, query: str, authorization: str, body: bytes) -> Answer:
        """Answer one call."""
        if not hmac.compare_digest(authorization.encode("latin-1", "replace"), self._token):
            refused = _problem(401, "The control API needs its token; see control.token.")
            return refused._replace(headers=(("www-authenticate", "Bearer"),))
        match method, path.removeprefix("/control/"):
            case "PUT", "faults":
                return self._set(body)
            case "GET", "faults":
                return as_json(self._fcm.plan.as_set())
            case "DELETE", "faults":
                self._plan(Plan())
                return as_json({})
            case "GET", "counts":
                return as_json(self._counts())
            case "GET", "accepted":
                return self._accepted(query)
            case "POST", "reset":
                self._fcm.reset()
                self._plan(Plan())
                return as_json({})
            case _, "faults" | "counts" | "accepted" | "reset":
                return _problem(405, "This call has another method.")
        return _problem(404, "There are faults, counts, accepted and reset under /control/.")

    def _set(self, body: bytes) -> Answer:
        try:
            plan = Plan(read_faults(body))
        except WrongFaults as error:
            return _problem(422, str(error), field=error.field)
        self._plan(plan)
        return as_json(plan.as_set())

    def _plan(self, plan: Plan) -> None:
        self._fcm.plan = plan
        self._lifted()
        if self._end is not None:
            self._end.cancel()
        outage = plan.faults.outage
        if outage is not None and outage.seconds is not None:
            self._end = asyncio.get_running_loop().call_later(outage.seconds, self._lifted)

    def _counts(self) -> dict[str, Any]:
        fcm = self._fcm
        subscribers = fcm.subscriptions.topics()
        return {
            "answers": dict(fcm.counts),
            "accepted": fcm.counts["OK"],
            "accepted_by_target": dict(fcm.targets),
            "answers_lost": fcm.lost,
            "quota_left": fcm.quota.left(self._project),
            "topics": {
                topic: {"messages": fcm.topics[topic], "subscribers": subscribers.get(topic, 0)}
                for topic in sorted(subscribers.keys() | fcm.topics.keys())
            },
        }

    def _accepted(self, query: str) -> Answer:
        wanted = parse_qs(query).get("notification_id", [""])[0]
        if not wanted:
            return _problem(422, "It is asked for by ?notification_id=", field="notification_id")
        return as_json({"accepted": self._fcm.record.find(wanted)})


def _problem(status: int, detail: str, **more: str) -> Answer:
    return as_json(
        {"status": status, "detail": detail, **more},
        status,
        content_type="application/problem+json",
    )
