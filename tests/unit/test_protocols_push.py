"""The peers that push: each publishes the same prices, and leaves nothing behind when it ends."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path

import httpx
import psutil
import pytest
import websockets
from httpx_sse import ServerSentEvent, connect_sse
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from answerbook.protocols import sse, trial, webhook_provider, websocket
from answerbook.protocols.peer import Peer, PeerFailed
from answerbook.protocols.trial import Received
from answerbook.protocols.wire import Wire
from tests.unit.peers import assert_dies_with_its_starter, port_of

MODULES = {"websocket": websocket, "sse": sse, "webhook_provider": webhook_provider}
SECONDS = 20

serving = pytest.mark.parametrize(
    "serve", [module.serve for module in MODULES.values()], ids=list(MODULES)
)


@serving
def test_a_peer_listens_on_loopback_only(serve: Callable[[], Peer]) -> None:
    with serve() as running:
        listening = {
            connection.laddr
            for connection in psutil.Process(running.pid).net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
        assert {("127.0.0.1", port_of(running))} == listening


@serving
def test_a_stopped_peer_leaves_no_process_port_or_file(
    serve: Callable[[], Peer], temporary: Path
) -> None:
    with serve() as running:
        assert running.running
    assert not psutil.pid_exists(running.pid)
    assert [] == list(temporary.iterdir())
    with closing(socket.create_server(("127.0.0.1", port_of(running)))):
        pass  # the port can be had again


@serving
def test_a_taken_port_is_refused_in_words(serve: Callable[[int], Peer]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PeerFailed) as caught:
            serve(port)
    assert f"Port {port} of 127.0.0.1 is taken by another program" in str(caught.value)
    assert "Traceback" not in str(caught.value)


@serving
def test_a_killed_peer_leaves_no_file_and_can_be_started_again_on_its_port(
    serve: Callable[[int], Peer], temporary: Path
) -> None:
    with serve(0) as first:
        os.kill(first.pid, signal.SIGKILL)
    assert [] == list(temporary.iterdir())
    with serve(port_of(first)) as second:
        assert first.url == second.url


@pytest.mark.parametrize("module", MODULES)
def test_a_peer_dies_with_a_starter_that_is_killed(module: str, temporary: Path) -> None:
    assert_dies_with_its_starter(f"from answerbook.protocols import {module}", f"{module}.serve()")
    assert [] == list(temporary.iterdir())


# -- WebSocket --------------------------------------------------------------------------------


def test_everyone_who_is_connected_hears_the_same_prices() -> None:
    async def listen(url: str, count: int) -> list[int]:
        async with websockets.connect(url) as connection:
            return [json.loads(await connection.recv())["number"] for _ in range(count)]

    async def two(url: str) -> tuple[list[int], list[int]]:
        first, second = await asyncio.gather(listen(url, 30), listen(url, 30))
        return first, second

    with websocket.serve() as running:
        first, second = asyncio.run(two(running.url))
    assert list(range(first[0], first[0] + 30)) == first
    assert set(first) & set(second)


def test_what_was_said_while_a_websocket_was_away_does_not_come() -> None:
    async def read(url: str, received: Received) -> None:
        async for connection in websockets.connect(url):
            with suppress(websockets.ConnectionClosed):
                async for message in connection:
                    received.append(trial.heard(message))

    with websocket.serve() as running:
        missed, twice = asyncio.run(after_an_outage(read, running.url))
    assert missed > 0
    assert 0 == twice


def test_a_websocket_peer_pays_no_attention_to_what_it_is_told() -> None:
    async def tell(url: str) -> int:
        async with websockets.connect(url) as connection:
            await connection.send("hello")
            await connection.send(b"\x00\xff")
            return int(json.loads(await connection.recv())["number"])

    with websocket.serve() as running:
        assert asyncio.run(tell(running.url)) >= 1


# -- Server-Sent Events -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with sse.serve(log=tmp_path_factory.mktemp("sse") / "log") as running:
        yield running


def test_a_stream_begins_with_how_long_to_wait_before_a_reconnect(feed: Peer) -> None:
    first = next(events(feed.url))
    assert (sse.RETRY_MILLISECONDS, "") == (first.retry, first.data)


def test_a_stream_without_an_id_begins_now(feed: Peer) -> None:
    wait_for_number(feed.url, 20)
    earliest = numbers(events(feed.url), 1)[0]
    assert earliest > 20


def test_a_stream_after_an_id_begins_with_the_next(feed: Peer) -> None:
    wait_for_number(feed.url, 20)
    assert list(range(8, 58)) == numbers(events(feed.url, "7"), 50)


def test_more_than_is_read_at_once_comes_without_a_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sse, "MOST_ROWS", 7)
    log = sse.Log(":memory:")
    for number in range(1, 31):
        log.append(number, f"{number}")
    following = [number for number, _ in log.after(0)]
    assert list(range(1, 8)) == following
    assert [(8, "8")] == log.after(7)[:1]
    assert [] == log.after(30)
    assert 30 == log.last()


@pytest.mark.parametrize(
    "last",
    [b"lamp", b"-1", b"1.5", "²".encode("latin-1"), b"1 7", b"9" * 19, b"0" * 5_000, b"7" * 5_000],
)
def test_an_id_that_is_not_ours_is_refused_in_words(feed: Peer, last: bytes) -> None:
    answer = httpx.get(feed.url, headers={b"Last-Event-ID": last}, timeout=SECONDS)
    assert 400 == answer.status_code
    assert "Last-Event-ID is the number of an event" in answer.text


@given(last=st.integers(0, 10**30).map(str))
@example(last="9" * 18)
@settings(max_examples=25, deadline=None)
def test_an_id_is_refused_or_followed_to_the_end(feed: Peer, last: str) -> None:
    with httpx.stream("GET", feed.url, headers={"Last-Event-ID": last}, timeout=SECONDS) as answer:
        if len(last) > 18:
            assert 400 == answer.status_code
        else:  # the log has been read when an event or a comment is there
            assert any(line.startswith((": ping", "id: ")) for line in answer.iter_lines())


def test_a_stream_without_news_is_kept_alive_by_comments(feed: Peer) -> None:
    with httpx.stream("GET", feed.url, timeout=SECONDS) as answer:
        assert any(line.startswith(": ping") for line in answer.iter_lines())


def test_a_server_that_is_killed_goes_on_from_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with sse.serve(log=log) as first:
        published = bodies(events(first.url, "0"), 20)
        os.kill(first.pid, signal.SIGKILL)
    with sse.serve(log=log) as second:
        # A body has the time of its publishing in it, so these are not just the same numbers.
        assert published == bodies(events(second.url, "0"), 20)
        assert list(range(1, 61)) == numbers(events(second.url, "0"), 60)


def test_a_server_without_a_log_on_disk_forgets_when_it_ends(temporary: Path) -> None:
    with sse.serve() as first:
        assert 20 == numbers(events(first.url, "0"), 20)[-1]
    with sse.serve() as second:
        assert 1 == numbers(events(second.url, "0"), 1)[0]
    assert [] == list(temporary.iterdir())


@given(cuts=st.lists(st.integers(1, 2_000), min_size=1, max_size=4))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_wherever_a_stream_is_cut_nothing_is_missed_and_nothing_comes_twice(
    feed: Peer, cuts: list[int]
) -> None:
    seen: list[int] = []
    with Wire(port_of(feed)) as line:
        url = f"http://127.0.0.1:{line.port}/events"
        for cut in cuts:
            line.cut_after(cut, "answers")
            # With nothing seen yet it asks from the first one on, as from a log that is there.
            with suppress(httpx.TransportError):
                for event in events(url, str(seen[-1] if seen else 0)):
                    seen += [int(event.id)] if event.data else []
        seen += numbers(events(url, str(seen[-1] if seen else 0)), 3)
    assert list(range(1, len(seen) + 1)) == seen


def events(url: str, last: str | None = None) -> Iterator[ServerSentEvent]:
    headers = {} if last is None else {"Last-Event-ID": last}
    with (
        httpx.Client(timeout=SECONDS) as client,
        connect_sse(client, "GET", url, headers=headers) as source,
    ):
        yield from source.iter_sse()


def bodies(stream: Iterator[ServerSentEvent], count: int) -> list[str]:
    return list(islice((event.data for event in stream if event.data), count))


def numbers(stream: Iterator[ServerSentEvent], count: int) -> list[int]:
    """The numbers of the next `count` events, which have to be those of their ids as well."""
    found: list[int] = []
    for event in stream:
        if event.data:
            assert event.id == str(event.json()["number"])
            found.append(int(event.id))
        if len(found) == count:
            break
    return found


def wait_for_number(url: str, number: int) -> None:
    """Until the server has published `number`; it comes from the log when it has already."""
    assert [number] == numbers(events(url, str(number - 1)), 1)


# -- all --------------------------------------------------------------------------------------


async def after_an_outage(read: trial.Reader, url: str) -> tuple[int, int]:
    received: Received = []
    line, through = trial.wired(url)
    with line:
        reading = asyncio.create_task(read(through, received))
        await trial.outage(line, received.__len__)
        reading.cancel()
    return trial.missed_and_twice(received)
