# %% [markdown]
# # 1.9 Choosing: one payload through every protocol
# *2 minutes · 0.8 GB · services: RabbitMQ, Kafka*
#
# ## Answer in a minute
# Four questions, in this order.
#
# *Who waits?* If the caller cannot go on without the answer, make a call:
# REST to strangers, gRPC among your own services.
#
# *Who is online?* If the receiver may be away, put something between that
# keeps things: a broker, or a folder of files.
#
# *Who must not lose?* An acknowledgement is worth as much as whoever gives it:
# a broker's says that the broker has it, and a push has none.
#
# *Who retries?* Somebody does, or it is lost. So the same thing comes twice,
# and the receiver knows it by its number.
#
# Speed is the last question. Waiting for each answer costs more than any
# format: the same broker is many times as fast with a hundred messages under
# way.
#
# ## You will
# - **do**: send the same 1,000 bytes through seventeen contestants for three
#   seconds each; count bytes and lines; kill receivers in the middle.
# - **learn**: what an acknowledgement covers, what makes a protocol fast, and
#   four questions that choose one.
# - **need**: [1.1](1_1_rest.ipynb), [1.3](1_3_amqp.ipynb),
#   [1.5](1_5_kafka.ipynb), [1.6](1_6_rpc.ipynb), [1.7](1_7_push.ipynb) and
#   [1.8](1_8_devices_and_files.ipynb), or the ones that you choose between.

# %%
import inspect
from functools import partial

import requests

from answerbook import services
from answerbook.notebook import bars, environment, progress, raises
from answerbook.notebook import results, show, table
from answerbook.notebook.exercises import q1_9_choosing as exercises
from answerbook.protocols.choosing import amqp_message, ledger, measure, rest
from answerbook.protocols.choosing.contestants import CONTESTANTS, Brokers
from answerbook.protocols.choosing.contestants import named
from answerbook.protocols.choosing.line import WiredLine
from answerbook.protocols.choosing.outage import away
from answerbook.protocols.choosing.payloads import Payloads, payload

# %% [markdown]
# ## A payload counts when its receiver has it
# The payload is a JSON document of 1,000 bytes, with its number and the moment
# at which it was sent. Each protocol has a function that sends, which gets the
# payloads from an iterator: when it asks for the next, it is done with the one
# before. REST's, whole:

# %%
print(payload(7)[:60], "…", len(payload(7)), "bytes")
print(inspect.getsource(rest.send))

# %% [markdown]
# The receiver is another process, here as everywhere below, so the two share no
# interpreter lock. It writes each payload into its *ledger*, a file that
# outlives it, and acknowledges after that.

# %%
with named("REST").open() as way:
    measure.send(way, Payloads(100))
    there = list(ledger.entries(way.folder))
delay = 1000 * (there[-1].arrived - there[-1].sent)
print(f"{len(there)} in the ledger, the last one after {delay:.2f} ms")
assert [entry.number for entry in there] == list(range(100))

# %% [markdown]
# *Acknowledged* means from now on: the sender has all the acknowledgement that
# its protocol gives, **and** the payload is in the receiver's ledger. Who gives
# that acknowledgement is what the protocols differ in:
#
# | contestants | the sender waits until | who knows that it arrived |
# |---|---|---|
# | REST, GraphQL, SOAP, JSON-RPC, gRPC, webhook, ISO 8583 | the receiver has written it and answered | both |
# | WebSocket | the receiver has sent back its number, a rule of our own | both |
# | SFTP | the server has renamed the file and written it down | both |
# | MQTT, AMQP, Kafka | the broker has it: in memory (our MQTT broker), written (AMQP), in every in-sync replica (Kafka) | the receiver, which tells the broker, not the sender |
# | SSE, MQTT at QoS 0 | nothing: TCP alone holds it up | the receiver |
#
# *In flight* are contestants that send on while up to 100 acknowledgements are
# still to come; the others send one at a time. Kafka's reader commits its
# offset once a second; the ledger counts, not the commit.
#
# ## Three seconds of each
# The sender sends for three seconds, and we wait until the ledger has everything.
# Opening connections is not counted, nor is a network: all of it is loopback, on
# one machine, with Python on both sides.
#
# <details><summary>Predict: which one brings most payloads a second, and which
# ones take longest to bring a payload?</summary>
# SSE brings most, by far, since nobody waits for anything. Longest takes what
# stands in a queue: where a sender runs ahead of its receiver, payloads wait in
# the broker, or in the buffers of sockets.
# </details>

# %%
rabbitmq, kafka = services.require("rabbitmq"), services.require("kafka")
brokers = Brokers(str(rabbitmq.url), kafka.bootstrap_servers[0])
speeds = {}
for contestant in progress(CONTESTANTS, "3 s each"):
    with contestant.open(brokers) as way:
        measured = measure.speed(way, Payloads(seconds=3))
    speeds[contestant.name] = measured
assert all(speed.count > 10 for speed in speeds.values())

# %%
table(
    [
        (name, round(speed.a_second), speed.p50, speed.p99, speed.wait)
        for name, speed in speeds.items()
    ],
    columns=["protocol", "a second", "p50 ms", "p99 ms", "sender waits ms"],
    caption="Payloads acknowledged a second; from sending one until the "
    "receiver has it; and the median time until the sender may go on.",
)

# %% [markdown]
# The same was measured with 10,000 payloads each and nothing else running, three
# times (`make bench BENCH=protocols`), on this machine:

# %%
alone = results("protocols")
print(alone["machine"]["processor"], "·", alone["machine"]["cores"], "cores")
live = {name: speed.a_second for name, speed in speeds.items()}
figures = {name: alone["figures"][name] for name in live}
rate = {name: found["a_second"]["median"] for name, found in figures.items()}
at_rest = f"{alone['payloads']:,} each, alone"

# %%
runs = {name: found["a_second"] for name, found in figures.items()}
spread = {name: (each["min"], each["max"]) for name, each in runs.items()}
labels = {"x": "acknowledged a second", "y": "protocol"}
options = {"log": True, "horizontal": True, "spread": {at_rest: spread}}
show(
    bars({"live, 3 s": live, at_rest: rate}, **labels, **options),
    alt="SSE leads. Of those that send one at a time, WebSocket and ISO 8583 "
    "lead. AMQP and Kafka gain most by having many in flight.",
    caption="A line along a bar: the least and the most of its three runs.",
)

# %% [markdown]
# These are Python libraries, not protocols in the abstract. The calls over HTTP
# spend their time in `requests` and in the servers; GraphQL reads and validates
# the same query anew each time; WebSocket and ISO 8583 do little more than write
# to a socket.

# %%
assert live["GraphQL"] < live["REST"]
assert 2 * live["REST"] < min(live["WebSocket"], live["ISO 8583"])
assert max(live, key=live.get) == "SSE"

# %% [markdown]
# ## Waiting for each answer costs more than any format
# One at a time, the rate is one divided by the round trip, whatever is on the
# wire. AMQP and Kafka are here twice, with the same library, broker and
# promise; the second contestant does not wait before it sends on.


# %%
def gain(rates, name):
    return rates[f"{name} in flight"] / rates[name]


table(
    [(name, gain(live, name), gain(rate, name)) for name in ("AMQP", "Kafka")],
    columns=["protocol", "live", "alone"],
    caption="How many times as many payloads a second with 100 in flight.",
)
assert gain(live, "AMQP") > 2 and gain(live, "Kafka") > 2

# %% [markdown]
# Two more stand in the benchmark, each with a floor that every run has to reach.
# The second is of confirms alone, without a consumer.

# %%
floors = alone["floors"]
table(
    [
        (name, floor["median"], f"{floor['min']:.1f} to {floor['max']:.1f}")
        for name, floor in floors.items()
    ],
    columns=["floor", "times, median", "in the runs"],
    caption="What it saves not to open a connection, and not to wait.",
)
assert all(floor["met"] for floor in floors.values())

# %% [markdown]
# On a real network the gap grows: a round trip of 10 ms is 100 payloads a
# second, for any protocol that waits for each. The price: after a crash,
# everything in flight is in doubt (*When it breaks*).
#
# ## Many in flight bring more, and each of them later
# Half of the payloads are there after p50, all but one in a hundred after p99.


# %%
p50 = {name: speed.p50 for name, speed in speeds.items()}
p99 = {name: speed.p99 for name, speed in speeds.items()}
labels["x"] = "milliseconds until the receiver has it"
show(
    bars({"p50": p50, "p99": p99}, **labels, log=True, horizontal=True),
    alt="WebSocket and ISO 8583 bring a payload soonest. In flight, AMQP and "
    "Kafka take much longer for each than one at a time.",
)
assert p50["AMQP in flight"] > 2 * p50["AMQP"]
assert p50["Kafka in flight"] > 2 * p50["Kafka"]

# %% [markdown]
# Whoever is sent as number 100 waits for the 99 before it: what is under way
# divided by the rate is how long it takes (*Little's law*). If the consumer is
# slower than the publisher, the queue grows as well, and SSE's payloads heap up
# in the buffers of its sockets. That is what queues are for; but one that never
# empties is a latency that only grows. Watch its length, not the rate.
#
# *Sender waits* and *p50* part where a broker stands between. With AMQP, one at
# a time, the consumer may even have a message before its publisher has the
# confirm, since that waits until the broker has written it.
#
# ## What a payload weighs, and what it takes to write
# Now through a `Wire` that counts what passes, both ways, headers and
# acknowledgements included: two runs of different length, so that opening a
# connection is not in the difference. Kafka's client is told by the broker
# where to connect; it goes through a SOCKS proxy that counts.
#
# <details><summary>Predict: how many bytes does a payload of 1,000 take with a
# broker in between?</summary>
# More than 2,000: it travels twice, to the broker and on to the receiver. Each
# further consumer of an exchange, or group of a topic, adds one more.
# </details>

# %%
weights = {
    contestant.name: measure.bytes_on_the_wire(contestant, brokers)
    for contestant in progress(CONTESTANTS, "bytes")
}

# %%
all_of_it = []
for each in CONTESTANTS:
    speed, weight = speeds[each.name], round(weights[each.name])
    delays = f"{speed.p50:.2f} · {speed.p99:.2f}"
    code = f"{weight:,} · {measure.lines(each)}"
    row = (each.name, round(speed.a_second), delays, code, each.promise)
    all_of_it.append(row)
columns = ["protocol", "a second", "p50 · p99, ms", "bytes · lines"]
promised = "All of it, and what becomes of a payload as it is sent here."
table(all_of_it, columns=[*columns, "promise"], caption=promised)

# %%
calls = [each.name for each in CONTESTANTS if each.told_by == "receiver"]
brokered = [each.name for each in CONTESTANTS if each.told_by == "broker"]
overhead = {name: weight - 1000 for name, weight in weights.items()}
print({name: round(overhead[name]) for name in calls})
assert all(overhead[name] > 1000 for name in brokered)
assert all(overhead[name] < 1000 for name in calls)
assert 2 * overhead["WebSocket"] < overhead["gRPC"] < overhead["REST"]
assert 2 * overhead["REST"] < overhead["SOAP"]

# %% [markdown]
# GraphQL, JSON-RPC and SOAP carry the document as a text inside of another
# one, and pay for the quotes that have to be escaped. SFTP opens, writes,
# closes and renames: four requests a file, which only pays for large ones.
#
# The lines are those of the very functions that ran: the sender's, the
# consumer's too where both are clients of a broker, the listener's for SSE. Here
# is what 100 in flight costs: pika's `SelectConnection` works by callbacks.

# %%
one, many = (
    len(inspect.getsource(function).splitlines())
    for function in (amqp_message.send, amqp_message.send_in_flight)
)
print(f"AMQP: {one} lines one at a time, {many} in flight")
assert 2 * one < many

# %% [markdown]
# ## Only what stands between keeps a payload for who is away
# The receiver is killed, then a payload is sent, then a receiver is started
# again in its place. Is the sender told, and does the payload come?
#
# <details><summary>Predict: MQTT at QoS 1, at least once, with a broker that
# lives on. Does the payload come?</summary>
# No. Our subscriber has a clean session, which ended with it; the broker takes
# a message that nobody subscribes to, acknowledges it and drops it. A
# persistent session keeps it (1.8).
# </details>

# %%
chosen = ("REST", "gRPC", "SFTP", "MQTT QoS 1", "AMQP", "Kafka")
absent = {
    name: away(named(name), brokers) for name in progress(chosen, "away")
}
table(
    [(name, found.told, found.came) for name, found in absent.items()],
    columns=["protocol", "the sender is told", "it comes"],
    caption="Sent while the receiver was away.",
)

# %%
assert all(absent[name].error for name in ("REST", "gRPC", "SFTP"))
assert not any(absent[name].came for name in ("REST", "gRPC", "SFTP"))
assert absent["AMQP"].came and absent["Kafka"].came
assert not absent["MQTT QoS 1"].error and not absent["MQTT QoS 1"].came

# %% [markdown]
# ### Four questions
# **Who waits?** A person before a screen, or a program that cannot go on: a
# call. It makes the caller as slow as the receiver, and as often down. If nobody
# waits, answer 202 and hand it to a queue.
#
# **Who is online?** Both at once: a call, a WebSocket. Not both: a broker or a
# file, as above. Somebody has to keep that broker running, full disks and all.
#
# **Who must not lose?** Take the acknowledgement from whoever must have it, given
# *after* storing. With a broker there are two, and neither reaches from end to
# end; if the sender must know, the receiver sends a message back.
#
# **Who retries?** The caller (REST, gRPC), the provider (webhook), the broker
# (AMQP), the reader (Kafka, from its last offset), the terminal (ISO 8583). All
# of it is *at least once*, and a number in the payload makes it *once*.
#
# | you need | take | it promises | see |
# |---|---|---|---|
# | the answer, now; from strangers and browsers too | REST | known, or in doubt: repeat under an idempotency key | [1.1](1_1_rest.ipynb) |
# | the answer, now; among services of your own | gRPC; JSON-RPC where HTTP and JSON have to do | the same, with a deadline that travels | [1.6](1_6_rpc.ipynb) |
# | many clients that want different fields | GraphQL | the same; 200 may be half an answer | [1.6](1_6_rpc.ipynb) |
# | what a bank or an authority prescribes | SOAP, ISO 8583, SFTP | a fault; a reversal; a whole file or none | [1.6](1_6_rpc.ipynb), [1.8](1_8_devices_and_files.ipynb) |
# | to tell another company's server | webhook | at least once, signed | [1.7](1_7_push.ipynb) |
# | to tell browsers; and to hear from them | SSE; WebSocket | at most once; at least once out of a log | [1.7](1_7_push.ipynb) |
# | work done by one of several, later | AMQP | at least once, with confirms and acknowledgements | [1.3](1_3_amqp.ipynb) |
# | one history, several readers, again if need be | Kafka | at least once; exactly once from topic to topic | [1.5](1_5_kafka.ipynb) |
# | devices on bad networks | MQTT | what the QoS says, for each hop | [1.8](1_8_devices_and_files.ipynb) |
#
# ## When it breaks
# Three kinds, each broken in the middle: what does the sender know?
#
# ### A call loses its answer
# Ten payloads by REST. Before the sixth, number 5, the wire begins to lose what
# the receiver says.
#
# <details><summary>Predict: the sixth call times out. Has the receiver got it?
# </summary>
# It has: only the answer was lost. The sender cannot tell that from a request
# that was lost. So it sends it again, and there are two.
# </details>

# %%
with WiredLine() as line, named("REST").open(line=line) as way:
    silence = {5: partial(line.lose, "answers")}
    with raises(requests.Timeout) as timeout:
        measure.send(way, Payloads(10, before=silence))
    before = ledger.numbers(way.folder)
    line.cut()
    measure.send(way, Payloads.again(5))
    after = ledger.numbers(way.folder)
assert before == [0, 1, 2, 3, 4, 5] and after == [*before, 5]

# %% [markdown]
# The sender knows of five, doubts one, and is right to repeat it under the same
# number; the receiver has to know the number. *Repeat what is in doubt, with
# its id.*
#
# ### A call finds its receiver dead
# The receiver is killed before number 500, and the sender is told at once.

# %%
with named("REST").open() as way:
    sent = Payloads(1000, before={500: way.kill})
    with raises(requests.ConnectionError):
        measure.send(way, sent)
    doubt = len(sent.taken) - 1
    way.restart()
    measure.send(way, Payloads(1000 - doubt, first=doubt))
    there = ledger.numbers(way.folder)
assert doubt == 500 and set(there) == set(range(1000))

# %% [markdown]
# A connection that is refused brought nothing; one that breaks, or a timeout,
# leaves a payload in doubt: one, where they go one at a time. *Go on from the
# one that failed.*
#
# ### A consumer dies behind a broker
# AMQP, with 100 in flight; the consumer is killed in the middle. The sender's
# function returns as if nothing had happened.

# %%
with named("AMQP in flight").open(brokers) as way:
    measure.send(way, Payloads(5000, before={2500: way.kill}))
    before = len(set(ledger.numbers(way.folder)))
    way.restart()
    measure.arrived(way, range(5000))
    there = ledger.numbers(way.folder)
print(f"{before} had come, {5000 - before} were waiting;", end=" ")
print(f"{len(there) - len(set(there))} came twice")
assert before < 5000 and set(there) == set(range(5000))

# %% [markdown]
# The sender knows that the broker has all of them, and has nothing to do. The
# new consumer gets what the dead one had not acknowledged. If that was in the
# ledger already, it comes twice: so rarely that hardly a test shows it. *Start a
# consumer again, and let it skip the numbers that it knows.*
#
# ### A listener dies while it is told
# SSE. The server sends without waiting, so it is ahead when it hears that its
# listener is gone.

# %%
with named("SSE").open() as way:
    sent = Payloads(1_000_000, before={5000: way.kill})
    with raises(ConnectionError):
        measure.send(way, sent)
    last = ledger.numbers(way.folder)[-1]
    lost = len(sent.taken) - 1 - last
    way.restart()
    measure.send(way, Payloads(lost, first=last + 1))
    measure.arrived(way, range(len(sent.taken)))
    there = ledger.numbers(way.folder)

# %%
print(f"{len(sent.taken)} sent, {lost} of them never arrived")
assert lost > 0 and there == list(range(len(sent.taken)))

# %% [markdown]
# Which ones arrived, the listener alone knows. It says so when it comes back
# (`Last-Event-ID`, here our `first`), and a server that kept a log goes on from
# there. *Keep what you push until you hear of it.*
#
# | | the sender knows | in doubt | what it does |
# |---|---|---|---|
# | a call | what was answered | one payload (in flight: the window) | repeats it under its number |
# | a broker | what the broker has | nothing of that | nothing; the consumer skips repeats |
# | a push | nothing | all that was not confirmed by other means | keeps a log, and goes on from the receiver's last number |
#
# ## Summary
# - An acknowledgement says what its giver has. Ask who gives it, and after
#   what.
# - One at a time, the round trip sets the rate; in flight, the slowest part
#   does, and more is in doubt after a crash.
# - More a second is not sooner: what is in flight waits behind what was before.
# - A broker doubles the bytes, and keeps things for a receiver that is away, if
#   it was told to.
# - Who waits, who is online, who must not lose, who retries. Then speed.
# - At least once and a number: everything else is a promise about one hop.
#
# ## Follow-ups
# <details><summary>Which protocol delivers exactly once?</summary>
# None from end to end. MQTT's QoS 2 does so for a hop while both keep the
# session, Kafka from topic to topic in a transaction. A receiver that stores a
# payload's number together with its effect, in one transaction, does.
# Evidence: <i>A call loses its answer</i>.
# </details>
#
# <details><summary>Why not always have many in flight?</summary>
# What is in flight is in doubt after a crash, and a retry may change the order.
# It also hides a receiver that is too slow until a buffer is full. Evidence:
# <i>A listener dies while it is told</i>.
# </details>
#
# <details><summary>Can REST have many in flight too?</summary>
# Yes: several connections, or HTTP/2, or many payloads in one request. What
# counts is how many round trips are waited for. Evidence: <i>Waiting for each
# answer costs more than any format</i>.
# </details>
#
# <details><summary>gRPC is binary. Why is it not far ahead of REST?</summary>
# The payload is one text, which no format makes shorter, and the time goes into
# waiting and into Python. What it does save are headers, which it sends once a
# connection. Evidence: <i>What a payload weighs, and what it takes to write</i>.
# </details>
#
# <details><summary>The caller wants an answer, and the work takes minutes. What
# then?</summary>
# A call that stores the order and answers 202 with an address, a queue behind
# it, and then polling, SSE or a webhook for the result. Evidence: <i>Four
# questions</i>.
# </details>
#
# <details><summary>A service writes to its database and publishes. Which
# first?</summary>
# Either order loses something in a crash. Write the message into a table in the
# same transaction, and let another process publish from there, at least once:
# an outbox. Evidence: <i>A consumer dies behind a broker</i>, seen from the
# other side.
# </details>
#
# <details><summary>Would these numbers hold in production?</summary>
# Not one: loopback, one machine, Python. The ratios that come from waiting, from
# the second hop and from headers would. Evidence: <i>Three seconds of each</i>.
# </details>
#
# ## Exercises
# **1.** A round trip takes 2 ms, and nothing else is in the way. How many
# payloads have to be under way at a time for 10,000 a second? (A whole number.)
#
# <details><summary>Solution</summary>
# <code>answer = 20</code>: one place in the window carries 500 a second.
# </details>

# %%
answer = ...

# %%
exercises.window.check(answer)

# %% [markdown]
# **2.** Choose one of REST, AMQP, Kafka, SSE, MQTT and SFTP for each, every one
# once: **a** the till waits for "paid" or "refused" from a payment service;
# **b** thumbnails to be made by whichever of five workers is free; **c** orders
# that billing, search and statistics read, last week's too; **d** prices to
# open browser tabs; **e** 50,000 meters on mobile networks; **f** every night a
# 2 GB file to the bank. Answer with `{"a": …, "b": …}` and so on.
#
# <details><summary>Solution</summary>
# <code>answer = {"a": "REST", "b": "AMQP", "c": "Kafka", "d": "SSE", "e":
# "MQTT", "f": "SFTP"}</code>
# </details>

# %%
answer = ...

# %%
exercises.match.check(answer)

# %% [markdown]
# **3.** After an outage, a sender knows how many payloads it took (numbers from
# 0), and is shown the receiver's ledger, a list of numbers. Write
# `answer(taken, there)`: the sorted list of what to send again, and how many
# entries of the ledger are repeats, as a pair.
#
# <details><summary>Solution</summary>
# <pre>def answer(taken, there):
#     missing = sorted(set(range(taken)) - set(there))
#     return missing, len(there) - len(set(there))</pre>
# </details>

# %%
answer = ...

# %%
exercises.reconcile.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Next: [2.1 The plan](2_1_the_plan.ipynb) for a million notifications
# - [RabbitMQ on confirms and acknowledgements](https://www.rabbitmq.com/docs/confirms),
#   and [Kafka on delivery semantics](https://kafka.apache.org/documentation/#semantics)
# - [Enterprise Integration
#   Patterns](https://www.enterpriseintegrationpatterns.com/patterns/messaging/),
#   names for most of this
# - [RFC 9110](https://datatracker.ietf.org/doc/html/rfc9110#section-9.2.2), on
#   which methods may be repeated

# %%
environment("requests", "grpcio", "pika", "kafka-python", "websockets")
