"""Contracts hold: what is generated is what is committed, and each side reads the other's bytes."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from difflib import ndiff
from io import BytesIO
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
import requests
import zeep
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]

from answerbook.protocols.rates import graphql_rates, grpc_rates, jsonrpc_rates, soap_rates
from answerbook.protocols.rates.contract import (
    generate,
    rates_next_pb2,
    rates_pb2,
    rates_pb2_grpc,
)
from answerbook.protocols.soap import ENVELOPE, Application

SECONDS = 20
REGENERATE = "python -m answerbook.protocols.rates.contract.generate"
BINDING = f"{{{soap_rates.NAMESPACE}}}RatesBinding"
ONE_EURO = {"amount": "1", "base": "EUR", "counter": "USD"}
HALF_UP = ONE_EURO | {"rounding": "half_up"}

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


# -- gRPC ----------------------------------------------------------------------------------------


def test_generating_the_modules_again_gives_what_is_committed(tmp_path: Path) -> None:
    again = {path.name: path.read_text() for path in generate.generate(tmp_path)}
    committed = {path.name: path.read_text() for path in generate.FOLDER.glob("*_pb2*.py*")}
    assert committed == again, f"after a change, or with a newer grpcio-tools: {REGENERATE}"


@pytest.mark.parametrize("name", ["ConvertRequest", "Money"])
def test_the_next_release_only_adds_fields(name: str) -> None:
    old, new = (
        {field.name: (field.number, field.type) for field in module.fields}
        for module in (
            rates_pb2.DESCRIPTOR.message_types_by_name[name],
            rates_next_pb2.DESCRIPTOR.message_types_by_name[name],
        )
    )
    assert old.items() < new.items()


@given(amount=text, base=text, counter=text, rounding=text)
def test_old_and_new_messages_read_each_other(
    amount: str, base: str, counter: str, rounding: str
) -> None:
    values = {"amount": amount, "base": base, "counter": counter}
    new = rates_next_pb2.ConvertRequest(**values, rounding=rounding)
    old = rates_pb2.ConvertRequest.FromString(new.SerializeToString())
    assert rates_pb2.ConvertRequest(**values).amount == old.amount
    # What the old one does not know it passes on.
    assert new == rates_next_pb2.ConvertRequest.FromString(old.SerializeToString())


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with grpc_rates.serve() as peer:
        yield peer.url


@pytest.fixture(scope="module")
def next_target() -> Iterator[str]:
    with grpc_rates.serve(contract="new") as peer:
        yield peer.url


def converter(target: str) -> Any:
    """What a new client calls."""
    return grpc.insecure_channel(target).unary_unary(
        "/answerbook.Rates/Convert",
        rates_next_pb2.ConvertRequest.SerializeToString,
        rates_next_pb2.Money.FromString,
    )


def test_a_new_grpc_client_rounds_at_a_new_server_and_not_at_an_old_one(
    target: str, next_target: str
) -> None:
    request = rates_next_pb2.ConvertRequest(**HALF_UP)
    old = converter(target)(request, timeout=SECONDS)
    new = converter(next_target)(request, timeout=SECONDS)
    assert (("1.08", ""), ("1.09", "1.0850")) == ((old.amount, old.rate), (new.amount, new.rate))


def test_an_old_grpc_client_does_all_that_it_did_at_a_new_server(next_target: str) -> None:
    stub = rates_pb2_grpc.RatesStub(grpc.insecure_channel(next_target))  # type: ignore[no-untyped-call]
    quoted = stub.Quote(rates_pb2.QuoteRequest(base="EUR", counter="JPY"), timeout=SECONDS)
    assert "163.20" == quoted.rate
    assert "1.08" == stub.Convert(rates_pb2.ConvertRequest(**ONE_EURO), timeout=SECONDS).amount
    assert 5 == len(list(stub.Rates(rates_pb2.RatesRequest(base="EUR"), timeout=SECONDS)))


def test_a_new_grpc_server_refuses_a_rounding_that_it_does_not_know(next_target: str) -> None:
    request = rates_next_pb2.ConvertRequest(**ONE_EURO, rounding="up")
    with pytest.raises(grpc.RpcError) as caught:
        converter(next_target)(request, timeout=SECONDS)
    assert grpc.StatusCode.INVALID_ARGUMENT is caught.value.code()


@pytest.mark.parametrize("timeout", [None, 5.0])
def test_the_server_is_told_of_a_deadline_that_was_set(target: str, timeout: float | None) -> None:
    stub = rates_pb2_grpc.RatesStub(grpc.insecure_channel(target))  # type: ignore[no-untyped-call]
    request = rates_pb2.QuoteRequest(base="EUR", counter="USD")
    _, call = stub.Quote.with_call(request, timeout=timeout)
    left = dict(call.trailing_metadata())["time-left"]
    assert left == "none" if timeout is None else 0 < float(left) < timeout + 0.1


# -- GraphQL -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def graphql() -> Iterator[str]:
    with graphql_rates.serve() as peer:
        yield f"{peer.url}/graphql"


def test_the_next_schema_only_adds_an_argument_and_a_field() -> None:
    old, new = (graphql_rates.SCHEMAS[name].as_str().splitlines() for name in ("old", "new"))
    convert = "  convert(amount: Decimal!, base: String!, counter: String!"
    assert {
        f"- {convert}): Money",
        f'+ {convert}, rounding: String! = "half_even"): Money',
        "+   rate: Decimal!",
    } == {line for line in ndiff(old, new) if line[0] in "+-"}


@pytest.mark.parametrize("amount", [1, 1.5, True, "ten", "", [], "1e400000000"])
def test_graphql_refuses_what_is_no_amount(graphql: str, amount: object) -> None:
    query = """query ($a: Decimal!) {
        convert(amount: $a, base: "EUR", counter: "USD") { amount } }"""
    body = {"query": query, "variables": {"a": amount}}
    answer = requests.post(graphql, json=body, timeout=SECONDS)
    assert "is no amount" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(("base", "events"), [("EUR", 5), ("XYZ", 1)])
def test_a_subscription_comes_as_events_and_says_that_it_is_complete(
    graphql: str, base: str, events: int
) -> None:
    body = {"query": f'subscription {{ rates(base: "{base}") {{ counter rate }} }}'}
    headers = {"Accept": "text/event-stream"}
    lines = requests.post(graphql, json=body, headers=headers, timeout=SECONDS).text.split()
    assert events == lines.count("next")
    assert 1 == lines.count("complete")
    assert (base == "XYZ") == ("UNKNOWN_CURRENCY" in "".join(lines))


# -- SOAP ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def soap() -> Iterator[str]:
    with soap_rates.serve() as peer:
        yield f"{peer.url}/rates"


@pytest.fixture(scope="module")
def next_soap() -> Iterator[str]:
    with soap_rates.serve(contract="new") as peer:
        yield f"{peer.url}/rates"


def soap_client(contract: str, address: str) -> Any:
    """A client made of one server's WSDL, that calls the other."""
    client: Any = zeep.Client(f"{contract}?wsdl")  # type: ignore[no-untyped-call]
    return client.create_service(BINDING, address)


def test_the_next_wsdl_only_adds_two_elements() -> None:
    old, new = (soap_rates.WSDL[name].read_text().splitlines()[2:] for name in ("old", "new"))
    assert {
        '+             <xs:element name="rounding" type="xs:string" minOccurs="0"/>',
        '+             <xs:element name="rate" type="xs:decimal"/>',
    } == {line for line in ndiff(old, new) if line[0] in "+-"}


def test_the_wsdl_has_the_address_that_it_was_asked_for_at(soap: str) -> None:
    assert f'<soap:address location="{soap}"/>' in requests.get(soap, timeout=SECONDS).text


def test_an_old_soap_client_stumbles_over_a_new_answer(soap: str, next_soap: str) -> None:
    with pytest.raises(zeep.exceptions.XMLParseError, match="Unexpected element"):
        soap_client(soap, next_soap).Convert(**ONE_EURO)


def test_an_old_soap_server_refuses_a_new_request(soap: str, next_soap: str) -> None:
    with pytest.raises(zeep.exceptions.Fault, match="rounding.*not expected"):
        soap_client(next_soap, soap).Convert(**HALF_UP)


def test_a_new_soap_client_and_server_agree(next_soap: str) -> None:
    done = soap_client(next_soap, next_soap).Convert(**HALF_UP)
    assert ("1.09", "1.0850") == (str(done.amount), str(done.rate))


def fault(address: str, sent: bytes) -> tuple[str, str]:
    """Code and text of the fault that comes for `sent`, once its status is 500 and it is XML."""
    answer = requests.post(address, sent, headers={"Content-Type": "text/xml"}, timeout=SECONDS)
    assert 500 == answer.status_code
    return told(answer.content)


def told(envelope: bytes) -> tuple[str, str]:
    found = etree.fromstring(envelope).find(f".//{{{ENVELOPE}}}Fault")
    return str(found.find("faultcode").text), str(found.find("faultstring").text)


def enveloped(body: str, header: str = "", version: str = ENVELOPE) -> bytes:
    head = f"<e:Header>{header}</e:Header>"
    return f'<e:Envelope xmlns:e="{version}">{head}<e:Body>{body}</e:Body></e:Envelope>'.encode()


QUOTE = f'<Quote xmlns="{soap_rates.NAMESPACE}"><base>EUR</base><counter>USD</counter></Quote>'


@pytest.mark.parametrize(
    ("code", "sent"),
    [
        ("Client", b"<unfinished"),
        ("Client", b"<nothing/>"),
        ("Client", enveloped("")),
        ("Client", enveloped("<Quote/>")),
        ("Client", enveloped(QUOTE.replace("Quote", "QuoteResponse"))),
        ("Client", enveloped(QUOTE.replace("<base>EUR</base>", ""))),
        ("Client", enveloped(QUOTE.replace("EUR", "XYZ"))),
        ("Client", b'<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/hosts">]>' + enveloped("&x;")),
        ("MustUnderstand", enveloped(QUOTE, '<pay xmlns="urn:x" e:mustUnderstand="1"/>')),
        ("VersionMismatch", enveloped(QUOTE, version="http://www.w3.org/2003/05/soap-envelope")),
    ],
)
def test_a_fault_says_whose_mistake_it_is(soap: str, code: str, sent: bytes) -> None:
    assert f"soap:{code}" == fault(soap, sent)[0]


def test_a_fault_is_about_its_own_request_and_not_about_one_before(soap: str) -> None:
    assert "rounding" in fault(soap, enveloped(unexpected("rounding")))[1]
    unknown = enveloped(f'<Buy xmlns="{soap_rates.NAMESPACE}"/>')
    assert ("soap:Client", "no operation Buy") == fault(soap, unknown)


def test_faults_of_requests_at_one_time_are_each_about_its_own(soap: str) -> None:
    names = [f"n{number}" for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        texts = pool.map(lambda name: fault(soap, enveloped(unexpected(name)))[1], names)
        assert [] == [name for name, text in zip(names, texts, strict=True) if name not in text]


def unexpected(name: str) -> str:
    """A request with an element that the contract does not have."""
    return QUOTE.replace("</Quote>", f"<{name}/></Quote>")


def test_an_operation_that_fails_is_a_fault_of_the_server(caplog: pytest.LogCaptureFixture) -> None:
    def fails(_: object) -> dict[str, object]:
        raise ZeroDivisionError

    statuses: list[str] = []
    application = Application("/rates", soap_rates.WSDL["old"], {"Quote": fails})
    body = enveloped(QUOTE)
    environ = {"PATH_INFO": "/rates", "REQUEST_METHOD": "POST", "wsgi.input": BytesIO(body)}
    answer = b"".join(application(environ, lambda status, _: statuses.append(status)))
    assert ["500 Internal Server Error"] == statuses
    assert "soap:Server" == told(answer)[0]
    assert "ZeroDivisionError" in caplog.text


@given(sent=st.binary(max_size=200) | st.builds(enveloped, text))
@settings(max_examples=50, deadline=None)
def test_whatever_is_no_request_is_a_fault_of_the_client(soap: str, sent: bytes) -> None:
    assert "soap:Client" == fault(soap, sent)[0]


# -- JSON-RPC ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def jsonrpc() -> Iterator[str]:
    with jsonrpc_rates.serve() as peer:
        yield f"{peer.url}/rpc"


@given(
    sent=st.recursive(
        st.none() | st.booleans() | st.integers() | text,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
        max_leaves=5,
    )
)
@settings(max_examples=50, deadline=None)
def test_json_that_is_no_request_is_an_invalid_one(jsonrpc: str, sent: object) -> None:
    headers = {"Content-Type": "application/json"}
    answer = requests.post(jsonrpc, json.dumps(sent), headers=headers, timeout=SECONDS)
    assert -32600 == answer.json()["error"]["code"]


@given(params=st.lists(st.none() | st.integers() | text | st.lists(text), max_size=5))
@settings(max_examples=50, deadline=None)
def test_wrong_parameters_are_answered_with_a_code(jsonrpc: str, params: list[object]) -> None:
    body = {"jsonrpc": "2.0", "id": "x", "method": "convert", "params": params}
    answer = requests.post(jsonrpc, json=body, timeout=SECONDS).json()
    assert "x" == answer["id"]
    assert answer["error"]["code"] in (-32602, jsonrpc_rates.UNKNOWN_CURRENCY)


def test_a_notification_is_not_answered_even_when_it_fails(jsonrpc: str) -> None:
    for pair in (["EUR", "USD"], ["EUR", "XYZ"]):
        body = {"jsonrpc": "2.0", "method": "quote", "params": pair}
        assert b"" == requests.post(jsonrpc, json=body, timeout=SECONDS).content


def test_json_under_another_type_is_refused_with_a_status(jsonrpc: str) -> None:
    answer = requests.post(jsonrpc, json.dumps(ONE_EURO), timeout=SECONDS)
    assert 415 == answer.status_code


def test_a_new_parameter_is_refused_by_the_old_server_alone(jsonrpc: str) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "convert", "params": HALF_UP}
    assert -32602 == requests.post(jsonrpc, json=body, timeout=SECONDS).json()["error"]["code"]
    with jsonrpc_rates.serve(contract="new") as peer:
        answer = requests.post(f"{peer.url}/rpc", json=body, timeout=SECONDS).json()
    assert {"amount": "1.09", "currency": "USD", "rate": "1.0850"} == answer["result"]
