# %% [markdown]
# # 1.5 Kafka: a log that many can read
# *2 minutes · 1.5 GB · services: Kafka, Kafka × 3*
#
# ## Answer in a minute
# Kafka is a replicated log, not a queue. A topic is split into *partitions*,
# each an append-only file. Reading removes nothing: every *consumer group*
# reads all of it, and its *committed offset* is all that is kept of its
# progress. The key chooses the partition; order holds inside one partition
# only. A group shares partitions out, one reader for each, so their number
# caps its parallelism. Commit after the work, and a crash repeats some (at
# least once); before, and it skips some (at most once).
#
# To lose nothing that was acknowledged: replication 3,
# `min.insync.replicas` 2, `acks=all`, an idempotent producer. One broker may
# then die unnoticed but for a pause; with two dead, writes are refused. It is
# still no fsync per write: all replicas losing power at once can lose records.
#
# ## You will
# - **do**: write keyed records, share partitions among consumers, kill a
#   consumer, replay, measure lag; then kill one broker of three, and a second.
# - **learn**: what is ordered, what is repeated, what is lost, and when.
# - **need**: nothing but this notebook; [1.3](1_3_amqp.ipynb) for comparison.

# %%
import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice, pairwise
from threading import Event
from time import perf_counter, time
from uuid import uuid4

from kafka import DefaultSerializer, JsonSerializer, KafkaConsumer
from kafka import KafkaProducer, OffsetSpec, TopicPartition
from kafka.admin import ConfigResource
from kafka.errors import KafkaTimeoutError, NotEnoughReplicasError
from kafka.partitioner import murmur2

from answerbook import services
from answerbook.notebook import environment, lines, progress, raises
from answerbook.notebook import show, stopwatch, table, wait_for
from answerbook.notebook.exercises import q1_5_kafka as exercises
from answerbook.notebook.partitions import partition_state

# %% [markdown]
# ## Reading a log removes nothing
# One broker will do for the first half. Topics and groups outlive this
# notebook, so each run gives its own a new ending.

# %%
kafka = services.require("kafka")
run = uuid4().hex[:6]
orders = f"orders-{run}"
admin = kafka.admin()
created = admin.create_topics({orders: {"num_partitions": 3}})

# %% [markdown]
# Sixty orders of six customers. `send` only puts a record into a batch and
# gives a future; `flush` waits for all. It gets a timeout, because without one
# it can wait for ever once a delivery has timed out.

# %%
producer = KafkaProducer(
    bootstrap_servers=kafka.bootstrap_servers,
    key_serializer=DefaultSerializer(),
    value_serializer=JsonSerializer(),
)
for number in range(60):
    producer.send(orders, {"order": number}, key=f"customer-{number % 6}")
producer.flush(timeout=10)

# %% [markdown]
# Two groups read, one after the other. A new group begins at the end of the
# log unless told `earliest`. We commit ourselves: by default kafka-python
# commits every five seconds whatever `poll` has handed out, done or not.
#
# <details><summary>Predict: what is left for the second group?</summary>
# Everything. A queue would be empty after the first reader; a log keeps its
# records until they are too old (<code>retention.ms</code>, a week by
# default), whoever has read them.
# </details>

# %%
reading = {
    "bootstrap_servers": kafka.bootstrap_servers,
    "auto_offset_reset": "earliest",
    "enable_auto_commit": False,
    "value_deserializer": JsonSerializer(),
    "consumer_timeout_ms": 15_000,
}
seen = {}
for group in (f"billing-{run}", f"shipping-{run}"):
    with KafkaConsumer(orders, group_id=group, **reading) as consumer:
        seen[group] = list(islice(consumer, 60))
        consumer.commit()

# %%
billing, shipping = (
    sorted(record.value["order"] for record in records)
    for records in seen.values()
)
assert billing == shipping == list(range(60))
print(f"billing read {len(billing)}, shipping read {len(shipping)}")

# %% [markdown]
# ## A key chooses the partition, and order holds inside it
# The producer hashes the key and takes the remainder by the number of
# partitions: murmur2 without its sign bit, as Java's client does it. A record
# without a key goes anywhere.

# %%
records = seen[f"billing-{run}"]
for record in records:
    hashed = murmur2(record.key) & 0x7FFFFFFF
    assert record.partition == hashed % 3

# %% [markdown]
# So all orders of one customer are in one partition, in the order in which
# they were sent.
#
# <details><summary>Predict: we sent 0, 1, 2, … 59. In what order did the
# consumer get them?</summary>
# Partition by partition, as its fetches happened to return: ascending within
# each, not over all. If it had to be ascending over all, the topic would need
# a single partition, and with it a single consumer.
# </details>

# %%
arrived = [record.value["order"] for record in records]
by_partition = {partition: [] for partition in range(3)}
for order, record in zip(arrived, records, strict=True):
    by_partition[record.partition].append(order)
assert all(found == sorted(found) for found in by_partition.values())
assert arrived != sorted(arrived)

# %%
rows = []
for partition, found in by_partition.items():
    customers = sorted({order % 6 for order in found})
    first = ", ".join(map(str, found[:8]))
    rows.append((partition, len(found), str(customers), f"{first} …"))
names = ["partition", "orders", "of customers", "in this order"]
table(rows, columns=names, caption="The log of 60 orders, as it was read.")
assert len(rows) == 3 and sum(row[1] for row in rows) == 60

# %% [markdown]
# The shares are as even as the hash makes six keys, not as one would deal
# them. And a topic that grows from three partitions to four gets another
# remainder for most keys, so a customer's old and new orders part: choose the
# number with room to grow.
#
# ## A group shares its partitions out, one reader for each
# Consumers that name the same group divide the topic. Each polls in a thread
# of its own here, as it would in a process of its own; polling is also what
# keeps it in the group. A member hears that the group has changed in the
# answer to a heartbeat; ours go twice a second, not every three seconds.

# %%
shares, finished = {}, Event()


def work(member):
    quick = {"group_id": f"packers-{run}", "heartbeat_interval_ms": 500}
    with KafkaConsumer(orders, **reading, **quick) as consumer:
        while not finished.is_set():
            consumer.poll(timeout_ms=100)
            owned = consumer.assignment()
            shares[member] = sorted(each.partition for each in owned)


# %% [markdown]
# One consumer, then two, then four; each time we wait until the group has
# settled.
#
# <details><summary>Predict: four consumers, three partitions?</summary>
# One of the four gets nothing. It is a spare: when another dies, it takes
# over. More throughput takes more partitions, not more consumers.
# </details>


# %%
def settled():
    busy = sum(bool(owned) for owned in shares.values())
    owned = sorted(partition for own in shares.values() for partition in own)
    return owned == [0, 1, 2] and busy == min(len(shares), 3)


# %%
pool, history = ThreadPoolExecutor(), {}
for size in progress((1, 2, 4), "consumers"):
    for member in range(len(shares), size):
        shares[member] = []
        pool.submit(work, member)
    wait_for(settled, f"{size} consumers have shared it out", 30)
    history[size] = [shares[member] for member in range(size)]
finished.set()
pool.shutdown()

# %%
table(
    [(size, " · ".join(map(str, owned))) for size, owned in history.items()],
    columns=["consumers", "partitions of each"],
    caption="Who reads what. With four consumers, one has nothing to do.",
)
busy = [sum(bool(own) for own in owned) for owned in history.values()]
assert busy == [1, 2, 3]

# %% [markdown]
# ## A consumer killed before it commits gets its records again
# This is a consumer as a process of its own. It sends mails (prints them), and
# commits after the fourth.

# %%
mailer = """
import sys
from kafka import KafkaConsumer
topic, group, *servers = sys.argv[1:]
consumer = KafkaConsumer(topic, group_id=group, bootstrap_servers=servers,
    auto_offset_reset="earliest", enable_auto_commit=False,
    session_timeout_ms=6_000)
for done, record in enumerate(consumer, 1):
    print(record.value.decode(), flush=True)
    if done == 4:
        consumer.commit()
"""

# %% [markdown]
# It gets ten, and sends them all.

# %%
mails, group = f"mails-{run}", f"mailers-{run}"
created = admin.create_topics({mails: {"num_partitions": 1}})
for number in range(10):
    producer.send(mails, f"mail {number}")
producer.flush(timeout=10)
command = [sys.executable, "-c", mailer, mails, group]
process = subprocess.Popen(
    [*command, *kafka.bootstrap_servers], stdout=subprocess.PIPE, text=True
)
sent = [json.loads(process.stdout.readline()) for _ in range(10)]

# %% [markdown]
# Now it is killed by SIGKILL, and a second consumer of the same group takes
# over, here in the notebook.
#
# <details><summary>Predict: which mails does it get, and when?</summary>
# The six after the committed offset, which have all been sent already. And
# not at once: nobody said good-bye, so the group keeps the dead member's place
# until its session runs out, up to six seconds after its last heartbeat (45 by
# default). RabbitMQ sees the connection close and hands over at once; Kafka
# knows its members by their heartbeats.
# </details>

# %%
process.kill()
assert process.wait() == -9
with stopwatch() as watch:
    heir = KafkaConsumer(mails, group_id=group, **reading)
    rest = progress(islice(heir, 6), "again", 6)
    again = [mail.value for mail in rest]
heir.commit()
heir.close()
assert again == sent[4:] and watch.seconds > 2
print(f"{len(again)} mails a second time, after {watch.seconds:.1f} s")

# %% [markdown]
# That is *at least once*. To commit first and send afterwards is *at most
# once*: the same kill would have skipped mails. *Exactly once* takes the
# result and the offset in one transaction: in Kafka's own, if the result goes
# to Kafka; in the database's, if the offset is stored there too. A mail has no
# transaction, so a mailer needs a record of what it has sent.
#
# ## Lag is the log's end less the committed offset
# How far a group is behind is the first number to watch. Thirty more orders
# come in while *billing*, which had committed all sixty, is away.

# %%
moment = int(time() * 1_000)
for number in range(60, 90):
    producer.send(orders, {"order": number}, key=f"customer-{number % 6}")
producer.flush(timeout=10)

# %%
group = f"billing-{run}"
partitions = [TopicPartition(orders, number) for number in range(3)]
latest = dict.fromkeys(partitions, OffsetSpec.LATEST)
ends = admin.list_partition_offsets(latest)
committed = admin.list_group_offsets({group: partitions})[group]
rows = []
for each in partitions:
    end, done = ends[each].offset, committed[each].offset
    rows.append((each.partition, end, done, end - done))
names = ["partition", "end", "committed", "lag"]
table(rows, columns=names, caption="How far billing is behind, in records.")
assert sum(lag for *_, lag in rows) == 30

# %% [markdown]
# A lag that keeps growing says that the group is too slow, or stuck.
#
# ## A reader begins where it likes
# An offset is only a number, so to read again is to seek. This consumer takes
# its partitions by `assign`, without a group: first from the beginning, then
# from the moment just before the thirty came in.

# %%
with KafkaConsumer(**reading) as consumer:
    consumer.assign(partitions)
    consumer.seek_to_beginning()
    everything = list(islice(consumer, 90))
    places = consumer.offsets_for_times(dict.fromkeys(partitions, moment))
    for partition, place in places.items():
        consumer.seek(partition, place.offset)
    recent = list(islice(consumer, 30))
numbers = sorted(record.value["order"] for record in recent)
assert len(everything) == 90 and numbers == list(range(60, 90))
assert admin.list_group_offsets({group: partitions})[group] == committed

# %% [markdown]
# Billing's place did not move. To send a whole group back, after a bug, say,
# stop its members and use `admin.reset_group_offsets`.
#
# ## Here, nobody is asked for a password
# We gave none. The brokers listen on this machine's loopback address, and that
# is all the protection there is: any program on it may read and write. No
# authorizer is there to decide otherwise, and what travels is plain text.

# %%
found = admin.describe_configs(
    [ConfigResource("broker", "1")], config_filter="all"
)["broker"]["1"]
protocols = found["listener.security.protocol.map"]["value"]
assert found["authorizer.class.name"]["value"] == ""
assert "SSL" not in protocols
print(protocols)

# %% [markdown]
# Production adds three things: TLS, so that nobody listens in; SASL (SCRAM, or
# OAuth), so that a client is somebody; and ACLs, so that somebody may do only
# what is theirs. In a client that is `security_protocol="SASL_SSL"`,
# `sasl_mechanism="SCRAM-SHA-512"`, a name and a password.
#
# ## One of three brokers dies, and nothing acknowledged is lost
# Now three brokers, with each partition on all of them. One leads the
# partition: it alone takes writes, and the others copy. Those that keep up are
# *in sync*; with `acks="all"` the leader answers when all of them have the
# record, and refuses while they are fewer than `min.insync.replicas`, here 2.
# The single broker stops first, for its memory.

# %%
producer.close(timeout=5)
admin.close()
kafka.stop()
kafka3 = services.require("kafka-3")
admin = kafka3.admin()
payments, vault = f"payments-{run}", f"vault-{run}"
plain = {"num_partitions": 1, "replication_factor": 3}
strict = plain | {"configs": {"min.insync.replicas": "3"}}
created = admin.create_topics({payments: plain, vault: strict})
admin.close()

# %% [markdown]
# A thread sends numbered payments, somewhat under a thousand a second. What
# counts is what the *sender* was told, so we note each acknowledgement with
# its time.

# %%
servers = {"bootstrap_servers": kafka3.bootstrap_servers}
producer = KafkaProducer(**servers, acks="all")
acknowledged, finished = {}, Event()


def acknowledge(number, metadata):
    acknowledged[number] = perf_counter() - began


def pay():
    for number in count():
        if finished.wait(0.001):
            break
        future = producer.send(payments, b"%d" % number)
        future.add_callback(acknowledge, number)
    return number


# %% [markdown]
# In the midst of it we kill the leader, the worst of the three to lose.
#
# <details><summary>Predict: what does the sender see?</summary>
# A pause. The records in flight fail, and the producer keeps trying. Until
# the controllers have missed the dead broker's heartbeats for long enough,
# there is no other leader; then the backlog goes out at once.
# </details>

# %%
began = perf_counter()
sending = ThreadPoolExecutor().submit(pay)
wait_for(lambda: len(acknowledged) > 2_000, "2,000 are acknowledged", 30)
leader = partition_state(kafka3, payments).leader
kafka3.kill(node=leader)
killed = perf_counter() - began

# %%
so_far = len(acknowledged)
for goal in progress(range(so_far, so_far + 6_000, 100), "acknowledged"):
    wait_for(lambda goal=goal: len(acknowledged) > goal, "more come", 60)
finished.set()
attempted = sending.result()
producer.flush(timeout=30)
producer.close(timeout=5)

# %% [markdown]
# Every number that was acknowledged is now looked for in the log.

# %%
with KafkaConsumer(payments, **reading | servers) as consumer:
    kept = [record.value for record in islice(consumer, attempted)]
assert set(acknowledged) <= set(kept), "acknowledged, then lost"
assert kept == sorted(set(kept)), "twice, or out of order"
times = sorted(acknowledged.values())
gap = max(after - before for before, after in pairwise(times))
lost = len(set(acknowledged) - set(kept))
names = ["sent", "acknowledged", "of those lost", "twice", "gap in s"]
row = (attempted, len(times), lost, len(kept) - len(set(kept)), gap)
table([row], columns=names, caption="Payments while the leader was killed.")

# %%
quarters = Counter(int(4 * at) for at in times)
xs = [quarter / 4 for quarter in range(max(quarters) + 1)]
ys = [quarters[4 * x] for x in xs]
drawn = lines({"payments": (xs, ys)}, x="seconds", y="acked in 250 ms")
(axes,) = drawn.axes
axes.set_yscale("symlog", linthresh=1)
axes.set_ylim(0, 3 * max(ys))
axes.axvline(killed, color="black", ls="--", marker="", label="leader killed")
axes.legend(loc="upper center")
show(drawn, alt=f"After the kill, no acknowledgement for {gap:.1f} s.")

# %% [markdown]
# None lost, though the broker that took the first thousands is dead. And none
# twice, though what was in flight was sent again: the producer is *idempotent* by
# default, which is to say that it numbers its batches, and a broker drops what
# it has already. Most of the pause is `broker.session.timeout.ms`, how long the
# controllers wait for a heartbeat: 9 s by default, 4 where this notebook starts
# Kafka without Docker.
#
# ## A write that cannot be made safe is refused
# One broker is still dead, and two are in sync: enough for *payments*, which
# takes another. The topic *vault* asks for all three. Its producer does not
# retry, to show the broker's own answer; by default it would for two minutes.


# %%
def in_sync():
    return len(partition_state(kafka3, vault).in_sync)


wait_for(lambda: in_sync() == 2, "the dead broker is out of sync", 30)
patience = {"delivery_timeout_ms": 4_000, "request_timeout_ms": 2_000}
patient = KafkaProducer(**servers, **patience, acks="all")
patient.send(payments, b"%d" % attempted).get(timeout=10)
kept.append(attempted)
once = {"retries": 0, "enable_idempotence": False, "acks": "all"}
producer = KafkaProducer(**servers, **once)
with raises(NotEnoughReplicasError):
    producer.send(vault, b"gold").get(timeout=10)
producer.close(timeout=1)

# %% [markdown]
# So `min.insync.replicas` is a choice: with 3 of 3, no write while any broker
# is away; with 1, an acknowledged write may rest on one disk; 2 of 3 bears one
# death. Now a second broker dies, and only the leader of *payments* lives.
#
# <details><summary>Predict: the same error?</summary>
# Not here: no answer at all. Our brokers are also the cluster's controllers,
# and one of three is no majority, so nobody may declare the dead out of sync.
# The leader waits for their copies, and the producer's time runs out. Where
# controllers have machines of their own, it would be the same error.
# </details>

# %%
state = partition_state(kafka3, payments)
(second,) = state.in_sync - {state.leader}
kafka3.kill(node=second)
with raises(KafkaTimeoutError):
    patient.send(payments, b"-1").get(timeout=20)
patient.close(timeout=1)

# %% [markdown]
# It was not acknowledged, and no reader sees it: consumers get records only up
# to the *high watermark*, which is what all replicas in sync have.

# %%
here = TopicPartition(payments, 0)
with KafkaConsumer(**reading | servers) as consumer:
    visible = consumer.end_offsets([here])[here]
assert visible == len(kept)

# %% [markdown]
# With all three back, every acknowledged payment is still there. And the one
# that timed out?

# %%
kafka3.start()
with KafkaConsumer(payments, **reading | servers) as consumer:
    again = [record.value for record in islice(consumer, len(kept))]
    visible = consumer.end_offsets([here])[here]
assert again == kept
fate = "is there" if visible > len(kept) else "is not there"
print(f"{len(again)} as before; the one that timed out {fate}")

# %% [markdown]
# A timeout is not a no. The leader had the record in its log, and if it still
# leads when the others return, they copy it; if not, it is cut off. The sender
# cannot know, and may send again only if a repeat would be recognised.
#
# ## An acks=all write is not an fsync
# Acknowledged means that every replica in sync *has* the record: in the
# memory of its operating system, which writes it out when it likes. The death
# of a process does not matter then, as we saw; a power cut that takes all
# replicas at once does. These settings would force records to disk:

# %%
admin = kafka3.admin()
topic = ConfigResource("topic", payments)
found = admin.describe_configs([topic], config_filter="all")
for name in ("flush.messages", "flush.ms"):
    value = found["topic"][payments][name]["value"]
    print(name, value)
    assert int(value) == 2**63 - 1, "set by somebody"

# %% [markdown]
# Never, that is. Kafka's answer to a power cut is replicas in places that do
# not fail together.
#
# ## With acks=1 an acknowledged record can be gone
# Was it `acks="all"` that saved the payments? The control: `acks=1`, where the
# leader answers as soon as it has the record itself. We freeze both followers,
# as a stalled network would, write a hundred records, kill the leader, and let
# the followers go on.
#
# <details><summary>Predict: how many of the hundred are left?</summary>
# Next to none: at most what a follower had asked for before it froze. One of
# the two becomes leader, with a log that ends there, and when the old leader
# returns it cuts its own log to match.
# </details>

# %%
promises = f"promises-{run}"
admin.create_topics({promises: plain}, wait_for_metadata=True)
admin.close()
producer = KafkaProducer(**servers, acks=1, enable_idempotence=False)
leader = partition_state(kafka3, promises).leader
followers = partition_state(kafka3, promises).replicas - {leader}
assert producer.partitions_for(promises) == {0}

# %%
for node in followers:
    kafka3.pause(node=node)
for number in range(100):
    producer.send(promises, b"%d" % number).get(timeout=10)
kafka3.kill(node=leader)
for node in followers:
    kafka3.resume(node=node)
producer.close(timeout=1)


# %%
def has_new_leader():
    return partition_state(kafka3, promises).leader in followers


wait_for(has_new_leader, "a follower leads", 60)
here = TopicPartition(promises, 0)
with KafkaConsumer(**reading | servers) as consumer:
    left = consumer.end_offsets([here])[here]
assert left < 50, "the followers were not frozen in time"
print(f"100 acknowledged, {left} left")
kafka3.stop()

# %% [markdown]
# ## Summary
# - A log is read, not emptied: each group has all of it, and a place of its
#   own, which it may move.
# - The key chooses the partition. Order holds within it, and within a group
#   one consumer reads it.
# - Work, then commit: a crash repeats what was not committed, after the dead
#   member's session has run out.
# - Lag is end less committed.
# - Replication 3, `min.insync.replicas` 2 and `acks=all`: one broker's death
#   is a pause of seconds, two stop the writes, and no acknowledged record was
#   lost. `acks=1` promises far less.
# - A timeout leaves open whether the record was written.
#
# ## Follow-ups
# <details><summary>Kafka or RabbitMQ?</summary>
# A log where several readers want the same stream, want to read it again, or
# it is large; a queue where each job is to be done once by somebody, with
# routing, priorities or delays, and a slow job may not hold up the next.
# Evidence: <i>Reading a log removes nothing</i>.
# </details>
#
# <details><summary>How many partitions?</summary>
# As many as the consumers you will want at the busiest time, with room to
# grow: adding some later moves keys. Not thousands without need, since each
# costs files, memory and time when a leader changes. Evidence:
# <i>A group shares its partitions out, one reader for each</i>.
# </details>
#
# <details><summary>Can Kafka deliver exactly once?</summary>
# From Kafka to Kafka, yes: with transactions the results and the offsets are
# committed together. To anything else, no: record what was done, and
# recognise repeats. Evidence:
# <i>A consumer killed before it commits gets its records again</i>.
# </details>
#
# <details><summary>Does a Java client put a key where a Python client does?</summary>
# With kafka-python, yes: both take murmur2. librdkafka, and so
# confluent-kafka, takes CRC32 unless told <code>partitioner=murmur2_random</code>;
# mixed producers then split a key's history. Evidence:
# <a href="https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md">librdkafka's
# settings</a>, and <i>A key chooses the partition, and order holds inside it</i>.
# </details>
#
# <details><summary>Why did one slow record stop a whole partition?</summary>
# Its consumer reads in order, and nobody else may help. And if one
# <code>poll</code> is more than <code>max_poll_interval_ms</code> (five
# minutes) from the last, the group takes the partition away. Kafka 4's share
# groups hand out single records instead, as a queue does; kafka-python does
# not speak them yet. Evidence:
# <a href="https://cwiki.apache.org/confluence/display/KAFKA/KIP-932%3A+Queues+for+Kafka">KIP-932</a>.
# </details>
#
# <details><summary>May an out-of-sync replica become leader?</summary>
# Not unless <code>unclean.leader.election.enable</code> is set: it would lose
# acknowledged records to be available sooner. The default waits. Evidence:
# <a href="https://kafka.apache.org/documentation/#design_uncleanleader">unclean
# leader election</a>.
# </details>
#
# <details><summary>What happens to acks=all when all but one replica lag?</summary>
# They drop out of the in-sync set, and with fewer than
# <code>min.insync.replicas</code> left the write is refused. Without that
# setting, all would mean one. Evidence:
# <i>A write that cannot be made safe is refused</i>.
# </details>
#
# ## Exercises
# **1.** The customers are `customer-0` to `customer-999`. How many of them get
# another partition when their topic grows from three partitions to four?
#
# <details><summary>Solution</summary>
# <pre>
# def partition(key, partitions):
#     return (murmur2(key.encode()) &amp; 0x7FFFFFFF) % partitions
# customers = [f"customer-{number}" for number in range(1_000)]
# answer = sum(partition(c, 3) != partition(c, 4) for c in customers)
# </pre>
# About three in four: a hash has the same remainder by three and by four only
# if its remainder by twelve is 0, 1 or 2.
# </details>

# %%
answer = ...

# %%
exercises.moved_keys.check(answer)

# %% [markdown]
# **2.** Write a function of two dictionaries, partition → end offset and
# partition → committed offset, that returns the group's whole lag. The group
# reads from `earliest`, and has not committed in every partition.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(ends, committed):
#     return sum(end - committed.get(each, 0) for each, end in ends.items())
# </pre>
# A partition without a commit is read from its beginning: here, from 0.
# </details>

# %%
answer = ...

# %%
exercises.whole_lag.check(answer)

# %% [markdown]
# **3.** Replication 5, `min.insync.replicas` 3, `acks=all`: how many brokers
# may be down at once while writes go on?
#
# <details><summary>Solution</summary>
# <code>answer = 2</code>: three must be in sync.
# </details>

# %%
answer = ...

# %%
exercises.brokers_down.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Before: [1.3 AMQP](1_3_amqp.ipynb), a queue that is emptied by reading.
# - [Kafka's design](https://kafka.apache.org/documentation/#design): the
#   log, replication, delivery semantics, in its makers' words.
# - [The log: what every software engineer should know about real-time data's
#   unifying abstraction](https://engineering.linkedin.com/distributed-systems/log-what-every-software-engineer-should-know-about-real-time-datas-unifying),
#   by Jay Kreps.

# %%
environment("kafka-python", kafka3)
