"""The heart of deliver: which notifications are sent, and what becomes of each.

program.py makes one. Everything here runs on one event loop, as callbacks; intake.py hands over
records and takes positions to commit. A notification goes: arrived → queued → sent → answered →
outbox → finished, and only then its offset may be committed.
"""

import asyncio
from collections.abc import Iterable

from answerbook.config import NotifySettings
from answerbook.notify import records
from answerbook.notify.deliver import policy
from answerbook.notify.deliver.fcm.target import Target
from answerbook.notify.deliver.flight import Arrival, Flight, unreadable
from answerbook.notify.deliver.outbox import Finished, Outbox
from answerbook.notify.deliver.room import Room
from answerbook.notify.deliver.sender import Sender
from answerbook.notify.deliver.tally import Tally
from answerbook.notify.deliver.tracker import Tracker
from answerbook.notify.deliver.window import Window, key_of
from answerbook.notify.kafka import Writer
from answerbook.notify.records import RETRIES, NotificationOutcome
from answerbook.notify.running import log

Place = tuple[str, int]
"""Topic and partition."""

SHORT_WAIT = 1.0
"""Seconds; a shorter wait for the next attempt is spent here, and not in a retry topic …"""
MOST_WAITING = 0.1
"""… for up to this part of the window."""


class Worker:
    """Call it on the loop only; `room` alone is shared with intake's thread."""

    def __init__(
        self, settings: NotifySettings, target: Target, writer: Writer, tally: Tally, room: Room
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._attempts = settings.deliver_attempts
        self._most_waiting = int(settings.deliver_in_flight * MOST_WAITING)
        self._tally = tally
        self._room = room
        self._outbox = Outbox(writer, self._finished)
        self.sender = Sender(settings, target, tally, self._answered, self._expired)
        self.windows: dict[int, Window] = {}
        self._trackers: dict[Place, Tracker] = {}
        self._waiting: dict[Flight, asyncio.TimerHandle] = {}
        self._quiet: asyncio.Event | None = None
        """Set when a drain is done; None while there is none."""

    # -- partitions ------------------------------------------------------------------------------

    def assigned(self, windows: dict[int, Window], partitions: int) -> None:
        """From now on these partition numbers, of `partitions` in all, are this worker's."""
        self.windows = windows
        self._trackers = {}
        self._quiet = None
        self.sender.bucket.set_share(len(windows) / partitions)

    async def drain(self, seconds: float) -> dict[Place, int]:
        """Take nothing more; wait for what is in flight; positions that may be committed.

        What is not done in that time is given up without an outcome: whoever holds the partition
        next reads it again.
        """
        self._quiet = asyncio.Event()
        for timer in self._waiting.values():
            timer.cancel()
        self._drop([*self.sender.take_queued(), *self._waiting])
        self._waiting.clear()
        self._outbox.flush()
        self._tell_quiet()
        try:
            async with asyncio.timeout(seconds):
                await self._quiet.wait()
        except TimeoutError:
            self._give_up()
        positions = {place: tracker.position for place, tracker in self._trackers.items()}
        self._trackers = {}
        return positions

    def _give_up(self) -> None:
        flights = self.sender.take_flying()
        self._drop(flights)
        log().warning("given up while draining; will be read again", sends=len(flights))
        if not self._outbox.idle:
            # Kafka may never get these results: only what it has may keep a copy from being sent.
            self.windows = {}

    def _drop(self, flights: list[Flight]) -> None:
        for flight in flights:
            flight.window.dropped(flight.key)
        self._room.release(len(flights))

    def advanced(self) -> dict[Place, int]:
        """Positions that moved since the last call."""
        moved = ((place, tracker.advanced()) for place, tracker in self._trackers.items())
        return {place: position for place, position in moved if position is not None}

    # -- in --------------------------------------------------------------------------------------

    def arrived(self, arrivals: Iterable[Arrival]) -> None:
        """Records of Kafka, in the order of each partition."""
        now = records.now()
        done = 0
        for arrival in arrivals:
            topic, number, offset, _, note, *_ = arrival
            window = self.windows.get(number)
            if window is None or self._quiet is not None:  # revoked since it was read
                done += 1
                continue
            tracker = self._trackers.get((topic, number))
            if tracker is None:
                tracker = self._trackers[topic, number] = Tracker()
            tracker.take(offset)
            if note is None:
                self._tally.outcomes["dead"] += 1
                self._outbox.add((tracker, offset), *unreadable(arrival))
                continue
            key = key_of(note.notification_id)
            if not window.admit(key, note, topic in RETRIES):
                self._tally.duplicates += 1
                tracker.finish(offset)
                done += 1
                continue
            flight = Flight(arrival, note, key, window, tracker)
            if note.not_before > now:
                self._put_off(flight, note.not_before - now)
            else:
                self.sender.queue(flight)
        if done:
            self._room.release(done)
        self._count_queued()
        self.sender.pump()

    def _count_queued(self) -> None:
        self._room.high = len(self.sender.high)
        self._room.normal = len(self.sender.normal)

    def tick(self) -> None:
        """A few times a second: what is due by the clock."""
        self._count_queued()
        self.sender.tick()

    # -- out -------------------------------------------------------------------------------------

    def _answered(self, flight: Flight, code: str, words: str, retry_after: str) -> None:
        if code == "OK":
            self._tally.end_to_end.add((records.now() - flight.note.accepted_at) / 1000)
            flight.window.sent(flight.key)
            self._settle(flight, "sent", name=words)
            return
        rule = policy.POLICY[code]
        if rule.then == "dead":
            self._dead(flight, code, words if rule.letter else None)
            return
        flight.attempt += 1
        if flight.attempt >= self._attempts:
            self._dead(flight, "attempts", f"{code} {words}".strip())
            return
        self._again_in(flight, policy.delay(rule, flight.attempt, retry_after))

    def _again_in(self, flight: Flight, wait: float) -> None:
        here = wait <= SHORT_WAIT and len(self._waiting) < self._most_waiting
        if records.now() + wait * 1000 > flight.note.expires_at:
            self._expired(flight)
        elif here and not self.sender.down and self._quiet is None:
            self._waiting[flight] = self._loop.call_later(wait, self._again, flight)
        else:
            self._put_off(flight, int(wait * 1000))

    def _again(self, flight: Flight) -> None:
        del self._waiting[flight]
        self.sender.queue(flight)
        self.sender.pump()

    def _put_off(self, flight: Flight, milliseconds: int) -> None:
        topic = policy.retry_topic(milliseconds / 1000)
        flight.window.put_off(flight.key, flight.note.replay, flight.attempt)
        self._tally.retries[topic] += 1
        self._outbox.add(flight.place, flight.retry(topic, records.now() + milliseconds))

    def _dead(self, flight: Flight, reason: str, letter: str | None) -> None:
        """With a dead letter of this detail, if there is one."""
        flight.window.failed(flight.key, flight.note.replay)
        self._tally.outcomes["dead"] += 1
        items = [flight.receipt("dead", reason)]
        if letter is not None:
            items.append(flight.letter(reason, letter))
        self._outbox.add(flight.place, *items)

    def _expired(self, flight: Flight) -> None:
        flight.window.failed(flight.key, flight.note.replay)
        self._settle(flight, "expired", "expired")

    def _settle(
        self, flight: Flight, outcome: NotificationOutcome, reason: str = "", name: str = ""
    ) -> None:
        self._tally.outcomes[outcome] += 1
        self._outbox.add(flight.place, flight.receipt(outcome, reason, name))

    def _finished(self, about: list[Finished]) -> None:
        """Kafka has acknowledged these outcomes."""
        for tracker, offset in about:
            tracker.finish(offset)
        self._room.release(len(about))
        self._tell_quiet()

    def _tell_quiet(self) -> None:
        if self._quiet is not None and not self.sender.flying and self._outbox.idle:
            self._quiet.set()
