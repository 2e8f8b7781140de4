"""`python -m answerbook.notebook.sender_process WAY MESSAGES`: what senders.py measures.

firebase-admin is used as its documentation shows, unmodified; the third way is the code of the
delivery worker without Kafka. Each sends some messages before the clock starts, so that token and
first connections are there. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import firebase_admin
import msgspec
import uvloop
from firebase_admin import messaging

from answerbook.config import NotifySettings
from answerbook.notebook.senders import WAYS, Way
from answerbook.notify.deliver import policy
from answerbook.notify.deliver.fcm.http import Answer, Pool
from answerbook.notify.deliver.fcm.target import Target
from answerbook.notify.emulator.client_side import led_to_emulator
from answerbook.notify.emulator.service_account import service_account_file

BATCH = 500
"""As many as firebase-admin takes in one call."""
WARM_UP = 100
BODY = "Your order is on its way."

Send = Callable[[int], None]


def main(way: Way, count: int) -> None:
    """Send, and print what it took."""
    settings = NotifySettings.load()
    with led_to_emulator(settings):
        meter = Meter()
        if way == "send_each":
            _send_each(meter, count)
        elif way == "send_each_async":
            asyncio.run(_send_each_async(meter, count))
        else:
            uvloop.run(_ours(settings, meter, count))
    print(json.dumps(meter.said))


class Meter:
    """Around a block: its clocks, and the connections and threads that were begun in it."""

    said: dict[str, float]

    def __init__(self) -> None:
        self._connections = self._threads = 0
        self._connect, self._start = socket.socket.connect, threading.Thread.start

    def __enter__(self) -> Meter:
        # Those of class level: clients begin both deep inside, and are not to be changed.
        connect, start = self._connect, self._start

        def connect_counted(client: socket.socket, place: Any) -> None:
            self._connections += 1
            connect(client, place)

        def start_counted(thread: threading.Thread) -> None:
            self._threads += 1
            start(thread)

        socket.socket.connect = connect_counted  # type: ignore[method-assign,assignment]
        threading.Thread.start = start_counted  # type: ignore[method-assign,assignment]
        self._began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        ended = time.perf_counter(), time.process_time()
        socket.socket.connect = self._connect  # type: ignore[method-assign]
        threading.Thread.start = self._start  # type: ignore[method-assign]
        self.said = {
            "seconds": ended[0] - self._began[0],
            "cpu_seconds": ended[1] - self._began[1],
            "connections": self._connections,
            "threads": self._threads,
        }


def _message(number: int) -> messaging.Message:
    shown = messaging.Notification(title=f"Order {number}", body=BODY)
    with warnings.catch_warnings():  # 7.7 prefers fid to token
        warnings.simplefilter("ignore", DeprecationWarning)
        return messaging.Message(token=f"token-{number}", notification=shown)


def _batches(count: int) -> list[list[messaging.Message]]:
    numbers = range(count)
    return [
        [_message(number) for number in numbers[start : start + BATCH]]
        for start in range(0, count, BATCH)
    ]


def _send_each(meter: Meter, count: int) -> None:
    firebase_admin.initialize_app()
    messaging.send_each(_batches(WARM_UP)[0])
    with meter:
        for batch in _batches(count):
            _check(messaging.send_each(batch))


async def _send_each_async(meter: Meter, count: int) -> None:
    firebase_admin.initialize_app()
    await messaging.send_each_async(_batches(WARM_UP)[0])
    with meter:
        for batch in _batches(count):
            _check(await messaging.send_each_async(batch))


def _check(answer: messaging.BatchResponse) -> None:
    failed = [one.exception for one in answer.responses if not one.success]
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(answer.responses)} failed: {failed[0]!r}")


async def _ours(settings: NotifySettings, meter: Meter, count: int) -> None:
    key = service_account_file(settings.folder.absolute())
    target = Target(settings.model_copy(update={"fcm_credentials": key}))
    await target.credentials.renew()
    sending = Sending(settings, target)
    await sending.send(WARM_UP)
    with meter:
        await sending.send(count)
    sending.pool.close()


class Sending:
    """Sends as the delivery worker does: a request on each idle connection, its answer a call."""

    def __init__(self, settings: NotifySettings, target: Target) -> None:
        self._target = target
        self._timeout = settings.deliver_timeout
        self._next = self._left = self._count = 0
        self.pool = Pool(
            target.address,
            settings.deliver_connections,
            settings.deliver_timeout,
            idle=self._pump,
            refused=self._refused,
        )

    async def send(self, count: int) -> None:
        """Return when all are answered. Raises RuntimeError for the first that is refused."""
        self._next, self._left, self._count = 0, count, count
        self._all: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pump()
        await self._all

    def _pump(self) -> None:
        while self._next < self._count:
            connection = self.pool.take()
            if connection is None:
                self.pool.grow(self._count - self._next)
                return
            shown = {"title": f"Order {self._next}", "body": BODY}
            message = {"token": f"token-{self._next}", "notification": shown}
            self._next += 1
            request = self._target.send(msgspec.json.encode(message))
            connection.send(request, time.monotonic() + self._timeout, self._answered)

    def _answered(self, answer: Answer) -> None:
        code, words = policy.read(answer)
        self._left -= 1
        if code != "OK":
            self._refused(f"{code} {words}")
        elif self._left == 0 and not self._all.done():
            self._all.set_result(None)
        self._pump()

    def _refused(self, why: str) -> None:
        if not self._all.done():
            self._all.set_exception(RuntimeError(why))


if __name__ == "__main__":
    wanted = sys.argv[1]
    assert wanted in WAYS
    main(wanted, int(sys.argv[2]))
