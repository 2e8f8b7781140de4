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
# least once); before, and it skips some (at most once). From Kafka to Kafka, a
# transaction commits result and offset together (exactly once).
#
# To lose nothing that was acknowledged: replication 3,
# `min.insync.replicas` 2, `acks=all`, an idempotent producer. One broker's
# death is a pause then; with two dead, writes fail. It is no fsync per write:
# all replicas losing power at once can lose records.
#
# ## You will
# - **do**: write, share out, replay, compact and version records; kill a
#   consumer, a leader, and the broker after it.
# - **learn**: what is ordered, what is repeated, what is lost, and when.
# - **need**: nothing but this notebook; [1.3](1_3_amqp.ipynb) for comparison.

# %%
import json
from io import BytesIO
from itertools import islice
from time import time
from uuid import uuid4

import fastavro
from kafka import JsonSerializer, KafkaConsumer, KafkaProducer
from kafka import OffsetAndMetadata, OffsetSpec, TopicPartition, errors
from kafka.admin import ConfigResource
from kafka.coordinator.assignors import cooperative_sticky
from kafka.partitioner import murmur2

from answerbook import services
from answerbook.notebook import environment, lines, members, partitions
from answerbook.notebook import program, progress, raises, sending, show
from answerbook.notebook import stopwatch, table, wait_for
from answerbook.notebook.exercises import q1_5_kafka as exercises
from answerbook.notebook.partitions import partition_state
from answerbook.notebook.topics import new_topic, read_topic

# %% [markdown]
# ## Reading a log removes nothing
# One broker will do for the first half. Topics and groups outlive this
# notebook, so each run gives its own a new ending.
#
# `send` only puts a record into a batch and gives a future; `flush` waits for
# all. It gets a timeout, because without one it can wait for ever once a
# delivery has timed out.

# %%
kafka = services.require("kafka")
servers = {"bootstrap_servers": kafka.bootstrap_servers}
run, admin = uuid4().hex[:6], kafka.admin()
orders = new_topic(kafka, "orders", partitions=3)
producer = KafkaProducer(**servers, value_serializer=JsonSerializer())


def place(numbers):
    for number in numbers:
        key = b"customer-%d" % (number % 6)
        producer.send(orders, {"order": number}, key=key)
    producer.flush(timeout=10)


# %% [markdown]
# Sixty orders of six customers, read by two groups, one after the other. A new
# group begins at the end of the log unless told `earliest`. We commit
# ourselves: by default kafka-python commits every five seconds whatever `poll`
# has handed out, done or not.
#
# <details><summary>Predict: what is left for the second group?</summary>
# Everything. A queue would be empty after the first reader; a log keeps its
# records until they are too old (<code>retention.ms</code>, a week by
# default), whoever has read them.
# </details>

# %%
place(range(60))
reading = servers | {"auto_offset_reset": "earliest"}
reading |= {"enable_auto_commit": False, "consumer_timeout_ms": 15_000}
as_json = {"value_deserializer": JsonSerializer()}
seen = {}
for group in (f"billing-{run}", f"shipping-{run}"):
    with KafkaConsumer(orders, group_id=group, **reading, **as_json) as reader:
        seen[group] = list(islice(reader, 60))
        reader.commit()
counts = {group: len(records) for group, records in seen.items()}
print(counts)
assert set(counts.values()) == {60}

# %% [markdown]
# ## A key chooses the partition, and order holds inside it
# The producer hashes the key and takes the remainder by the number of
# partitions: murmur2 without its sign bit, as Java's client does it. A record
# without a key goes anywhere. So all orders of one customer are in one
# partition, in the order in which they were sent.
#
# <details><summary>Predict: we sent 0, 1, 2, … 59. In what order did the
# consumer get them?</summary>
# Partition by partition, as its fetches happened to return: ascending within
# each, not over all. If it had to be ascending over all, the topic would need
# a single partition, and with it a single consumer.
# </details>

# %%
arrived, rows = {0: [], 1: [], 2: []}, []
for record in seen[f"billing-{run}"]:
    assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % 3
    arrived[record.partition].append(record.value["order"])
for partition, found in arrived.items():
    assert found == sorted(found)
    customers = sorted({order % 6 for order in found})
    rows.append((partition, len(found), str(customers), str(found[:7])))
names = ["partition", "orders", "of customers", "the first, in order"]
table(rows, columns=names, caption="The log of 60 orders, as it was read.")

# %% [markdown]
# The shares are as even as the hash makes six keys. And in a topic that grows
# from three partitions to four, most keys get another remainder, so that a
# customer's old and new orders part: choose the number with room to grow.

# %%
keys = [murmur2(b"customer-%d" % each) & 0x7FFFFFFF for each in range(1_000)]
moved = sum(key % 3 != key % 4 for key in keys)
print(f"{moved} of 1,000 customers would move")
assert moved > 500

# %% [markdown]
# ## A group shares its partitions out, one reader for each
# Consumers that name the same group divide the topic. Each polls in a thread
# of its own here, as it would in a process of its own; polling also keeps it in
# the group. It hears of changes in the answer to a heartbeat: ours go twice a
# second, not every three seconds.
#
# <details><summary>Predict: four consumers, three partitions?</summary>
# One of the four gets nothing. It is a spare: when another dies, it takes
# over. More throughput takes more partitions, not more consumers.
# </details>


# %%
def work(member, topic, **options):
    own = {"group_id": member.group, "heartbeat_interval_ms": 500}
    with KafkaConsumer(**reading | own | options) as consumer:
        consumer.subscribe([topic], listener=member)
        assert consumer.partitions_for_topic(topic)
        while member.working:
            consumer.poll(timeout_ms=100)


with members.Members(work, partitions=3, topic=orders) as packers:
    packers.start("ann", "bob", "cid", "dee")
history = [list(owned.values()) for owned in packers.history]

# %%
table(
    [(len(owned), " · ".join(map(str, owned))) for owned in history],
    columns=["consumers", "partitions of each"],
    caption="Who reads what. With four consumers, one has nothing to do.",
)
busy = [sum(bool(own) for own in owned) for owned in history]
assert busy == [1, 2, 3, 3]

# %% [markdown]
# Kafka's newer *share groups* lift this cap: see the follow-ups.
#
# ## A rebalance stops everybody, unless it is cooperative
# When a third consumer joins two that share six partitions, some have to move.
# Under the default strategy, `range`, everybody first gives up everything.
# `cooperative-sticky` takes only what moves, in two rounds; the rest is read on
# meanwhile.
#
# A deployment restarts each consumer: a good-bye and a welcome, a rebalance
# each. A *static* member has a name, `group_instance_id`, says no good-bye, and
# finds its partitions kept if it is back before its session runs out. Until
# then nobody reads them: that is the price.


# %%
shelves = new_topic(kafka, "shelves", partitions=6)
assignors = [cooperative_sticky.CooperativeStickyAssignor]
sticky = {"partition_assignment_strategy": assignors}
joins, restarts = members.Members.start, members.Members.restart


def given_up(event, name, **options):
    with members.Members(work, 6, topic=shelves, **options) as crew:
        crew.start("ann", "bob")
        return event(crew, name)


# %%
rows = [
    ("a third joins", "range", given_up(joins, "cid")),
    ("a third joins", "cooperative", given_up(joins, "cid", **sticky)),
    ("one restarts", "range", given_up(restarts, "ann")),
    ("one restarts", "static", given_up(restarts, "ann", static=True)),
]
names = ["in a group of two", "how", "the others gave up"]
table(rows, columns=names, caption="Of six partitions, how many had to stop.")
joined, cooperative, restarted, static = (row[2] for row in rows)
assert joined >= 6 > cooperative and restarted > static == 0

# %% [markdown]
# ## A consumer killed before it commits gets its records again
# This consumer is a process of its own. It sends mails (prints them), and
# commits after the fourth.

# %%
mailer = """
import json, sys
from kafka import KafkaConsumer
consumer = KafkaConsumer(sys.argv[1], **json.loads(sys.argv[2]))
for done, record in enumerate(consumer, 1):
    print(record.value.decode())
    if done == 4:
        consumer.commit()
"""

# %%
mails = new_topic(kafka, "mails")
for number in range(10):
    producer.send(mails, f"mail {number}")
producer.flush(timeout=10)
own = reading | {"group_id": f"mailers-{run}"}
quick = json.dumps(own | {"session_timeout_ms": 6_000})
process = program.Program(mailer, mails, quick)
sent = [json.loads(line) for line in islice(process, 10)]

# %% [markdown]
# It got ten, and sent them all. Now it is killed by SIGKILL, and a second
# consumer of its group takes over, here in the notebook.
#
# <details><summary>Predict: which mails does it get, and when?</summary>
# The six after the committed offset, which have all been sent already. And
# not at once: nobody said good-bye, so the group keeps the dead member's place
# until its session runs out, up to six seconds after its last heartbeat (45 by
# default). RabbitMQ sees the connection close and hands over at once.
# </details>

# %%
assert process.kill() == -9
with stopwatch() as watch, KafkaConsumer(mails, **own, **as_json) as heir:
    again = [record.value for record in progress(islice(heir, 6), "again", 6)]
    heir.commit()
assert again == sent[4:] and watch.seconds > 2
print(f"{len(again)} mails a second time, after {watch.seconds:.1f} s")

# %% [markdown]
# That is *at least once*. To commit first and send afterwards is *at most
# once*: the same kill would have skipped mails.
#
# ## Lag is the log's end less the committed offset
# It is the first number to watch; one that keeps growing says that the group is
# too slow, or stuck. Thirty more orders come in while *billing* is away.

# %%
moment = int(time() * 1_000)
place(range(60, 90))
group = f"billing-{run}"
parts = [TopicPartition(orders, number) for number in range(3)]
ends = admin.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.LATEST))
places = admin.list_group_offsets({group: parts})[group]
pairs = [(ends[part].offset, places[part].offset) for part in parts]
rows = [(end, done, end - done) for end, done in pairs]
names = ["end", "committed", "lag"]
table(rows, columns=names, caption="Billing in each partition, in records.")
assert sum(lag for *_, lag in rows) == 30

# %% [markdown]
# ## A reader begins where it likes
# An offset is only a number, so to read again is to seek. This consumer takes
# its partitions by `assign`, without a group: from the beginning, then from the
# moment just before the thirty came in.

# %%
with KafkaConsumer(**reading | as_json) as consumer:
    consumer.assign(parts)
    consumer.seek_to_beginning()
    assert len(list(islice(consumer, 90))) == 90
    offsets = consumer.offsets_for_times(dict.fromkeys(parts, moment))
    for part, found in offsets.items():
        consumer.seek(part, found.offset)
    recent = list(islice(consumer, 30))
assert {record.value["order"] for record in recent} == set(range(60, 90))
assert admin.list_group_offsets({group: parts})[group] == places

# %% [markdown]
# Billing's place did not move. To send a whole group back, stop its members
# and use `admin.reset_group_offsets`.
#
# ## A transaction's records count together, or not at all
# A transactional producer writes at once, and a *marker* in each partition says
# afterwards what became of it. Here two transfers; the first is aborted.
#
# <details><summary>Predict: how many records does a consumer see?</summary>
# All four, by default: <code>read_uncommitted</code> is kafka-python's default,
# and Java's. With <code>read_committed</code> two, and nothing beyond the
# oldest open transaction, so that one forgotten holds everybody up until
# <code>transaction_timeout_ms</code>, a minute.
# </details>


# %%
def visible(topic):
    levels = ("read_uncommitted", "read_committed")
    return [len(read_topic(kafka, topic, isolation_level=it)) for it in levels]


ledger = new_topic(kafka, "ledger")
bank = KafkaProducer(**servers, transactional_id=ledger)
bank.init_transactions()
for end in (bank.abort_transaction, bank.commit_transaction):
    bank.begin_transaction()
    bank.send(ledger, b"ann -10")
    bank.send(ledger, b"bob +10").get(timeout=10)
    end()
assert visible(ledger) == [4, 2]

# %% [markdown]
# *Exactly once* is this with the consumer's offset in the same transaction.
# This worker reads mails, writes each to an archive, and sends its offset along.

# %%
archive, here = new_topic(kafka, "archive"), TopicPartition(mails, 0)
archiving = reading | {"group_id": f"archivists-{run}"}


def keep(worker):
    with KafkaConsumer(mails, **archiving) as consumer:
        worker.begin_transaction()
        for record in islice(consumer, 10):
            worker.send(archive, record.value)
        offset = OffsetAndMetadata(consumer.position(here), "", -1)
        group = consumer.group_metadata()
        worker.send_offsets_to_transaction({here: offset}, group)


# %% [markdown]
# The first worker hangs just before its commit. The second has the same
# `transactional_id`: its `init_transactions` aborts what the first left open,
# and shuts the first out, should it come back.

# %%
own = servers | {"transactional_id": archive}
first, second = KafkaProducer(**own), KafkaProducer(**own)
for worker in (first, second):
    worker.init_transactions()
    keep(worker)
    worker.flush(timeout=10)
second.commit_transaction()
with raises(errors.ProducerFencedError):
    first.commit_transaction()
assert visible(archive) == [20, 10]

# %% [markdown]
# Twice in the log, once for whoever reads committed. A mail has no transaction: a
# mailer needs a record of what it has sent.
#
# ## A compacted topic keeps the last record of each key
# Then the log is a table, and may be kept for ever. A record without value, a
# *tombstone*, deletes its key. Only closed segments are compacted, so here they
# close after 100 ms and a clock keeps writing.

# %%
tidy = {"cleanup.policy": "compact", "segment.ms": "100"}
tidy |= {"min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "100"}
stock = new_topic(kafka, "stock", configs=tidy)
plain = KafkaProducer(**servers)
for left in range(100, 0, -1):
    for item in (b"lamp", b"chair", b"sofa"):
        plain.send(stock, b"%d left" % left, key=item)
plain.send(stock, None, key=b"sofa")
plain.flush(timeout=10)


# %%
def compacted():
    plain.send(stock, b"tick", key=b"clock").get(timeout=10)
    found = read_topic(kafka, stock)
    items = [record for record in found if record.key != b"clock"]
    return items if len(items) < 301 else None


kept = wait_for(compacted, "the log is compacted", 60)
rows = [(item.offset, item.key.decode(), str(item.value)) for item in kept]
names = ["offset", "key", "value"]
table(rows, columns=names, caption="What is left of 301 records.")
assert [row[2] for row in rows] == ["b'1 left'", "b'1 left'", "None"]

# %% [markdown]
# Offsets stay what they were. The tombstone stays for a day
# (`delete.retention.ms`), so that slow readers hear of it.
#
# ## Old and new programs read each other if the schema allows it
# A log outlives the programs that write it. Avro reads with two schemas, the
# *writer's* and the *reader's*, and fills in defaults. Three versions of an
# order: the second adds a field, the third removes one.

# %%
ID = {"name": "id", "type": "long"}
NOTE = {"name": "note", "type": "string", "default": "none"}
CURRENCY = {"name": "currency", "type": "string", "default": "EUR"}


def schema(*fields):
    order = {"type": "record", "name": "Order", "fields": fields}
    return fastavro.parse_schema(order)


SCHEMAS = {b"1": schema(ID, NOTE), b"2": schema(ID, NOTE, CURRENCY)}
SCHEMAS[b"3"] = schema(ID, CURRENCY)

# %% [markdown]
# The bytes hold neither names nor types, so a record has to say which schema
# wrote it: in a *header*, here, or in its first bytes.


# %%
def decode(record, reader):
    writer = SCHEMAS[dict(record.headers)["schema"]]
    data = BytesIO(record.value)
    return fastavro.schemaless_reader(data, writer, reader)


order = {"id": 7, "note": "ring", "currency": "USD"}
typed = new_topic(kafka, "typed")
for version, writer in SCHEMAS.items():
    fastavro.schemaless_writer(data := BytesIO(), writer, order)
    header = [("schema", version)]
    plain.send(typed, data.getvalue(), headers=header).get(timeout=10)


# %%
def told(order):
    return ", ".join(f"{name} {order[name]}" for name in sorted(order))


written, rows = read_topic(kafka, typed), []
for record in written:
    found = [decode(record, reader) for reader in SCHEMAS.values()]
    rows.append((len(rows) + 1, *map(told, found)))
names = ["written as", "read as 1", "read as 2", "read as 3"]
table(rows, columns=names, caption="Each version, read by each.")
assert rows[0][2] == "currency EUR, id 7, note ring"
assert rows[2][1] == "id 7, note none"

# %% [markdown]
# A new field without a default is refused. And without its schema's id a record
# is misread in silence: a currency becomes a note.

# %%
total = {"name": "total", "type": "long"}
with raises(fastavro.read.SchemaResolutionError):
    decode(written[0], schema(ID, total))
data, guess = BytesIO(written[2].value), SCHEMAS[b"1"]
misread = fastavro.schemaless_reader(data, guess, guess)
print(misread)
assert misread == {"id": 7, "note": "USD"}

# %% [markdown]
# `SCHEMAS` is our registry. A real one is a service: it gives out the ids, and
# refuses an incompatible version before anybody can write with it.
#
# ## One of three brokers dies, and nothing acknowledged is lost
# Now three brokers, with each partition on all of them. One leads the
# partition: it alone takes writes, and the others copy. Those that keep up are
# *in sync*; with `acks="all"` the leader answers when all of them have the
# record, and refuses while they are fewer than `min.insync.replicas`, here 2.

# %% [markdown]
# A thread sends numbered payments, somewhat under a thousand a second. What
# counts is what the *sender* was told, so it notes each acknowledgement. In the
# midst of it we kill the leader, the worst of the three to lose.
#
# <details><summary>Predict: what does the sender see?</summary>
# A pause. The records in flight fail, and the producer keeps trying. Until
# the controllers have missed the dead broker's heartbeats for long enough,
# there is no other leader; then the backlog goes out at once.
# </details>

# %%
kafka3 = services.require("kafka-3")
cluster = {"bootstrap_servers": kafka3.bootstrap_servers}
payments = new_topic(kafka3, "payments")
payer = KafkaProducer(**cluster, acks="all")
paying = sending.Sending(payer, payments)
paying.wait(2_000)
killed = paying.seconds
kafka3.kill(node=partition_state(kafka3, payments).leader)
paying.wait(6_000)
paying.stop()

# %% [markdown]
# Every number that was acknowledged is now looked for in the log.

# %%
kept = [int(each.value) for each in read_topic(kafka3, payments)]
acked, gap = paying.acknowledged, paying.longest_gap()
lost = len(set(acked) - set(kept))
twice = len(kept) - len(set(kept))
names = ["sent", "acknowledged", "of those lost", "twice", "gap in s"]
row = (paying.sent, len(acked), lost, twice, gap)
table([row], columns=names, caption="Payments while the leader was killed.")
assert lost == 0, "acknowledged, then lost"
assert kept == sorted(set(kept)), "twice, or out of order"

# %%
rate = {"payments": paying.rate()}
drawn = lines(rate, x="seconds", y="acknowledged in 250 ms")
(axes,) = drawn.axes
axes.set_yscale("symlog", linthresh=1)
axes.set_ylim(0, 20_000)
axes.axvline(killed, color="black", ls="--", marker="", label="leader killed")
axes.legend(loc="center")
show(drawn, alt=f"After the kill, no acknowledgement for {gap:.1f} s.")

# %% [markdown]
# None twice, though what was in flight was sent again: the producer is
# *idempotent* by default, which is to say that it numbers its batches, and a
# broker drops what it has already. Most of the pause is
# `broker.session.timeout.ms`, how long the controllers wait for a heartbeat: 9 s
# by default, 4 here.
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
kafka3.start()
vault = new_topic(kafka3, "vault", configs={"min.insync.replicas": "3"})
promises = new_topic(kafka3, "promises")
state = partition_state(kafka3, promises)
payer = KafkaProducer(**cluster, acks=1, enable_idempotence=False)
assert payer.partitions_for(promises) == {0}

# %%
for node in state.followers:
    kafka3.pause(node=node)
for number in range(100):
    payer.send(promises, b"%d" % number).get(timeout=10)
kafka3.kill(node=state.leader)
for node in state.followers:
    kafka3.resume(node=node)
partitions.wait_for_leader(kafka3, promises, among=state.followers)
left = len(read_topic(kafka3, promises))
print(f"100 acknowledged, {left} left")
assert left < 50, "the followers were not frozen in time"

# %% [markdown]
# ## Nobody is asked for a password, and no write waits for the disk
# The brokers listen on this machine's loopback address, and that is all the
# protection there is. And acknowledged means that the replicas *have* the
# record, in the memory of their operating systems. The death of a process does
# not matter then; a power cut that takes all of them does.

# %%
asked = [ConfigResource("topic", orders), ConfigResource("broker", "1")]
found = admin.describe_configs(asked, config_filter="all")
settings = found["topic"][orders] | found["broker"]["1"]
names = ("authorizer.class.name", "listener.security.protocol.map")
for name in (*names, "flush.messages", "flush.ms"):
    print(name, "=", settings[name]["value"] or "none")
assert settings["authorizer.class.name"]["value"] == ""
assert "SSL" not in settings["listener.security.protocol.map"]["value"]
assert int(settings["flush.messages"]["value"]) == 2**63 - 1

# %% [markdown]
# Flushed never, that is: against power cuts, replicas stand in places that do
# not fail together. Against people, production adds TLS, SASL (who is it?) and
# ACLs (what may they do?): `security_protocol="SASL_SSL"`,
# `sasl_mechanism="SCRAM-SHA-512"`, a name and a password.
#
# ## When it breaks
# **Too few replicas.** The dead leader is still away, and *vault* asks for all
# three. This producer does not retry, to show the broker's answer; by default
# it would for two minutes.
#
# **Too large** is refused at once, by the producer, which measures before it
# compresses. The broker measures after.


# %%
partitions.wait_for_in_sync(kafka3, vault, 2)
once = {"retries": 0, "enable_idempotence": False}
hasty = KafkaProducer(**cluster, **once)
with raises(errors.NotEnoughReplicasError) as unsafe:
    hasty.send(vault, b"gold").get(timeout=10)
big = bytes(2_000_000)
with raises(errors.MessageSizeTooLargeError) as too_large:
    plain.send(archive, big)
smaller = {"compression_type": "gzip", "max_request_size": 3_000_000}
with KafkaProducer(**servers, **smaller) as packing:
    packing.send(archive, big).get(timeout=10)

# %% [markdown]
# **No majority.** A second broker dies. Ours are the cluster's controllers,
# too, and one of three may not declare the others out of sync: so it waits, and
# `delivery_timeout_ms` decides. The producer that gave up may hang afterwards;
# make a new one.
#
# <details><summary>Predict: is the record in the log when all are back?</summary>
# It may be. The leader had it, and if it still leads, the others copy it; if
# not, it is cut off. A timeout is not a no.
# </details>

# %%
patience = {"delivery_timeout_ms": 4_000, "request_timeout_ms": 2_000}
patient = KafkaProducer(**cluster, **patience)
patient.send(payments, b"%d" % paying.sent).get(timeout=10)
kafka3.kill(node=min(partition_state(kafka3, payments).followers))
with raises(errors.KafkaTimeoutError) as unknown:
    patient.send(payments, b"-1").get(timeout=20)
kafka3.start()
partitions.wait_for_in_sync(kafka3, vault, 3)
KafkaProducer(**cluster).send(vault, b"gold").get(timeout=10)
log = [int(each.value) for each in read_topic(kafka3, payments)]
print("the record that timed out is there:", -1 in log)
assert log[: len(kept) + 1] == [*kept, paying.sent]

# %% [markdown]
# **A poison record** raises in the deserializer. Nothing was committed, so a
# consumer that is restarted meets it again. (To go on with the same consumer is
# worse: kafka-python 3.0.12 does not return from the next `poll`.)

# %%
inbox, dead = new_topic(kafka, "inbox"), new_topic(kafka, "inbox-dead")
for value in (b'{"order": 1}', b"order 2", b'{"order": 3}'):
    plain.send(inbox, value).get(timeout=10)
own, handled = reading | {"group_id": inbox}, []
for _ in range(2):
    consumer = KafkaConsumer(inbox, **own, **as_json)
    with raises(json.JSONDecodeError) as poison, consumer:
        handled += list(consumer)
assert handled == []

# %% [markdown]
# So take bytes, and decode in the loop. What cannot be read goes to a
# *dead-letter topic*, with the reason in its headers, and the rest goes on.

# %%
with KafkaConsumer(inbox, **own) as consumer:
    for record in islice(consumer, 3):
        try:
            handled.append(json.loads(record.value)["order"])
        except ValueError as error:
            where = [("offset", b"%d" % record.offset)]
            why = [("error", repr(error).encode()), *where]
            plain.send(dead, record.value, headers=why).get(timeout=10)
        consumer.commit()
(letter,) = read_topic(kafka, dead)
print(letter.value, letter.headers)
assert handled == [1, 3] and letter.value == b"order 2"

# %% [markdown]
# **Too slow.** More than `max_poll_interval_ms` (five minutes) from one `poll`
# to the next, and the member is out, whatever its heartbeats say. Its commit
# fails, and the record comes again. That is harmless if its place, or an id of
# the sender's, was stored with the effect.

# %%
slow, done = {"group_id": f"slow-{run}", "max_poll_records": 1}, set()
slow |= {"max_poll_interval_ms": 2_000}
with KafkaConsumer(mails, **reading, **slow) as consumer:
    done.add(next(consumer).offset)
    members.wait_until_empty(kafka, slow["group_id"])
    with raises(errors.CommitFailedError) as too_slow:
        consumer.commit()
    again = next(consumer).offset
assert again in done

# %% [markdown]
# In a sentence each, for whoever is called at night:

# %%
advice = {
    unsafe: "Keep the record, start the dead broker, send it again.",
    too_large: "Compress or split it, or store it and send its address.",
    unknown: "Start the brokers; send again if a repeat is recognised.",
    poison: "Read the dead letter, mend its sender, send it again.",
    too_slow: "Lower max_poll_records, or raise max_poll_interval_ms.",
}
rows = [(type(each.error).__name__, what) for each, what in advice.items()]
table(rows, columns=["error", "what to do"], caption="What each asks for.")
kafka3.stop()

# %% [markdown]
# ## Summary
# - A log is read, not emptied: each group has all of it, and a place of its
#   own, which it may move. Lag is end less committed.
# - The key chooses the partition. Order holds within it, and within a group
#   one consumer reads it.
# - Work, then commit: a crash repeats what was not committed. In a transaction,
#   with `read_committed`, Kafka to Kafka is exactly once.
# - Cooperative and static members keep a rebalance small.
# - Compaction keeps the last of each key; schemas keep old records readable.
# - Replication 3, `min.insync.replicas` 2 and `acks=all`: one broker's death
#   is a pause of seconds, and no acknowledged record was lost.
# - A timeout leaves open whether the record was written.
#
# ## Follow-ups
# <details><summary>Kafka or RabbitMQ?</summary>
# A log where several readers want the same stream, or want it again; a queue
# where each job is to be done once by somebody, with routing, priorities or
# delays. Kafka's answer to the second is <i>share groups</i> (early access in
# 4.0, for production since 4.2): members share a partition's records and
# acknowledge each, without order. kafka-python has none. Evidence:
# <a href="https://kafka.apache.org/42/getting-started/upgrade/">Kafka 4.2</a>.
# </details>
#
# <details><summary>How many partitions?</summary>
# As many as the consumers you will want at the busiest time, with room to
# grow: adding some later moves keys. Each costs files, memory and time when a
# leader changes. Evidence:
# <i>A group shares its partitions out, one reader for each</i>.
# </details>
#
# <details><summary>Can Kafka deliver exactly once?</summary>
# From Kafka to Kafka, yes. To anything else, record there what was done, and
# recognise repeats. Evidence:
# <i>A transaction's records count together, or not at all</i>.
# </details>
#
# <details><summary>Does a Java client put a key where a Python client does?</summary>
# With kafka-python, yes: both take murmur2. librdkafka, and so
# confluent-kafka, takes CRC32 unless told <code>partitioner=murmur2_random</code>.
# Evidence:
# <a href="https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md">librdkafka's
# settings</a>.
# </details>
#
# <details><summary>May an out-of-sync replica become leader?</summary>
# Not unless <code>unclean.leader.election.enable</code> is set: it would lose
# acknowledged records to be available sooner. Evidence:
# <a href="https://kafka.apache.org/documentation/#design_uncleanleader">unclean
# leader election</a>.
# </details>
#
# <details><summary>What happens to acks=all when all but one replica lag?</summary>
# They drop out of the in-sync set, and with fewer than
# <code>min.insync.replicas</code> left the write is refused. Without that
# setting, all would mean one. Evidence: <i>When it breaks</i>.
# </details>
#
# ## Exercises
# **1.** Write a function of two dictionaries, partition → end offset and
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
# **2.** Orders are written with `schema(ID, NOTE)`. Answer with the fields of
# the next version, as a list: without the note, with a `total` in cents (type
# long), so that old programs read new orders, and new programs old ones.
#
# <details><summary>Solution</summary>
# <code>answer = [ID, {"name": "total", "type": "long", "default": 0}]</code>.
# The note may go because the old reader has a default for it.
# </details>

# %%
answer = ...

# %%
exercises.next_version.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Before: [1.3 AMQP](1_3_amqp.ipynb), a queue that is emptied by reading.
# - [Kafka's design](https://kafka.apache.org/documentation/#design): the
#   log, replication, delivery semantics, in its makers' words.
# - [Avro's rules](https://avro.apache.org/docs/1.12.0/specification/#schema-resolution)
#   for reading what another schema wrote.
# - [The log: what every software engineer should
#   know](https://engineering.linkedin.com/distributed-systems/log-what-every-software-engineer-should-know-about-real-time-datas-unifying),
#   by Jay Kreps.

# %%
environment("kafka-python", "fastavro", kafka3)
