"""Sends what the worker gives it, when there is a connection, a token of the quota, and a service.

Used by worker.py, on its loop; it decides what follows from an answer.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from answerbook.config import NotifySettings
from answerbook.notify import records
from answerbook.notify.deliver import policy
from answerbook.notify.deliver.breaker import Breaker
from answerbook.notify.deliver.bucket import Bucket
from answerbook.notify.deliver.fcm.http import Answer, Pool
from answerbook.notify.deliver.fcm.target import Target
from answerbook.notify.deliver.flight import Flight
from answerbook.notify.deliver.tally import Tally
from answerbook.notify.running import log

NORMAL_SHARE = 10
"""One of so many sends is of normal priority while high ones wait."""


class Sender:
    """Calls back with what became of each flight.

    `answered` gets it with its code of policy.POLICY, FCM's words and its Retry-After; `expired`
    gets one whose time was over before its turn came.
    """

    def __init__(
        self,
        settings: NotifySettings,
        target: Target,
        tally: Tally,
        answered: Callable[[Flight, str, str, str], None],
        expired: Callable[[Flight], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = settings.deliver_timeout
        self._target = target
        self._tally = tally
        self._on_answered = answered
        self._on_expired = expired
        self._breaker = Breaker()
        self.bucket = Bucket(settings.deliver_quota_per_minute, settings.deliver_ramp_seconds)
        self._pool = Pool(
            target.address,
            settings.deliver_connections,
            settings.deliver_timeout,
            idle=self._connected,
            refused=self._refused,
        )
        self.high: deque[Flight] = deque()
        self.normal: deque[Flight] = deque()
        self.flying: set[Flight] = set()
        """Sends without an answer."""
        self._turn = 0
        self._refill: asyncio.TimerHandle | None = None
        self._renewal: asyncio.Task[None] | None = None

    @property
    def down(self) -> bool:
        """Whether FCM is taken to be down."""
        return self._breaker.open

    def queue(self, flight: Flight) -> None:
        """It is sent in its turn, by the next `pump`."""
        (self.high if flight.note.priority == "high" else self.normal).append(flight)

    def take_queued(self) -> list[Flight]:
        """All that wait for their turn; they are not sent any more."""
        flights = [*self.high, *self.normal]
        self.high.clear()
        self.normal.clear()
        return flights

    def take_flying(self) -> list[Flight]:
        """All that wait for an answer: their connections are cut, and nothing is told of them."""
        flights = list(self.flying)
        self.flying.clear()
        self._breaker.probing = False
        self._pool.cut()
        return flights

    def pump(self) -> None:
        """Send while there is all that it takes."""
        high, normal, pool, breaker = self.high, self.normal, self._pool, self._breaker
        while high or normal:
            if not breaker.may_send() or not self._target.credentials.token:
                return
            connection = pool.take()
            if connection is None:
                pool.grow(1 if breaker.open else len(high) + len(normal))
                return
            if not self.bucket.take():
                pool.give_back(connection)
                if self._refill is None:
                    self._refill = self._loop.call_later(self.bucket.wait(), self._refilled)
                return
            flight = self._next()
            if flight is None:
                pool.give_back(connection)
                return
            breaker.sending()
            flight.started = now = time.monotonic()
            self.flying.add(flight)
            request = self._target.send(flight.note.message)
            connection.send(request, now + self._timeout, _Waiting(self._answered, flight))

    def _next(self) -> Flight | None:
        """The next that is not expired; high ones first, but for the share of the others."""
        high, normal = self.high, self.normal
        while high or normal:
            self._turn += 1
            fair = self._turn % NORMAL_SHARE == 0
            flight = (high if high and not (fair and normal) else normal).popleft()
            if flight.note.expires_at >= records.now():
                return flight
            self._on_expired(flight)
        return None

    def _refilled(self) -> None:
        self._refill = None
        self.pump()

    def _answered(self, flight: Flight, answer: Answer) -> None:
        if flight not in self.flying:  # given up meanwhile
            return
        self.flying.discard(flight)
        code, words = policy.read(answer)
        self._tally.sends[code] += 1
        self._tally.send_seconds.add(time.monotonic() - flight.started)
        if code == "OK":
            self._service_answers()
        else:
            self._heed(policy.POLICY[code], f"{code} {words}".strip())
        self._on_answered(flight, code, words, answer.retry_after)
        self.pump()

    # -- the service -----------------------------------------------------------------------------

    def _heed(self, rule: policy.Rule, said: str) -> None:
        """What a refusal means for the sends that follow."""
        if not rule.outage:
            self._service_answers()
        elif self._breaker.failed(said):
            self._went_down(said)
        if rule.slow:
            self.bucket.slow()
        if rule.renew and (self._renewal is None or self._renewal.done()):
            self._renewal = asyncio.ensure_future(self._renew())

    async def _renew(self) -> None:
        try:
            await self._target.credentials.renew()
        except Exception as error:  # noqa: BLE001 - it is tried again by the clock
            log().warning("no new access token", error=str(error))

    def _connected(self) -> None:
        self._breaker.connected()
        if self._breaker.open and not self.high and not self.normal:
            self._service_answers()  # nothing to probe with: that there is a connection must do
        self.pump()

    def _refused(self, reason: str) -> None:
        if self._breaker.refused(reason):
            self._went_down(reason)

    def _service_answers(self) -> None:
        if self._breaker.succeeded():
            log().info("FCM answers again")

    def _went_down(self, reason: str) -> None:
        log().warning("FCM is down: nothing is sent but probes", reason=reason, to=self._target.url)

    def tick(self) -> None:
        """A few times a second: what is due by the clock."""
        self._pool.sweep()
        self._tally.in_flight = len(self.flying)
        self._tally.down = self._breaker.open
        if self._breaker.may_send():
            if not self._pool.connected:
                self._pool.grow(1)
            elif self._breaker.open and not self.high and not self.normal:
                self._connected()
        self.pump()

    def not_ready(self) -> str | None:
        """Why it does not send; None when it could."""
        if self._breaker.open:
            return f"FCM is down: {self._breaker.reason}"
        if not self._target.credentials.token:
            return "there is no access token yet"
        if not self._pool.connected:
            return "there is no connection to FCM"
        return None

    def close(self) -> None:
        self._pool.close()


class _Waiting:
    """`answered(flight, answer)` as a callback of the answer; smaller and quicker than a lambda."""

    __slots__ = ("_answered", "_flight")

    def __init__(self, answered: Callable[[Flight, Answer], None], flight: Flight) -> None:
        self._answered = answered
        self._flight = flight

    def __call__(self, answer: Answer) -> None:
        self._answered(self._flight, answer)
