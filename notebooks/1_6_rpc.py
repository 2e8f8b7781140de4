# %% [markdown]
# # 1.6 Remote calls: gRPC, GraphQL, SOAP and JSON-RPC
# *1 minute · 0.6 GB · services: none*
#
# ## Answer in a minute
# All four call a function on another machine. **gRPC**: a `.proto` file
# generates client and server; binary messages over HTTP/2; streams,
# deadlines, status codes; for services that call each other. **GraphQL**: one
# address, and the client names the fields it wants; for many different
# clients of one data model. **SOAP**: XML, with a WSDL that types everything;
# banks and public authorities still offer it. **JSON-RPC**: a method name,
# parameters, an id, nothing else.
#
# They differ most when something goes wrong. A GraphQL or JSON-RPC error
# comes with HTTP 200, a SOAP 1.1 fault with 500, a gRPC status in a trailer.
# gRPC has no deadline unless one is set. An old gRPC server ignores a new
# field in silence; the others can refuse it. Money travels as decimal text,
# never as a float.
#
# ## You will
# - **do**: ask one currency desk the same four questions through each, add a
#   field on one side, count bytes, kill a server in the middle of a stream.
# - **learn**: how an error looks in each, what a new field breaks and where,
#   and what a call costs.
# - **need**: nothing but this notebook; [1.1](1_1_rest.ipynb) if `requests`
#   is new to you.

# %%
import inspect
import json
from decimal import Decimal
from itertools import islice
from time import perf_counter

import grpc
import requests
import zeep
from google.protobuf.unknown_fields import UnknownFieldSet

from answerbook.notebook import bars, environment, raises, show, table
from answerbook.notebook.exercises import q1_6_rpc as exercises
from answerbook.protocols.rates import (
    graphql_rates,
    grpc_rates,
    jsonrpc_rates,
    soap_rates,
    traffic,
)
from answerbook.protocols.rates.contract import rates_next_pb2 as next_pb2
from answerbook.protocols.rates.contract import rates_pb2, rates_pb2_grpc

# %% [markdown]
# ## gRPC: a call is a method of a class that was generated
# The desk quotes rates and converts amounts. It is one module, behind four
# servers that run here in a process each. Its contract for gRPC is a `.proto`
# file: names, types and, for every field, a number. Only the number travels.
# On the server, a handler takes a message and returns one; it is printed second.
#
# `python -m grpc_tools.protoc -I. --python_out=. --grpc_python_out=. …` makes
# two modules of it: `rates_pb2` has the messages, `rates_pb2_grpc` the
# client's `RatesStub` and the class that a server fills in. They may be
# committed, as here: whoever only calls needs `grpcio` and `protobuf`, and not
# the compiler.

# %%
contract = grpc_rates.PROTO.read_text()
print(contract[contract.index("service") : contract.index("message Con")])
print(inspect.getsource(grpc_rates.Rates.Quote))


def stub_at(address):
    return rates_pb2_grpc.RatesStub(grpc.insecure_channel(address))


def quote_grpc(stub, base, counter):
    request = rates_pb2.QuoteRequest(base=base, counter=counter)
    return Decimal(stub.Quote(request, timeout=5).rate)


grpc_desk = grpc_rates.serve()
stub = stub_at(grpc_desk.url)
rate = quote_grpc(stub, "EUR", "USD")
print(rate)

# %% [markdown]
# The second call converts. The third is a *server stream*: an iterator, whose
# messages come as the server finds them. The fourth asks for a currency that
# does not exist, and raises: an error has one of 16 status codes and a text.

# %%
one_euro = {"amount": "1", "base": "EUR", "counter": "USD"}
money = stub.Convert(rates_pb2.ConvertRequest(**one_euro), timeout=5)
stream = stub.Rates(rates_pb2.RatesRequest(base="EUR"), timeout=5)
streamed = {quote.counter: Decimal(quote.rate) for quote in stream}
print(money.amount, money.currency, streamed)
with raises(grpc.RpcError) as unknown_grpc:
    quote_grpc(stub, "EUR", "XYZ")
assert money.amount == "1.08" and streamed["USD"] == rate
assert unknown_grpc.error.code() is grpc.StatusCode.NOT_FOUND

# %% [markdown]
# ## GraphQL: the client names the fields, and 200 may mean failure
# The schema is one graph of types. A client sends a text that names the
# fields it wants, and gets these, in the same shape. The server has one
# function (a *resolver*) for each field of `Query`; with strawberry, types
# come from annotations.

# %%
schema = graphql_rates.SCHEMAS["old"].as_str()
print(schema.partition("type Quote")[0])
graphql_desk = graphql_rates.serve()
session = requests.Session()

# %%
QUOTE = """query ($base: String!, $counter: String!) {
  quote(base: $base, counter: $counter) { rate } }"""


def graphql(desk, query, **variables):
    body = {"query": query, "variables": variables}
    return session.post(f"{desk}/graphql", json=body, timeout=5)


def quote_graphql(desk, base, counter):
    answer = graphql(desk, QUOTE, base=base, counter=counter).json()
    if "errors" in answer:
        raise ValueError(answer["errors"][0]["message"])
    return Decimal(answer["data"]["quote"]["rate"])


# %% [markdown]
# Values go into `variables`, never into the text of the query: it is SQL
# injection all over again otherwise. Convert and the list come together, in
# one request, since both are fields of the same graph:

# %%
BOTH = """{ convert(amount: "1", base: "EUR", counter: "USD") { amount }
  rates(base: "EUR") { counter rate } }"""
both = graphql(graphql_desk.url, BOTH).json()["data"]
print(both["convert"], both["rates"][:2])
listed = {one["counter"]: Decimal(one["rate"]) for one in both["rates"]}
assert quote_graphql(graphql_desk.url, "EUR", "USD") == rate
assert both["convert"]["amount"] == money.amount and listed == streamed

# %% [markdown]
# Now two quotes in one request, under the *aliases* `good` and `bad`.
#
# <details><summary>Predict: what does <code>raise_for_status()</code> do when
# one of the two fails?</summary>
# Nothing: the status is 200. Half of the answer is there, half of it is
# <code>null</code>, and <code>errors</code> says which and why. A client that
# does not look there takes <code>null</code> for data.
# </details>

# %%
PAIR = """{ good: quote(base: "EUR", counter: "USD") { rate }
  bad: quote(base: "EUR", counter: "XYZ") { rate } }"""
unknown_graphql = graphql(graphql_desk.url, PAIR)
unknown_graphql.raise_for_status()
print(unknown_graphql.text)
half = unknown_graphql.json()
error = half["errors"][0]
assert unknown_graphql.status_code == 200
assert half["data"] == {"good": {"rate": str(rate)}, "bad": None}
assert error["extensions"]["code"] == "UNKNOWN_CURRENCY"

# %% [markdown]
# `extensions.code` is a custom: GraphQL says what `message`, `locations` and
# `path` are, and leaves open what `extensions` has. Half an answer is possible because the schema lets
# `quote` be null: had it said `Quote!`, one failure would have emptied `data`.
#
# ## SOAP: the contract makes the client, and a fault comes with 500
# `zeep` reads the WSDL at run time and makes methods of it; nothing is
# generated. We found no maintained library for the other side (the last
# release of spyne, 2.14, does not import on Python 3.12), so the server is a
# thin handler of ours that validates each request against the schema in the
# WSDL.

# %%
soap_desk = soap_rates.serve()
transport = zeep.Transport(timeout=5, operation_timeout=5)
soap = zeep.Client(f"{soap_desk.url}/rates?wsdl", transport=transport)


def quote_soap(service, base, counter):
    return service.Quote(base=base, counter=counter).rate


assert quote_soap(soap.service, "EUR", "USD") == rate
print(soap.service.Convert(**one_euro))

# %% [markdown]
# There is no `Decimal(…)` in `quote_soap`: XML Schema is the only one of the
# four contracts that has a decimal type, and zeep hands over a `Decimal`.

# %%
found = soap.service.Rates(base="EUR")
assert {one.counter: one.rate for one in found} == streamed
with raises(zeep.exceptions.Fault) as unknown_soap:
    quote_soap(soap.service, "EUR", "XYZ")
fault = unknown_soap.error
detail = soap.wsdl.types.deserialize(fault.detail[0])
print(fault.code, "·", detail)
assert fault.code == "soap:Client" and detail.currency == "XYZ"

# %% [markdown]
# A fault may carry a `detail` that the contract types too. To see the HTTP
# status, which zeep hides, we post an envelope by hand:

# %%
envelope = soap.create_message(soap.service, "Quote", "EUR", "XYZ")
xml = zeep.wsdl.utils.etree_to_string(envelope)
response = requests.post(f"{soap_desk.url}/rates", xml, timeout=5)
print(response.status_code, response.text.partition("<soap:Fault>")[2])
assert response.status_code == 500 and b"XYZ" in response.content

# %% [markdown]
# It was the caller's mistake (`Client`), and yet it is 500: SOAP 1.1 knows no
# other status for a fault. Proxies and retries that read 500 as "the server
# is broken, try again" are wrong about it. SOAP 1.2 has 400 for the sender's.
#
# ## JSON-RPC: the id asks for an answer, and nothing else does
# A request is `{"jsonrpc": "2.0", "id": 1, "method": …, "params": …}`. There
# is no contract in the protocol. The answer repeats the id, with a `result`
# or an `error`.

# %%
jsonrpc_desk = jsonrpc_rates.serve()


def rpc(desk, method, *params, **named):
    body = {"jsonrpc": "2.0", "id": 1, "method": method}
    body["params"] = params or named
    return session.post(f"{desk}/rpc", json=body, timeout=5)


def quote_jsonrpc(desk, base, counter):
    answer = rpc(desk, "quote", base, counter).json()
    if "error" in answer:
        raise ValueError(answer["error"]["message"])
    return Decimal(answer["result"]["rate"])


# %%
desk = jsonrpc_desk.url
assert quote_jsonrpc(desk, "EUR", "USD") == rate
assert rpc(desk, "convert", **one_euro).json()["result"]["amount"] == "1.08"
assert len(rpc(desk, "rates", "EUR").json()["result"]) == len(streamed)
unknown_jsonrpc = rpc(desk, "quote", "EUR", "XYZ")
print(unknown_jsonrpc.status_code, unknown_jsonrpc.json()["error"])
assert unknown_jsonrpc.status_code == 200
assert unknown_jsonrpc.json()["error"]["code"] == 1001

# %% [markdown]
# The code is the application's own. Those from -32768 to -32000 belong to the
# protocol (-32601: no such method); many services use them for themselves.
#
# A list of requests is a *batch*. A request without an id is a
# *notification*: do it, do not answer.
#
# <details><summary>Predict: three requests in a batch, the second without an
# id and with an unknown currency. How many answers come?</summary>
# Two. Nobody is told that the notification failed. Answers may come in any
# order, and the id is how to tell them apart.
# </details>

# %%
batch = [
    {"jsonrpc": "2.0", "id": pair, "method": "quote", "params": pair.split()}
    for pair in ("EUR USD", "EUR XYZ", "EUR JPY")
]
del batch[1]["id"]
answers = session.post(f"{desk}/rpc", json=batch, timeout=5).json()
results = {answer["id"]: answer["result"]["rate"] for answer in answers}
print(results)
assert set(results) == {"EUR USD", "EUR JPY"}

# %% [markdown]
# ## A number in JSON is a float before anyone can object
# JSON's numbers have any precision; those who read them do not. Python's
# `json` makes a binary float of 1234567890123456.78, and the cents are gone
# before the first line of a handler runs.

# %%
amount = "1234567890123456.78"
tenth = json.loads("0.1")
print(json.loads(amount), "·", Decimal(tenth))
assert Decimal(json.loads(amount)) != Decimal(amount)
assert 0.1 + 0.2 != 0.3 and Decimal("0.1") + Decimal("0.2") == Decimal("0.3")

# %% [markdown]
# So three contracts here have amounts as text (protobuf's `double` is the
# same binary float), SOAP has `xs:decimal`, which is text too, and the desk
# refuses a number where it can tell. (strawberry's own `Decimal` takes one;
# the desk's scalar is stricter.)

# %%
CONVERT = """query ($amount: Decimal!) {
  convert(amount: $amount, base: "EUR", counter: "USD") { amount } }"""
number = graphql(graphql_desk.url, CONVERT, amount=1.1).json()
text = graphql(graphql_desk.url, CONVERT, amount=amount).json()
refused = rpc(desk, "convert", 1.1, "EUR", "USD").json()["error"]
print(text["data"]["convert"], "·", refused)
exact = (Decimal(amount) * rate).quantize(Decimal("0.01"))
assert Decimal(text["data"]["convert"]["amount"]) == exact
assert number["data"] is None and refused["code"] == -32602

# %% [markdown]
# ## A gRPC deadline travels with the call, if there is one
# A timeout of `requests` is the client's own business. A gRPC deadline is sent
# along: the server knows how long anyone will wait, and may pass what is left
# on to the services that it calls itself. This desk tells us, in the call's
# trailing metadata, what was left when the call arrived.
#
# <details><summary>Predict: and what is the default deadline?</summary>
# None. A call without <code>timeout=</code> waits for as long as the
# connection lives.
# </details>

# %%
euro_dollar = rates_pb2.QuoteRequest(base="EUR", counter="USD")


def time_left(timeout):
    _, call = stub.Quote.with_call(euro_dollar, timeout=timeout)
    return dict(call.trailing_metadata())["time-left"]


print("timeout=None:", time_left(None), "· timeout=5:", time_left(5))
assert time_left(None) == "none"
assert 0 < float(time_left(5)) < 5.1

# %% [markdown]
# (A little more than 5 was left: gRPC sends the time in steps, rounded up. And
# in the handler, `context.time_remaining()` is documented to be
# `None` without a deadline; it is some 9 × 10¹⁸ seconds, for which the desk
# says "none".) A handler is
# not stopped when the time is up. One that works for long asks
# `context.is_active()` now and then.
#
# ## A stream has its first answer before a list has any
# We start the desks again, with 0.4 s to find each of the five rates. gRPC
# streams them. GraphQL has a *subscription* for the same; how it travels is
# not in GraphQL's specification, and this server offers a WebSocket or, as we
# use it, Server-Sent Events. SOAP and JSON-RPC have one answer a request.

# %%
PAUSE = 0.4
slow_grpc = grpc_rates.serve(pause=PAUSE)
slow_graphql = graphql_rates.serve(pause=PAUSE)
slow_soap = soap_rates.serve(pause=PAUSE)
slow_jsonrpc = jsonrpc_rates.serve(pause=PAUSE)
slow_stub = stub_at(slow_grpc.url)


def soap_at(url, client=soap):
    binding = "{urn:answerbook:rates}RatesBinding"
    return client.create_service(binding, f"{url}/rates")


# %%
SUBSCRIBE = 'subscription { rates(base: "EUR") { counter rate } }'


def subscribe(desk):
    url, accept = f"{desk}/graphql", {"Accept": "text/event-stream"}
    options = {"json": {"query": SUBSCRIBE}, "stream": True, "timeout": 5}
    with requests.post(url, headers=accept, **options) as stream:
        for line in stream.iter_lines():
            if line.startswith(b"data: {"):
                yield json.loads(line[6:])["data"]["rates"]


# %% [markdown]
# Each is called twice, and the second call counts: the first one warms up.

# %%
euro = rates_pb2.RatesRequest(base="EUR")
calls = {
    "gRPC": lambda: next(slow_stub.Rates(euro, timeout=5)),
    "GraphQL": lambda: next(subscribe(slow_graphql.url)),
    "SOAP": lambda: soap_at(slow_soap.url).Rates(base="EUR"),
    "JSON-RPC": lambda: rpc(slow_jsonrpc.url, "rates", "EUR"),
}
first = {}
for protocol, call in [*calls.items()] * 2:
    start = perf_counter()
    call()
    first[protocol] = perf_counter() - start

# %%
table(
    [(protocol, f"{1000 * first[protocol]:.0f}") for protocol in first],
    columns=["protocol", "ms until the first rate"],
    caption="Five rates, of which each takes 400 ms.",
)
assert 2 * max(first["gRPC"], first["GraphQL"]) < first["SOAP"]
assert 2 * max(first["gRPC"], first["GraphQL"]) < first["JSON-RPC"]

# %% [markdown]
# ## A field is added: protobuf ignores it, the others say so
# The next release of the desk takes a `rounding` in Convert, and its answer
# names the `rate`. Releases never reach all programs at once, so every client
# meets every server. First gRPC, an old client with a new server. On the wire
# there are only numbers: the new field has number 3, which the old client's
# message does not know.

# %%
new_grpc = grpc_rates.serve(contract="new")
request = rates_pb2.ConvertRequest(**one_euro)
half_up = one_euro | {"rounding": "half_up"}
got = stub_at(new_grpc.url).Convert(request, timeout=5)
kept = {field.field_number: field.data for field in UnknownFieldSet(got)}
print(got.amount, kept)
assert got.amount == "1.08" and kept == {3: b"1.0850"}
assert b"1.0850" in got.SerializeToString(), "passed on, if it is forwarded"

# %% [markdown]
# Nothing breaks. Now a new client, which wants half a cent rounded up: 1.085
# becomes 1.09. (A stub is no more than this: a path, and which class writes
# and reads the bytes. The new classes have another package here, only because
# one process cannot hold two messages of one name.)
#
# <details><summary>Predict: what does the old server do with
# <code>rounding="half_up"</code>?</summary>
# It skips a field that it does not know, rounds as it always did, and answers
# OK: a wrong amount and no error.
# </details>

# %%
request = next_pb2.ConvertRequest(**half_up)
path, write = "/answerbook.Rates/Convert", type(request).SerializeToString
read = next_pb2.Money.FromString
old_channel = grpc.insecure_channel(grpc_desk.url)
new_channel = grpc.insecure_channel(new_grpc.url)
silent = old_channel.unary_unary(path, write, read)(request, timeout=5)
right = new_channel.unary_unary(path, write, read)(request, timeout=5)
print("old server:", silent.amount, "· new server:", right.amount)
assert (silent.amount, right.amount) == ("1.08", "1.09")
assert (silent.rate, right.rate) == ("", "1.0850")

# %% [markdown]
# The empty `rate` gives the old server away: a client may check for it.
# Safer is a new method for a new meaning: an old server answers that with
# `UNIMPLEMENTED`. GraphQL and JSON-RPC refuse what they do not know, and their
# old clients do not notice what is new: GraphQL's because they did not ask for
# it, JSON-RPC's because a dictionary with one more key is still the same
# dictionary. (GraphQL prescribes the refusal. JSON-RPC does not: it is the
# server's library, `pjrpc`, that holds parameters against the signature.)

# %%
new_graphql = graphql_rates.serve(contract="new")
new_jsonrpc = jsonrpc_rates.serve(contract="new")
NEW = """{ convert(amount: "1", base: "EUR", counter: "USD",
    rounding: "half_up") { amount rate } }"""
same = graphql(new_graphql.url, CONVERT, amount="1").json()
errors = graphql(graphql_desk.url, NEW).json()["errors"]
more = rpc(new_jsonrpc.url, "convert", **one_euro).json()["result"]
invalid = rpc(desk, "convert", **half_up).json()["error"]
assert same["data"]["convert"] == {"amount": "1.08"}
assert len(errors) == 2
assert set(more) == {"amount", "currency", "rate"}
assert invalid["code"] == -32602

# %% [markdown]
# SOAP is the strict one. This server validates the request (not every SOAP
# server does); zeep looks through the response, and an element that the old
# contract does not have is an error, for a client that nobody touched. `Settings(strict=False)` lets it pass. What is
# missing is another matter: the new contract demands a `rate`, the old server
# sends none, and zeep makes it `None` without a word.

# %%
new_soap = soap_rates.serve(contract="new")
after = zeep.Client(f"{new_soap.url}/rates?wsdl", transport=transport)
with raises(zeep.exceptions.XMLParseError) as unexpected:
    soap_at(new_soap.url).Convert(**one_euro)
with soap.settings(strict=False):
    lax = soap_at(new_soap.url).Convert(**one_euro)
with raises(zeep.exceptions.Fault) as invalid_soap:
    soap_at(soap_desk.url, after).Convert(**half_up)
missing = soap_at(soap_desk.url, after).Convert(**one_euro)
assert str(lax.amount) == "1.08" and missing.rate is None

# %%
table(
    [
        ("gRPC", "works, keeps field 3", f"wrong: {silent.amount}, no error"),
        ("GraphQL", "works, sees nothing", errors[0]["message"]),
        ("SOAP", unexpected.error, invalid_soap.error),
        ("JSON-RPC", "works, one key more", invalid["data"][0]),
    ],
    columns=["protocol", "old client, new server", "new client, old server"],
    caption="A field added to the request, and one to the answer.",
)

# %% [markdown]
# ## The same quote takes gRPC the fewest bytes, and SOAP the most
# Each client now goes through a wire that counts what passes. The first call
# opens the connection and is not counted; the next twenty are.


# %%
def soap_through(address):
    return soap_at(f"http://{address}")


http, of_a_call = "http://{}".format, traffic.of_a_call
both = ("EUR", "USD")
costs = {
    "gRPC": of_a_call(grpc_desk, stub_at, quote_grpc, *both),
    "GraphQL": of_a_call(graphql_desk, http, quote_graphql, *both),
    "SOAP": of_a_call(soap_desk, soap_through, quote_soap, *both),
    "JSON-RPC": of_a_call(jsonrpc_desk, http, quote_jsonrpc, *both),
}

# %%
sent = {protocol: cost.sent for protocol, cost in costs.items()}
received = {protocol: cost.received for protocol, cost in costs.items()}
show(
    bars({"sent": sent, "received": received}, x="protocol", y="bytes a call"),
    alt="gRPC sends far fewer bytes than the others; SOAP sends the most.",
)
assert all(2 * sent["gRPC"] < sent[other] for other in list(sent)[1:])
assert max(sent, key=sent.get) == "SOAP"

# %% [markdown]
# Most of it is headers and framing. HTTP/1.1 repeats them in plain text with
# every call; HTTP/2, on which gRPC runs, sends each of them once a connection
# and an index afterwards. SOAP adds its envelope. The next table has both directions
# together, the lines that a program needs for one quote (without set-up), the
# lines of the contract that both sides share, and what came of `XYZ`.


# %%
wsdl = soap_rates.WSDL["old"].read_text()
both_ways = [round(cost.sent + cost.received) for cost in costs.values()]
written = [
    traffic.lines(quote_grpc),
    traffic.lines(graphql, quote_graphql) + len(QUOTE.splitlines()),
    traffic.lines(quote_soap),
    traffic.lines(rpc, quote_jsonrpc),
]
shared = [text.count("\n") for text in (contract, schema, wsdl, "")]

# %%
failures = [
    unknown_grpc.error.code().name,
    f"{unknown_graphql.status_code}, errors[0]",
    f"{response.status_code}, {fault.code}",
    f"{unknown_jsonrpc.status_code}, code 1001",
]
table(
    zip(costs, both_ways, written, shared, failures, strict=True),
    columns=["protocol", "bytes", "client", "contract", "unknown currency"],
    caption="Bytes a quote, lines of client and contract, an error.",
)

# %% [markdown]
# ## When it breaks
# What a program does about a failure depends on its kind, and each library
# has its own exceptions for it. `advice` sorts them, and says in a sentence
# what to do. (zeep talks through `requests`, and lets its exceptions pass.) Of
# gRPC's 16 statuses of an error, eight say that the request is wrong.

# %%
LATE = "No answer in time. It may have been done: repeat only a read."
DOWN = "The connection failed. Start the desk; repeat only a read."
FAILED = "The desk failed. Read its log; repeat only a read."
LATER = "Too much, or not now. Send less, or later, after a pause."
WRONG = "The request is wrong. Correct it; repeating it will not help."
STATUSES = {"DEADLINE_EXCEEDED": LATE, "CANCELLED": LATE, "UNAVAILABLE": DOWN}
STATUSES |= {"RESOURCE_EXHAUSTED": LATER, "ABORTED": LATER}
STATUSES |= dict.fromkeys(["UNKNOWN", "INTERNAL", "DATA_LOSS"], FAILED)
LOST = requests.ConnectionError, requests.exceptions.ChunkedEncodingError

# %% [markdown]
# A `ConnectTimeout` is a `ConnectionError` and a `Timeout`, but nothing was sent:
# `LOST` comes first. **Too much:** a currency of five megabytes.


# %%
def advice(error):
    if isinstance(error, grpc.RpcError):
        return STATUSES.get(error.code().name, WRONG)
    if isinstance(error, LOST):
        return DOWN
    return LATE if isinstance(error, requests.Timeout) else WRONG


with raises(grpc.RpcError) as huge:
    stub.Quote(rates_pb2.QuoteRequest(base="E" * 5_000_000), timeout=5)
assert advice(huge.error) == LATER
assert advice(requests.ConnectTimeout()) == DOWN


# %% [markdown]
# **Slower than the timeout.** The slow desks need 400 ms for a quote, and get
# a quarter. Then SOAP's and JSON-RPC's are stopped: **nobody listens.**

# %%
hasty = zeep.Transport(operation_timeout=0.1)
hurried = zeep.Client(f"{slow_soap.url}/rates?wsdl", transport=hasty)
with raises(grpc.RpcError) as late_grpc:
    slow_stub.Quote(euro_dollar, timeout=0.1)
with raises(requests.Timeout) as late_jsonrpc:
    requests.post(f"{slow_jsonrpc.url}/rpc", json=batch, timeout=0.1)
with raises(requests.Timeout) as late_soap:
    quote_soap(hurried.service, "EUR", "USD")
late = [late_grpc, late_jsonrpc, late_soap]
print(advice(late_grpc.error))
assert {advice(one.error) for one in late} == {LATE}

# %%
slow_soap.stop()
slow_jsonrpc.stop()
with raises(requests.ConnectionError) as down_soap:
    quote_soap(soap_at(slow_soap.url), "EUR", "USD")
with raises(requests.ConnectionError) as down_jsonrpc:
    quote_jsonrpc(slow_jsonrpc.url, "EUR", "USD")
print(advice(down_soap.error))
assert advice(down_soap.error) == advice(down_jsonrpc.error) == DOWN

# %% [markdown]
# **Killed in the middle of a stream.** Two rates of five have come.
#
# <details><summary>Predict: does the loop over the stream just end?</summary>
# No. A gRPC stream ends with a status, HTTP's chunked body with an empty
# chunk; where the end is missing, the iterator raises. What came before is
# kept, and is only a part.
# </details>

# %%
stream = slow_stub.Rates(euro, timeout=5)
part = [quote.counter for quote in islice(stream, 2)]
slow_grpc.stop()
with raises(grpc.RpcError) as cut:
    part += [quote.counter for quote in stream]
events = subscribe(slow_graphql.url)
assert len(list(islice(events, 2))) == 2
slow_graphql.stop()
with raises(requests.exceptions.ChunkedEncodingError) as torn:
    list(events)
print(advice(cut.error))
assert 2 <= len(part) < len(streamed) and advice(torn.error) == DOWN

# %% [markdown]
# **Malformed.** Half a message, sent to each. The four servers do
# not agree on whose mistake it is: gRPC's says `INTERNAL`, as if it were its
# own, since the bytes are parsed before any handler is asked. So `advice` sends
# us to the wrong side first.

# %%
raw = old_channel.unary_unary("/answerbook.Rates/Quote")
with raises(grpc.RpcError) as broken:
    raw(b"\xff", timeout=5)
as_json = {"Content-Type": "application/json"}
urls = [f"{graphql_desk.url}/graphql", f"{soap_desk.url}/rates", f"{desk}/rpc"]
statuses = []
for url in urls:
    half = session.post(url, '{"<', headers=as_json, timeout=5)
    statuses.append(half.status_code)
print(statuses, half.json()["error"]["code"], advice(broken.error))
assert broken.error.code() is grpc.StatusCode.INTERNAL
assert statuses == [400, 500, 200]

# %% [markdown]
# ## Summary
# - gRPC generates its client; errors are status codes, and the deadline, if
#   you set one, goes with the call.
# - GraphQL gives the fields that were asked for; look into `errors` under
#   every 200.
# - SOAP is typed by its WSDL, decimals too; a fault of SOAP 1.1 is a 500,
#   whoever made the mistake.
# - JSON-RPC is a name, parameters and an id; without the id, not even an error
#   comes back.
# - A new field in a request is ignored in silence by an old gRPC server, and
#   refused by the other three; a new field in an answer breaks the strict SOAP
#   client alone.
# - gRPC sends far fewer bytes: short messages, and headers sent once.
#
# ## Follow-ups
# <details><summary>May I rename a protobuf field, or use a number again?</summary>
# Rename: yes, as far as bytes go (its JSON form and the source that uses it
# change). Use a number again: never; old bytes would be read as the new field.
# Delete the field and mark its number <code>reserved</code>. Evidence:
# <a href="https://protobuf.dev/programming-guides/proto3/#updating">updating a
# message type</a>.
# </details>
#
# <details><summary>Which HTTP status does a gRPC error have?</summary>
# 200. The status is in <code>grpc-status</code>, a trailer after the body, so a
# proxy that counts 5xx sees none. Evidence:
# <a href="https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md">gRPC
# over HTTP/2</a>.
# </details>
#
# <details><summary>Can a browser call gRPC?</summary>
# Not directly: a page cannot read HTTP/2 trailers. gRPC-Web, with a proxy that
# translates, can, without client streams. Evidence:
# <a href="https://grpc.io/docs/platforms/web/basics/">gRPC-Web</a>.
# </details>
#
# <details><summary>Must a GraphQL error come with 200?</summary>
# Not any more: with the newer media type
# <code>application/graphql-response+json</code> a query that cannot be run is a
# 4xx. A field that fails on the way stays under a 2xx. Evidence:
# <a href="https://graphql.github.io/graphql-over-http/draft/">GraphQL over
# HTTP</a>.
# </details>
#
# <details><summary>What stops a GraphQL client that asks for everything?</summary>
# Nothing, by default. A server limits depth, cost and aliases, or admits only
# queries that it knows. And a resolver that runs once an item (N + 1) needs a
# data loader. Evidence: <a href="https://strawberry.rocks/docs/guides/dataloaders">
# data loaders in strawberry</a>.
# </details>
#
# <details><summary>Which calls may be repeated after a deadline?</summary>
# Those that change nothing, or that carry an idempotency key: the client cannot
# know whether the call was done. Evidence: <i>When it breaks</i>.
# </details>
#
# <details><summary>Two gRPC servers were started on one port, and no error
# came. How?</summary>
# On Linux gRPC sets <code>SO_REUSEPORT</code>, and the kernel spreads
# connections over both. <code>("grpc.so_reuseport", 0)</code> turns it off, as
# in this desk. Evidence:
# <a href="https://grpc.github.io/grpc/core/group__grpc__arg__keys.html">channel
# arguments</a>.
# </details>
#
# ## Exercises
# **1.** How many bytes has the message `QuoteRequest(base="EUR",
# counter="USD")`? Each field is a tag and a length of one byte each, and then
# its text.
#
# <details><summary>Solution</summary>
# <code>answer = 10</code>: twice 1 + 1 + 3.
# </details>

# %%
answer = ...

# %%
exercises.message.check(answer)

# %% [markdown]
# **2.** Write a GraphQL query that gets the rate from EUR to USD as `usd` and
# the rate from EUR to JPY as `jpy`, and nothing else, in one request. The
# check sends it.
#
# <details><summary>Solution</summary>
# <code>answer = '{ usd: quote(base: "EUR", counter: "USD") { rate } jpy:
# quote(base: "EUR", counter: "JPY") { rate } }'</code>
# </details>

# %%
answer = ...

# %%
exercises.two_rates.check(answer, graphql_desk.url)

# %% [markdown]
# ## Next, and further reading
# - Next: [1.7 Push](1_7_push.ipynb): WebSocket, Server-Sent Events, webhooks
# - [1.5 Kafka](1_5_kafka.ipynb), where nobody waits for an answer
# - [gRPC: core concepts](https://grpc.io/docs/what-is-grpc/core-concepts/),
#   deadlines, streams, metadata
# - [The GraphQL specification](https://spec.graphql.org/), on errors and nulls
# - [JSON-RPC 2.0](https://www.jsonrpc.org/specification), two pages
# - [SOAP 1.1](https://www.w3.org/TR/2000/NOTE-SOAP-20000508/), on faults over
#   HTTP

# %%
environment("grpcio", "protobuf", "strawberry-graphql", "zeep", "pjrpc")
