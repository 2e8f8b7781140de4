"""Subscribes devices to FCM's topics, and unsubscribes them: one request a token.

Used by `answerbook notify subscribe` and `unsubscribe`. The requests are those of firebase-admin
7.7, the policy is that of policy.py: what may be tried again is, and the rest is told.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import psycopg
import uvloop

from answerbook.config import NotifySettings
from answerbook.notify.deliver import policy
from answerbook.notify.deliver.bucket import Bucket
from answerbook.notify.deliver.fcm.http import Answer, Connection, Pool
from answerbook.notify.deliver.fcm.target import Target

Change = Literal["subscribe", "unsubscribe"]

SUBSCRIPTIONS = """
    SELECT s.topic, d.address
    FROM topic_subscriptions s JOIN devices d USING (user_id)
    WHERE d.pruned_at IS NULL
    ORDER BY s.topic, d.address
"""
MOST_PER_MINUTE = 180_000
"""Subscriptions of a project, by FCM's documentation: 3,000 a second."""
ALREADY = 409
"""The status of a subscription that is there; to subscribe is to have it."""
SWEEP = 0.2
"""Seconds between looks for answers that are overdue."""


@dataclass
class Changed:
    """How many requests succeeded, and why each of the others did not."""

    done: int = 0
    failed: dict[tuple[str, str], str] = field(default_factory=dict)
    """Topic and token → the code."""


def wanted(settings: NotifySettings) -> list[tuple[str, str]]:
    """Topic and token of each subscription in the store. Raises psycopg.Error."""
    database = settings.database.get_secret_value()
    with psycopg.connect(database, connect_timeout=10) as connection:
        return [(str(topic), str(token)) for topic, token in connection.execute(SUBSCRIPTIONS)]


def change(
    settings: NotifySettings,
    what: Change,
    pairs: Iterable[tuple[str, str]],
    progress: Callable[[int], object] = lambda _count: None,
) -> Changed:
    """Subscribe or unsubscribe each (topic, token); `progress` gets how many more are done.

    Raises ValueError for a key file that cannot be read, and GoogleAuthError where it gives no
    access token.
    """
    return uvloop.run(_change(settings, what, pairs, progress))


async def _change(
    settings: NotifySettings,
    what: Change,
    pairs: Iterable[tuple[str, str]],
    progress: Callable[[int], object],
) -> Changed:
    changer = _Changer(settings)
    await changer.target.credentials.renew()
    changed = Changed()
    left = iter(pairs)

    async def work() -> None:
        for topic, token in left:
            code = await changer.one(what, topic, token)
            if code == "OK":
                changed.done += 1
            else:
                changed.failed[topic, token] = code
            progress(1)

    sweeping = asyncio.ensure_future(changer.sweep())
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(settings.deliver_connections):
                group.create_task(work())
    finally:
        sweeping.cancel()
        changer.pool.close()
    return changed


class _Changer:
    """A pool whose answers are awaited: here a request may cost more than in the worker."""

    def __init__(self, settings: NotifySettings) -> None:
        self.target = Target(settings)
        self._attempts = settings.deliver_attempts
        self._timeout = settings.deliver_timeout
        self._bucket = Bucket(MOST_PER_MINUTE, 0)
        self._changed = asyncio.Event()
        self.pool = Pool(
            self.target.address,
            settings.deliver_connections,
            settings.deliver_timeout,
            idle=self._changed.set,
            refused=self._refused,
        )
        self._refusals = 0

    async def one(self, what: Change, topic: str, token: str) -> str:
        """OK, or the code with which it failed for good."""
        for attempt in range(1, self._attempts + 1):
            make = self.target.subscribe if what == "subscribe" else self.target.unsubscribe
            answer = await self._ask(make(token, topic))
            code = _code(answer, what)
            rule = policy.POLICY[code]
            if rule.then != "retry" or attempt == self._attempts:
                return code
            if rule.renew:
                await self.target.credentials.renew()
            if rule.slow:
                self._bucket.slow()
            await asyncio.sleep(policy.delay(rule, attempt, answer.retry_after))
        return code

    async def _ask(self, request: bytes) -> Answer:
        await self._turn()
        connection = await self._connection()
        if connection is None:
            return Answer(0, failure="CUT")
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def done(answer: Answer) -> None:
            answered.set_result(answer)
            self._changed.set()

        connection.send(request, time.monotonic() + self._timeout, done)
        return await answered

    async def _turn(self) -> None:
        while True:
            if self._bucket.take():
                return
            await asyncio.sleep(self._bucket.wait())

    async def _connection(self) -> Connection | None:
        """An idle one; None when a new one was refused meanwhile."""
        refusals = self._refusals
        while (connection := self.pool.take()) is None:
            if self._refusals > refusals:
                return None
            self._changed.clear()
            self.pool.grow(1)
            await self._changed.wait()
        return connection

    def _refused(self, _reason: str) -> None:
        self._refusals += 1
        self._changed.set()

    async def sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            self.pool.sweep()


class _Status(msgspec.Struct):
    status: str = ""


class _Body(msgspec.Struct):
    error: _Status


def _code(answer: Answer, what: Change) -> str:
    if 200 <= answer.status < 300:
        return "OK"
    if what == "subscribe":
        try:
            status = msgspec.json.decode(answer.body, type=_Body).error.status
        except (msgspec.DecodeError, UnicodeDecodeError):
            status = ""
        if answer.status == ALREADY or status == "ALREADY_EXISTS":
            return "OK"
    return policy.read(answer)[0]
