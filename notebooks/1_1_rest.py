# %% [markdown]
# # 1.1 REST with requests, and what it does not do by itself
# *1 minute · 0.4 GB · services: none*
#
# ## Answer in a minute
# `requests` sends one HTTP request and returns one response. `auth=("user", "pass")` is Basic
# authentication: name and password in Base64, readable by whoever sees the request, so TLS has to
# carry it. `params=` goes into the address, `json=` into the body as JSON, `data=` as a form.
#
# What it does not do: a 404 or 500 raises nothing until `raise_for_status()`; there is no timeout
# unless one is given, and that is for connecting and for each read, not for the whole; nothing is
# retried unless an `HTTPAdapter` with a `Retry` is mounted on a `Session`. A `Retry` repeats
# idempotent methods only, waits longer each time, and obeys `Retry-After`. POST is left out for a
# reason: an answer that was lost does not mean that nothing was done. A `Session` also keeps its
# connections, which over TLS makes it several times as fast.
#
# ## You will
# - **do**: log in, send JSON and forms, run into each timeout, retry with backoff, lose an answer,
#   measure pooled connections over TLS, meet ten failures in a sentence each.
# - **learn**: which of these `requests` does by itself, and what a retry may break.
# - **need**: what an HTTP request is; nothing but this notebook.

# %%
import base64
import inspect
import json
import socket
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
import trustme
from requests import exceptions
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from answerbook.config import Settings
from answerbook.notebook import bars, environment, median_seconds, raises
from answerbook.notebook import show, stopwatch, table
from answerbook.notebook.exercises import q1_1_rest as exercises
from answerbook.protocols import httpbin, shop, trial

# %% [markdown]
# ## A response is an answer, not a success
# [httpbin](https://httpbin.org) is a web service that answers with what one asks it for: any status,
# any delay, or the request itself. It runs here, in a process of its own that ends with this
# kernel. To use the public one, or any other, set `ANSWERBOOK_HTTPBIN_URL` before you start:
# `BASE` is all that changes. (Behind a proxy, `NO_PROXY=127.0.0.1` keeps local requests local.)
#
# <details><summary>Predict: which of these three calls raises an exception: 200, 404, 500?</summary>
# None of them. An exception means that no answer came; a status of 500 is an answer.
# </details>

# %%
local = httpbin.serve()
BASE = Settings.load().httpbin_url or local.url
TIMEOUT = (3, 10)

# %%
answers = [
    requests.get(f"{BASE}/status/{status}", timeout=TIMEOUT)
    for status in (200, 404, 500)
]
table(
    [(answer.status_code, answer.ok) for answer in answers],
    columns=["status_code", "ok"],
    caption="Three answers, and no exception.",
)
assert [answer.ok for answer in answers] == [True, False, False]

# %% [markdown]
# A program that goes on with such a response treats an error page as its data. One line after each
# request makes an exception of it, and does nothing for a status under 400:

# %%
answers[0].raise_for_status()
with raises(requests.HTTPError) as caught:
    answers[1].raise_for_status()
assert caught.error.response.status_code == 404

# %% [markdown]
# ## Basic authentication: 200 with the password, 401 and a challenge without
# `/basic-auth/user/pass` lets in the user *user* with the password *pass*. A server that refuses
# has to say what it would accept, in the header `WWW-Authenticate`: here the scheme *Basic*, and
# the realm that the password is for. A browser shows its log-in window because of that header.

# %%
url = f"{BASE}/basic-auth/user/pass"
welcome, wrong, anonymous = (
    requests.get(url, auth=credentials, timeout=TIMEOUT)
    for credentials in [("user", "pass"), ("user", "guess"), None]
)
print(welcome.status_code, welcome.json())
print(wrong.status_code, wrong.headers["WWW-Authenticate"])
assert welcome.status_code == 200 and welcome.json()["user"] == "user"
assert wrong.status_code == anonymous.status_code == 401
assert wrong.headers["WWW-Authenticate"].startswith("Basic realm=")

# %% [markdown]
# A 401 tells a program to authenticate, or to do it again; the same request with the same password
# will fail again, so it is nothing to retry.
#
# ## Base64 hides nothing
# A tuple in `auth=` is short for `HTTPBasicAuth`. What it sent stands in the request that belongs
# to the response. If Base64 protected anything, we could not read it back without a key:

# %%
sent = welcome.request.headers["Authorization"]
scheme, _, credentials = sent.partition(" ")
print(sent, "→", base64.b64decode(credentials))
assert scheme == "Basic"
assert base64.b64decode(credentials) == b"user:pass"

# %% [markdown]
# It is an encoding, made so that any character fits into a header. Whatever ends TLS on the way (a
# proxy, a load balancer), and every log that keeps headers, has the password. Over plain HTTP
# everyone on the network has it too.
#
# ## params go into the address, json into the body, data into a form
# `/anything` answers with the request as the server understood it, as JSON. We hand over the same
# little dictionary in four ways.
#
# <details><summary>Predict: what does <code>data={"item": "lamp"}</code> send?</summary>
# <code>item=lamp</code>, as a browser's form does. An API that expects JSON finds none. And
# <code>data=json.dumps(…)</code> has the right body, but nothing says that it is JSON.
# </details>

# %%
LAMP = {"item": "lamp"}
ways = {
    "params=LAMP": {"params": LAMP},
    "json=LAMP": {"json": LAMP},
    "data=LAMP": {"data": LAMP},
    "data=json.dumps(LAMP)": {"data": json.dumps(LAMP)},
}
echoes = {
    way: requests.post(f"{BASE}/anything", timeout=TIMEOUT, **what).json()
    for way, what in ways.items()
}

# %%
columns = ["given as", "Content-Type", "query", "form", "other body"]
kinds = [echo["headers"].get("Content-Type") for echo in echoes.values()]
rows = [
    (way, kind, echo["args"], echo["form"], echo["data"])
    for kind, (way, echo) in zip(kinds, echoes.items(), strict=True)
]
table(rows, columns, caption="What the server saw.")
in_query, in_json, in_form, _ = echoes.values()
assert in_query["args"] == in_json["json"] == in_form["form"] == LAMP
assert kinds[1] == "application/json" and kinds[3] is None

# %% [markdown]
# ## Without a timeout, requests waits as long as the server is silent
# httpbin always answers in the end. For failures of other kinds we open a small shop on a port of
# its own: its page `/silence` takes a request and never answers. We ask in a thread, without a
# timeout, and look after three seconds. Three seconds are no proof of "for ever", so we look at the
# default as well: it is `None`, which to a socket means no limit.

# %%
store = shop.serve()
with ThreadPoolExecutor() as pool:
    request = pool.submit(requests.get, f"{store.url}/silence")
    answered, waiting = wait([request], timeout=3)
    store.stop()
print(type(request.exception()).__name__, "once the shop was closed")
signature = inspect.signature(requests.Session.request)
assert signature.parameters["timeout"].default is None
assert not answered and waiting == {request}
assert isinstance(request.exception(), requests.ConnectionError)

# %% [markdown]
# Only closing the shop ended it. In a service, each such request holds a thread or a worker, until
# none is left and a slow neighbour has become an outage of one's own. Every call gets a timeout.
#
# ## Connecting and reading have a timeout each, and neither limits the whole
# `timeout=(3, 10)` allows 3 seconds until the connection stands, and 10 for each wait for bytes. (One
# number stands for both.) We run into each, on this machine.
#
# A machine that is switched off, or a firewall that drops packets, says nothing: then the first of
# the two counts. A listener that takes no connection out of its queue, which has one place here,
# behaves just so:

# %%
listener = socket.create_server(("127.0.0.1", 0), backlog=0)
address = listener.getsockname()
in_queue = socket.create_connection(address)
with stopwatch() as unconnected, raises(requests.ConnectTimeout):
    requests.get(f"http://127.0.0.1:{address[1]}", timeout=(0.5, 5))
with stopwatch() as unread, raises(requests.ReadTimeout):
    requests.get(f"{BASE}/delay/3", timeout=(5, 0.5))
assert 0.5 <= unconnected.seconds < 5 and 0.5 <= unread.seconds < 3

# %% [markdown]
# The second timeout begins anew with every byte that comes. `/drip` sends twenty bytes over four
# seconds.
#
# <details><summary>Predict: does <code>timeout=2</code> end it?</summary>
# No. No single wait is as long as two seconds. A server that sends a byte now and then, out of trouble
# or out of malice, keeps the request alive for as long as it likes.
# </details>

# %%
with stopwatch() as dripped:
    slow = {"duration": 4, "numbytes": 20, "delay": 0}
    answer = requests.get(f"{BASE}/drip", params=slow, timeout=2)
print(f"{len(answer.content)} bytes in {dripped.seconds:.1f} s, timeout 2 s")
assert answer.ok and len(answer.content) == 20
assert dripped.seconds > 3

# %% [markdown]
# ## A Session does not retry; a Retry waits longer each time
# The shop again, a new one. `/stock?busy=4` answers 503 four times, and then 200. A plain `Session`
# gets the first 503 and stops. A `Retry`, mounted on a `Session` for all addresses that begin with
# `http://` or `https://`, repeats the request on the statuses in its list: those that may pass. Its
# wait grows: `backoff_factor` times 2, 4, 8, …
#
# <details><summary>Predict: how long does it wait before the first repetition?</summary>
# Not at all. Most hiccups are over by then, so urllib3 begins to wait before the second one.
# </details>

# %%
store = shop.serve()
plain = requests.Session()
busy = plain.get(f"{store.url}/stock?busy=1", timeout=TIMEOUT)
assert busy.status_code == 503
assert plain.get_adapter(BASE).max_retries.total == 0


# %%
def session_with(retries):
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=retries))
    session.mount("https://", HTTPAdapter(max_retries=retries))
    return session


PASSING = [429, 502, 503, 504]
retry = Retry(total=4, status_forcelist=PASSING, backoff_factor=0.2)
patient = session_with(retry)
stock = patient.get(f"{store.url}/stock?busy=4", timeout=TIMEOUT)
print(stock.json(), "after", len(stock.raw.retries.history), "repetitions")
assert stock.ok and len(stock.raw.retries.history) == 4

# %% [markdown]
# That is the client's account. The shop has its own: when each request came in. The last five are
# ours, and what lies between them are the waits.


# %%
def arrivals(store, path):
    requested = {"path": path}
    url = f"{store.url}/requests"
    return requests.get(url, params=requested, timeout=TIMEOUT).json()


ours = arrivals(store, "/stock")[-5:]
waited = {number: ours[number] - ours[number - 1] for number in range(1, 5)}
asked = {1: 0, 2: 0.2 * 2, 3: 0.2 * 4, 4: 0.2 * 8}

# %%
show(
    bars(
        {"backoff": asked, "between arrivals at the shop": waited},
        x="repetition",
        y="seconds waited",
    ),
    alt="The first repetition comes at once; the next ones wait 0.4, 0.8 "
    "and 1.6 seconds, each twice as long as the one before.",
)
assert all(waited[number] >= asked[number] for number in asked)
assert 2 * waited[1] < waited[2]

# %% [markdown]
# When the repetitions are used up, the error is a `RetryError` and the last response is gone;
# httpbin's `/status/503` never gets better. With `raise_on_status=False` one gets the response, and
# `raise_for_status()` decides as always. Its history names every attempt before it. (Without a
# `backoff_factor` nothing waits.)

# %%
failing = f"{BASE}/status/503"
retry = Retry(total=4, status_forcelist=PASSING)
with raises(exceptions.RetryError):
    session_with(retry).get(failing, timeout=TIMEOUT)

retry = Retry(total=4, status_forcelist=PASSING, raise_on_status=False)
last = session_with(retry).get(failing, timeout=TIMEOUT)
assert last.status_code == 503
assert [past.status for past in last.raw.retries.history] == [503] * 4

# %% [markdown]
# ## max_retries=2 repeats more than its documentation says
# `HTTPAdapter(max_retries=2)` is what one finds first. The documentation of `requests` says that it
# applies to failed connections, "never to requests where data has made it to the server". We ask
# the silent page, with a read timeout, and have the shop count.
#
# <details><summary>Predict: how often is the page asked for, and which exception comes?</summary>
# Three times. The number becomes a <code>Retry(2)</code>, which repeats a GET whose read failed as
# well. And what comes is a <code>ConnectionError</code>: code that catches
# <code>requests.Timeout</code> no longer sees its timeouts. A status is not repeated (unless it
# comes with <code>Retry-After</code>, see below), and there is no backoff.
# </details>

# %%
with raises(requests.ConnectionError) as caught:
    session_with(2).get(f"{store.url}/silence", timeout=(5, 0.3))
assert not isinstance(caught.error, requests.Timeout)
assert len(arrivals(store, "/silence")) == 3

# %% [markdown]
# ## Retry-After is obeyed, and needs no list of statuses
# A server that is busy (503), or counts requests and has had too many of yours (429), knows best
# when to come back, and says so in `Retry-After`. urllib3 waits that long in place of its own
# backoff. It also repeats a 413, 429 or 503 that has this header when no `status_forcelist` is given
# at all, which surprises people who counted on a single request. And it would wait six hours:
# `retry_after_max` sets a limit of your own.

# %%
limited = f"{store.url}/stock?busy=1&status=429&retry_after="
with stopwatch() as obedient:
    first = session_with(Retry(1)).get(f"{limited}2", timeout=TIMEOUT)

capped = session_with(Retry(1, retry_after_max=1))
with stopwatch() as bounded:
    second = capped.get(f"{limited}3600", timeout=TIMEOUT)

# %%
deaf = Retry(1, status_forcelist=PASSING, respect_retry_after_header=False)
with stopwatch() as hasty:
    third = session_with(deaf).get(f"{limited}2&again", timeout=TIMEOUT)
print(f"obeyed {obedient.seconds:.1f} s, capped {bounded.seconds:.1f} s")
print(f"ignored {hasty.seconds * 1000:.0f} ms")
assert first.ok and obedient.seconds >= 2
assert second.ok and bounded.seconds < 60
assert third.ok and 2 * hasty.seconds < obedient.seconds

# %% [markdown]
# ## A POST is not retried, because it may have been done
# `POST /orders` places an order, and its answer gets lost: a *wire* between client and shop breaks
# the connection when the first byte of the answer comes. To the client that is an error like any other. A `Retry` with its defaults repeats GET,
# HEAD, PUT, DELETE, OPTIONS and TRACE, which are *idempotent*: doing them twice leaves the server as
# doing them once does. POST is not among them. We count the orders with and without that rule, in
# two shops.
#
# <details><summary>Predict: how many lamps are ordered when POST is retried?</summary>
# Two, and the client sees a plain success: 201, order number 2.
# </details>

# %%
careful, careless = shop.serve(), shop.serve()
wire, url = trial.wired(careful.url)
wire.cut_after(0, "answers")
with raises(requests.ConnectionError):
    session_with(Retry(1)).post(f"{url}/orders", json=LAMP, timeout=TIMEOUT)
wire, url = trial.wired(careless.url)
wire.cut_after(0, "answers")
eager = session_with(Retry(1, allowed_methods=None))
answer = eager.post(f"{url}/orders", json=LAMP, timeout=TIMEOUT)
print(answer.status_code, answer.json())

# %%
placed = [
    len(requests.get(f"{peer.url}/orders", timeout=TIMEOUT).json())
    for peer in (careful, careless)
]
rows = zip(["not POST", "POST too"], placed, strict=True)
columns = ["what is retried", "orders in the shop"]
table(rows, columns, caption="One lamp was wanted.")
assert placed == [1, 2]

# %% [markdown]
# In neither case does the client know the truth from what it saw. An error after a POST means
# "perhaps". What makes it safe to repeat is a key that the client makes up and the server remembers
# with the order: an *idempotency key*, in [1.2](1_2_rest_in_production.ipynb).
#
# ## A Session keeps its connection, and over TLS that is most of the cost
# `requests.get` makes a `Session` for one request and throws it away, and the connection with it. A
# new one costs a TCP handshake, and over TLS keys, signatures and a chain to verify: one more round
# trip (version 1.3) or two (1.2), before the first byte of the request can leave. We make an
# authority of our own, and a shop with its certificate. (`verify=` goes with each call, because the
# variable `REQUESTS_CA_BUNDLE` would beat `session.verify`.)

# %%
folder, authority = TemporaryDirectory(), trustme.CA()
CA = str(Path(folder.name, "authority.pem"))
authority.cert_pem.write_to_path(CA)
secure = shop.serve(certificate=authority.issue_cert("127.0.0.1"))
HTTPS = {"verify": CA, "timeout": TIMEOUT}


# %% [markdown]
# The shop tells from which port a request came, and a port is a connection (the
# system may use a number twice).
#
# <details><summary>Predict: by how much is the <code>Session</code> faster, on one machine, where a
# round trip costs nothing?</summary>
# Several times: what is saved is computing, on both sides, and reading the authority's file. With
# a server 50 ms away a new connection (TLS 1.3) takes three round trips, and one that is kept takes
# one.
# </details>


# %%
def unpooled():
    return requests.get(f"{secure.url}/caller", **HTTPS).json()["port"]


def pooled():
    return kept.get(f"{secure.url}/caller", **HTTPS).json()["port"]


calls, kept = (unpooled, pooled), requests.Session()
ports = [len({call() for _ in range(20)}) for call in calls]
took = {call.__name__: 1_000 * median_seconds(call, 100) for call in calls}

# %%
show(
    bars(took, x="100 requests over HTTPS", y="ms a request, median"),
    alt=f"A pooled request takes {took['pooled']:.1f} ms, an unpooled one "
    f"{took['unpooled']:.1f} ms.",
)
print(f"20 requests: {ports[0]} connections unpooled, {ports[1]} pooled")
assert ports[0] > 15 and ports[1] == 1
assert 2 * took["pooled"] < took["unpooled"]

# %% [markdown]
# ## A problem tells a program what went wrong
# A status is one of some sixty. RFC 9457 puts the rest into a body of type
# `application/problem+json`: a `type`, which stays and is what a program compares; a `title` and a
# `detail` for people; the `status` again; and what else helps to go on. We ask for eight lamps.

# %%
eight, orders = LAMP | {"quantity": 8}, f"{secure.url}/orders"
refused = requests.post(orders, json=eight, **HTTPS)
problem = refused.json()
print(refused.headers["Content-Type"], json.dumps(problem, indent=1))
assert refused.headers["Content-Type"] == "application/problem+json"
assert problem["status"] == refused.status_code == 409
if problem["type"] == "/problems/out-of-stock":
    fewer = LAMP | {"quantity": problem["left"]}
accepted = requests.post(orders, json=fewer, **HTTPS)
assert accepted.status_code == 201

# %% [markdown]
# Nobody parsed “7 are left” out of a sentence, which may be reworded tomorrow.
#
# ## When it breaks
# Every exception of `requests` is a `RequestException`; the kinds below it say what to do. More
# special kinds come first: an `SSLError` is a `ConnectionError`, and a `ConnectTimeout` is that and
# a `Timeout` too. The last one takes what is left, such as an address without `http://`.

# %%
PERHAPS = "It may have been done: repeat only what is idempotent."
LATER = "It may pass: repeat what is idempotent, after Retry-After."
ADVICE = {
    exceptions.ConnectTimeout: "Nothing was sent: try again, after a pause.",
    exceptions.SSLError: "Send nothing until name and authority fit.",
    (requests.Timeout, exceptions.ChunkedEncodingError): PERHAPS,
    requests.ConnectionError: f"Start it, or mend its address. {PERHAPS}",
    exceptions.RetryError: LATER,
    exceptions.JSONDecodeError: "Read the body: who has answered?",
    requests.HTTPError: "Read why, and mend that first: it may fail again.",
    requests.RequestException: "Mend what its message names, here or there.",
}

# %% [markdown]
# An `HTTPError` depends on its status: what is in `PASSING` may pass.


# %%
def advice(error):
    if getattr(error.response, "status_code", None) in PASSING:
        return type(error), LATER
    kinds = (kind for kind in ADVICE if isinstance(error, kind))
    return type(error), ADVICE[next(kinds)]


def fetch(url, **options):
    try:
        answer = requests.get(url, **{"timeout": TIMEOUT} | options)
        answer.raise_for_status()
        return None, answer.json()
    except requests.RequestException as error:
        return advice(error)


# %% [markdown]
# **The server is down:** the operating system refuses at once. (A connection that broke before the
# answer is a `ConnectionError` too, hence both halves of its sentence.) **It is slower than the
# timeout.** **The password is wrong.** **What comes is no JSON**: `.json()` parses whatever the type
# is, and raises on HTML with status 200, as from a proxy in between. **The certificate is of an
# authority that nobody here knows**, or for another name. **It is busy. The connection breaks inside
# the body. Nobody takes the connection** (our listener, whose queue is still full). **The address
# has no scheme.**
#
# <details><summary>Predict: in which of the ten is a whole response there to look at?</summary>
# Three: 401, 503, and the HTML, with 200. A certificate that does not fit ends the
# handshake before the request is sent, and the password with it. (<code>verify=False</code> turns
# off the check, not the danger.)
# </details>

# %%
other_name = shop.serve(certificate=authority.issue_cert("shop.example"))
careless.stop()
with stopwatch() as down:
    nobody = fetch(f"{careless.url}/stock")
failures = {
    "server down": nobody,
    "slower than the timeout": fetch(f"{store.url}/silence", timeout=0.5),
    "wrong password": fetch(f"{BASE}/basic-auth/a/b", auth=("a", "c")),
    "HTML, not JSON": fetch(f"{BASE}/html"),
    "unknown authority": fetch(f"{secure.url}/stock"),
    "another name": fetch(f"{other_name.url}/stock", verify=CA),
}

# %%
wire, url = trial.wired(local.url)
wire.cut_after(1_000, "answers")
failures |= {
    "busy": fetch(f"{BASE}/status/503"),
    "broken inside the body": fetch(f"{url}/html"),
    "not connected": fetch("http://{}:{}".format(*address), timeout=0.5),
    "no http://": fetch("127.0.0.1/stock"),
}
in_queue.close()
listener.close()

# %%
rows = [(it, kind.__name__, do) for it, (kind, do) in failures.items()]
table(rows, ["what broke", "exception", "what to do"], caption="Ten failures.")
kinds = [kind for kind, _ in failures.values()]
assert kinds[:2] == [requests.ConnectionError, requests.ReadTimeout]
assert kinds[2:4] == [requests.HTTPError, exceptions.JSONDecodeError]
assert kinds[4:6] == [exceptions.SSLError] * 2
assert [do for _, do in failures.values()][6:8] == [LATER, PERHAPS]
assert kinds[8:] == [exceptions.ConnectTimeout, exceptions.MissingSchema]
assert 2 * down.seconds < 5, "refused is known at once"
others = requests.RequestException.__subclasses__()
assert all(advice(kind("", "", 0)) for kind in others)

# %% [markdown]
# **A malformed payload, sent:** the shop names the place. Mend the sender; a retry sends it again.

# %%
cut_off = requests.post(orders, data='{"item": "lamp"', **HTTPS)
no_item = requests.post(orders, json={"quantity": 1}, **HTTPS)
print(cut_off.json()["detail"], no_item.json()["errors"])
assert (cut_off.status_code, no_item.status_code) == (400, 422)
folder.cleanup()

# %% [markdown]
# ## Summary
# - A 4xx or 5xx is an answer: nothing is raised before `raise_for_status()`.
# - A refused log-in is a 401 with a challenge in `WWW-Authenticate`; Base64 is no protection.
# - `params=` is the address, `json=` a JSON body with its type, `data=` a form.
# - There is no timeout by default; a timeout is per connection and per read, never for the whole.
# - A `Session` retries nothing until a `Retry` is mounted; then the first repetition is immediate.
# - A number for `max_retries` repeats GETs whose read timed out, whatever the documentation says.
# - `Retry-After` beats the backoff, and is obeyed without a list of statuses.
# - A POST whose answer was lost may have been done: retrying it does it twice.
# - A `Session` needs one connection where `requests.get` needs one for each request, which over TLS
#   is at least twice as slow.
# - Compare a problem's `type`, never its text. Catch `RequestException`, and say what to do.
#
# ## Follow-ups
# <details><summary>401 or 403?</summary>
# 401: I do not know who you are, and here is how to tell me. 403: I know, and you may not; logging
# in again will not help. Evidence: <i>Basic authentication: 200 with the password, 401 and a
# challenge without</i>.
# </details>
#
# <details><summary>How do you limit the whole of a request, if timeout does not?</summary>
# With a deadline outside of it: read with <code>stream=True</code> and look at the clock between
# two chunks, or run it where it can be cancelled (<code>asyncio.timeout</code> with an asynchronous
# client). Evidence: <i>Connecting and reading have a timeout each, and neither limits the
# whole</i>.
# </details>
#
# <details><summary>Which statuses are worth a retry?</summary>
# Those that may pass: 429, 502, 503, 504, and connection errors. A 400, 401, 404 or 422 says that the
# same request will fail again. 500 is a bug as often as a hiccup. Evidence:
# <a href="https://www.rfc-editor.org/rfc/rfc9110#name-status-codes">RFC 9110, status codes</a>.
# </details>
#
# <details><summary>Is DELETE idempotent, if the second one answers 404?</summary>
# Yes. It is about the state of the server, not about the answer: the thing is gone after one and
# after two. Evidence: <a href="https://www.rfc-editor.org/rfc/rfc9110#name-idempotent-methods">RFC
# 9110, idempotent methods</a>.
# </details>
#
# <details><summary>A thousand clients back off together. What then?</summary>
# They come back together, at each step. Jitter spreads them: <code>backoff_jitter</code> adds a
# random part to every wait. Retries also multiply through layers: three layers with three
# repetitions each are 64 requests. Evidence:
# <a href="https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/">
# Timeouts, retries, and backoff with jitter</a>.
# </details>
#
# <details><summary>Is HTTPAdapter(max_retries=3) enough?</summary>
# For connections that fail, yes. But it repeats reads that time out, without a pause and under
# another exception's name, and it lets a 503 pass. Evidence: <i>max_retries=2 repeats more than its
# documentation says</i>.
# </details>
#
# ## Exercises
# **1.** `requests.get(url, timeout=(2, 5))` connects at once; the server then sends one byte every
# three seconds, twenty bytes in all. After how many seconds does it raise? If it does not, answer
# `None`.
#
# <details><summary>Solution</summary>
# <code>answer = None</code>: no wait for a byte is as long as five seconds. It returns after a
# minute.
# </details>

# %%
answer = ...

# %%
exercises.slow_bytes.check(answer)

# %% [markdown]
# **2.** A POST that is redirected with 302 arrives as a GET, without its body. Which status makes
# `requests` repeat the POST as it was? The check tries it.
#
# <details><summary>Solution</summary>
# <code>answer = 307</code>, or 308 where the move is for good: both keep method and body.
# </details>

# %%
answer = ...

# %%
exercises.redirect.check(answer, BASE)

# %% [markdown]
# **3.** Make a `Retry` that repeats a GET up to five times on 429 and 503, and nothing on 500, and
# that never repeats a POST.
#
# <details><summary>Solution</summary>
# <code>answer = Retry(total=5, status_forcelist=[429, 503])</code>. POST is left out by default.
# </details>

# %%
answer = ...

# %%
exercises.careful.check(answer)

# %% [markdown]
# **4.** How many seconds does `Retry(total=5, backoff_factor=1, status_forcelist=[503])` wait in all
# before it gives up on a server that always answers 503?
#
# <details><summary>Solution</summary>
# <code>answer = 30</code>: 0 + 2 + 4 + 8 + 16.
# </details>

# %%
answer = ...

# %%
exercises.patience.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Next: [1.2 REST in production](1_2_rest_in_production.ipynb)
# - [Requests: advanced usage](https://requests.readthedocs.io/en/latest/user/advanced/), sessions,
#   timeouts, adapters
# - [urllib3's Retry](https://urllib3.readthedocs.io/en/stable/reference/urllib3.util.html), every
#   setting
# - [RFC 9110, HTTP semantics](https://www.rfc-editor.org/rfc/rfc9110), methods, statuses, challenges;
#   [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457), problem details

# %%
environment("requests", "urllib3", "httpbin", "starlette", "trustme")
