# %% [markdown]
# # 1.4 AMQP patterns: what is built from queues
# *2 minutes · 0.8 GB · services: RabbitMQ, RabbitMQ × 3*
#
# ## Answer in a minute
# *Work queue*: many consumers on one queue; each job goes to one of them.
# *Publish/subscribe*: a fanout exchange and one queue for each service.
# *Routing*: a topic exchange; `*` is one word, `#` any number. *Request/reply*:
# a reply address and a correlation id, and a reply can come too late.
#
# *Retry with delay*: reject into a queue that nobody reads, whose messages
# expire back into work; `x-death` counts; after the last attempt, park.
# *Quorum queue*: on most of several nodes before it is confirmed; without a
# majority, nothing is. *Stream*: a log that reading does not empty.
#
# Connections break: a consumer reconnects with growing pauses and bears
# repeats. A callback that takes longer than two heartbeats loses its
# connection, so long work goes to a thread. A broker short of memory blocks
# whoever publishes, and only them.
#
# ## You will
# - **do**: build each of these, kill a broker between work and acknowledgement,
#   take a cluster its majority, and run a broker out of memory.
# - **learn**: which promise each pattern makes, and where it ends.
# - **need**: [1.3](1_3_amqp.ipynb).

# %%
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise, takewhile
from operator import itemgetter
from threading import Event
from time import perf_counter
from uuid import uuid4

import pika
from pika import exceptions
from tenacity import retry, retry_if_exception_type, stop_after_delay
from tenacity import wait_random_exponential

from answerbook import services
from answerbook.notebook import environment, lines, raises
from answerbook.notebook import show, stopwatch, table, wait_for
from answerbook.notebook.exercises import q1_4_amqp_patterns as exercises

# %% [markdown]
# ## A work queue gives each job to one of its workers
# The queues of the last run go first, so that each can be declared anew.
# `deliveries` consumes until a queue has been quiet for a while.


# %%
rabbitmq = services.require("rabbitmq")
channel = rabbitmq.channel()
persistent = pika.BasicProperties(delivery_mode=2)


def declare(name, arguments=None):
    channel.queue_delete(name)
    channel.queue_declare(name, durable=True, arguments=arguments)


def deliveries(channel, queue, quiet=1, **options):
    found = channel.consume(queue, inactivity_timeout=quiet, **options)
    yield from takewhile(itemgetter(0), found)
    channel.cancel()


declare("numbers")

# %% [markdown]
# (`numbers` is for a later section, which says why it is made so early.)
#
# Sixty jobs of 10 to 40 ms, for one worker, two and four. A worker is a thread
# with a connection of its own; on several machines it would be the same code.


# %%
def work(finished):
    with rabbitmq.channel() as own:
        own.basic_qos(prefetch_count=1)
        for method, _, body in deliveries(own, "work"):
            Event().wait(0.01 * (1 + int(body) % 4))
            own.basic_ack(method.delivery_tag)
            finished.append((int(body), perf_counter()))


declare("work")

# %% [markdown]
# <details><summary>Predict: in which order are the jobs done?</summary>
# One worker keeps the order. Several begin in order and end in any: a short job
# overtakes a long one. Where order counts, a queue has one consumer (the
# argument <code>x-single-active-consumer</code> keeps the others waiting), and
# the work is spread over several queues, by customer for instance.
# </details>

# %%
seconds, order = {}, {}
for workers in (1, 2, 4):
    for number in range(60):
        channel.basic_publish("", "work", b"%d" % number, persistent)
    finished, began = [], perf_counter()
    with ThreadPoolExecutor() as pool:
        list(pool.map(work, [finished] * workers))
    order[workers], ended = zip(*finished, strict=True)
    seconds[workers] = max(ended) - began

# %%
taken = list(seconds.values())
show(
    lines({"60 jobs": (list(seconds), taken)}, x="workers", y="seconds"),
    alt=f"60 jobs take {taken[0]:.1f} s with one worker, {taken[1]:.1f} s "
    f"with two and {taken[2]:.1f} s with four.",
)
assert all(sorted(each) == list(range(60)) for each in order.values())
assert order[1] == tuple(range(60)) and order[4] != order[1]
assert 2 * seconds[4] < seconds[1]

# %% [markdown]
# ## Publish/subscribe: a queue for each service, and each gets everything
# A *fanout* exchange copies a message into every queue that is bound to it at
# that moment. The queue belongs to a service, not to a process: two processes
# of *billing* share its queue, and each order is billed once.
#
# <details><summary>Predict: what does a service get that subscribes after the
# first message?</summary>
# Only what comes later. An exchange stores nothing; with no queue bound, a
# message is gone.
# </details>


# %%
def take(queue):
    got = iter(lambda: channel.basic_get(queue, auto_ack=True)[2], None)
    return [body.decode() for body in got]


channel.exchange_declare("placed", "fanout", durable=True)
for number, service in enumerate(("billing", "mail", "reports")):
    declare(service)
    channel.queue_bind(service, "placed")
    channel.basic_publish("placed", "", f"order {number}".encode())
received = {name: take(name) for name in ("billing", "mail", "reports")}
print(received)
assert received["billing"] == ["order 0", "order 1", "order 2"]
assert received["reports"] == ["order 2"]

# %% [markdown]
# ## A topic exchange routes by words
# Routing keys are words with dots between. In a binding, `*` stands for exactly
# one word, and `#` for any number, none included.

# %%
channel.exchange_declare("events", "topic", durable=True)
bindings = ["order.paid.*", "order.*.eu", "order.#", "*.paid.eu"]
for binding in bindings:
    declare(binding)
    channel.queue_bind(binding, "events", binding)
for key in ("order", "order.paid.us", "order.sent.eu", "refund.paid.eu"):
    channel.basic_publish("events", key, key.encode())

# %%
routed = {binding: take(binding) for binding in bindings}
table(
    [(binding, ", ".join(keys)) for binding, keys in routed.items()],
    columns=["binding", "what comes through"],
    caption="Four messages through a topic exchange.",
)
assert routed["order.#"] == ["order", "order.paid.us", "order.sent.eu"]
assert routed["order.paid.*"] == ["order.paid.us"]
assert routed["*.paid.eu"] == ["refund.paid.eu"]

# %% [markdown]
# ## A reply can come too late, and its correlation id says so
# The server replies to the address that the request carries, and repeats its
# correlation id. This one takes as long as it is asked to. It runs in a thread,
# so the notebook stops it by `add_callback_threadsafe`: the only method of
# pika's that another thread may call.


# %%
def answer_request(channel, method, asked, body):
    Event().wait(float(body))
    same = pika.BasicProperties(correlation_id=asked.correlation_id)
    channel.basic_publish("", asked.reply_to, body, same)
    channel.basic_ack(method.delivery_tag)


declare("slow")
server, threads = rabbitmq.channel(), ThreadPoolExecutor()
server.basic_consume("slow", answer_request)
serving = threads.submit(server.start_consuming)

# %% [markdown]
# `amq.rabbitmq.reply-to` is a reply address without a queue, tied to the
# client's channel. One has to consume from it before asking, with `auto_ack`.


# %%
REPLIES, client, late = "amq.rabbitmq.reply-to", rabbitmq.channel(), []
replies = partial(client.consume, REPLIES, auto_ack=True)


def call(seconds, patience):
    ask = pika.BasicProperties(reply_to=REPLIES, correlation_id=uuid4().hex)
    client.basic_publish("", "slow", b"%g" % seconds, ask)
    while True:
        _, reply, body = next(replies(inactivity_timeout=patience))
        if body is None or reply.correlation_id == ask.correlation_id:
            return body
        late.append(body)


# %% [markdown]
# <details><summary>Predict: the second call gives up. What would the third one
# return, if it took the first reply that comes?</summary>
# The second one's answer, and every later call that of the call before it.
# </details>

# %%
next(replies(inactivity_timeout=0.01))
results = [call(0, patience=5), call(1, patience=0.3), call(0.1, patience=5)]
server.connection.add_callback_threadsafe(server.stop_consuming)
serving.result()
print(f"results: {results}, thrown away: {late}")
assert results == [b"0", None, b"0.1"] and late == [b"1"]

# %% [markdown]
# The server did the work all the same. Give a request an `expiration` as long
# as your patience, and it does not even begin on what nobody waits for. If the
# client must not lose an answer, it uses a durable queue of its own.
#
# ## A rejected job comes back after a delay, and is parked in the end
# To requeue is to get it back at once. Instead, `jobs` has a *dead letter
# exchange*, where a message goes when it is rejected, and behind that is one
# queue for each delay. Nobody reads those: their messages expire, which is a
# death too, and their own dead letter exchange leads back. The routing key is
# the number of the attempt.

# %%
for exchange in ("jobs", "retry"):
    channel.exchange_declare(exchange, "direct", durable=True)
declare("jobs", {"x-dead-letter-exchange": "retry"})
for attempt, delay in ((1, 200), (2, 800)):
    back = {"x-message-ttl": delay, "x-dead-letter-exchange": "jobs"}
    back["x-dead-letter-routing-key"] = str(attempt + 1)
    declare(f"retry-{delay}ms", back)
    channel.queue_bind(f"retry-{delay}ms", "retry", str(attempt))
declare("parked")
channel.queue_bind("parked", "retry", "3")
for attempt in "123":
    channel.queue_bind("jobs", "jobs", attempt)

# %% [markdown]
# A dead letter keeps its routing key unless the queue names another, so what
# fails for the third time goes to `parked`. The broker writes each death into
# the header `x-death`, with a count.


# %%
def attempts(properties):
    deaths = (properties.headers or {}).get("x-death", [])
    rejected = [each for each in deaths if each["reason"] == "rejected"]
    return 1 + sum(each["count"] for each in rejected)


succeeds_at = {"fine": 1, "flaky": 3, "hopeless": 99}
for job in succeeds_at:
    channel.basic_publish("jobs", "1", job.encode(), persistent)

# %%
tried, began = [], perf_counter()
for method, properties, body in deliveries(channel, "jobs", quiet=2):
    job, attempt = body.decode(), attempts(properties)
    tried.append((job, attempt, round(1_000 * (perf_counter() - began))))
    if attempt < succeeds_at[job]:
        channel.basic_reject(method.delivery_tag, requeue=False)
    else:
        channel.basic_ack(method.delivery_tag)
table(tried, columns=["job", "attempt", "after ms"], caption="Three jobs.")

# %%
_, parked, body = channel.basic_get("parked", auto_ack=True)
assert body == b"hopeless" and attempts(parked) == 4
assert Counter(job for job, *_ in tried) == Counter(
    {"fine": 1, "flaky": 3, "hopeless": 3}
)
when = [after for job, _, after in tried if job == "flaky"]
pauses = [later - sooner for sooner, later in pairwise(when)]
assert pauses[0] > 180 and pauses[1] > 780

# %% [markdown]
# One retry queue with a time to live for each *message* would not do: only the
# head of a queue expires, so an hour in front holds up the second behind it.
#
# ## A quorum queue counts deliveries, and asks a majority
# The queue type `quorum` is replicated by the Raft algorithm; on a single
# broker it has one member, and already counts. The message here kills each
# consumer that gets it. After two deliveries more it is a dead letter.

# %%
quorum = {"x-queue-type": "quorum"}
dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "parked"}
declare("fragile", quorum | dead | {"x-delivery-limit": 2})
channel.basic_publish("", "fragile", b"poison", persistent)


def die():
    victim = rabbitmq.channel()
    method, *_ = next(victim.consume("fragile", inactivity_timeout=2))
    victim.connection.close()
    return method


assert [each.redelivered for each in iter(die, None)] == [False, True, True]
assert take("parked") == ["poison"]

# %% [markdown]
# Now three brokers, and a queue with a member on each. One leads; a message is
# confirmed when most of them have written it to disk.

# %%
cluster = services.require("rabbitmq-3")
ledger = cluster.channel()
ledger.queue_delete("ledger")
ledger.queue_declare("ledger", durable=True, arguments=quorum)
queue = cluster.ask("queues/%2F/ledger", node=1)
leader = cluster.node_called(queue["leader"])
second, last = sorted({1, 2, 3} - {leader})
assert len(queue["members"]) == 3
print(f"node {leader} leads")

# %% [markdown]
# `record` tries again until all is confirmed. We kill the leader.

# %%
patiently = retry(
    retry=retry_if_exception_type(exceptions.AMQPError),
    wait=wait_random_exponential(0.2, max=2),
    stop=stop_after_delay(60),
    before_sleep=lambda state: broken.append(state.outcome.exception()),
)


@patiently
def record(numbers):
    own = cluster.channel()
    own.confirm_delivery()
    for number in numbers:
        own.basic_publish("", "ledger", b"%d" % number, mandatory=True)


# %%
broken = []
record(range(100))
cluster.kill(leader)
with stopwatch() as watch:
    record(range(100, 200))
print(f"100 more in {watch.seconds:.1f} s, after {len(broken)} failures")

# %% [markdown]
# <details><summary>Predict: a second of the three dies. What does a publisher
# on the last one see?</summary>
# No confirm: one of three is no majority, and what it took alone might be
# contradicted by the other two. This cluster is set to
# <code>pause_minority</code>: the last node closes its connections, too.
# </details>
#
# Whoever reads has to be patient as well: until a leader is elected, there is
# nobody to read from.

# %%
publisher = cluster.channel(last)
publisher.confirm_delivery()
cluster.kill(second)
with raises(exceptions.AMQPError) as minority:
    while True:
        publisher.basic_publish("", "ledger", b"-1", mandatory=True)
cluster.start(node=second)
ledger = patiently(lambda: [*deliveries(cluster.channel(), "ledger", 5)])()
found = {int(body) for *_, body in ledger}
cluster.stop()
assert found - {-1} == set(range(200))
print(f"{len(found - {-1})} of 200 are there")

# %% [markdown]
# What was not confirmed may be there or not; what was, is.
#
# ## A stream is a queue that reading does not empty
# The queue type `stream` is a log, and needs no plugin. Each reader says where to begin: `first`,
# `last`, `next`, an offset, or a time. It has to limit its prefetch and to
# acknowledge, which means *send more*, not *remove*.


# %%
def read(offset, found):
    with rabbitmq.channel() as own:
        own.basic_qos(prefetch_count=100)
        place = {"x-stream-offset": offset}
        for method, _, body in deliveries(own, "history", arguments=place):
            own.basic_ack(method.delivery_tag)
            found.append(int(body))
    return found


# %% [markdown]
# <details><summary>Predict: two readers, one after the other, from
# <code>first</code>. What does the second get?</summary>
# The same as the first. Old messages go when the stream is too long or too old
# (<code>x-max-length-bytes</code>, <code>x-max-age</code>), read or not.
# </details>

# %%
declare("history", {"x-queue-type": "stream"})
for number in range(500):
    channel.basic_publish("", "history", b"%d" % number)
one, two, recent = read("first", []), read("first", []), read(450, [])
assert one == two == list(range(500)) and recent == list(range(450, 500))
print(f"{len(one)}, {len(two)}, and from offset 450: {len(recent)}")

# %% [markdown]
# By AMQP, a reader keeps its own place: each message has its offset in the
# header `x-stream-offset`. The plugin for RabbitMQ's own stream protocol keeps
# it for you, and is faster. For many partitions and groups, see
# [1.5 Kafka](1_5_kafka.ipynb).
#
# ## A consumer that reconnects loses nothing, and repeats some
# pika does not reconnect by itself. A loop does, with pauses that grow and are
# random, so that a thousand clients do not come back in the same second. The
# handler of message 500 kills the broker, at the worst of moments: between the
# work and the acknowledgement.


# %%
def handle(number):
    handled[number] += 1
    if number == 500 and not crashed.is_set():
        rabbitmq.kill()
        crashed.set()


@patiently
def consume():
    with rabbitmq.channel() as own:
        own.basic_qos(prefetch_count=50)
        for method, _, body in deliveries(own, "numbers"):
            handle(int(body))
            own.basic_ack(method.delivery_tag)


# %% [markdown]
# <details><summary>Predict: which messages are handled twice?</summary>
# Message 500, surely. And many of the 500 before it, though they were
# acknowledged: nobody confirms an acknowledgement, and the broker writes it
# down when it has time. What it had only in memory is forgotten.
# </details>

# %%
with rabbitmq.channel() as own:
    own.confirm_delivery()
    for number in range(1_000):
        own.basic_publish("", "numbers", b"%d" % number, persistent)
handled, crashed, broken = Counter(), Event(), []
consuming = threads.submit(consume)
wait_for(crashed.is_set, "the broker is dead", 60)
rabbitmq.start()
consuming.result()

# %%
repeats = sum(times - 1 for times in handled.values())
print(f"{len(broken)} attempts failed; {repeats} handled twice")
assert set(handled) == set(range(1_000)), "a confirmed message was lost"
assert handled[500] == 2 and broken

# %% [markdown]
# So a handler recognises a repeat by the message's id, or does no harm by doing
# it again.
#
# The queue had been declared at the start. We have seen RabbitMQ 3.10, killed
# within a second of a declaration, forget the queue, with all that was confirmed
# in it: declare when you deploy, not right before you need it.
#
# ## A slow callback loses its connection, and a thread keeps it
# pika sends heartbeats while it has control, and a callback has it until it
# returns. The broker gives up a client that was silent for two to three of
# them. Ours go every two seconds, instead of every minute; the work takes seven.


# %%
def convert():
    subprocess.run(["sleep", "7"], check=True)


def naive(channel, method, properties, body):
    convert()
    channel.basic_ack(method.delivery_tag)


channel = rabbitmq.channel()
declare("videos")
channel.basic_publish("", "videos", b"talk.mp4", persistent)
nervous = rabbitmq.parameters
nervous.heartbeat = 2

# %%
own = pika.BlockingConnection(nervous).channel()
own.basic_consume("videos", naive)
with raises(exceptions.AMQPConnectionError) as silent:
    own.start_consuming()

# %% [markdown]
# The work was done and could not be acknowledged, so it comes again, for ever.
# In a thread it disturbs nobody; but channels are not thread-safe, so the
# acknowledgement is handed back to the connection's own.


# %%
def convert_then(done):
    convert()
    own.connection.add_callback_threadsafe(done)


def threaded(channel, method, properties, body):
    again.append(method.redelivered)
    done = partial(finish, channel, method.delivery_tag)
    threads.submit(convert_then, done)


def finish(channel, tag):
    channel.basic_ack(tag)
    channel.stop_consuming()


# %%
again = []
own = pika.BlockingConnection(nervous).channel()
own.basic_qos(prefetch_count=1)
own.basic_consume("videos", threaded)
own.start_consuming()
own.connection.close()
assert again == [True] and take("videos") == []

# %% [markdown]
# ## A broker short of memory blocks its publishers, and nobody else
# At a limit of memory (here 400 MB) or of free disk, RabbitMQ stops reading
# from connections that publish, and tells them. `memory_alarm` lowers the limit
# below what the broker uses, and puts it back after the block.
#
# <details><summary>Predict: why do consumers go on?</summary>
# They make room. That is also why publishing and consuming belong on different
# connections: one that does both is stopped as a whole.
# </details>

# %%
declare("readings")
told, publisher = [], pika.BlockingConnection(rabbitmq.parameters)
publisher.add_on_connection_blocked_callback(lambda *_: told.append("blocked"))
publisher.add_on_connection_unblocked_callback(lambda *_: told.append("over"))
sender = publisher.channel()
impatient = rabbitmq.parameters
impatient.blocked_connection_timeout = 1
waits = pika.BlockingConnection(impatient).channel()
waits.confirm_delivery()

# %%
for number in range(100):
    waits.basic_publish("", "readings", b"%d" % number)
with rabbitmq.memory_alarm():
    while not told:
        sender.basic_publish("", "readings", b"held")
        publisher.process_data_events(0.1)
    with raises(exceptions.ConnectionBlockedTimeout) as blocked:
        waits.basic_publish("", "readings", b"held")
    during = take("readings")

# %%
wait_for(
    lambda: publisher.process_data_events(0.1) or told[1:], "it goes on", 30
)
held = wait_for(lambda: take("readings"), "what was held has come")
print(f"{told}; {len(during)} during the alarm, {len(held)} after it")
assert told == ["blocked", "over"] and len(during) >= 100
assert set(held) == {"held"}

# %% [markdown]
# Without `blocked_connection_timeout` a publisher waits as long as it takes.
# That may be right for a batch job; a web request wants an error.
#
# ## When it breaks
# **Nobody serves.** A request to a queue that is not there is dropped, and the
# client waits out its patience. `mandatory` tells it at once.
#
# **A queue is of another type than I think.** A stream refuses a consumer
# without a limit, and a declaration as a classic queue; both close the channel.

# %%
asker = rabbitmq.channel()
asker.confirm_delivery()
with raises(exceptions.UnroutableError) as unserved:
    asker.basic_publish("", "nobody", b"?", mandatory=True)
with raises(exceptions.ChannelClosedByBroker) as greedy:
    rabbitmq.channel().basic_consume("history", naive)
with raises(exceptions.ChannelClosedByBroker) as other:
    rabbitmq.channel().queue_declare("history", durable=True)
assert greedy.error.reply_code == other.error.reply_code == 406

# %% [markdown]
# **A dead letter exchange is misspelt.** No error, neither at the declaration
# nor at the rejection: the first message here is gone, and only the second,
# with the right name, is parked. So ask for the exchange, which answers 404, or
# reject one on purpose when you deploy, and look where it went.

# %%
for exchange in ("retyr", "retry"):
    dead = {"x-dead-letter-exchange": exchange}
    declare("leaky", dead | {"x-dead-letter-routing-key": "3"})
    channel.basic_publish("", "leaky", f"by {exchange}".encode())
    method, *_ = channel.basic_get("leaky")
    channel.basic_reject(method.delivery_tag, requeue=False)
letters = wait_for(lambda: take("parked"), "a letter is parked")
with raises(exceptions.ChannelClosedByBroker) as misspelt:
    rabbitmq.channel().exchange_declare("retyr", passive=True)
assert (letters, misspelt.error.reply_code) == (["by retry"], 404)

# %%
cases = [
    ("no server", unserved.error, "Start it: it declares its queue."),
    ("no prefetch", greedy.error, "Call basic_qos before you consume."),
    ("another type", other.error, "Declare it as it is, or make a new one."),
    ("callback slow", silent.error, "Work in a thread."),
    ("alarm", blocked.error, "Start consumers; then publish it again."),
    ("no majority", minority.error, "Start a node; then publish it again."),
]
rows = [(case, type(error).__name__, what) for case, error, what in cases]
table(rows, ["what broke", "error", "what to do"], caption="In short.")

# %% [markdown]
# ## Summary
# - One queue for one kind of work; more consumers are faster and lose the
#   order.
# - One queue for each subscriber; a topic's `*` is a word, `#` any number.
# - A reply is matched by its correlation id, or thrown away.
# - Reject into a queue of delay, count by `x-death`, park in the end.
# - A quorum queue needs a majority for each confirm; streams are read again and
#   again.
# - Reconnect with growing random pauses, and bear repeats.
# - Long work in a thread; only `add_callback_threadsafe` comes back from it.
# - Publish and consume on different connections; have a timeout for an alarm.
#
# ## Follow-ups
# <details><summary>Why not count the attempts in a header of my own?</summary>
# Then the consumer has to publish a copy and acknowledge the original, two steps
# with a crash between. A rejection is one. And since RabbitMQ 4, an
# <code>x-death</code> that a client publishes is ignored. Evidence:
# <i>A rejected job comes back after a delay, and is parked in the end</i>.
# </details>
#
# <details><summary>Can a dead letter be lost?</summary>
# Yes: if the exchange is not there, or no queue is bound, or, from a classic
# queue, if the broker dies in that moment. Quorum queues can move them with
# confirms (<code>x-dead-letter-strategy</code>). Evidence:
# <i>When it breaks</i>, and <a
# href="https://www.rabbitmq.com/docs/quorum-queues#dead-lettering">at-least-once
# dead lettering</a>.
# </details>
#
# <details><summary>Quorum queue or classic queue?</summary>
# Quorum where messages must outlive a broker: it is replicated, fsynced and has
# a delivery limit, and costs disk and memory on each member. Classic for what
# is temporary: exclusive reply queues, caches. (Mirrored classic queues are
# gone since 4.0.) Evidence:
# <i>A quorum queue counts deliveries, and asks a majority</i>.
# </details>
#
# <details><summary>How many nodes may fail?</summary>
# Of three, one; of five, two. Four bear no more than three. Evidence:
# <i>A quorum queue counts deliveries, and asks a majority</i>.
# </details>
#
# <details><summary>May a callback take an hour, if a thread does it?</summary>
# The heartbeat will bear it, but since 3.8.15 the broker closes a channel that
# has left a delivery unacknowledged for <code>consumer_timeout</code>, 30
# minutes by default. Raise it, or acknowledge and keep the job's state in a
# database. Evidence:
# <a href="https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout">delivery
# acknowledgement timeout</a>.
# </details>
#
# <details><summary>Is RPC over a queue a good idea?</summary>
# Where the work is long or workers come and go: the queue balances and buffers.
# Where somebody waits for the answer, a direct call fails sooner and clearer.
# Evidence: <i>A reply can come too late, and its correlation id says so</i>,
# and <a href="1_6_rpc.ipynb">1.6</a>.
# </details>
#
# <details><summary>Who reconnects in other clients?</summary>
# aio-pika's <code>connect_robust</code> does, and declares queues again; so does
# Java's client. Messages that were under way are still yours to send again.
# Evidence: <i>A consumer that reconnects loses nothing, and repeats some</i>.
# </details>
#
# ## Exercises
# **1.** Keys are `order.ACTION.COUNTRY`, as in `order.paid.eu`, and sometimes
# `order.ACTION.COUNTRY.CITY`. Which binding lets through everything that was
# *paid*, wherever, and nothing else? (A string. The check binds a queue with it
# and publishes.)
#
# <details><summary>Solution</summary>
# <code>answer = "order.paid.#"</code>: <code>*</code> would want exactly one
# word.
# </details>

# %%
answer = ...

# %%
exercises.paid.check(answer, rabbitmq)

# %% [markdown]
# **2.** Five brokers, and a quorum queue with a member on each. Two are being
# replaced. How many more may die while publishers still get confirms? (A whole
# number.)
#
# <details><summary>Solution</summary>
# <code>answer = 0</code>: three are left, and three are the majority of five.
# Dead members count until they are removed from the queue.
# </details>

# %%
answer = ...

# %%
exercises.more_to_die.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Next: [1.5 Kafka](1_5_kafka.ipynb), where the log comes first.
# - [Dead letter exchanges](https://www.rabbitmq.com/docs/dlx), [quorum
#   queues](https://www.rabbitmq.com/docs/quorum-queues),
#   [streams](https://www.rabbitmq.com/docs/streams) and [alarms](
#   https://www.rabbitmq.com/docs/alarms), RabbitMQ's own pages.
# - [Exponential backoff and jitter](
#   https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/),
#   which compares ways to wait.

# %%
environment("pika", "tenacity", rabbitmq)
