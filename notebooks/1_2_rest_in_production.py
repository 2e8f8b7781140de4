# %% [markdown]
# # 1.2 REST in production: repeat, resume, refuse
# *1 minute · 0.8 GB · services: none*
#
# ## Answer in a minute
# Networks lose answers, so every call has to be safe to repeat. A POST carries
# an *idempotency key*; the server commits key and answer together with the
# work. A list is paged by a *cursor*, which names the last row read, not by an
# offset, which counts rows that come and go.
#
# An *ETag* names a version. With `If-None-Match`, what has not changed costs no
# body (304); with `If-Match`, a change to what has changed is refused (412),
# and no update gets lost. A big download goes to disk in pieces, and goes on
# after a cut with `Range` and `If-Range`; a digest proves the whole.
#
# Programs log in by OAuth 2 *client credentials*: a token that expires soon,
# and is renewed by asking again. A *circuit breaker* stops calling what is
# down. For many calls at once an asynchronous client needs less CPU than
# threads.
#
# ## You will
# - **do**: lose an answer and repeat the POST, page through a list that moves,
#   overwrite a colleague, cut a download of 200 MB, let a token expire, open a
#   breaker, kill the server in the middle of an order.
# - **learn**: which header and which status each of these needs.
# - **need**: [1.1](1_1_rest.ipynb), and what `async` and `await` do.

# %%
import asyncio
import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory

import aiohttp
import httpx
import pybreaker
import requests
from authlib.integrations.requests_client import OAuth2Session, OAuthError
from requests.adapters import HTTPAdapter, Retry
from starlette.responses import JSONResponse
from tqdm import tqdm

from answerbook.notebook import environment, lines, raises, show, table
from answerbook.notebook import stopwatch, wait_for
from answerbook.notebook.exercises import q1_2_rest_in_production as exercises
from answerbook.notebook.memory import memory_growth
from answerbook.protocols import asgi, shop, trial

# %% [markdown]
# ## An idempotency key makes a POST safe to repeat
# [1.1](1_1_rest.ipynb) ordered two lamps where one was wanted, because a POST
# was repeated. Here the client makes up a key for each order, and sends it in
# `Idempotency-Key` each time it tries. The server's side, in a dictionary: the
# key is *claimed* before the work begins.

# %%
done = {}


async def place(request):
    key, body = request.headers["Idempotency-Key"], await request.body()
    if key not in done:
        done[key] = body, JSONResponse("in progress", 409)
        await asyncio.sleep(1)  # the bank takes its time
        done[key] = body, JSONResponse({"order": len(done)}, 201)
    known, answer = done[key]
    return answer if known == body else JSONResponse("other body", 422)


# %% [markdown]
# <details><summary>Predict: the same request comes again while the first is
# still under way. What should it get?</summary>
# Neither a second order nor the first one's answer, which is not there yet: 409
# Conflict, which says try again later. A server that looks the key up at the
# end of its work, and not before, orders twice here.
# </details>

# %%
LAMP, TABLE, TIMEOUT = {"item": "lamp"}, {"item": "table"}, (3, 10)


def order(url, what, key, **query):
    with requests.Session() as once:
        once.headers["Idempotency-Key"] = key
        once.params = query
        return once.post(f"{url}/orders", json=what, timeout=TIMEOUT)


# %%
server, pool = asgi.serve_handler("/orders", place), ThreadPoolExecutor()
first = pool.submit(order, server.url, LAMP, "key-1")
wait_for(lambda: "key-1" in done, "the key is claimed")
answers = [order(server.url, LAMP, "key-1"), first.result()]
answers += [order(server.url, what, "key-1") for what in (LAMP, TABLE)]
server.stop()
print(*((answer.status_code, answer.json()) for answer in answers), sep="\n")
assert [answer.status_code for answer in answers] == [409, 201, 201, 422]
assert answers[1].json() == answers[2].json() and len(done) == 1

# %% [markdown]
# A dictionary dies with its process. The *shop*, the server of this notebook from
# here on, is a process with a database, and commits order, key and answer in
# one transaction. So a `Retry` may repeat its POSTs. A *wire* between the two
# breaks the connection when the first byte of an answer comes by.

# %%
folder = TemporaryDirectory()
SECRET, DATABASE = token_urlsafe(), Path(folder.name, "shop.db")
peer = shop.serve(database=DATABASE, secret=SECRET, token_seconds=2)
line, wired = trial.wired(peer.url)
session = requests.Session()
again = Retry(3, allowed_methods=None)
session.mount("http://", HTTPAdapter(max_retries=again))


def arrived(path):
    url, wanted = f"{peer.url}/requests", {"path": path}
    return len(session.get(url, params=wanted, timeout=TIMEOUT).json())


# %%
line.cut_after(0, "answers")
headers = {"Idempotency-Key": token_urlsafe()}
answer = session.post(
    f"{wired}/orders", json=LAMP, headers=headers, timeout=TIMEOUT
)
requested = arrived("/orders")
orders = session.get(f"{peer.url}/orders", timeout=TIMEOUT).json()
print(f"{requested} requests, {len(orders)} order:", answer.json())
assert answer.headers["Idempotent-Replayed"] == "true"
assert requested == 2 and len(orders) == 1

# %% [markdown]
# ## A cursor holds its place while rows come and go
# `offset=20` means skip twenty rows, whichever they are by now. A cursor says
# after which row to go on: here after a price and, since several items have
# the same price, a number. The server compares, `WHERE (cents, number) > (?,
# ?)`, which an index answers without counting. A client need not understand
# it: the next page's address stands in the header `Link`.


# %%
def by_offset(url):
    seen = 0
    while page := session.get(f"{url}?offset={seen}", timeout=TIMEOUT).json():
        yield [item["number"] for item in page]
        seen += len(page)


def by_cursor(url):
    while url:
        answer = session.get(url, timeout=TIMEOUT)
        yield [item["number"] for item in answer.json()]
        url = answer.links.get("next", {}).get("url")


# %% [markdown]
# Forty items, ten a page. After each full page somebody puts a leaflet in
# front, for nothing, or takes away the first item of the page.
#
# <details><summary>Predict: which of the two makes a reader by offset miss
# items?</summary>
# Taking away: all that follows moves up by one, across the border between two
# pages, and the next page begins one too late. A new row in front moves all
# down, and the next page begins with the last one's end, again.
# </details>


# %%
ITEMS, FREE = f"{peer.url}/items", {"name": "leaflet", "cents": 0}


def put_in_front(page):
    session.post(ITEMS, json=FREE, timeout=TIMEOUT).raise_for_status()


def take_away(page):
    session.delete(f"{ITEMS}/{page[0]}", timeout=TIMEOUT).raise_for_status()


def read(pages, meanwhile):
    there, read = {it for page in by_cursor(ITEMS) for it in page}, []
    for page in pages(ITEMS):
        read += page
        if len(page) == 10:
            meanwhile(page)
    return len(read) - len(set(read)), len(there - set(read))


# %%
rows = [
    (pages.__name__, meanwhile.__name__, *read(pages, meanwhile))
    for meanwhile in (put_in_front, take_away)
    for pages in (by_offset, by_cursor)
]
columns = ["pages", "meanwhile", "read twice", "missed"]
table(rows, columns, caption="A list that moves, of forty items or so.")
assert rows[0][2] > 0 and rows[2][3] > 0, "by offset"
assert rows[1][2:] == rows[3][2:] == (0, 0), "by cursor"

# %% [markdown]
# What changes its own price meanwhile can still move past a cursor. Sort by what
# does not change, or read from a snapshot, where that matters.
#
# ## An ETag saves the body of an answer, and an update from being lost
# The shop gives each version of an item a tag. Who has it asks with
# `If-None-Match`, and gets 304 without a body while it is current.

# %%
chair = f"{ITEMS}/2"
fresh = session.get(chair, timeout=TIMEOUT)
TAG = fresh.headers["ETag"]
same = session.get(chair, headers={"If-None-Match": TAG}, timeout=TIMEOUT)
print(TAG, [(it.status_code, len(it.content)) for it in (fresh, same)])
assert same.status_code == 304 and same.content == b""

# %% [markdown]
# Now a change. Ann and Bob have read the same chair. Ann corrects its price,
# Bob its stock, and each PUTs the whole item.


# %%
def put(url, item, tag=None):
    condition = {"If-Match": tag} if tag else {}
    return session.put(url, json=item, headers=condition, timeout=TIMEOUT)


ann, bob = fresh.json() | {"cents": 4_200}, fresh.json() | {"stock": 50}
put(chair, ann)
put(chair, bob)
now = session.get(chair, timeout=TIMEOUT).json()
print("Ann's price", ann["cents"], "is lost:", now)
assert now["cents"] != 4_200 and now["stock"] == 50

# %% [markdown]
# Both were answered 200. `If-Match` makes the change conditional: Bob's is
# refused with 412, Precondition Failed. Where clients forget the header, the
# server insists: `/v2/items` answers 428, Precondition Required.

# %%
tag = session.get(chair, timeout=TIMEOUT).headers["ETag"]
answers = [
    put(chair, ann, tag),
    put(chair, bob, tag),
    put(f"{peer.url}/v2/items/2", bob),
]
print(*(answer.text for answer in answers), sep="\n")
assert [answer.status_code for answer in answers] == [200, 412, 428]

# %% [markdown]
# After a 412 one reads again and decides anew. A program that only adds does
# so in a loop. Eight of them add one chair each, at once:


# %%
def add_one(_):
    status = None
    while status != 200:
        read = session.get(chair, timeout=TIMEOUT)
        more = read.json() | {"stock": read.json()["stock"] + 1}
        status = put(chair, more, read.headers["ETag"]).status_code


before = session.get(chair, timeout=TIMEOUT).json()["stock"]
with ThreadPoolExecutor(8) as pool:
    list(pool.map(add_one, range(8)))
assert session.get(chair, timeout=TIMEOUT).json()["stock"] == before + 8

# %% [markdown]
# ## A download of 200 MB needs a few, and goes on where it was cut
# `stream=True` returns when the headers are there, and `iter_content` reads
# the body as fast as it is written. `Range` asks for what is missing;
# `If-Range` adds: only if it is still the same version, else send it all.
# (`identity`, because a range of something compressed is another range.)


# %%
def ask(path, url, tag=None):
    headers = {"Accept-Encoding": "identity", "If-Range": tag}
    if tag:
        headers["Range"] = f"bytes={path.stat().st_size}-"
    return session.get(url, headers=headers, stream=True, timeout=TIMEOUT)


def save(answer, path):
    mode = {200: "wb", 206: "ab"}[answer.status_code]
    with path.open(mode) as file, tqdm(unit="B", unit_scale=True) as bar:
        bar.update(file.tell())
        bar.total = file.tell() + int(answer.headers["Content-Length"])
        for chunk in answer.iter_content(1_000_000):
            bar.update(file.write(chunk))


# %% [markdown]
# Memory is measured as the peak of this kernel and the shop together, beyond
# what both took before.
#
# <details><summary>Predict: how much does <code>.content</code> take?</summary>
# More than the file: it collects the pieces in a list and joins them, so for a
# moment there are two of each byte.
# </details>

# %%
path = Path(folder.name, "report")
with memory_growth() as in_pieces:
    save(ask(path, f"{peer.url}/report"), path)
with memory_growth() as at_once:
    size = len(session.get(f"{peer.url}/report", timeout=TIMEOUT).content)
grown = {"iter_content": in_pieces.bytes, ".content": at_once.bytes}
print(f"{size / 1e6:.0f} MB:", {how: it // 10**6 for how, it in grown.items()})
assert path.stat().st_size == size == 200_000_000
assert 5 * in_pieces.bytes < size < at_once.bytes

# %% [markdown]
# The wire breaks after 120 MB. The first part is on disk; its ETag has to
# be kept beside it. In `Repr-Digest` (RFC 9530) stands the SHA-256 of the
# whole, also when a part is sent.


# %%
def digest(path):
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").digest()
    return f"sha-256=:{base64.b64encode(found).decode()}:"


line.cut_after(120_000_000, "answers")
first = ask(path, f"{wired}/report")
with raises(requests.exceptions.ChunkedEncodingError):
    save(first, path)
print(f"{path.stat().st_size:,} bytes are there")

# %%
rest = ask(path, f"{wired}/report", first.headers["ETag"])
save(rest, path)
print(rest.status_code, rest.headers["Content-Range"])
assert rest.status_code == 206 and path.stat().st_size == size
assert int(rest.headers["Content-Length"]) <= size - 119_000_000
assert digest(path) == rest.headers["Repr-Digest"]

# %% [markdown]
# ## Client credentials buy a token, which is bought again when it expires
# The client shows id and secret to the token endpoint only, and gets a
# *bearer token*: whoever bears it may do what its *scope* says, until it
# expires. The shop's authorization server is made with Authlib, as is the
# client, an `OAuth2Session` that puts the token into each request. (On any
# host but loopback both refuse plain HTTP.)


# %%
def client(scope, secret=SECRET, **options):
    options |= {"token_endpoint": f"{peer.url}/token"}
    options |= {"grant_type": "client_credentials", "default_timeout": 10}
    return OAuth2Session(shop.CLIENT_ID, secret, scope=scope, **options)


reader = client("ledger:read", leeway=0)
granted = reader.fetch_token()
print({name: granted[name] for name in ("token_type", "expires_in", "scope")})
with raises(OAuthError) as refused:
    client("ledger:read", secret="a guess").fetch_token()
assert refused.error.error == "invalid_client"

# %% [markdown]
# <details><summary>Predict: what does a good token without the right scope
# get, 401 or 403?</summary>
# 403: known, and not allowed. No token, or one that is not known, is 401.
# </details>

# %%
LEDGER = f"{peer.url}/ledger"
calls = {
    "GET without a token": requests.get(LEDGER, timeout=TIMEOUT),
    "GET with ledger:read": reader.get(LEDGER),
    "POST with ledger:read": reader.post(LEDGER, json={"cents": 4_200}),
}
print({name: answer.status_code for name, answer in calls.items()})
assert [call.status_code for call in calls.values()] == [401, 200, 403]
assert calls["POST with ledger:read"].json()["error"] == "insufficient_scope"

# %% [markdown]
# The shop's tokens live for two seconds. There is no refresh token in this flow,
# nor need for one: the session asks for another token when its own is over.
# By default it does so a minute early (`leeway=60`); a token that lives no longer
# than that is then bought anew for each request.


# %%
wait_for(lambda: reader.token.is_expired(leeway=0), "the token expired")
before = arrived("/token")
statuses = [reader.get(LEDGER).status_code for _ in range(3)]
renewed = arrived("/token") - before
hasty = client("ledger:read")
hasty.fetch_token()
statuses += [hasty.get(LEDGER).status_code for _ in range(3)]
bought = arrived("/token") - before - renewed
print(f"{renewed} for 3 requests; with the default leeway {bought}")
assert statuses == [200] * 6 and 1 <= renewed < bought == 4

# %% [markdown]
# ## A circuit breaker stops calling what is down
# A retry multiplies the load on a server that is in trouble, and each caller
# waits for its timeout. A breaker counts failures in a row. *Closed*, it lets
# calls through. After three failures, here, it is *open*: calls fail at once,
# without a request. Half a second later it is *half-open*: one trial decides.

# %%
states, refusals = [], []


class Diary(pybreaker.CircuitBreakerListener):
    def state_change(self, breaker, old, new):
        states.append(new.name)


breaker = pybreaker.CircuitBreaker(3, 0.5, listeners=[Diary()])


# %% [markdown]
# The shop refuses five requests and answers the sixth. We call every 50 ms
# until it does, and the shop counts what reaches it.
#
# <details><summary>Predict: how many requests does it see?</summary>
# Six: three that open the breaker, and then one trial each half second, of
# which the third succeeds.
# </details>


# %%
@breaker
def stock(query):
    answer = requests.get(f"{peer.url}/stock?{query}", timeout=TIMEOUT)
    answer.raise_for_status()
    return answer.json()


def attempt():
    try:
        return stock("busy=5")
    except (requests.HTTPError, pybreaker.CircuitBreakerError) as error:
        refusals.append(error)


# %%
wait_for(attempt, "the shop is back")
print(len(refusals) + 1, "calls,", arrived("/stock"), "requests,", states)
assert arrived("/stock") == 6 < len(refusals)
assert states == ["open", "half-open"] * 3 + ["closed"]

# %% [markdown]
# Two things to know. An answer of 4xx is the caller's mistake, and no reason to
# open: `exclude=` takes functions that tell (the second exercise). And this
# breaker holds a lock while a decorated function runs: threads go through it one
# by one. `with breaker.calling():` holds it at the doors only.


# %%
def inside(query):
    with breaker.calling():
        requests.get(f"{peer.url}/stock?{query}", timeout=TIMEOUT)


def eight(call):
    with stopwatch() as watch, ThreadPoolExecutor(8) as pool:
        list(pool.map(call, ["seconds=0.2"] * 8))
    return watch.seconds


decorated, entered = eight(stock), eight(inside)
print(f"decorated {decorated:.1f} s, calling() {entered:.1f} s")
assert 2 * entered < decorated

# %% [markdown]
# ## Threads and an event loop wait equally well; the loop costs less CPU
# An answer of the shop now takes 20 ms, as from a server across a country. One
# after another, that is at most fifty a second. With threads or an event loop
# many requests wait at once.
#
# The asynchronous client is `aiohttp`, which has a release every month or so.
# `httpx`, whose interface is the nicer one, has had none since December 2024;
# we measure it too. (Whether threads may share a `Session` is nowhere promised.
# Ours has no cookies, which is where they would meet.)


# %%
def threads(url, count, at_once):
    with requests.Session() as shared, ThreadPoolExecutor(at_once) as pool:
        shared.mount("http://", HTTPAdapter(pool_maxsize=at_once))
        for answer in pool.map(shared.get, [url] * count):
            answer.raise_for_status()


async def get(client, url):
    async with client.get(url, raise_for_status=True) as answer:
        return await answer.read()


async def event_loop(url, count, at_once):
    limit = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(connector=limit) as client:
        await asyncio.gather(*[get(client, url) for _ in range(count)])


# %%
async def httpx_loop(url, count, at_once):
    limits = httpx.Limits(max_connections=at_once)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:
        gets = [client.get(url) for _ in range(count)]
        for answer in await asyncio.gather(*gets):
            answer.raise_for_status()


# %%
async def measured(load, count, at_once):
    with stopwatch() as watch:
        waiting = load(f"{peer.url}/stock?seconds=0.02", count, at_once)
        if waiting:
            await waiting
    return count / watch.seconds, 1_000 * watch.cpu_seconds / count


# %%
AT_ONCE = (4, 16, 64)
alone = await measured(threads, 50, 1)
several = {
    load: [await measured(load, 20 * many, many) for many in AT_ONCE]
    for load in (threads, event_loop)
}
by_httpx = await measured(httpx_loop, 160, 16)

# %%
rates = {
    load.__name__.replace("_", " "): (AT_ONCE, [rate for rate, _ in results])
    for load, results in several.items()
}
rates["one by one"] = ([1], alone[:1])
best = {name: max(rate) for name, (_, rate) in rates.items()}
show(
    lines(rates, x="requests at once", y="requests/s"),
    alt=f"One by one {best['one by one']:.0f} requests a second; with threads "
    f"up to {best['threads']:.0f}, in an event loop {best['event loop']:.0f}.",
)
assert 2 * best["one by one"] < min(best["threads"], best["event loop"])

# %%
cpu = {
    "requests, one by one": alone[1],
    "requests, 16 threads": several[threads][1][1],
    "aiohttp, 16 at once": several[event_loop][1][1],
    "httpx, 16 at once": by_httpx[1],
}
table(cpu.items(), columns=["client", "CPU ms a request"], caption="Client.")
assert 2 * cpu["aiohttp, 16 at once"] < cpu["requests, 16 threads"]
assert 2 * cpu["aiohttp, 16 at once"] < cpu["httpx, 16 at once"]

# %% [markdown]
# ## When it breaks
# **The server is killed in the middle of an order.** The key is claimed, the
# bank is asked, and nothing is committed. The new process drops claims without
# an answer, since order and answer are one commit: the order was not placed.


# %%
def restarted():
    port = int(peer.url.rpartition(":")[2])
    peer.kill()
    return shop.serve(port, database=DATABASE, secret=SECRET)


asked, placed = arrived("/orders"), len(orders)
with ThreadPoolExecutor() as pool:
    lost = pool.submit(order, peer.url, TABLE, "key-2", seconds=9)
    wait_for(lambda: arrived("/orders") > asked, "the order is there")
    peer = restarted()
again = order(peer.url, TABLE, "key-2")
assert isinstance(lost.exception(), requests.ConnectionError)
assert again.status_code == 201 and again.json()["order"] == placed + 1

# %% [markdown]
# **A token is refused before its time**, because it was revoked, or the server
# has lost it. The client's clock does not know. A 401 is repeated once, with a
# new token; a second 401 is an error.

# %%
reader = client("ledger:read", leeway=0)
reader.fetch_token()
peer = restarted()
forgotten = reader.get(LEDGER)
reader.fetch_token()
assert forgotten.status_code == 401 and not reader.token.is_expired(leeway=0)
assert forgotten.json()["error"] == "invalid_token"
assert reader.get(LEDGER).status_code == 200

# %% [markdown]
# **The file has changed between cut and resume.** The first 50 MB are of one
# edition, the rest is of the next. Who sends `Range` alone gets a file of the
# right size that never existed, and only the digest tells. Who adds `If-Range`
# gets 200 and the whole of the new one.

# %%
report, tag = f"{peer.url}/report", first.headers["ETag"]
with path.open("r+b") as file:
    file.truncate(50_000_000)
session.post(report, timeout=TIMEOUT).raise_for_status()
blind = {"Range": "bytes=50000000-"}
rest = session.get(report, headers=blind, stream=True, timeout=TIMEOUT)
save(rest, path)
assert rest.status_code == 206 and path.stat().st_size == size
assert digest(path) != rest.headers["Repr-Digest"]
save(whole := ask(path, report, tag), path)
assert whole.status_code == 200
assert digest(path) == whole.headers["Repr-Digest"]

# %% [markdown]
# **The server hangs, and a client sends nonsense.** In `requests` no timeout
# limits the whole of a call; `aiohttp` has one that does, `total`, five minutes
# unless told otherwise.

# %%
peer.pause()
async with aiohttp.ClientSession(
    timeout=aiohttp.ClientTimeout(total=1)
) as impatient:
    with raises(TimeoutError) as hung:
        await get(impatient, ITEMS)
peer.resume()
nonsense = session.get(f"{peer.url}/items?after=20", timeout=TIMEOUT).json()
assert nonsense["status"] == 400

# %% [markdown]
# In a sentence each, for whoever is called at night:

# %%
advice = {
    "ConnectionError, POST": "Send it again, under the same key.",
    f"401 {forgotten.json()['error']}": "Get a new token, and repeat once.",
    "another digest": "Delete the file, and download all of it again.",
    type(hung.error).__name__: "Restart it: it takes calls, and answers none.",
    f"400 {nonsense['title']}": "Begin the list again, without a cursor.",
}
table(advice.items(), columns=["you see", "do"], caption="What each asks for.")
line.stop()
folder.cleanup()

# %% [markdown]
# ## Summary
# - An idempotency key, committed with the work, makes a POST safe to repeat: 201
#   again, 409 while it is under way, 422 with another body.
# - Page by a cursor: an offset repeats or misses rows when the list moves.
# - `If-None-Match` saves bodies (304). `If-Match` saves updates (412); a server
#   may insist on it (428).
# - `stream=True` and pieces: a download in constant memory. `Range` with
#   `If-Range` resumes it, and a digest proves it.
# - Client credentials: a token that expires, bought again in time; 401 is who,
#   403 is what.
# - A breaker spares a server that is down. Mind its lock.
# - Threads or an event loop wait alike; `aiohttp` takes less CPU a request.
#
# ## Follow-ups
# <details><summary>Who makes the key, and how long is it kept?</summary>
# The client, once for each thing that it wants done, before the first attempt;
# it stores the key with the order, so that it survives a crash of its own. A
# server keeps keys as long as clients may retry, a day for example, and for each
# customer apart. Evidence:
# <a href="https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/">the
# IETF's draft</a>.
# </details>
#
# <details><summary>Why is the key claimed before the work, and not stored after
# it?</summary>
# Between the work and the storing a second request may come, or the process may
# die, and the work is done twice. Where the work is another company's (a bank),
# no transaction spans both: pass a key on to them too. Evidence: <i>An
# idempotency key makes a POST safe to repeat</i>.
# </details>
#
# <details><summary>What does a cursor cost that an offset does not?</summary>
# One cannot jump to page 17, and the order has to be total, with an index on it.
# A reader who only scrolls misses neither. Evidence: <i>A cursor holds its place
# while rows come and go</i>.
# </details>
#
# <details><summary>Weak or strong ETag?</summary>
# A strong one says the same bytes, a weak one (<code>W/</code>) as good as the
# same. <code>If-Match</code> and <code>If-Range</code> take strong ones only;
# <code>If-None-Match</code> takes both. Evidence:
# <a href="https://www.rfc-editor.org/rfc/rfc9110#name-comparison-2">RFC 9110,
# comparison</a>.
# </details>
#
# <details><summary>Why no refresh token for a program?</summary>
# It exists so that a user's password need not be kept. A program keeps its
# secret anyway, and shows it again. Evidence:
# <a href="https://www.rfc-editor.org/rfc/rfc6749#section-4.4.3">RFC 6749, the
# client credentials' answer</a>, and <i>Client credentials buy a token, which is
# bought again when it expires</i>.
# </details>
#
# <details><summary>Retry inside the breaker, or breaker inside the
# retry?</summary>
# The breaker inside, so that each attempt counts, and an open breaker ends the
# retrying: do not repeat on its error. Evidence: <i>A circuit breaker stops
# calling what is down</i>.
# </details>
#
# <details><summary>Why not thousands of requests at once?</summary>
# Each waiting one is a connection and memory at the server, which answers no
# faster when it is full. Limit them at the client; a server answers 429 or 503
# beyond its own limit. Evidence: <i>Threads and an event loop wait equally well;
# the loop costs less CPU</i>, where the curves bend.
# </details>
#
# ## Exercises
# **1.** A download was cut after 70,000,000 bytes. The report's ETag was
# `"edition-2"`. Which headers make the shop send the rest, or all of it if it
# has changed? Answer with a dictionary; the check sends it.
#
# <details><summary>Solution</summary>
# <code>answer = {"Range": "bytes=70000000-", "If-Range": '"edition-2"'}</code>:
# bytes are counted from 0, and the quotes are part of the tag.
# </details>

# %%
answer = ...

# %%
exercises.resume.check(answer, peer.url)

# %% [markdown]
# **2.** Write `answer(error)` for the breaker's `exclude=[answer]`. It is true
# for an `HTTPError` that is the caller's mistake, and no reason to open: 4xx,
# though not 429. What is no `HTTPError` has no response.
#
# <details><summary>Solution</summary>
# <pre>def answer(error):
#     if not isinstance(error, requests.HTTPError):
#         return False
#     status = error.response.status_code
#     return 400 <= status < 500 and status != 429</pre>
# </details>

# %%
answer = ...

# %%
exercises.excluded.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Next: messages that wait for their reader, [1.3 AMQP](1_3_amqp.ipynb)
# - [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110), conditional requests and
#   ranges; [RFC 9530](https://www.rfc-editor.org/rfc/rfc9530), digests;
#   [RFC 8288](https://www.rfc-editor.org/rfc/rfc8288), links
# - [RFC 6750](https://www.rfc-editor.org/rfc/rfc6750), bearer tokens, and
#   [Authlib](https://docs.authlib.org/)
# - [aiohttp's client](https://docs.aiohttp.org/en/stable/client_quickstart.html),
#   [pybreaker](https://github.com/danielfm/pybreaker)

# %%
environment("requests", "aiohttp", "httpx", "authlib", "pybreaker")
