"""The desk gives the same answers through each protocol, and its peers leave nothing behind."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import grpc  # type: ignore[import-untyped]
import psutil
import pytest
import requests
import zeep
from hypothesis import given, settings
from hypothesis import strategies as st

from answerbook.protocols import soap
from answerbook.protocols.peer import Peer, PeerFailed
from answerbook.protocols.rates import (
    exchange,
    graphql_rates,
    grpc_rates,
    jsonrpc_rates,
    soap_rates,
    traffic,
)
from answerbook.protocols.rates.contract import rates_pb2, rates_pb2_grpc
from tests.unit.peers import assert_dies_with_its_starter, port_of

SECONDS = 20
MODULES = {
    "grpc": grpc_rates,
    "graphql": graphql_rates,
    "soap": soap_rates,
    "jsonrpc": jsonrpc_rates,
}


class Client(Protocol):
    """The four calls; a currency that is not known raises `unknown`."""

    unknown: type[Exception]

    def quote(self, base: str, counter: str) -> str: ...
    def convert(self, amount: str, base: str, counter: str) -> tuple[str, str]: ...
    def rates(self, base: str) -> dict[str, str]: ...


class Unknown(Exception):
    """The server said that it does not know a currency, in the way of its protocol."""


class GrpcClient:
    unknown: type[Exception] = grpc.RpcError

    def __init__(self, target: str) -> None:
        self.channel = grpc.insecure_channel(target)
        self.stub = rates_pb2_grpc.RatesStub(self.channel)  # type: ignore[no-untyped-call]

    def quote(self, base: str, counter: str) -> str:
        request = rates_pb2.QuoteRequest(base=base, counter=counter)
        return str(self.stub.Quote(request, timeout=SECONDS).rate)

    def convert(self, amount: str, base: str, counter: str) -> tuple[str, str]:
        request = rates_pb2.ConvertRequest(amount=amount, base=base, counter=counter)
        done = self.stub.Convert(request, timeout=SECONDS)
        return done.amount, done.currency

    def rates(self, base: str) -> dict[str, str]:
        stream = self.stub.Rates(rates_pb2.RatesRequest(base=base), timeout=SECONDS)
        return {found.counter: found.rate for found in stream}


class GraphqlClient:
    unknown: type[Exception] = Unknown

    def __init__(self, url: str) -> None:
        self.url = f"{url}/graphql"

    def ask(self, query: str, **variables: object) -> Any:
        answer = requests.post(
            self.url, json={"query": query, "variables": variables}, timeout=SECONDS
        ).json()
        for error in answer.get("errors", []):
            assert "UNKNOWN_CURRENCY" == error["extensions"]["code"]
            raise Unknown
        return answer["data"]

    def quote(self, base: str, counter: str) -> str:
        query = "query ($b: String!, $c: String!) { quote(base: $b, counter: $c) { rate } }"
        return str(self.ask(query, b=base, c=counter)["quote"]["rate"])

    def convert(self, amount: str, base: str, counter: str) -> tuple[str, str]:
        query = """query ($a: Decimal!, $b: String!, $c: String!) {
            convert(amount: $a, base: $b, counter: $c) { amount currency } }"""
        done = self.ask(query, a=amount, b=base, c=counter)["convert"]
        return done["amount"], done["currency"]

    def rates(self, base: str) -> dict[str, str]:
        query = "query ($b: String!) { rates(base: $b) { counter rate } }"
        return {found["counter"]: found["rate"] for found in self.ask(query, b=base)["rates"]}


class SoapClient:
    unknown: type[Exception] = zeep.exceptions.Fault

    def __init__(self, url: str) -> None:
        transport = zeep.Transport(timeout=SECONDS, operation_timeout=SECONDS)  # type: ignore[no-untyped-call]
        self.service = zeep.Client(f"{url}/rates?wsdl", transport=transport).service  # type: ignore[no-untyped-call]

    def quote(self, base: str, counter: str) -> str:
        return str(self.service.Quote(base=base, counter=counter).rate)

    def convert(self, amount: str, base: str, counter: str) -> tuple[str, str]:
        done = self.service.Convert(amount=Decimal(amount), base=base, counter=counter)
        return str(done.amount), done.currency

    def rates(self, base: str) -> dict[str, str]:
        return {found.counter: str(found.rate) for found in self.service.Rates(base=base)}


class JsonrpcClient:
    unknown: type[Exception] = Unknown

    def __init__(self, url: str) -> None:
        self.url = f"{url}/rpc"

    def call(self, method: str, **params: object) -> Any:
        body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        answer = requests.post(self.url, json=body, timeout=SECONDS).json()
        assert 7 == answer["id"]
        if "error" in answer:
            assert jsonrpc_rates.UNKNOWN_CURRENCY == answer["error"]["code"]
            raise Unknown
        return answer["result"]

    def quote(self, base: str, counter: str) -> str:
        return str(self.call("quote", base=base, counter=counter)["rate"])

    def convert(self, amount: str, base: str, counter: str) -> tuple[str, str]:
        done = self.call("convert", amount=amount, base=base, counter=counter)
        return done["amount"], done["currency"]

    def rates(self, base: str) -> dict[str, str]:
        return {found["counter"]: found["rate"] for found in self.call("rates", base=base)}


CLIENTS: dict[str, Callable[[str], Client]] = {
    "grpc": GrpcClient,
    "graphql": GraphqlClient,
    "soap": SoapClient,
    "jsonrpc": JsonrpcClient,
}


@dataclass
class Desk:
    """A peer with a client of its protocol."""

    peer: Peer
    client: Client


@pytest.fixture(scope="module", params=MODULES)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    with MODULES[request.param].serve() as peer:
        yield Desk(peer, CLIENTS[request.param](peer.url))


@pytest.fixture(scope="module")
def four() -> Iterator[list[Client]]:
    with ExitStack() as peers:
        yield [
            CLIENTS[name](peers.enter_context(module.serve()).url)
            for name, module in MODULES.items()
        ]


# -- the four calls ------------------------------------------------------------------------------


def test_a_rate_is_quoted(desk: Desk) -> None:
    assert "1.0850" == desk.client.quote("EUR", "USD")


def test_an_amount_is_converted(desk: Desk) -> None:
    assert ("1339506160783950.61", "USD") == desk.client.convert(
        "1234567890123456.78", "EUR", "USD"
    )


def test_the_rates_of_a_base_are_listed(desk: Desk) -> None:
    expected = {found.counter: str(found.rate) for found in exchange.quotes("CHF")}
    assert expected == desk.client.rates("CHF")


def test_an_unknown_currency_is_an_error_of_the_protocol(desk: Desk) -> None:
    for call in (
        lambda: desk.client.quote("EUR", "XYZ"),
        lambda: desk.client.convert("1", "XYZ", "EUR"),
        lambda: desk.client.rates("XYZ"),
    ):
        with pytest.raises(desk.client.unknown):
            call()


@given(
    amount=st.decimals(0, 10**15, places=2, allow_nan=False).map(str),
    pair=st.tuples(*[st.sampled_from(sorted(exchange.PER_EURO))] * 2),
)
@settings(max_examples=25, deadline=None)
def test_each_protocol_converts_to_the_same_text(
    four: list[Client], amount: str, pair: tuple[str, str]
) -> None:
    done = exchange.convert(amount, *pair)
    assert [(str(done.amount), done.currency)] * 4 == [
        client.convert(amount, *pair) for client in four
    ]


# -- peers ---------------------------------------------------------------------------------------


def test_a_desk_listens_on_loopback_only(desk: Desk) -> None:
    listening = {
        # gRPC listens on an IPv6 socket that takes this IPv4 address alone.
        connection.laddr.ip.removeprefix("::ffff:")
        for connection in psutil.Process(desk.peer.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert {"127.0.0.1"} == listening


@pytest.mark.parametrize("name", MODULES)
def test_a_stopped_desk_leaves_no_process_port_or_file(name: str, temporary: Path) -> None:
    with MODULES[name].serve() as peer:
        assert "1.0850" == CLIENTS[name](peer.url).quote("EUR", "USD")
    assert not psutil.pid_exists(peer.pid)
    assert [] == list(temporary.iterdir())
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port_of(peer)))


@pytest.mark.parametrize("name", MODULES)
def test_a_desk_ends_in_the_middle_of_a_call(name: str) -> None:
    # A call that would take a minute.
    with MODULES[name].serve(pause=60) as peer:
        caller = subprocess.Popen(
            [sys.executable, "-c", CALLERS[name], peer.url], stdout=subprocess.PIPE, text=True
        )
        with caller:
            wait_until(lambda: connected(peer.pid))
            peer.stop()
            output, _ = caller.communicate(timeout=SECONDS)
    assert "cut off\n" == output


@pytest.mark.parametrize("name", MODULES)
def test_a_taken_port_is_refused_in_words(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PeerFailed) as caught:
            MODULES[name].serve(port)
    assert f"Port {port} of 127.0.0.1 is taken by another program" in str(caught.value)
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize("name", MODULES)
def test_a_desk_takes_the_port_that_it_is_given(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with MODULES[name].serve(port) as peer:
        assert port == port_of(peer)
        assert "1.0850" == CLIENTS[name](peer.url).quote("EUR", "USD")


@pytest.mark.parametrize("name", MODULES)
def test_a_killed_desk_leaves_no_process_and_no_file(name: str, temporary: Path) -> None:
    with MODULES[name].serve() as peer:
        peer.kill()
    assert not psutil.pid_exists(peer.pid)
    assert [] == list(temporary.iterdir())


@pytest.mark.parametrize("name", MODULES)
def test_a_desk_dies_with_a_starter_that_is_killed(name: str, temporary: Path) -> None:
    imports = f"from answerbook.protocols.rates import {name}_rates as module"
    assert_dies_with_its_starter(imports, "module.serve()")
    assert [] == list(temporary.iterdir())


def test_traffic_counts_the_bytes_of_a_call() -> None:
    def connect(address: str) -> socket.socket:
        host, _, port = address.partition(":")
        return socket.create_connection((host, int(port)))

    def ask(connection: socket.socket, path: str) -> None:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: desk\r\n\r\n".encode())
        answers.append(connection.recv(65_536))

    answers: list[bytes] = []
    with jsonrpc_rates.serve() as peer:
        cost = traffic.of_a_call(peer, connect, ask, "/nothing")
    assert traffic.CALLS + 1 == len(answers)
    assert len("GET /nothing HTTP/1.1\r\nHost: desk\r\n\r\n") == cost.sent
    assert sum(map(len, answers[1:])) == cost.received * traffic.CALLS


def test_lines_of_code_are_those_of_each_function() -> None:
    assert 3 == traffic.lines(port_of)
    assert 6 == traffic.lines(port_of, port_of)


# A caller that is a process of its own, since its call is open when the desk is stopped.
CALL_GRPC = """
import grpc, sys
channel = grpc.insecure_channel(sys.argv[1])
try:
    channel.unary_unary("/answerbook.Rates/Quote")(b"\\n\\x03EUR\\x12\\x03USD", timeout=60)
except grpc.RpcError as error:
    print("cut off" if error.code() is grpc.StatusCode.UNAVAILABLE else error)
"""

CALL_HTTP = """
import requests, sys
headers = {{"Content-Type": {kind!r}}}
try:
    requests.post(sys.argv[1] + {path!r}, {body!r}, headers=headers, timeout=60)
except requests.ConnectionError:
    print("cut off")
"""

GRAPHQL_QUOTE = json.dumps({"query": '{ quote(base: "EUR", counter: "USD") { rate } }'})
JSONRPC_QUOTE = '{"jsonrpc": "2.0", "id": 1, "method": "quote", "params": ["EUR", "USD"]}'
SOAP_QUOTE = (
    f'<e:Envelope xmlns:e="{soap.ENVELOPE}"><e:Body><Quote xmlns="{soap_rates.NAMESPACE}">'
    "<base>EUR</base><counter>USD</counter></Quote></e:Body></e:Envelope>"
)

CALLERS = {
    "grpc": CALL_GRPC,
    "graphql": CALL_HTTP.format(path="/graphql", kind="application/json", body=GRAPHQL_QUOTE),
    "soap": CALL_HTTP.format(path="/rates", kind="text/xml", body=SOAP_QUOTE),
    "jsonrpc": CALL_HTTP.format(path="/rpc", kind="application/json", body=JSONRPC_QUOTE),
}


def connected(pid: int) -> bool:
    connections = psutil.Process(pid).net_connections("tcp")
    return any(one.status == psutil.CONN_ESTABLISHED for one in connections)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
