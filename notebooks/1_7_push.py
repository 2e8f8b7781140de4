# %% [markdown]
# # 1.7 Push: WebSocket, Server-Sent Events and webhooks
# *1 minute · 0.3 GB · services: none*
#
# ## Answer in a minute
# *WebSocket*: one connection, opened as HTTP and then switched over; both
# sides send messages at any moment. What is said while a client is away is
# gone, unless the application keeps it.
#
# *Server-Sent Events* (SSE): a GET whose response does not end; text, one way.
# Events carry ids. A client that reconnects sends the last one it had as
# `Last-Event-ID`, and a server that keeps a log goes on from there.
#
# *Webhook*: the provider POSTs to an address of yours, which is open to the
# world. So verify an HMAC over id, timestamp and *raw* body, in constant time;
# refuse old timestamps; recognise repeats by the id. Answer 2xx when the
# message is *stored*. Without a 2xx it comes again.
#
# Chat, a game: WebSocket. A feed for browsers: SSE. Another company's server:
# webhooks.
#
# ## You will
# - **do**: write a server and a client for each, break the network under them,
#   kill their servers, forge and replay signed calls.
# - **learn**: who connects to whom, who remembers what did not arrive, and
#   what each costs in bytes and milliseconds.
# - **need**: [1.1](1_1_rest.ipynb) for HTTP, and what `async` and `await` do.

# %%
import asyncio
import base64
import hmac
import json
import time
from contextlib import suppress
from tempfile import TemporaryDirectory

import httpx
import psutil
import websockets
from httpx_sse import aconnect_sse
from sse_starlette import EventSourceResponse, ServerSentEvent
from standardwebhooks import Webhook
from starlette.responses import Response
from tenacity import retry, stop_after_attempt, wait_random_exponential

from answerbook.notebook import bars, environment, raises, show, table
from answerbook.notebook.exercises import q1_7_push as exercises
from answerbook.protocols import asgi, sse, trial, webhooks, websocket
from answerbook.protocols.webhook_provider import serve as start_provider

# %% [markdown]
# ## On a WebSocket both sides speak when they like
# A handler of the `websockets` library gets one connection and runs until it
# returns. This one greets before it was asked anything.

# %%
servers = []


async def served(handler, **options):
    server = await websockets.serve(handler, "127.0.0.1", 0, **options)
    servers.append(server)
    return "ws://{}:{}".format(*server.sockets[0].getsockname())


async def shop(connection):
    await connection.send("welcome")
    async for order in connection:
        await connection.send(f"placed: {order}")


# %% [markdown]
# The client asks by HTTP to `Upgrade`, the server answers 101, and from then
# on the connection carries *messages*: two sends are two receives, which a TCP
# socket does not promise.

# %%
async with websockets.connect(await served(shop)) as connection:
    greeting = await connection.recv()
    await connection.send("lamp")
    await connection.send("chair")
    answers = [await connection.recv(), await connection.recv()]
print(connection.response.status_code, greeting, answers)
assert connection.response.status_code == 101 and greeting == "welcome"
assert answers == ["placed: lamp", "placed: chair"]

# %% [markdown]
# ## Any web page may connect, unless the server checks Origin
# Browsers apply neither the same-origin policy nor CORS to WebSockets: a page
# of any site may open one to yours, and the visitor's cookies may go with it.
# The browser only *says* in `Origin` where the page is from. To look is up to
# the server.


# %%
async def welcomed(origin, **options):
    url = await served(shop, **options)
    async with websockets.connect(url, origin=origin) as connection:
        return await connection.recv()


OURS, EVIL = "https://shop.example", "https://evil.example"
print(await welcomed(EVIL), "to a page of", EVIL)
assert await welcomed(OURS, origins=[OURS]) == "welcome"
with raises(websockets.InvalidStatus) as caught:
    await welcomed(EVIL, origins=[OURS])
assert caught.error.response.status_code == 403

# %% [markdown]
# A program can write what it likes into `Origin`. The check protects people
# with browsers, and does not replace a log-in.
#
# ## A close has a code; a connection that dies has none
# Whoever ends a WebSocket says why: 1000 done, 1001 going away, 1008 against
# our rules, 1009 too big, 1011 an error of mine; 4000 to 4999 are yours.


# %%
async def guard(connection):
    await connection.close(1008, "log in first")


async with websockets.connect(await served(guard)) as connection:
    with raises(websockets.ConnectionClosedError) as refused:
        await connection.recv()
assert refused.error.rcvd.code == 1008

# %% [markdown]
# From here on, a feed is a process of its own that publishes a numbered price
# every 10 ms. This one does so by WebSocket. We kill it.
#
# <details><summary>Predict: which close code does the client receive?</summary>
# None: the dead send nothing. Libraries show <code>1006</code>, which stands
# for “no close frame came” and is never on the wire.
# </details>

# %%
feed = websocket.serve()
async with websockets.connect(feed.url) as connection:
    print(await connection.recv())
    psutil.Process(feed.pid).kill()
    with raises(websockets.ConnectionClosedError) as died:
        async for _ in connection:
            pass
assert died.error.rcvd is None and connection.close_code == 1006

# %% [markdown]
# ## A slow reader stops the writer, if the writer waits
# TCP lets a sender run ahead by what the buffers on the way hold; after that
# `await send()` waits. That is *backpressure*. `broadcast()`, made to tell many
# connections the same, waits for none.


# %%
async def patient(connection):
    with suppress(TimeoutError):
        while True:
            await asyncio.wait_for(connection.send(BLOCK), 0.5)
    await held.put(connection.transport.get_write_buffer_size())


async def careless(connection):
    for _ in range(500):
        websockets.broadcast([connection], BLOCK)
    await held.put(connection.transport.get_write_buffer_size())


# %% [markdown]
# The client opens a connection and reads nothing. `patient` sends until one
# send has waited for half a second, `careless` sends 50 MB.
#
# <details><summary>Predict: where are the 50 MB of <code>careless</code>?
# </summary>
# In the memory of the server's process, once for each client that is slow.
# They go when it reads, or when a ping that it did not answer ends the
# connection.
# </details>


# %%
async def unread(handler):
    url = await served(handler, compression=None)
    async with websockets.connect(url, compression=None) as reader:
        size = await held.get()
        reader.transport.abort()
    return size / 1e6


BLOCK, held = bytes(100_000), asyncio.Queue()
waiting, heaped = await unread(patient), await unread(careless)
print(f"in memory: {waiting:.1f} MB (send), {heaped:.1f} MB (broadcast)")
assert 2 * waiting < heaped

# %% [markdown]
# ## What was said while a WebSocket was away is gone
# `async for … in connect(url)` connects again whenever the connection is lost.
# `heard` gives a price's number and its age on arrival.


# %%
async def follow(url, received, **options):
    async for connection in websockets.connect(url, **options):
        with suppress(websockets.ConnectionClosed):
            async for message in connection:
                received.append(trial.heard(message))


# %% [markdown]
# Now an outage. A *wire* stands between client and server. From a moment that
# we choose it loses what the server says, as a dead network would; then it
# breaks the connection. The numbers tell what was missed.

# %%
feed, by_websocket = websocket.serve(), []
line, url = trial.wired(feed.url)
client = asyncio.create_task(follow(url, by_websocket))
await trial.outage(line, by_websocket.__len__)
client.cancel()
line.stop()
missed, twice = trial.missed_and_twice(by_websocket)
print(f"missed {missed}, twice {twice}")
assert missed > 0

# %% [markdown]
# Reconnecting was the easy half. WebSocket has no message ids, no
# acknowledgements and no replay. Libraries on top of it that have them keep a
# log on the server, as the next protocol makes us do anyway.
#
# ## An SSE stream is lines of text in a response that goes on
# The server is a GET handler. `sse-starlette` writes the format, Starlette and
# uvicorn do the HTTP. After a `Last-Event-ID` the handler goes on from there.

# %%
NEWS = ["lamp: 100.01", "chair: 20.50\nlast one", "lamp: 99.00"]


async def after(last):
    yield ServerSentEvent(retry=200)
    for number, text in enumerate(NEWS[last:], last + 1):
        yield ServerSentEvent(text, id=str(number))


async def news(request):
    last = int(request.headers.get("Last-Event-ID", 0))
    return EventSourceResponse(after(last))


# %%
with asgi.serve_handler("/news", news) as serving:
    url = f"{serving.url}/news"
    everything = httpx.get(url)
    rest = httpx.get(url, headers={"Last-Event-ID": "2"})
print(everything.text)
assert everything.headers["Content-Type"].startswith("text/event-stream")
assert "lamp: 100.01" in everything.text
assert "lamp: 100.01" not in rest.text and "lamp: 99.00" in rest.text

# %% [markdown]
# A blank line ends an event. `retry` is the wait before a reconnect, in
# milliseconds. A line that begins with a colon is a comment: sent now and
# then, it keeps proxies from closing a quiet stream.
#
# A browser's `EventSource` reconnects by itself. It can only GET, without
# headers of your own, and over HTTP/1.1 browsers open six connections to a
# host, for all tabs together: the seventh stream waits. HTTP/2 ends that.
#
# ## After an outage, Last-Event-ID fetches the rest
# `httpx-sse` reads the format. The loop around it, which `EventSource` has
# built in, is ours: it remembers the id, obeys `retry`, and skips events
# without data, which `EventSource` does not show either.

# %%
browser = httpx.AsyncClient(timeout=3)


async def events(url, last):
    headers = {"Last-Event-ID": last} if last else {}
    async with aconnect_sse(browser, "GET", url, headers=headers) as stream:
        async for event in stream.aiter_sse():
            yield event


# %%
async def listen(url, received, last="", pause=1_000):
    while True:
        with suppress(httpx.TransportError):
            async for event in events(url, last):
                last, pause = event.id or last, event.retry or pause
                if event.data:
                    received.append(trial.heard(event.data))
        await asyncio.sleep(pause / 1_000)


# %% [markdown]
# The same outage. Then a worse one: the network loses what the server says, and
# then the server is killed. It is started again on the log that it left.
#
# <details><summary>Predict: and if it kept its log in memory?</summary>
# Then what was lost would be gone. Worse, the new server would count from 1
# again, and the client, asking for what follows 100 or so, would take other
# events for the ones it wants. <code>Last-Event-ID</code> is a header; the
# memory has to be the server's.
# </details>

# %%
folder, by_sse = TemporaryDirectory(), []
feed = sse.serve(log=f"{folder.name}/events")
port, (line, url) = httpx.URL(feed.url).port, trial.wired(feed.url)
client = asyncio.create_task(listen(url, by_sse))
await trial.outage(line, by_sse.__len__)
print("missed {}, twice {}".format(*trial.missed_and_twice(by_sse)))
line.lose("answers")
much = line.lost("answers") + 2_000
await trial.until(lambda: line.lost("answers") > much, "20 more are lost")

# %%
killed, before = time.monotonic(), len(by_sse)
psutil.Process(feed.pid).kill()
feed.stop()
feed = sse.serve(port, log=f"{folder.name}/events")
away = time.monotonic() - killed
line.cut()
await trial.until(lambda: len(by_sse) > before + 50, "events came again")
client.cancel()
line.stop()
late = [delay for _, delay in by_sse[before:] if delay > away]
print(f"{len(late)} were published before the kill and came after it")
assert late and trial.missed_and_twice(by_sse) == (0, 0)

# %% [markdown]
# Nothing missed, nothing twice: the server reads to each client out of its log,
# so there is no gap between catching up and live. An event that broke off in
# the middle is thrown away, for its blank line never came, and its id does not
# count.
#
# ## A webhook carries the proof of who sent it
# The provider calls us, so anybody else can. *Standard Webhooks* settles what
# each provider used to do in its own way: the headers `webhook-id`,
# `webhook-timestamp` and `webhook-signature`, and a shared secret. Signed are
# id, timestamp and body, with full stops between. It takes three lines; the
# library that the standard's authors publish accepts the result.

# %%
secret = webhooks.new_secret()
key = base64.b64decode(secret.removeprefix("whsec_"))


def sign(message_id, sent, body):
    signed = f"{message_id}.{sent}.".encode() + body
    digest = hmac.digest(key, signed, "sha256")
    return "v1," + base64.b64encode(digest).decode()


headers = {"webhook-id": "msg_0", "webhook-timestamp": f"{time.time():.0f}"}
headers["webhook-signature"] = sign(*headers.values(), b'{"item": "lamp"}')
print(headers["webhook-signature"])
assert Webhook(secret).verify(b'{"item": "lamp"}', headers)

# %% [markdown]
# ## What is forged, changed or kept for later is refused
# The receiver verifies, stores and answers. `webhooks.verify` computes the
# signature as above, compares, and refuses timestamps more than five minutes
# off, either way. `Inbox` is an SQLite table with a unique id.


# %%
async def receive(request):
    body = await request.body()
    try:
        message_id = webhooks.verify(key, request.headers, body)
    except webhooks.Refused as refusal:
        return Response(str(refusal), status_code=401)
    stored = inbox.store(message_id, body)
    return Response(status_code=202 if stored else 200)


# %%
inbox = webhooks.Inbox(f"{folder.name}/inbox")
receiver = asgi.serve_handler("/hooks", receive)


def post(body, message_id="msg_1", sent=None, signature=None):
    sent = sent or int(time.time())
    headers = {"webhook-id": message_id, "webhook-timestamp": str(sent)}
    headers["webhook-signature"] = signature or sign(message_id, sent, body)
    url = f"{receiver.url}/hooks"
    return httpx.post(url, content=body, headers=headers, timeout=5)


# %% [markdown]
# Somebody recorded a call of ours, headers and body, and tries what they can.
#
# <details><summary>Predict: what does the very same call get, sent once more at
# once?</summary>
# A 2xx. It cannot be told from the provider's own second attempt, after an
# answer that was lost; an error would only make the provider try again. What
# counts is that it is not handled twice.
# </details>

# %%
body, now = b'{"item": "lamp", "price": 100.10}', int(time.time())
genuine = {"sent": now, "signature": sign("msg_1", now, body)}
calls = {
    "genuine": post(body, **genuine),
    "replayed": post(body, **genuine),
    "replayed, new id": post(body, "msg_2", **genuine),
    "replayed, new time": post(body, **(genuine | {"sent": now + 1})),
    "other body": post(body.replace(b"100", b"1"), **genuine),
    "forged": post(body, signature="v1," + "A" * 43 + "="),
    "ten minutes late": post(body, "msg_0", sent=now - 600),
}

# %%
table(
    [(name, call.status_code, call.text) for name, call in calls.items()],
    columns=["call", "status", "answer"],
    caption="One call, and what can be made of it.",
)
statuses = [call.status_code for call in calls.values()]
assert statuses == [202, 200, 401, 401, 401, 401, 401]
assert [stored for stored, _ in inbox.messages()] == [body]

# %% [markdown]
# The last one has a good signature, and is late. Without its timestamp under
# the signature, an old call could be given a new one.
#
# ## The bytes that came are signed, not the JSON in them
# Frameworks like to hand over parsed JSON. Who writes that out again to verify
# it gets other bytes.

# %%
again = json.dumps(json.loads(body)).encode()
print(body, again, sep="\n")
rewritten = post(again, **genuine)
assert json.loads(again) == json.loads(body)
assert rewritten.status_code == 401

# %% [markdown]
# ## == stops at the first wrong byte, compare_digest does not
# How long `==` takes depends on how many bytes were right, so a guess could be
# improved byte by byte. With 32 bytes that is nanoseconds, hard to see through
# a network; `hmac.compare_digest` takes the question away. With a megabyte
# anyone can see it.


# %%
def cost(compare, guess):
    began = time.thread_time()
    for _ in range(200):
        compare(right, guess)
    return round((time.thread_time() - began) / 200 * 1e6, 1)


right = bytes(1_000_000)
guesses = [b"x" + right[1:], right[:-1] + b"x"]
plain = [cost(bytes.__eq__, guess) for guess in guesses]
fixed = [cost(hmac.compare_digest, guess) for guess in guesses]
print("first or last byte wrong, µs: ==", plain, "compare_digest", fixed)
assert 2 * plain[0] < plain[1] and fixed[1] < 2 * fixed[0]

# %% [markdown]
# ## A lost answer brings the message again, and the id recognises it
# A provider, as a process of its own, sends its prices to the receiver. What
# is not answered 2xx within half a second it sends again: after a random wait
# whose limit doubles, under the same id, with a *new* timestamp and signature.
# (A retry that repeats the old headers is refused once it is five minutes
# late.) The same outage hits the receiver's answers.

# %%
provider = start_provider()


async def called(url, received):
    start = len(inbox)
    wanted = {"url": f"{url}/hooks", "secret": secret, "count": 200}
    await browser.post(f"{provider.url}/subscriptions", json=wanted)
    await trial.until(lambda: len(inbox) >= start + 200, "all came")
    received += [trial.heard(*row) for row in inbox.messages()[start:]]


# %%
line, url = trial.wired(receiver.url)
by_webhook = []
client = asyncio.create_task(called(url, by_webhook))
await trial.outage(line, inbox.__len__)
await client
line.stop()
attempts = httpx.get(f"{provider.url}/attempts").json()
lost = {each["id"] for each in attempts if each["status"] is None}
known = {each["id"] for each in attempts if each["status"] == 200}
print(f"{len(attempts)} attempts, {len(known)} answered “known already”")
assert known and known <= lost
assert trial.missed_and_twice(by_webhook) == (0, 0)

# %% [markdown]
# A message whose answer was lost had been stored all the same. The attempt
# after it was answered 200, known already, and nothing was stored twice.
#
# The 202 meant *stored*. A worker takes messages out of the inbox, and can fail
# and try again in peace. A handler that works before it answers is slower than
# the provider's patience one day, and then does everything twice.
#
# ## A WebSocket message costs the least, a webhook the most
# From publishing to receipt: 200 messages each. Then 200 more through a wire
# that counts bytes, both ways, headers and all.

# %%
ticker = websocket.serve()
measured = {
    "WebSocket": await trial.measure(follow, ticker.url),
    "SSE": await trial.measure(listen, feed.url),
    "webhook": await trial.measure(called, receiver.url),
}
p50, p99, size = (
    {name: getattr(cost, what) for name, cost in measured.items()}
    for what in ("p50", "p99", "bytes")
)
assert size["WebSocket"] < size["SSE"] and 2 * size["SSE"] < size["webhook"]
assert 2 * p50["WebSocket"] < p50["webhook"]

# %%
payload, _ = inbox.messages()[-1]
table(
    [(name, p50[name], p99[name], size[name]) for name in measured],
    columns=["protocol", "p50 ms", "p99 ms", "bytes on the wire"],
    caption=f"{len(payload)} bytes of payload, from publishing to receipt.",
)
show(
    bars({"p50": p50, "p99": p99}, x="protocol", y="milliseconds", log=True),
    alt=f"Half of the messages came within {p50['WebSocket']:.1f} ms by "
    f"WebSocket, {p50['SSE']:.1f} by SSE and {p50['webhook']:.1f} by webhook; "
    "the scale is logarithmic.",
)

# %% [markdown]
# A WebSocket frame adds 2 to 4 bytes on the way to the client, an SSE event its
# field names, its id and the length of its chunk, a webhook a whole request and
# its answer. The outage, in one table:

# %%
count = trial.missed_and_twice
table(
    [
        ("WebSocket", "receiver", *count(by_websocket), "nobody"),
        ("SSE", "receiver", *count(by_sse), "the server's log"),
        ("webhook", "sender", *count(by_webhook), "the sender's retries"),
    ],
    columns=["protocol", "connects", "missed", "kept twice", "caught up by"],
    caption="The same outage under each.",
)

# %% [markdown]
# ## When it breaks
# **The server is down.** `connect` tries again after a random wait of up to
# 5 s, then after 3.1, 5.0, 8.1 … at most 90 s; the random part keeps a thousand
# clients from coming back in the same second. `process_exception` is asked
# each time whether to go on; here it takes notes.

# %%
port, refusals, received = httpx.URL(ticker.url).port, [], []
ticker.stop()
client = asyncio.create_task(
    follow(ticker.url, received, process_exception=refusals.append)
)
await trial.until(lambda: refusals, "the client was refused")
ticker = websocket.serve(port)
await trial.until(lambda: received, "the client came back")
client.cancel()
assert isinstance(refusals[0], ConnectionRefusedError)

# %% [markdown]
# **The server hangs.** No close, no reset: to TCP, silence is no error.
# WebSocket has pings for it (in this library every 20 s), SSE has comments, and
# the client a read timeout that is longer than the time between two of them.

# %%
hanging = psutil.Process(ticker.pid)
soon = {"ping_interval": 0.3, "ping_timeout": 0.3, "close_timeout": 0.3}
async with websockets.connect(ticker.url, **soon) as quiet:
    hanging.suspend()
    with raises(websockets.ConnectionClosedError) as silent:
        async for _ in quiet:
            pass
hanging.resume()
assert silent.error.sent.code == 1011 and silent.error.rcvd is None

# %%
hanging = psutil.Process(feed.pid)
hanging.suspend()
with raises(httpx.ReadTimeout) as timeout:
    httpx.get(feed.url, timeout=1)
print("No ping in time: connect again, with the last id.")
hanging.resume()

# %% [markdown]
# **A message is too big, or makes no sense.** `websockets` takes 1 MiB unless
# told otherwise, and closes with 1009; reconnecting and sending it again does
# not help. A well signed webhook that is not JSON is stored and answered 202: a
# 400 would bring it again for days. The worker that cannot read it puts it
# aside and tells a person.

# %%
url = await served(shop, max_size=1_000)
async with websockets.connect(url) as connection:
    await connection.recv()
    await connection.send("x" * 1_001)
    with raises(websockets.ConnectionClosedError) as too_big:
        await connection.recv()
senseless = post(b"item: lamp", "msg_3")
with raises(json.JSONDecodeError) as unreadable:
    json.loads(inbox.messages()[-1][0])
assert too_big.error.rcvd.code == 1009 and senseless.status_code == 202

# %% [markdown]
# **The receiver is down.** The sender's side, by `tenacity`: each attempt goes
# through `post`, which signs anew.

# %%
failures = []


@retry(
    stop=stop_after_attempt(12),
    wait=wait_random_exponential(0.1, max=2),
    before_sleep=lambda state: failures.append(state.outcome.exception()),
)
def deliver(body, message_id):
    return post(body, message_id).raise_for_status()


# %%
port = receiver.port
receiver.stop()
delivery = asyncio.create_task(asyncio.to_thread(deliver, body, "msg_4"))
await trial.until(lambda: len(failures) >= 2, "two attempts failed")
receiver = asgi.serve_handler("/hooks", receive, port)
delivered = await delivery
print(f"{len(failures)} × {failures[0]}, then {delivered.status_code}")
assert delivered.status_code == 202

# %% [markdown]
# In a sentence each, for whoever is called at night:

# %%
advice = {
    refusals[0]: "Start the server; its clients come back by themselves.",
    silent.error: "The server hangs: restart it. The client does reconnect.",
    too_big.error: "Split the message, or raise max_size at the server.",
    unreadable.error: "Mend the sender, then process the message again.",
    failures[0]: "Start the receiver; the sender delivers what it holds.",
}
rows = [(str(error).split(";")[0], what) for error, what in advice.items()]
table(rows, columns=["error", "what to do"], caption="What each asks for.")
for running in (ticker, feed, provider, receiver):
    running.stop()
folder.cleanup()

# %% [markdown]
# ## Summary
# - WebSocket: both ways, 2 to 4 bytes a message, no memory. Check `Origin`,
#   keep pings on, put a number on each message and a log behind it.
# - Wait for `send()`, or a slow reader fills your memory.
# - SSE: one way, plain HTTP, replay by `Last-Event-ID` from a log that is yours
#   to keep.
# - Webhook: verify the raw body in constant time, refuse what is old, store
#   under its id, answer 2xx, then work.
# - At least once and an id make *handled once*; no protocol here does it alone.
#
# ## Follow-ups
# <details><summary>Does WebSocket guarantee delivery?</summary>
# As far as TCP does, while the connection lasts: in order, no gaps. Across
# connections it guarantees nothing, and <code>send()</code> returning means
# that the bytes are in a buffer. Evidence:
# <i>What was said while a WebSocket was away is gone</i>.
# </details>
#
# <details><summary>Why not SSE for everything that goes one way?</summary>
# Over HTTP/1.1 a browser has six connections a host for all tabs together; it is
# text only; and each open stream is a connection on your server. Evidence:
# <a href="https://html.spec.whatwg.org/multipage/server-sent-events.html#authoring-notes">the
# standard's authoring notes</a>.
# </details>
#
# <details><summary>Why not answer a repeat with an error?</summary>
# Because it is most likely the honest sender, whose answer got lost; an error
# makes it try on, and at last switch you off. Evidence:
# <i>A lost answer brings the message again, and the id recognises it</i>.
# </details>
#
# <details><summary>Can the signature serve as the id of a message?</summary>
# No: a retry has a new one. And Base64 has spare bits: the last letter before
# <code>=</code> can be one of four for the same digest. The published Python
# library decodes before it compares and takes all four, which is harmless
# as long as the id is what recognises a repeat. Evidence:
# <a href="https://datatracker.ietf.org/doc/html/rfc4648#section-3.5">RFC 4648,
# canonical encoding</a>.
# </details>
#
# <details><summary>How is a webhook secret replaced without a gap?</summary>
# For a while the sender signs with both, old and new, and puts both signatures
# in the header with a space between; one that fits is enough. Evidence:
# <a href="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md">the
# specification</a>, and the second exercise.
# </details>
#
# <details><summary>Is the signature enough, so that plain HTTP would do?</summary>
# It proves who sent it and hides nothing: everybody on the way reads the body.
# TLS does that, and keeps a thief from recording calls to replay within five
# minutes. Evidence:
# <i>What is forged, changed or kept for later is refused</i>.
# </details>
#
# <details><summary>How do a million WebSockets survive a deployment?</summary>
# Servers close with 1001 in small groups, clients come back after a random
# wait and continue from their last number. Evidence: <i>When it breaks</i>.
# </details>
#
# ## Exercises
# **1.** A client reads this stream, and then it ends, without a last blank
# line. Which data does it show, and which `Last-Event-ID` does it send next?
# Answer with a list of texts and the id: `(["…"], "…")`.
# ```
# id: 7
# data: lamp
#
# : still here
#
# id: 8
# data: chair
# data: table
#
# id: 9
# data: sofa
# ```
#
# <details><summary>Solution</summary>
# <code>answer = (["lamp", "chair\ntable"], "8")</code>: a comment is nothing,
# two data lines are one text with a line break, and what no blank line ended
# did not happen.
# </details>

# %%
answer = ...

# %%
exercises.stream.check(answer)

# %% [markdown]
# **2.** While a secret is being replaced, a sender signs with both keys. Write
# `answer(keys, message_id, sent, body)`, which returns the value of
# `webhook-signature`: one signature for each key, with a space between.
#
# <details><summary>Solution</summary>
# <pre>def answer(keys, message_id, sent, body):
#     signed = f"{message_id}.{sent}.".encode() + body
#     digests = [hmac.digest(key, signed, "sha256") for key in keys]
#     encoded = [base64.b64encode(digest).decode() for digest in digests]
#     return " ".join("v1," + each for each in encoded)</pre>
# </details>

# %%
answer = ...

# %%
exercises.rotation.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Next: [1.8 Devices and files](1_8_devices_and_files.ipynb), peers that sleep,
#   move and lose the line
# - [1.5 Kafka](1_5_kafka.ipynb), a log that remembers for everybody
# - [RFC 6455](https://datatracker.ietf.org/doc/html/rfc6455), the WebSocket
#   protocol; [websockets](https://websockets.readthedocs.io/), on
#   [reconnecting](https://websockets.readthedocs.io/en/stable/reference/asyncio/client.html)
#   and [broadcasting](https://websockets.readthedocs.io/en/stable/topics/broadcast.html)
# - [Server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html),
#   in the HTML standard
# - [Standard Webhooks](https://www.standardwebhooks.com/)

# %%
environment("websockets", "sse-starlette", "httpx-sse", "standardwebhooks")
