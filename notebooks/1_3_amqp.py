# %% [markdown]
# # 1.3 AMQP: messages through RabbitMQ with pika
# *1 minute · 0.4 GB · services: RabbitMQ*
#
# ## Answer in a minute
# A publisher sends to an *exchange* with a routing key; the exchange copies
# the message into every *queue* bound with that key; a consumer takes it out.
# A message leaves its queue when it is **acknowledged**, not when it is
# delivered. If the consumer dies first, the broker delivers it again, marked
# `redelivered`: at least once, so handlers must bear a repeat. *Prefetch*
# limits how many unacknowledged messages a consumer holds.
#
# To outlive the broker, the queue must be *durable* and the message
# *persistent*; to know that the broker took it, the publisher waits for a
# *confirm*. A confirm does not say that the message reached a queue
# (`mandatory` does), nor that anyone handled it.
#
# In pika: `basic_publish`, `basic_consume(queue=…, on_message_callback=…)`,
# `basic_ack`, `basic_qos`, `confirm_delivery`.
#
# ## You will
# - **do**: publish to and consume from the durable queue `my-queue`, kill a
#   consumer that holds messages, kill the broker, lose a message on purpose.
# - **learn**: who acknowledges what to whom, what each promise leaves open,
#   and what it costs.
# - **need**: nothing but this notebook, and some Python.

# %%
import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import takewhile
from operator import itemgetter
from threading import Event
from time import perf_counter

import pika
from pika import exceptions


from answerbook import services
from answerbook.notebook import bars, environment, median_seconds
from answerbook.notebook import raises, show, table, wait_for
from answerbook.notebook.exercises import q1_3_amqp as exercises

# %% [markdown]
# ## A message goes in at an exchange and comes out of a queue
# `services.require` starts a RabbitMQ for us, on this machine only, unless it
# is up already. `channel()` is pika's `BlockingConnection(…).channel()` with
# its address and password filled in.
#
# The queue of the last run may still be there, so it goes first. `durable`
# makes the new one outlive the broker's process. (Should you pause for minutes
# between two cells, the broker drops the idle connection: begin the section
# again. A follow-up says why.)

# %%
rabbitmq = services.require("rabbitmq")
channel = rabbitmq.channel()
channel.queue_delete("my-queue")
queue = channel.queue_declare("my-queue", durable=True).method
assert queue.message_count == 0

# %% [markdown]
# Nobody publishes to a queue: one publishes to an exchange. The one without a
# name, `""`, is bound to every queue by the queue's own name, so here the
# routing key is `my-queue`. `delivery_mode=2` is for a message what `durable`
# is for a queue, and is called *persistent*.

# %%
persistent = pika.BasicProperties(delivery_mode=2)
orders = [f"order {number}" for number in range(10)]
for order in orders:
    channel.basic_publish(
        exchange="",
        routing_key="my-queue",
        body=order.encode(),
        properties=persistent,
    )

# %% [markdown]
# To consume is to register a callback and hand the thread to pika, which
# calls back for each message. `method` says how it came: its delivery tag is
# what an acknowledgement names.

# %%
received = []


def on_message(channel, method, properties, body):
    received.append(body.decode())
    channel.basic_ack(method.delivery_tag)
    if len(received) == len(orders):
        channel.stop_consuming()


channel.basic_consume(queue="my-queue", on_message_callback=on_message)
channel.start_consuming()
assert received == orders
print(*received, sep=", ")

# %% [markdown]
# They came in the order in which they were sent, and the queue is empty. To
# declare it with `passive=True` is to ask about it without making it.


# %%
def waiting(channel):
    queue = channel.queue_declare("my-queue", passive=True)
    return queue.method.message_count


assert waiting(channel) == 0
channel.connection.close()

# %% [markdown]
# ## The keyword is on_message_callback, not on_message
# Many a textbook answer has `basic_consume(queue=…, on_message=…)`, or the
# callback first. Neither runs: since pika 1.0 the queue is first, the
# callback is `on_message_callback`, and what was `no_ack` is `auto_ack`.

# %%
channel = rabbitmq.channel()
with raises(TypeError) as caught:
    channel.basic_consume(queue="my-queue", on_message=on_message)
assert "on_message" in str(caught.error)

# %% [markdown]
# ## A killed consumer's messages come again
# Here is a consumer as a process of its own. It takes messages, prints each,
# and acknowledges the first three only; `basic_qos` lets it hold five at a
# time. `consume` is pika's generator over the same deliveries that a callback
# would get. The address has a password in it, so it goes by the environment,
# where other users' `ps` does not show it.

# %%
consumer = """
import os, pika
connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP"]))
channel = connection.channel()
channel.basic_qos(prefetch_count=5)
for method, _, body in channel.consume("my-queue"):
    print(body.decode(), flush=True)
    if method.delivery_tag <= 3:
        channel.basic_ack(method.delivery_tag)
"""

# %% [markdown]
# Ten orders wait. Three are acknowledged, and five more fill the prefetch: we
# read eight lines from the process, and two messages have not left the queue.

# %%
channel = rabbitmq.channel()
for order in orders:
    channel.basic_publish("", "my-queue", order.encode(), persistent)
process = subprocess.Popen(
    [sys.executable, "-c", consumer],
    env=os.environ | {"AMQP": str(rabbitmq.url)},
    stdout=subprocess.PIPE,
    text=True,
)
delivered = [process.stdout.readline().strip() for _ in range(8)]
wait_for(lambda: waiting(channel) == 2, "two are left in the queue")
assert delivered == orders[:8]

# %% [markdown]
# Now it dies by SIGKILL: it closes nothing and says nothing. The kernel closes
# its socket, the broker sees that, and puts back what was not acknowledged.
#
# <details><summary>Predict: how many messages come now, and how many of them
# are marked <code>redelivered</code>?</summary>
# Seven come: ten less the three that were acknowledged. Five of them had been
# delivered to the dead process and are marked; two never left the queue.
# They come in the old order, because a message goes back to its own place.
# </details>

# %%
process.kill()
assert process.wait() == -9
wait_for(lambda: waiting(channel) == 7, "the broker has put five back")
rows = []
deliveries = channel.consume("my-queue", inactivity_timeout=1)
for method, _, body in takewhile(itemgetter(0), deliveries):
    rows.append((body.decode(), method.redelivered))
    channel.basic_ack(method.delivery_tag)
channel.connection.close()

# %%
table(
    rows,
    columns=["message", "redelivered"],
    caption="What came after the kill: five for the second time.",
)
assert [order for order, _ in rows] == orders[3:]
assert [again for _, again in rows] == [True] * 5 + [False] * 2

# %% [markdown]
# `redelivered` means *perhaps seen before*: the broker cannot know how far the
# dead process had got. It may have charged the card and died before the
# acknowledgement. So a handler needs its own way to recognise a repeat, such
# as an order number with a unique index in its database.
#
# The opposite choice is `auto_ack=True`: the broker forgets a message as soon
# as it has sent it. This consumer looks at one of ten, and goes away.

# %%
channel, hasty = rabbitmq.channel(), rabbitmq.channel()
for order in orders:
    channel.basic_publish("", "my-queue", order.encode(), persistent)
wait_for(lambda: waiting(channel) == 10, "ten are in the queue")
_, _, body = next(hasty.consume("my-queue", auto_ack=True))
hasty.connection.close()
assert body == b"order 0" and waiting(channel) == 0
print(f"1 seen, {waiting(channel)} left")

# %% [markdown]
# Nine are lost: they were on their way, which was enough.
#
# ## Prefetch decides who holds how much
# Without a limit, the first consumer to come gets everything that is there,
# however slow it is, and a second one waits with nothing to do. The loop lets
# two consumers take from a hundred messages, acknowledging none: first
# without a limit (0, the default), then with at most ten for each.

# %%
channel = rabbitmq.channel()
for number in range(100):
    channel.basic_publish("", "my-queue", b"%d" % number, persistent)

# %%
rows = []
for limit in (0, 10):
    pair, held = [rabbitmq.channel(), rabbitmq.channel()], []
    for each in pair:
        each.basic_qos(prefetch_count=limit)
        got = each.consume("my-queue", inactivity_timeout=1)
        held.append(len(list(takewhile(itemgetter(0), got))))
    rows.append((limit, *held, waiting(channel)))
    for each in pair:
        each.connection.close()

# %%
table(
    rows,
    columns=["limit", "first holds", "second holds", "left in the queue"],
    caption="A hundred messages and two consumers, none acknowledging.",
)
assert rows == [(0, 100, 0, 0), (10, 10, 10, 80)]

# %% [markdown]
# With the limit, eighty messages stay in the queue for whoever is free next.
#
# ## Fair dispatch: the worker who is free gets the next job
# A slow worker takes 20 ms for a job and a fast one 2 ms. (Their work is a
# wait, so that two threads do it at once.) Both consume before the first of
# 200 jobs is published.


# %%
def work(seconds, limit, finished):
    with rabbitmq.channel() as channel:
        channel.basic_qos(prefetch_count=limit)
        jobs = channel.consume("my-queue", inactivity_timeout=1)
        for method, *_ in takewhile(itemgetter(0), jobs):
            Event().wait(seconds)
            channel.basic_ack(method.delivery_tag)
            finished.append(perf_counter())


def is_shared(channel):
    queue = channel.queue_declare("my-queue", passive=True)
    return queue.method.consumer_count == 2


# %% [markdown]
# <details><summary>Predict: who does how many without a limit, and when is the
# last job done?</summary>
# A hundred each: the broker deals jobs out in turn as they come, not knowing
# who is slow. The fast worker is through after a fifth of a second and then
# watches the slow one for nearly two.
# </details>

# %%
rows, jobs = [], [b"%d" % number for number in range(200)]
channel.queue_purge("my-queue")
for limit in (0, 1):
    slow, fast = [], []
    with ThreadPoolExecutor() as pool:
        both = pool.map(work, (0.02, 0.002), (limit, limit), (slow, fast))
        wait_for(lambda: is_shared(channel), "both workers consume")
        began = perf_counter()
        for job in jobs:
            channel.basic_publish("", "my-queue", job, persistent)
    assert list(both) == [None, None]
    rows.append((limit, len(slow), len(fast), max(slow + fast) - began))

# %%
table(
    rows,
    columns=["limit", "slow did", "fast did", "seconds until all was done"],
    caption="200 jobs, a slow worker and a fast one.",
)
(_, *dealt, unfair), (_, slow, fast, fair) = rows
assert dealt == [100, 100] and slow + fast == 200
assert 2 * slow < fast and 2 * fair < unfair

# %% [markdown]
# A limit of one is the fairest, but each worker idles for a round trip after
# each job. Where jobs are short, 10 to 100 keep it busy; where they are long,
# one does.
#
# ## A confirm says that the broker took it, not that a queue did
# After `confirm_delivery()`, each `basic_publish` waits until the broker
# answers. (That answer goes from broker to *publisher*; a consumer's
# acknowledgement is another promise, to another party.) We publish to a name
# that no queue has.
#
# <details><summary>Predict: does the broker confirm it?</summary>
# Yes. It did all that was asked: it routed the message to each matching
# queue, of which there were none. An unroutable message is confirmed and gone.
# </details>

# %%
channel = rabbitmq.channel()
channel.queue_purge("my-queue")
channel.confirm_delivery()
channel.basic_publish("", "no-such-queue", b"order 11", persistent)
with raises(exceptions.ChannelClosedByBroker) as caught:
    rabbitmq.channel().queue_declare("no-such-queue", passive=True)
assert caught.error.reply_code == 404

# %% [markdown]
# It was confirmed, and no queue holds it. With `mandatory=True` the broker has
# to send back what it cannot route, and pika raises. (Only in confirm mode:
# otherwise it has gone on long before.)

# %%
with raises(exceptions.UnroutableError) as caught:
    channel.basic_publish(
        "", "no-such-queue", b"order 11", persistent, mandatory=True
    )
(returned,) = caught.error.messages
assert returned.method.reply_text == "NO_ROUTE"
assert returned.body == b"order 11"

# %% [markdown]
# A broker may also answer no. This queue holds one message at most and is
# told to reject what comes on top, where by default it would drop its oldest.
# (The error's 0 counts messages that came back; a rejected one does not.)

# %%
limit = {"x-max-length": 1, "x-overflow": "reject-publish"}
full = channel.queue_declare("", exclusive=True, arguments=limit).method.queue
channel.basic_publish("", full, b"first", mandatory=True)
with raises(exceptions.NackError):
    channel.basic_publish("", full, b"second", mandatory=True)
assert channel.basic_get(full, auto_ack=True)[2] == b"first"

# %% [markdown]
# ## A confirmed persistent message outlives a broker that is killed
# Two hundred messages go to the durable `my-queue`, all confirmed, all
# mandatory: half of them persistent (mode 2), half transient (mode 1, as is a
# message that sets none). Then the broker dies by SIGKILL and starts again on
# its data.
#
# <details><summary>Predict: how many of the 200 confirmed messages are there
# afterwards?</summary>
# 100: the persistent ones. A transient message is confirmed as soon as its
# queue has it in memory, and with that the broker has kept its word. Only for
# a persistent one does the confirm wait until it was written to disk.
# </details>

# %%
channel = rabbitmq.channel()
channel.confirm_delivery()
for number in range(100):
    for mode in (2, 1):
        properties = pika.BasicProperties(delivery_mode=mode)
        channel.basic_publish(
            "", "my-queue", b"%d" % number, properties, mandatory=True
        )

# %%
rabbitmq.kill()
rabbitmq.start()
channel = rabbitmq.channel()
survived = Counter()
while (got := channel.basic_get("my-queue", auto_ack=True))[0]:
    survived[got[1].delivery_mode] += 1
assert survived == {2: 100}, f"by delivery mode, of 100 each: {survived}"
print(f"of 100 persistent: {survived[2]}; of 100 transient: {survived[1]}")

# %% [markdown]
# A kill is not a power cut: what the process had handed to the operating
# system outlives the process, not the machine. Whether the broker also forces
# it to the disk (fsync) before it confirms depends on the type and version of
# the queue. A *quorum queue* does, on a majority of several brokers, and is
# what to use for messages that must not be lost.
#
# ## Waiting for every confirm costs most of the speed
# Four ways to publish the same 2,000 persistent messages of 300 bytes. *None*
# sends and hopes. *Each* waits for a confirm after every message, a round trip
# to the broker's disk each time. *Transaction* waits once for 500 messages, on
# a commit. Each run ends with a purge, which the queue does after all that
# came before it, and which says how many it threw away: *none* cannot win by
# leaving work behind.


# %%
def publish(channel, commit_every=None):
    for sent in range(1, 2_001):
        channel.basic_publish("", "my-queue", b"x" * 300, persistent)
        if commit_every and sent % commit_every == 0:
            channel.tx_commit()
    purged = channel.queue_purge("my-queue").method.message_count
    assert purged == 2_000


# %%
plain, confirmed, transactional = (rabbitmq.channel() for _ in range(3))
confirmed.confirm_delivery()
transactional.tx_select()
seconds = {
    "none": median_seconds(lambda: publish(plain), 3),
    "each": median_seconds(lambda: publish(confirmed), 3),
    "transaction": median_seconds(lambda: publish(transactional, 500), 3),
}

# %% [markdown]
# *In flight*: all 2,000 are sent, and their confirms noted as they come; one
# confirm may stand for all messages up to its number (`multiple`). pika's
# `BlockingConnection` cannot do that. `SelectConnection` can, with callbacks;
# so can aio-pika, with `asyncio.gather`, for more of the processor's time.


# %%
def send_all(channel):
    channel.confirm_delivery(partial(on_confirm, channel))
    for _ in range(2_000):
        channel.basic_publish("", "my-queue", b"x" * 300, persistent)


def on_confirm(channel, frame):
    answers[type(frame.method).__name__] += 1
    last = frame.method.delivery_tag
    first = 1 if frame.method.multiple else last
    unconfirmed.difference_update(range(first, last + 1))
    if not unconfirmed:
        channel.connection.close()


# %%
def in_flight():
    unconfirmed.update(range(1, 2_001))
    pika.SelectConnection(
        rabbitmq.parameters,
        on_open_callback=lambda new: new.channel(on_open_callback=send_all),
        on_close_callback=lambda closed, _: closed.ioloop.stop(),
    ).ioloop.start()


unconfirmed, answers = set(), Counter()
seconds["in flight"] = median_seconds(in_flight, 3)
assert plain.queue_purge("my-queue").method.message_count == 8_000
assert list(answers) == ["Ack"], "the broker refused some"

# %%
rates = {name: 2_000 / taken for name, taken in seconds.items()}
show(
    bars(rates, x="what the publisher waits for", y="messages / s"),
    alt=(
        f"Publishing persistent messages: {rates['none']:,.0f}/s without "
        f"confirms, {rates['each']:,.0f}/s with a confirm for each, "
        f"{rates['transaction']:,.0f}/s with a commit for each 500, "
        f"{rates['in flight']:,.0f}/s with many confirms in flight."
    ),
)

# %%
others = [rates[name] for name in ("none", "transaction", "in flight")]
assert all(2 * rates["each"] < other for other in others)

# %% [markdown]
# What costs is waiting, not being sure. A transaction that breaks leaves open
# which of its 500 were taken, so all are sent again; confirms in flight say it
# of each. Bound their number, a thousand at a time, or a slow broker fills
# your memory.
#
# ## When it breaks
# **The password is wrong.** RabbitMQ waits a second, so that guessing is slow,
# and closes. pika can only guess why, hence *probable*.

# %%
parameters = rabbitmq.parameters
parameters.credentials = pika.PlainCredentials(rabbitmq.user, "a guess")
with raises(exceptions.ProbableAuthenticationError) as password:
    pika.BlockingConnection(parameters)

# %% [markdown]
# **The queue is not there, or not as I say it is.** Either closes the
# *channel*; the connection goes on, and a new channel is cheap. To declare an
# existing queue again is harmless, with the same arguments.

# %%
connection = rabbitmq.channel().connection
with raises(exceptions.ChannelClosedByBroker) as unknown:
    connection.channel().basic_consume("no-such-queue", on_message)
with raises(exceptions.ChannelClosedByBroker) as different:
    connection.channel().queue_declare("my-queue", durable=False)
assert (unknown.error.reply_code, different.error.reply_code) == (404, 406)
assert waiting(connection.channel()) == 0

# %% [markdown]
# **A message makes no sense.** Put back (`requeue=True`), it comes again at
# once, for ever. Rejected for good, it is dropped, unless the queue names a
# *dead letter* exchange; then it waits there for a person.


# %%
def read(channel, method, properties, body):
    try:
        read_orders.append(json.loads(body)["order"])
        channel.basic_ack(method.delivery_tag)
    except (ValueError, KeyError) as error:
        unreadable.append(error)
        channel.basic_reject(method.delivery_tag, requeue=False)


# %%
read_orders, unreadable, channel = [], [], connection.channel()
dead = channel.queue_declare("", exclusive=True).method.queue
letters = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}
source = channel.queue_declare("", exclusive=True, arguments=letters)
for body in (b'{"order": 1}', b'{"order": ', b'{"order": 3}'):
    channel.basic_publish("", source.method.queue, body)
reading = channel.basic_consume(source.method.queue, read)

# %%
while len(read_orders) + len(unreadable) < 3:
    connection.process_data_events(time_limit=1)
assert read_orders == [1, 3] and len(unreadable) == 1
letter = wait_for(
    lambda: channel.basic_get(dead, auto_ack=True)[2], "a letter is dead"
)
assert letter == b'{"order": '

# %% [markdown]
# **The broker is down.** What is open breaks at the next use, and nothing new
# opens. [1.4](1_4_amqp_patterns.ipynb) has a consumer that bears it.

# %%
rabbitmq.kill()
with raises(exceptions.AMQPConnectionError) as broken:
    waiting(channel)
with raises(exceptions.AMQPConnectionError) as refused:
    rabbitmq.channel()
rabbitmq.start()
assert isinstance(broken.error, exceptions.StreamLostError)

# %%
cases = [
    ("password", password.error, "Look where it comes from; do not retry."),
    ("no queue", unknown.error, "Declare it first, or mend its name."),
    ("other queue", different.error, "Declare it as it is, or delete it."),
    ("senseless", unreadable[0], "Mend the sender; send the letter again."),
    ("connection lost", broken.error, "Connect again, and bear repeats."),
    ("broker down", refused.error, "Start it; retry after growing pauses."),
]
rows = [(case, type(error).__name__, what) for case, error, what in cases]
table(rows, ["what broke", "error", "what to do"], caption="In short.")

# %% [markdown]
# ## Summary
# - Publish to an exchange, consume from a queue; the nameless exchange reaches
#   each queue by its name.
# - pika's keyword is `on_message_callback`.
# - An acknowledgement takes a message out of the queue. What a dead consumer
#   held comes again, in its old place, marked `redelivered`.
# - Prefetch shares work out by who is free; without it the first consumer
#   takes all, or each gets an equal share, however slow.
# - A confirm means that the broker did what was asked. `mandatory` asks for a
#   queue, `delivery_mode=2` for the disk, `durable` for the queue to stay.
# - Keep many confirms in flight, or pay a round trip for every message.
#
# ## Follow-ups
# <details><summary>Can a message be handled exactly once?</summary>
# Not by the broker alone: between the handler's work and its acknowledgement
# there is always a moment to die in. Acknowledge after the work and recognise
# repeats by an id of your own. Evidence:
# <i>A killed consumer's messages come again</i>.
# </details>
#
# <details><summary>Does a confirm mean that the message is on disk?</summary>
# For a persistent message in a durable queue it means written; whether fsynced
# depends on the queue's type. For a transient one it means memory. Evidence:
# <i>A confirmed persistent message outlives a broker that is killed</i>.
# </details>
#
# <details><summary>What if one message crashes every consumer that gets it?</summary>
# It comes again and again, and holds up the rest. Reject it with
# <code>requeue=False</code> to a dead letter exchange, or use a quorum queue,
# which counts deliveries and has a limit. Evidence:
# <i>When it breaks</i>, and <a href="1_4_amqp_patterns.ipynb">1.4</a>.
# </details>
#
# <details><summary>Are messages handled in order?</summary>
# A queue hands them out in order, and a redelivered one goes back to its
# place. But two consumers finish in any order, and a repeat comes after
# messages that others have finished. Where order counts: one consumer
# a queue. Evidence: <i>A killed consumer's messages come again</i>.
# </details>
#
# <details><summary>The connection closed while my program was busy: why?</summary>
# Client and broker send heartbeats, here every 60 s. A
# <code>BlockingConnection</code> does so only inside pika's own calls, and the
# broker drops a peer that missed two; so does a notebook left alone
# between two cells. Do long work in a thread and come back with
# <code>connection.add_callback_threadsafe</code>. Evidence:
# <a href="1_4_amqp_patterns.ipynb">1.4</a>, which shows both.
# </details>
#
# <details><summary>How soon is a dead consumer noticed?</summary>
# At once when its process dies, since its kernel closes the socket, as you
# saw. If the machine or the network dies, nobody closes anything, and only
# the missing heartbeats tell, after one to two minutes by default. Evidence:
# <i>A killed consumer's messages come again</i>.
# </details>
#
# <details><summary>How do I get both confirms and speed?</summary>
# Keep many messages in flight and wait for their confirms together. Evidence:
# <i>Waiting for every confirm costs most of the speed</i>.
# </details>
#
# ## Exercises
# **1.** Ten messages wait. A consumer with a prefetch of four acknowledges the
# first two, and is killed while it holds all that it may. How many messages
# come with `redelivered` set afterwards? (A whole number.)
#
# <details><summary>Solution</summary>
# <code>answer = 4</code>: after each acknowledgement the broker filled the
# prefetch up again, so four were out when it died. Two had been acknowledged,
# and the other four had never left the queue.
# </details>

# %%
answer = ...

# %%
exercises.redelivered.check(answer)

# %% [markdown]
# **2.** Write a function of a fresh channel, a queue's name and a body that
# publishes a persistent message and returns `True` if a queue has it, `False`
# if there was none to put it in.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(channel, queue, body):
#     channel.confirm_delivery()
#     properties = pika.BasicProperties(delivery_mode=2)
#     try:
#         channel.basic_publish("", queue, body, properties, mandatory=True)
#     except exceptions.UnroutableError:
#         return False
#     return True
# </pre>
# Without <code>confirm_delivery</code> pika does not wait for the answer and
# cannot raise.
# </details>

# %%
answer = ...

# %%
exercises.safe_publish.check(answer, rabbitmq)

# %% [markdown]
# ## Next, and further reading
# - Next: [1.4 AMQP patterns](1_4_amqp_patterns.ipynb), then
#   [1.5 Kafka](1_5_kafka.ipynb), where reading removes nothing.
# - [Consumer acknowledgements and publisher
#   confirms](https://www.rabbitmq.com/docs/confirms) and [reliability
#   guide](https://www.rabbitmq.com/docs/reliability), RabbitMQ's own pages.
# - [pika's documentation](https://pika.readthedocs.io/en/stable/), with an
#   example of an asynchronous publisher.

# %%
environment("pika", rabbitmq)
