"""GET /v1/events/{event_id}: what became of a caller's event, from what `track` wrote."""

import asyncio
import re
from datetime import datetime
from typing import Any, Literal

import msgspec
from psycopg.rows import dict_row
from starlette.requests import Request
from starlette.responses import Response

from answerbook.notify.api.incoming import EVENT_ID, whole
from answerbook.notify.api.keyring import DATABASE_ERRORS, DATABASE_SECONDS, Keyring, Pool
from answerbook.notify.api.problems import Problem, answer, retry_after
from answerbook.notify.api.times import rfc3339
from answerbook.notify.running import log

MOST_RECENT = 50_000
"""Events that a program remembers to have accepted; about 10 MB."""

EventState = Literal["accepted", "expanded", "suppressed", "expired", "dead"]
NotificationState = Literal["pending", "sent", "suppressed", "expired", "dead"]


class Notification(msgspec.Struct, omit_defaults=True):
    """One message to one device, and what became of it."""

    notification_id: str
    state: NotificationState
    device_id: str | None = None
    reason: str = ""
    attempts: int | None = None
    message_name: str = ""
    at: str | None = None


class State(msgspec.Struct, omit_defaults=True):
    """An event and its notifications."""

    event_id: str
    state: EventState
    run_id: str
    notifications: list[Notification]
    reason: str = ""
    accepted_at: str | None = None
    at: str | None = None


class Recent:
    """What was accepted lately: event → run and time, the oldest forgotten first."""

    def __init__(self, most: int = MOST_RECENT) -> None:
        self._most = most
        self._events: dict[str, tuple[str, int]] = {}

    def add(self, event_ids: list[str], run_id: str, accepted_at: int) -> None:
        self._events.update(dict.fromkeys(event_ids, (run_id, accepted_at)))
        surplus = len(self._events) - self._most
        if surplus > 0:
            for oldest in [event for event, _ in zip(self._events, range(surplus), strict=False)]:
                del self._events[oldest]

    def get(self, event_id: str) -> tuple[str, int] | None:
        return self._events.get(event_id)


class States:
    """Answers GET /v1/events/{event_id}."""

    def __init__(self, keyring: Keyring, pool: Pool, recent: Recent) -> None:
        self._keyring = keyring
        self._pool = pool
        self._recent = recent

    async def get(self, request: Request) -> Response:
        """Starlette's endpoint."""
        authorization = request.headers.get("authorization")
        key_id, _ = self._keyring.caller(authorization.encode("latin-1") if authorization else None)
        event_id = request.path_params["event_id"]
        state = None
        if re.search(whole(EVENT_ID), event_id):
            state = await self._state(key_id, event_id)
        if state is None:
            raise Problem(404, "not-found", "This key has sent no such event that is known here.")
        given = answer(200, state)
        return Response(given.body, given.status, {"content-type": "application/json"})

    async def _state(self, key_id: str, event_id: str) -> State | None:
        qualified = f"{key_id}/{event_id}"
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                event, notifications = await self._read(qualified)
        except DATABASE_ERRORS as error:
            log().warning("PostgreSQL does not answer", error=str(error))
            raise Problem(
                503, "unavailable", "The store of outcomes does not answer.", retry_after(2)
            ) from error
        if event is not None:
            return _finished(event_id, event, notifications)
        recent = self._recent.get(qualified)
        if recent is None and not notifications:
            return None
        run_id, accepted_at = recent or (notifications[0]["run_id"], None)
        return State(
            event_id=event_id,
            state="accepted",
            run_id=run_id,
            notifications=_told(notifications, []),
            accepted_at=rfc3339(accepted_at) if accepted_at else None,
        )

    async def _read(self, event_id: str) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(
                "SELECT outcome, reason, run_id, notifications, accepted_at, at"
                " FROM event_outcomes WHERE event_id = %s",
                (event_id,),
            )
            event = await cursor.fetchone()
            await cursor.execute(
                "SELECT notification_id, outcome, reason, run_id, device_id, attempt,"
                " message_name, at FROM notification_outcomes WHERE event_id = %s"
                " ORDER BY at, notification_id",
                (event_id,),
            )
            return event, await cursor.fetchall()


def _finished(event_id: str, event: dict[str, Any], notifications: list[dict[str, Any]]) -> State:
    return State(
        event_id=event_id,
        state=event["outcome"],
        run_id=event["run_id"],
        reason=event["reason"],
        accepted_at=_moment(event["accepted_at"]),
        at=_moment(event["at"]),
        notifications=_told(notifications, event["notifications"]),
    )


def _told(outcomes: list[dict[str, Any]], expected: list[str]) -> list[Notification]:
    """The notifications with an outcome, then those without one."""
    told = [
        Notification(
            notification_id=row["notification_id"],
            state=row["outcome"],
            device_id=row["device_id"],
            reason=row["reason"],
            attempts=row["attempt"],
            message_name=row["message_name"],
            at=_moment(row["at"]),
        )
        for row in outcomes
    ]
    known = {notification.notification_id for notification in told}
    return told + [Notification(each, "pending") for each in expected if each not in known]


def _moment(time: datetime | None) -> str | None:
    return None if time is None else rfc3339(int(time.timestamp() * 1000))
