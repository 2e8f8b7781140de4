"""The HTTP client of deliver against servers that behave badly, and its ways to a server."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trustme
import uvloop

from answerbook.notify.deliver.fcm.address import Address
from answerbook.notify.deliver.fcm.http import MOST_BYTES, Answer, Pool

Streams = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n"
    b"1;extension=1\r\nh\r\n1\r\ni\r\n0\r\nTrailer: 1\r\n\r\n"
)


class Client:
    """A pool, and its answers as awaitables."""

    def __init__(self, url: str, most: int = 1, timeout: float = 5.0) -> None:
        self.timeout = timeout
        self.idle = asyncio.Event()
        self.refused: list[str] = []
        self.pool = Pool(Address(url), most, timeout, idle=self.idle.set, refused=self._refused)

    def _refused(self, reason: str) -> None:
        self.refused.append(reason)
        self.idle.set()

    async def ask(self, request: bytes = REQUEST, seconds: float | None = None) -> Answer:
        loop = asyncio.get_running_loop()
        while (connection := self.pool.take()) is None:
            self.idle.clear()
            self.pool.grow(1)
            await self.idle.wait()
            if self.refused:
                raise ConnectionError(self.refused[-1])
        future: asyncio.Future[Answer] = loop.create_future()

        def done(answer: Answer) -> None:
            future.set_result(answer)
            self.idle.set()

        # The pool's deadlines are of time.monotonic(), which is the loop's clock too.
        deadline = loop.time() + (self.timeout if seconds is None else seconds)
        connection.send(request, deadline, done)
        async with asyncio.timeout(10):
            return await future


class Server:
    """Answers each connection with a function of the test."""

    def __init__(self, serve: Streams, context: ssl.SSLContext | None = None) -> None:
        self._serve = serve
        self._context = context
        self.connections = 0

    async def _count(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError):
            await self._serve(reader, writer)
        writer.close()

    async def __aenter__(self) -> "Server":
        self._server = await asyncio.start_server(self._count, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http{'s' if self._context else ''}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()


def answering(*answers: bytes) -> Streams:
    """One of these bytes for each request on a connection, and then its end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        await reader.readuntil(b"\r\n\r\n")

    return serve


def run(test: Awaitable[None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await test

    uvloop.run(bounded())


def told(answer: Answer) -> tuple[int, bytes, str]:
    return answer.status, answer.body, answer.failure


GOOD = (200, b"hi", "")


# -- answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [OK, CHUNKED])
def test_answer_is_whole_however_it_is_split(content: bytes) -> None:
    async def test() -> None:
        async def byte_by_byte(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for _ in range(2):
                await reader.readuntil(b"\r\n\r\n")
                for number in range(len(content)):
                    writer.write(content[number : number + 1])
                    await writer.drain()
                    await asyncio.sleep(0)

        async with Server(byte_by_byte) as server:
            client = Client(server.url)
            assert [GOOD, GOOD] == [told(await client.ask()) for _ in range(2)]
            assert 1 == server.connections
            client.pool.close()

    run(test())


def test_interim_answer_is_not_the_answer() -> None:
    async def test() -> None:
        async with Server(answering(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)) as server:
            client = Client(server.url)
            assert GOOD == told(await client.ask())
            client.pool.close()

    run(test())


def test_retry_after_is_of_its_own_answer_alone() -> None:
    async def test() -> None:
        busy = b"HTTP/1.1 503 Busy\r\nRETRY-AFTER: 7\r\nContent-Length: 0\r\n\r\n"
        async with Server(answering(busy, OK)) as server:
            client = Client(server.url)
            first, second = await client.ask(), await client.ask()
            assert ((503, "7"), (200, "")) == (
                (first.status, first.retry_after),
                (second.status, second.retry_after),
            )
            client.pool.close()

    run(test())


def test_connection_that_the_server_closes_after_its_answer_is_not_used_again() -> None:
    async def test() -> None:
        closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        async with Server(answering(closing)) as server:
            client = Client(server.url)
            assert [GOOD] * 3 == [told(await client.ask()) for _ in range(3)]
            assert 3 == server.connections
            client.pool.close()

    run(test())


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"", "CUT"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "CUT"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "CUT"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha", "CUT"),
        (b"HTTP/1.1 200 OK\r\n\r\nas long as it lasts", "CUT"),
        (b"garbage\r\n\r\n", "BAD_ANSWER"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "BAD_ANSWER"),
        (OK.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"), "BAD_ANSWER"),
        (OK.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n"), "BAD_ANSWER"),
        (OK + OK, "BAD_ANSWER"),
        (OK + b"more", "BAD_ANSWER"),
        (b"HTTP/1.1 101 Other\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "BAD_ANSWER"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"x" * (MOST_BYTES + 1),
            "BAD_ANSWER",
        ),
    ],
)
def test_what_is_no_whole_answer_fails_and_its_connection_with_it(
    answer: bytes, failure: str
) -> None:
    async def test() -> None:
        first = [True]

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            good, first[0] = not first[0], False
            writer.write(OK if good else answer)
            await writer.drain()

        async with Server(serve) as server:
            client = Client(server.url)
            assert failure == (await client.ask()).failure
            assert GOOD == told(await client.ask())
            assert 2 == server.connections
            client.pool.close()

    run(test())


def test_bytes_that_nobody_asked_for_end_the_connection() -> None:
    async def test() -> None:
        answered, ended = asyncio.Event(), asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            if not ended.is_set():
                await answered.wait()
                writer.write(OK)
            await reader.read()
            ended.set()

        async with Server(serve) as server:
            client = Client(server.url)
            assert GOOD == told(await client.ask())
            answered.set()
            await ended.wait()
            assert 0 == client.pool.connected
            assert GOOD == told(await client.ask())
            client.pool.close()

    run(test())


def test_answer_that_does_not_come_is_given_up_with_its_connection() -> None:
    async def test() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with Server(serve) as server:
            client = Client(server.url)
            asking = asyncio.ensure_future(client.ask(seconds=0.01))
            while not asking.done():
                client.pool.sweep()
                await asyncio.sleep(0.005)
            assert "TIMEOUT" == asking.result().failure
            assert (0, 0) == (client.pool.connected, client.pool.busy)

    run(test())


def test_many_connections_answer_each_its_own_request() -> None:
    async def test() -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split()[1]
                await asyncio.sleep(0)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(path) + path)

        async with Server(echo) as server:
            client = Client(server.url, most=10)
            asked = [
                client.ask(REQUEST.replace(b" / ", b" /%d " % number)) for number in range(200)
            ]
            answers = await asyncio.gather(*asked)
            assert [b"/%d" % number for number in range(200)] == [one.body for one in answers]
            assert server.connections <= 10
            client.pool.close()

    run(test())


def test_refused_connection_is_told() -> None:
    async def test() -> None:
        async with Server(answering()) as server:
            url = server.url
        client = Client(url)
        with pytest.raises(ConnectionError, match="refused"):
            await client.ask()

    run(test())


# -- ways to the server --------------------------------------------------------------------------


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's certificate, by an authority that SSL_CERT_FILE names."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return context


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_https_is_checked_against_the_authority_of_the_environment(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        async with Server(answering(OK), tls) as server:
            client = Client(server.url)
            assert GOOD == told(await client.ask())
            client.pool.close()

            monkeypatch.delenv("SSL_CERT_FILE")
            with pytest.raises(ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
                await Client(server.url).ask()

    run(test())


class Proxy:
    """Tunnels whatever it is asked for to one port."""

    def __init__(self, port: int, answer: bytes = b"HTTP/1.1 200 Connected\r\n\r\n") -> None:
        self.port = port
        self.answer = answer
        self.asked: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.answer)
        there, onward = await asyncio.open_connection("127.0.0.1", self.port)

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while part := await source.read(4096):
                sink.write(part)
            sink.close()

        await asyncio.gather(copy(reader, onward), copy(there, writer))


def test_https_goes_through_the_proxy_of_the_environment(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        async with Server(answering(OK), tls) as server:
            proxy = Proxy(server.port)
            async with Server(proxy.serve) as gate:
                monkeypatch.setenv("HTTPS_PROXY", f"http://me:s%40e@127.0.0.1:{gate.port}")
                client = Client(f"https://localhost:{server.port}")
                assert GOOD == told(await client.ask())
                assert b"CONNECT localhost:%d HTTP/1.1\r\n" % server.port in proxy.asked[0]
                assert b"Proxy-Authorization: Basic bWU6c0Bl\r\n" in proxy.asked[0]
                client.pool.close()

                monkeypatch.setenv("NO_PROXY", "localhost")
                client = Client(f"https://localhost:{server.port}")
                assert GOOD == told(await client.ask())
                assert 1 == len(proxy.asked)
                client.pool.close()

    run(test())


def test_proxy_that_refuses_is_named_as_the_reason(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        async with Server(answering(OK), tls) as server:
            proxy = Proxy(server.port, b"HTTP/1.1 403 Forbidden\r\n\r\n")
            async with Server(proxy.serve) as gate:
                monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{gate.port}")
                with pytest.raises(ConnectionError, match="the proxy answered .*403 Forbidden"):
                    await Client(f"https://localhost:{server.port}").ask()

    run(test())


@pytest.mark.parametrize("url", ["ftp://x", "https://", "nonsense"])
def test_address_that_is_none_of_http_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no address of HTTP"):
        Address(url)
