# %% [markdown]
# # 2.2 The pipeline: one event, then ten thousand
# *3 minutes · 1.8 GB · services: the notification system*
#
# ## Answer in a minute
# Cut the work where its speeds differ, and put a log between the parts. The
# *door* answers 202 once Kafka has the event, and does nothing else. Spark takes
# events in micro-batches, joins them with users and preferences, and writes
# finished messages. Workers send those, many at once. Any part may stop; what
# it has not done waits in its topic.
#
# Ids go all the way. The event's comes from the caller, and a notification's is a
# hash of event, user and device, so whatever is done twice is recognised, and
# everybody may simply try again.
#
# Every part leaves a *receipt* for what it finishes. The account is those
# receipts against what the sender saw accepted. If one is missing, something was
# lost, and it has a name.
#
# ## You will
# - **do**: start the system; follow one event through its records; run its
#   Spark query in a cell; send 10,000 events and audit them.
# - **learn**: what each stage promises, what a micro-batch is, where an event
#   waits when a part is away, how to prove that nothing was lost.
# - **need**: [1.5](1_5_kafka.ipynb) for topics, groups and offsets.

# %%
from answerbook import services

services.fetch(["notify"])

# %%
import hashlib
import json
from uuid import uuid4

import requests
from kafka import KafkaProducer

from answerbook.config import NotifySettings
from answerbook.load.events import Events, new_run_id, stamp
from answerbook.load.ledger import path_of
from answerbook.notebook import environment, figure, lines, pipeline, show
from answerbook.notebook import table, wait_for
from answerbook.notebook.exercises import q2_2_the_pipeline as exercises
from answerbook.notebook.spark import Spark, finish
from answerbook.notebook.trail import is_finished, steps, trail
from answerbook.notebook.trail import wait_for_trail
from answerbook.notify import audit, records
from answerbook.notify.render import job

# %% [markdown]
# ## One call starts five programs, a broker and a database
# `require` brings up Kafka and PostgreSQL, makes the topics and 20,000 invented
# users, and starts the programs. They are the ones that an operator deploys:
# each is a process that reads its addresses from its environment.

# %%
system = services.require("notify")
memory = {name: size / 1e6 for name, size in system.memory().items()}
table(
    [(name, round(size)) for name, size in memory.items()],
    columns=["service", "MB"],
    caption="What runs, and the memory that it takes (PSS).",
)
assert sum(memory.values()) < 1_800

# %% [markdown]
# | program | reads | writes |
# |---|---|---|
# | api, the door | HTTP | `events` |
# | render, on Spark | `events`, PostgreSQL | `notifications.high`, `.normal`, `receipts.events` |
# | deliver | `notifications.*` | FCM over HTTP, `receipts.notifications` |
# | track | `receipts.*` | PostgreSQL, for whoever asks |
# | emulator | | what FCM would have accepted |
#
# ## 202 means that Kafka has it
# A caller says whom to tell (a user, or a topic's subscribers), what kind of
# thing happened, and the data that the text needs. Languages and devices are not
# its business. The id is its own: it will need it to try again.

# %%
tag = uuid4().hex[:6]
event = {
    "event_id": f"order-{tag}",
    "user_id": "u000125",
    "kind": "order_shipped",
    "priority": "high",
    "data": {"order": "4711"},
}


# %%
door, url = requests.Session(), f"{system.url}/v1/events"
door.headers["Authorization"] = f"Bearer {system.api_key}"
began = records.now()
answer = door.post(url, json=event, timeout=30)
print(answer.status_code, answer.json())
assert answer.status_code == 202

# %% [markdown]
# The API wrote the event with `acks=all`, and answered when Kafka had
# acknowledged: with three brokers, when every replica in sync had it. That is no
# fsync. The death of a broker takes nothing away; a power cut that hits all
# replicas at once can.
#
# Here is the record. The door has put the key's id before the caller's, so that
# two callers may both have an order 4711, and filled in what was left out.

# %%
found = steps(system.kafka.url, "events", began)
(first,) = [step for step in found if step.key == event["user_id"]]
print(f"partition {first.partition}, offset {first.offset}, key {first.key}")
print(json.dumps(first.value, indent=1))
whole_id = first.value["event_id"]
assert whole_id == f"answerbook/{event['event_id']}"

# %% [markdown]
# What is no event does not get in, and the answer names the field:

# %%
stranger = {"Authorization": "Bearer ab_someone_guessing"}
for change, headers in (({}, stranger), ({"priority": "urgent"}, {})):
    wrong = event | change
    answer = door.post(url, json=wrong, headers=headers, timeout=30)
    told = answer.json()
    print(answer.status_code, told["title"], told.get("errors", ""))
    assert answer.status_code == (422 if change else 401)

# %% [markdown]
# ## Each stage leaves a record of what it did
# By now the event is through. `wait_for_trail` reads every topic until the event
# has a receipt and each notification that this receipt names has one, too.
#
# <details><summary>Predict: u000125 has two devices. How many records has one
# event left in Kafka?</summary>
# Six: the event, its receipt, and two notifications with a receipt each.
# </details>

# %%
servers = system.kafka.url
way = wait_for_trail(servers, whole_id, is_finished, 120, since=began)
rows = []
for step in way:
    at = step.value.get("at") or step.value.get("rendered_at")
    after = (at or first.value["accepted_at"]) - first.value["accepted_at"]
    rows.append((step.topic, step.key, step.value.get("outcome"), after))
names = ["topic", "key", "outcome", "ms after 202"]
table(rows, columns=names, caption="One event's records, topic by topic.")
assert len(way) == 6

# %% [markdown]
# A notification carries FCM's message whole: the title and body in the user's
# language, with her name and the order put in, and the ids as data. From here on
# nobody needs the database.

# %%
made = [step.value for step in way if step.topic == "notifications.high"]
message = made[0]["message"]
shown = message | {"token": message["token"][:12] + "…"}
print(json.dumps(shown, indent=1, ensure_ascii=False))
assert "4711" in message["notification"]["body"]

# %% [markdown]
# The emulator writes down what it accepted, a line for each message, and `track`
# brought both receipts to PostgreSQL, where the door finds them for a caller who
# asks:


# %%
def accepted_by_fcm(event_id):
    text = system.emulator_record.read_text()
    lines = [line for line in text.splitlines() if event_id in line]
    rows = [line.split("\t") for line in lines]
    names = records.EMULATOR_FIELDS
    return [dict(zip(names, row, strict=True)) for row in rows]


# %%
def state_of(event_id):
    answer = door.get(f"{url}/{event_id}", timeout=30)
    return answer.json() if answer.ok else {"state": answer.status_code}


def is_sent(event_id):
    state = state_of(event_id)
    states = [each["state"] for each in state.get("notifications", [])]
    return state if states and set(states) == {"sent"} else None


# %%
at_fcm = accepted_by_fcm(whole_id)
for line in at_fcm:
    print(line["name"], line["notification_id"])
state = wait_for(lambda: is_sent(event["event_id"]), "it is sent", 120)
print(json.dumps(state, indent=1))
assert len(at_fcm) == len(state["notifications"]) == 2

# %% [markdown]
# *Sent* says that FCM accepted the message. Whether a phone showed it, no server
# can know.
#
# ## Whoever repeats an event changes nothing
# A caller whose answer was lost must send the event again. So must Spark, when it
# died in the midst of a micro-batch. It works because nobody draws a number: a
# notification's id is computed.

# %%
for each in made:
    parts = (whole_id, event["user_id"], each["device_id"])
    digest = hashlib.sha256("|".join(parts).encode()).hexdigest()
    print(each["device_id"], digest[:32])
    assert each["notification_id"] == digest[:32]

# %% [markdown]
# Now the same event again.
#
# <details><summary>Predict: who notices?</summary>
# Not the door, which looks nothing up and says 202. Not Spark, which makes the
# same two notifications once more. The worker does: it remembers the ids that it
# has sent, and rebuilds that memory from the receipts when it takes over a
# partition.
# </details>

# %%
assert door.post(url, json=event, timeout=30).status_code == 202
pipeline.settle(system)
again = trail(servers, whole_id, since=began)
for topic in ("events", "notifications.high"):
    print(topic, sum(step.topic == topic for step in again))
ids = {step.value.get("notification_id") for step in again} - {None}
print("different ids:", len(ids), "· messages at FCM:", end=" ")
print(len(accepted_by_fcm(whole_id)))
assert len(ids) == len(accepted_by_fcm(whole_id)) == 2

# %% [markdown]
# ## A stopped stage holds nobody up: events wait in its topic
# We stop render, and post 2,000 events. `lag` is the end of the log less what
# the reader's group has committed. Spark itself keeps its offsets in a checkpoint
# and commits none, so render commits them beside it, to be seen.

# %%
system.render.stop()
moment, run_id = records.now(), new_run_id("waiting")
some = Events(run_id, users=20_000)
headers = {"Content-Type": "application/json", "X-Run-Id": run_id}
for start in range(0, 2_000, 500):
    body = some.batch(range(start, start + 500), stamp(records.now()))
    answer = door.post(url, data=body, headers=headers, timeout=30)
    assert answer.json()["accepted"] == 500
waiting = system.lag()["events"]
print(f"{waiting:,} events wait for render")
assert waiting == 2_000

# %% [markdown]
# ## To Spark, a log is a table that grows
# Render is away, so we take its place: a Spark in this kernel, with a heap of
# 320 MB, and the users from PostgreSQL in its memory. First the log as it stands,
# as a table: parse the JSON, join, count.

# %%
spark = Spark(system)
people, templates = spark.tables.people, spark.tables.templates
source = {
    "kafka.bootstrap.servers": servers,
    "subscribe": "events",
    "startingTimestamp": str(moment),
    "startingOffsetsByTimestampStrategy": "latest",
}
log = spark.session.read.format("kafka").options(**source).load()
log.printSchema()

# %%
schema = "user_id STRING, topic STRING, kind STRING, priority STRING"
event_of = f"from_json(CAST(value AS STRING), '{schema}') AS event"
found = (
    log.selectExpr(event_of).select("event.*")
    .join(people.select("user_id", "language", "off"), "user_id", "left")
    .groupBy("language").count()
    .orderBy("count", ascending=False).collect()
)  # fmt: skip
rows = [(row.language or "to a topic", row["count"]) for row in found]
table(rows, columns=["language", "events"], caption="Who is to be told.")
assert sum(count for _, count in rows) == 2_000

# %% [markdown]
# ## A stream is the same query, slice by slice
# `readStream` in place of `read`, and Spark runs the query on one *micro-batch*
# after the other. `foreachBatch` hands each over as an ordinary data frame. Ours
# only counts, with the function of the real render, `judged`: it parses an event,
# joins its user and its template, and decides.


# %%
outcomes = []


def count(batch, number):
    judged = job.judged(batch, people, templates)
    found = judged.groupBy("outcome").count().collect()
    outcomes.append({row.outcome: row["count"] for row in found})


# %% [markdown]
# Three settings make it a service. The *trigger* says when a batch begins:
# render's every 200 ms; `availableNow` works off what is there and ends.
# `maxOffsetsPerTrigger` cuts a backlog into slices that fit in memory. And the
# *checkpoint* is a folder in which Spark notes a batch's offsets before it begins
# and a second mark when it is done.
#
# <details><summary>Predict: 2,000 events in slices of 250. Which takes
# longest?</summary>
# The first: Spark plans the query, compiles code for it, and the JVM has yet to
# find out which of it is worth compiling well.
# </details>


# %%
def work_off():
    stream = spark.session.readStream.format("kafka").options(**source)
    slices = stream.option("maxOffsetsPerTrigger", 250).load()
    to = slices.writeStream.foreachBatch(count)
    kept = to.option("checkpointLocation", spark.checkpoint("count"))
    return finish(kept.trigger(availableNow=True).start())


batches = work_off()
total = {
    word: sum(each.get(word, 0) for each in outcomes) for word in job.OUTCOMES
}
print(len(batches), "micro-batches:", total)
assert sum(total.values()) == 2_000

# %%
numbers = [batch["batchId"] for batch in batches]
seconds = [batch["batchDuration"] / 1_000 for batch in batches]
drawn, (above, below) = figure(rows=2, height=4.2)
above.bar(numbers, [batch["numInputRows"] for batch in batches])
below.bar(numbers, seconds, color="#D55E00", hatch="///", edgecolor="w")
above.set(xlabel="micro-batch", ylabel="rows")
below.set(xlabel="micro-batch", ylabel="seconds")
slow, fast = seconds[0], min(seconds)
show(drawn, alt=f"The first slice took {slow:.1f} s, the quickest {fast:.1f}.")
assert slow > fast

# %% [markdown]
# What divides badly makes one more slice of a few rows, which takes far more than
# its share of the time: a batch costs a fixed part, planning and two notes in the
# checkpoint, besides what each row costs. Under load the batches grow until they
# take what arrives meanwhile; so throughput rises with the backlog, and latency
# with it.
#
# ## A restarted query goes on where its checkpoint says
# Two more events come in: one that says it happened in 2099, and one of 1999. Then
# the same query again, with the same checkpoint.
#
# <details><summary>Predict: how many rows does it read?</summary>
# Two. It is a new query to Spark, but the folder tells it where the last one
# ended, and the starting offsets of the options do not count any more. A batch
# that was noted and not marked as done would be run again, with the same
# offsets: at least once, which is why ids are computed.
# </details>

# %%
for year in (2099, 1999):
    odd = {
        "event_id": f"{year}-{tag}",
        "occurred_at": f"{year}-12-31T00:00:00Z",
    }
    assert door.post(url, json=event | odd, timeout=30).status_code == 202
outcomes.clear()
(more,) = work_off()
rows = more["numInputRows"]
print("micro-batch", more["batchId"], "·", rows, "rows ·", outcomes)
assert rows == 2 and more["batchId"] == len(batches)
assert outcomes == [{"expanded": 2}] and more["stateOperators"] == []

# %% [markdown]
# Both count. A *watermark* on `occurred_at` follows the latest time seen, and what
# is older by more than its delay is thrown away without a word: one event of 2099
# would have been the end of all others. It bounds what
# windows and joins of streams must remember; this query remembers nothing, so it
# has none.
#
# Our query committed nothing and wrote nothing. To render, all of it still waits.

# %%
spark.stop()
waiting = system.lag()["events"]
system.render.start()
pipeline.settle(system)
left = system.lag()["events"]
print(f"{waiting:,} waited, {left} wait now")
assert waiting == 2_002 and left == 0
assert is_sent(f"2099-{tag}") and is_sent(f"1999-{tag}")

# %% [markdown]
# ## Ten thousand events wait where the work is slowest
# A program beside the kernel sends 10,000 events as fast as the door takes them.
# It writes each id that was answered 202 to a *ledger*, on disk with fsync: that
# is what was promised. Meanwhile we look at the lags, on a scale that shows few
# beside many.
#
# <details><summary>Predict: which topic will have the longest queue?</summary>
# <code>events</code>, mostly: the door only has to write records, while a
# micro-batch must end before its offsets are committed. Its steps are the
# micro-batches. Where the workers get less of the machine than Spark does, it is
# <code>notifications</code>: a queue shows who is slower, not who is wrong.
# </details>

# %%
with pipeline.start(system, 10_000) as run:
    samples = pipeline.watch(run)
sent, run_id = run.totals, run.plan.run_id
print(f"{sent.accepted:,} accepted in {sent.seconds:.1f} s,", end=" ")
print(f"all done after {run.seconds:.1f} s")
assert sent.accepted == 10_000

# %%
waves = pipeline.as_lines(samples)
drawn = lines(waves, x="seconds", y="records that wait")
(axes,) = drawn.axes
axes.set_yscale("symlog", linthresh=10)
most = {name: max(waits) for name, (_, waits) in waves.items()}
peaks = ", ".join(f"{name} {peak:,}" for name, peak in most.items())
show(drawn, alt=f"Events fall in steps, one a micro-batch. At most: {peaks}.")
assert all(waits[-1] == 0 for _, waits in waves.values())
assert most["events"] > 278, "more than a second's worth at a million an hour"

# %% [markdown]
# ## The audit balances, and can fail
# No lag does not mean no loss. The audit takes the ledger, not Kafka, as what was
# promised, and balances twice: each event ends expanded, suppressed, expired or
# dead; each notification ends sent, suppressed, expired or dead, and what is sent
# stands in FCM's own record. In a shell it is `answerbook notify audit RUN`.

# %%
settings = NotifySettings(kafka=servers)
ledger = path_of(system.ledger_folder, run_id)
report = audit.run(settings, run_id, ledger, system.emulator_record)
table(
    pipeline.balance(report),
    columns=["", "events", "notifications", "at FCM"],
    caption=report.summary,
)
assert report.balanced and report.events.accepted == 10_000

# %% [markdown]
# Why were some not sent? Their receipts say. It is night somewhere: what is not of
# high priority is suppressed there, and not kept for the morning.

# %%
receipts = steps(servers, "receipts.events", began)
why = pipeline.reasons(receipts, run_id)
table(why, columns=["outcome", "reason", "events"], caption="The receipts.")
assert sum(count for *_, count in why) >= 10_000

# %% [markdown]
# An audit that cannot fail proves nothing. We forge the ledger: one more promise,
# which nobody has kept.

# %%
forged = ledger.with_name(f"forged-{tag}.ledger")
forged.write_text(ledger.read_text() + f"answerbook/lost-{tag}\t0\n")
told = audit.run(settings, run_id, forged, system.emulator_record)
forged.unlink()
(failure,) = [each for each in told.findings if each.fails]
print(f"{failure.total} {failure.says}: {failure.ids}")
assert not told.balanced and failure.ids == [f"answerbook/lost-{tag}"]

# %% [markdown]
# ## When it breaks
# **A record that is no event.** The door lets none through, but the topic is open
# to every program that may write to it. We write two past the door: one is no
# JSON, one is of a version that does not exist yet. A good event follows.
#
# <details><summary>Predict: where does the pipeline stop?</summary>
# Nowhere. A record that ended the query would end it again after each restart, for
# ever: a poison pill. Here whatever cannot be read is a row with an outcome.
# </details>

# %%
moment = records.now()
newer = {"version": 2, "run_id": "later", "event_id": f"newer-{tag}"}
with KafkaProducer(bootstrap_servers=servers) as producer:
    for value in (b'{"event_id": ', json.dumps(newer).encode()):
        producer.send("events", value).get(timeout=30)
good = event | {"event_id": f"good-{tag}"}
assert door.post(url, json=good, timeout=30).status_code == 202
assert wait_for(lambda: is_sent(good["event_id"]), "it is sent", 120)
pipeline.settle(system)

# %%
letters = [each.value for each in steps(servers, "dead-letters", moment)]
rows = []
for it in letters:
    place = f"{it['source_partition']}/{it['source_offset']}"
    detail, payload = it.get("detail", ""), it["payload"]
    rows.append((it["reason"], detail[:38], place, payload[:24]))
names = ["reason", "detail", "partition/offset", "payload"]
table(rows, columns=names, caption="Dead letters: whole, with the reason.")
reasons = {row[0] for row in rows}
assert reasons == {"malformed", "unsupported_version"}

# %% [markdown]
# **An event that nobody wants.** This user switched news off. That is no error,
# and no silence either: whoever asks is told why nothing came.


# %%
def is_decided(event_id):
    state = state_of(event_id)
    return state if state["state"] not in (404, "accepted") else None


news = {"event_id": f"news-{tag}", "user_id": "u000125", "kind": "news"}
assert door.post(url, json=news, timeout=30).status_code == 202
state = wait_for(lambda: is_decided(news["event_id"]), "it is decided", 120)
print(state["state"], "·", state["reason"], "·", state["notifications"])
assert (state["state"], state["reason"]) == ("suppressed", "preference")

# %% [markdown]
# ## Summary
# | stage | promises | when it is away |
# |---|---|---|
# | door | 202: every replica in sync has the event | callers get an error and try again |
# | render | each event ends with a receipt, at least once | events wait; it goes on from its checkpoint |
# | deliver | each notification ends with a receipt; none is knowingly sent twice | notifications wait |
# | track | receipts are told to whoever asks | receipts wait; nothing else does |
#
# - A micro-batch has a fixed cost and one per row: it grows until it keeps up.
# - Computed ids make every repetition harmless.
# - What was promised stands in the sender's ledger; the audit holds everything
#   else against it, and names what is missing.
#
# ## Follow-ups
# <details><summary>Why does the door not simply call FCM?</summary>
# Then a caller waits for PostgreSQL, for a template and for Google, and gets
# their errors. With the log between, it waits for one write, and a burst becomes
# lag in place of failures. Evidence: <i>Ten thousand events wait where the work is
# slowest</i>.
# </details>
#
# <details><summary>Why Spark, and not a plain consumer?</summary>
# For the join and the text alone, a consumer would do. Spark brings columnar
# execution, one query for a backlog and for a trickle, offsets and retries, and
# the same job on a cluster. The price is a JVM of some hundred MB and a latency
# of one micro-batch. Evidence: <i>A stream is the same query, slice by slice</i>.
# </details>
#
# <details><summary>Is this exactly once?</summary>
# No. Spark's Kafka sink is at least once, and FCM has no idempotency key. Computed
# ids and a worker that remembers them make repetitions invisible, but for a crash
# between FCM's answer and the receipt. Evidence: <i>Whoever repeats an event
# changes nothing</i>.
# </details>
#
# <details><summary>How do you see that render is too slow?</summary>
# By its lag, which a monitor reads from a consumer group. Spark commits to none, so
# render does it after each batch; the checkpoint remains what counts. Evidence:
# <i>A stopped stage holds nobody up: events wait in its topic</i>.
# </details>
#
# <details><summary>How fresh are the preferences?</summary>
# At most half a minute old: that often, beside its batches, Spark asks whether
# anything changed, and reads the tables again if so. If PostgreSQL is away, it uses
# what it has. Evidence: <i>To Spark, a log is a table
# that grows</i>, where they were read once.
# </details>
#
# <details><summary>Why is the ledger the sender's, and not what stands in
# Kafka?</summary>
# Because an event that Kafka lost is in neither Kafka nor any receipt: the books
# would balance. Only whoever got the 202 knows of it. Evidence: <i>The audit
# balances, and can fail</i>.
# </details>
#
# ## Exercises
# **1.** A micro-batch takes 0.3 s, and 1 s more for each 20,000 events in it. 5,000
# events arrive a second. How many events has a batch, once it has settled?

# %%
answer = ...

# %%
exercises.settled_batch.check(answer)

# %% [markdown]
# <details><summary>Solution</summary>
# A batch of n events takes 0.3 + n/20,000 seconds, in which 5,000 times as many
# arrive: n = 1,500 + n/4, so n = 2,000. At 20,000 a second there is no such n, and
# the lag grows.
# </details>
#
# **2.** Write `notification_id(event_id, user_id, device_id, attempt)`, which
# gives an id to the notification that is now sent for the attempt-th time.

# %%
answer = ...

# %%
exercises.notification_id.check(answer)

# %% [markdown]
# <details><summary>Solution</summary>
# <code>lambda event_id, user_id, device_id, attempt: hashlib.sha256(
# f"{event_id}|{user_id}|{device_id}".encode()).hexdigest()[:32]</code>. The attempt
# must not matter, the device must.
# </details>
#
# **3.** Write `lost(promised, ended)`: both are lists of event ids, the ledger's and
# the receipts'. Return those that were promised and have not ended, as a set.

# %%
answer = ...

# %%
exercises.lost.check(answer)

# %% [markdown]
# <details><summary>Solution</summary>
# <code>lambda promised, ended: set(promised) - set(ended)</code>. Counts do not do:
# one lost and one done twice are as many as were promised.
# </details>
#
# ## Next, and further reading
# - Next: [2.3 Delivery](2_3_delivery.ipynb), the way from here to FCM.
# - [2.1 The plan](2_1_the_plan.ipynb) has the numbers behind partitions, heaps
#   and workers.
# - Spark, [Structured Streaming programming guide](https://spark.apache.org/docs/latest/streaming/index.html)
#   and its [Kafka integration](https://spark.apache.org/docs/latest/streaming/structured-streaming-kafka-integration.html).
# - Jay Kreps, [The Log: what every software engineer should know](https://engineering.linkedin.com/distributed-systems/log-what-every-software-engineer-should-know-about-real-time-datas-unifying).

# %%
environment(
    "pyspark", "kafka-python", "requests", system.kafka, system.postgres
)
