"""Whether the API can take events: Kafka answers, has the topic, and the keys are known."""

import asyncio
import time

from answerbook.notify.api.keyring import Keyring
from answerbook.notify.kafka import Writer
from answerbook.notify.records import EVENTS
from answerbook.notify.running import log

KAFKA_SECONDS = 2.0
"""What Kafka may take to answer."""
FRESH_SECONDS = 1.0
"""How long an answer of Kafka's is good for, however often it is asked for."""
START_SECONDS = 0.25
"""Between two looks while the program starts."""


class Readiness:
    """Asks Kafka, from a thread, one question at a time."""

    def __init__(self, writer: Writer, keyring: Keyring) -> None:
        self._writer = writer
        self._keyring = keyring
        self._lock = asyncio.Lock()
        self._asked_at = -FRESH_SECONDS
        self._answer: str | None = None

    async def why_not(self) -> str | None:
        """Why no events can be taken, or None; known within KAFKA_SECONDS."""
        if not self._keyring.loaded:
            return "the keys have not been read from PostgreSQL yet"
        async with self._lock:
            if time.monotonic() - self._asked_at >= FRESH_SECONDS:
                self._answer = await asyncio.to_thread(self._writer.why_not, EVENTS, KAFKA_SECONDS)
                self._asked_at = time.monotonic()
            return self._answer

    async def tell_start(self) -> None:
        """Log what the program still waits for, then that it is ready."""
        told = None
        while (why := await self.why_not()) is not None:
            if why != told:
                log().warning("not ready", why=why)
                told = why
            await asyncio.sleep(START_SECONDS)
        log().info("ready")
