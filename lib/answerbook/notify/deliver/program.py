"""`answerbook notify deliver`: one delivery worker, until SIGTERM.

It listens before anything else, so that probes can tell why it is not ready; waits for Kafka and
its topics, and for the service account's key; and ends by draining: what is in flight is finished
or given back within ten seconds.
"""

import asyncio
import signal
import time

import uvloop
from confluent_kafka import KafkaException
from prometheus_client import REGISTRY

from answerbook.config import NotifySettings
from answerbook.notify.deliver.fcm.target import Target
from answerbook.notify.deliver.intake import SUBSCRIBED, Intake
from answerbook.notify.deliver.room import Room
from answerbook.notify.deliver.tally import Tally
from answerbook.notify.deliver.worker import Worker
from answerbook.notify.kafka import Writer
from answerbook.notify.records import PORTS, RECEIPTS_NOTIFICATIONS
from answerbook.notify.running import Watch, log
from answerbook.notify.topics import partitions

TICK = 0.1
"""Seconds between looks at the clock: deadlines, probes of FCM, what has to be committed."""
COMMIT = 1.0
"""Seconds between commits."""
AGAIN = 2.0
"""Seconds before another try at what is needed to begin."""

LONGEST_END = 10.0
"""Seconds in which the sends in flight are finished and the group is left …"""
LONGEST_FLUSH = 2.0
"""… and in which Kafka takes what is written and not acknowledged then."""


def main(settings: NotifySettings) -> None:
    """Deliver until SIGTERM or SIGINT. Exits 1 when the port is taken or the program is broken."""
    uvloop.run(Program(settings).run())


class Program:
    """What is there from the start; the rest is made when Kafka answers."""

    def __init__(self, settings: NotifySettings) -> None:
        self._settings = settings
        self._ended = asyncio.Event()
        self._worker: Worker | None = None
        self._intake: Intake | None = None

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ended.set)
        watch = self._watch()
        log().info("deliver listens", port=watch.port)
        try:
            target = await self._target()
            count = await self._partitions()
            if target and count:
                await self._deliver(target, count)
        finally:
            watch.stop()
        log().info("deliver ended")

    def _watch(self) -> Watch:
        port = PORTS["deliver"] if self._settings.port is None else self._settings.port
        try:
            return Watch(self._settings.host, port, self._not_ready, self._not_alive)
        except OSError as error:
            raise SystemExit(
                f"Port {port} cannot be listened on ({error}). Set ANSWERBOOK_NOTIFY_PORT."
            ) from None

    async def _deliver(self, target: Target, count: int) -> None:
        tally = Tally()
        REGISTRY.register(tally)
        room = Room(self._settings.deliver_in_flight)
        writer = Writer(self._settings.kafka)
        worker = self._worker = Worker(self._settings, target, writer, tally, room)
        intake = self._intake = Intake(
            self._settings, worker, room, asyncio.get_running_loop(), count
        )
        fresh = asyncio.ensure_future(target.credentials.keep())
        try:
            intake.start()
            await self._tick(worker, intake)
        finally:
            intake.end()
            await asyncio.to_thread(intake.join, LONGEST_END)
            if intake.is_alive():
                log().error(
                    "Kafka did not let go; whoever is next reads again what was not committed"
                )
            fresh.cancel()
            worker.sender.close()
            left = await asyncio.to_thread(writer.close, LONGEST_FLUSH)
            if left:
                log().error("results that Kafka did not take; will be sent again", count=left)
            REGISTRY.unregister(tally)

    async def _tick(self, worker: Worker, intake: Intake) -> None:
        committed = time.monotonic()
        while not await self._ended_within(TICK):
            if not intake.is_alive():
                raise SystemExit("The thread that reads Kafka has died: see above.")
            worker.tick()
            if time.monotonic() - committed >= COMMIT:
                committed = time.monotonic()
                if moved := worker.advanced():
                    intake.commit_soon(moved)

    async def _ended_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return False
        return True

    async def _target(self) -> Target | None:
        while True:
            try:
                return Target(self._settings)
            except ValueError as error:
                log().error("cannot begin; will try again", error=str(error), wait=AGAIN)
            if await self._ended_within(AGAIN):
                return None

    async def _partitions(self) -> int | None:
        """How many each topic has, when they are there and agree."""
        while True:
            try:
                return await asyncio.to_thread(self._count)
            except (KafkaException, LookupError, ValueError) as error:
                log().error("cannot begin; will try again", error=str(error), wait=AGAIN)
            if await self._ended_within(AGAIN):
                return None

    def _count(self) -> int:
        counts = {
            topic: len(partitions(self._settings.kafka, topic))
            for topic in (*SUBSCRIBED, RECEIPTS_NOTIFICATIONS)
        }
        if len(set(counts.values())) > 1:
            raise ValueError(f"topics have different numbers of partitions: {counts}")
        return counts[RECEIPTS_NOTIFICATIONS]

    def _not_ready(self) -> str | None:
        if self._worker is None or self._intake is None:
            return "waiting for Kafka, its topics, or the key of the service account"
        if not self._intake.assigned:
            return "no partitions are assigned yet"
        return self._worker.sender.not_ready()

    def _not_alive(self) -> str | None:
        if self._intake is not None and not self._intake.is_alive() and not self._ended.is_set():
            return "the thread that reads Kafka has died"
        return None
