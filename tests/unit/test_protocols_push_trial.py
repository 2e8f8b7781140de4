"""An application in a thread, and the trials that readers are put to."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import closing
from random import Random

import httpx
import pytest
import websockets
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from answerbook.protocols import asgi, trial, websocket
from answerbook.protocols.ticks import EVERY_SECONDS, tick, ticking
from answerbook.protocols.trial import Received

SECONDS = 20


async def greet(request: Request) -> Response:
    return PlainTextResponse(request.method.lower())


# -- asgi -------------------------------------------------------------------------------------


def test_an_application_answers_as_soon_as_its_address_is_known() -> None:
    with asgi.serve_handler("/greeting", greet) as serving:
        url = f"{serving.url}/greeting"
        assert "get" == httpx.get(url, timeout=SECONDS).text
        assert "post" == httpx.post(url, timeout=SECONDS).text
        assert 404 == httpx.get(serving.url, timeout=SECONDS).status_code


def test_a_stopped_application_leaves_no_thread_and_no_port() -> None:
    before = set(threading.enumerate())  # of other tests, some of them about to end
    with asgi.serve_handler("/greeting", greet) as serving:
        assert f"<application at {serving.url}>" == repr(serving)
        assert serving.running
    serving.stop()
    assert set(threading.enumerate()) <= before
    assert f"<{serving.url}, stopped>" == repr(serving)
    with asgi.serve_handler("/greeting", greet, serving.port) as again:
        assert serving.url == again.url


def test_an_application_stops_while_a_stream_is_open() -> None:
    async def endless() -> AsyncIterator[str]:
        yield "first\n"
        await asyncio.Event().wait()

    async def stream(_: Request) -> Response:
        return StreamingResponse(endless())

    with (
        asgi.serve_handler("/stream", stream) as serving,
        httpx.stream("GET", f"{serving.url}/stream", timeout=SECONDS) as answer,
    ):
        lines = answer.iter_lines()
        assert "first" == next(lines)
        serving.stop()
        assert not serving.running


def test_a_port_that_is_taken_is_an_error_of_the_operating_system() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken, pytest.raises(OSError):  # noqa: PT011
        asgi.serve_handler("/greeting", greet, taken.getsockname()[1])


# -- ticks ------------------------------------------------------------------------------------


def test_a_price_carries_its_number_and_when_it_was_published() -> None:
    before = time.monotonic()
    price = json.loads(tick(17))
    assert 17 == price["number"]
    assert before - 1e-5 <= price["at"] <= time.monotonic() + 1e-5


def test_prices_come_in_order_and_not_faster_than_they_should() -> None:
    async def first(count: int) -> tuple[list[int], float]:
        numbers, began = [], time.monotonic()
        async for number, _ in ticking(5):
            numbers.append(number)
            if len(numbers) == count:
                break
        return numbers, time.monotonic() - began

    numbers, seconds = asyncio.run(first(21))
    assert list(range(5, 26)) == numbers
    assert seconds >= 19 * EVERY_SECONDS


# -- trial ------------------------------------------------------------------------------------


def test_the_delay_of_a_price_is_its_age_on_arrival() -> None:
    message = json.dumps({"number": 3, "at": 10.0})
    assert (3, 0.5) == trial.heard(message, 10.5)
    assert (3, 0.5) == trial.heard(message.encode(), 10.5)
    assert trial.heard(tick(3))[1] < SECONDS


@given(
    first=st.integers(1, 1_000),
    missing=st.sets(st.integers(1, 48)),
    repeated=st.lists(st.integers(0, 49)),
    seed=st.randoms(use_true_random=False),
)
def test_what_is_missed_and_what_comes_twice_is_counted(
    first: int,
    missing: set[int],
    repeated: list[int],
    seed: Random,
) -> None:
    there = [number for number in range(50) if number not in missing]
    numbers = there + [number for number in repeated if number not in missing]
    seed.shuffle(numbers)
    received = [(first + number, 0.0) for number in numbers]
    assert (len(missing), len(numbers) - len(there)) == trial.missed_and_twice(received)


def test_of_nothing_nothing_is_missed() -> None:
    assert (0, 0) == trial.missed_and_twice([])


def test_a_vain_wait_says_what_it_waited_for() -> None:
    with pytest.raises(TimeoutError, match="Waited 0.05 s until pigs fly."):
        asyncio.run(trial.until(lambda: False, "pigs fly", 0.05))


async def read(url: str, received: Received) -> None:
    async with websockets.connect(url, compression=None) as connection:
        async for message in connection:
            received.append(trial.heard(message))


def test_delays_and_bytes_are_measured() -> None:
    with websocket.serve() as running:
        measured = asyncio.run(trial.measure(read, running.url))
    assert 0 < measured.p50 <= measured.p99
    # A frame's head has two bytes; a handshake of some hundreds, and what had passed the wire when
    # the last one came, are shared by all.
    payload = len(tick(100))
    assert payload + 2 <= measured.bytes <= payload + 20


def test_a_reader_that_fails_ends_the_measurement_with_its_error() -> None:
    async def fail(url: str, received: Received) -> None:
        raise ConnectionRefusedError(url)

    with pytest.raises(ConnectionRefusedError, match="ws://127.0.0.1:1"):
        asyncio.run(trial.measure(fail, "ws://127.0.0.1:1", 5))
