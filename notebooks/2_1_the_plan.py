# %% [markdown]
# # 2.1 The plan: one million notifications an hour
# *1 minute · 0.2 GB · services: none*
#
# ## Answer in a minute
# A million an hour is 278 a second: one broker, one worker and one core of Spark
# carry it many times over. The average is not what makes the system. The peak
# does, and the fan-out to devices, and the promise that nothing is lost.
#
# So an asynchronous **API** answers 202 when every in-sync replica has the
# event. **Kafka** takes the peak. **Spark Structured Streaming** joins users and
# preferences and writes finished messages. Asynchronous **workers** send them
# to **Firebase Cloud Messaging**, one request a message, below its quota, with
# retries, dead letters and de-duplication. **Receipts** account for each.
# **Prometheus** watches the lag, **Grafana** draws it, and **Kubernetes** adds
# workers by it, up to the number of partitions: choose that one first.
#
# ## You will
# - **do**: turn the question into numbers; draw the system; drain a backlog;
#   change one requirement at a time and see what it costs.
# - **learn**: which technology does what, in which configuration and why; what
#   FCM allows; what each failure does.
# - **need**: nothing that runs. [1.5](1_5_kafka.ipynb) says what partitions and
#   groups are.

# %%
from dataclasses import replace
from itertools import pairwise

from answerbook.notebook import bars, environment, lines, raises, results
from answerbook.notebook import show, table
from answerbook.notebook.diagrams import diagram
from answerbook.notebook.exercises import q2_1_the_plan as exercises
from answerbook.notify.capacity import Impossible, Rates, Requirements
from answerbook.notify.capacity import drain_seconds, partitions, plan_for

# %% [markdown]
# ## The average is small; the peak is what one builds for
# Requirements come first, with their units. Nobody's million comes evenly: a goal
# in a football match, or a campaign at nine o'clock, brings ten times the average
# within seconds. And one event goes to every device of its user.

# %%
asked = Requirements(
    events_per_hour=1_000_000,
    peak_factor=10,
    devices_per_event=1.3,
    replication=3,
    min_insync=2,
    retention_hours=72,
)

# %% [markdown]
# The other half are rates: what one process does in a second. They are measured,
# by a benchmark that runs this very system (`make bench BENCH=notify`), with the
# load, the broker and the emulator of FCM on the same two cores.

# %%
measured = results("notify")
rates = Rates.of(measured)
machine = measured["machine"]
of_what = {
    "api": "events accepted, in batches of 100",
    "render": "events a core, Spark",
    "deliver": "messages, one worker",
    "track": "receipts into PostgreSQL",
}

# %%
table(
    [(name, getattr(rates, name), what) for name, what in of_what.items()],
    columns=["process", "a second", "of what"],
    caption=f"On {machine['processor']}, {machine['cores']} cores.",
)

# %% [markdown]
# <details><summary>Predict: how much of FCM's quota of 600,000 messages a minute
# does a million events an hour take, on average and at the peak?</summary>
# A million an hour is 16,700 a minute: with 1.3 devices and a few retries, 4 % of
# the quota. At ten times that, 38 %. A peak of thirty times would pass it, and
# wait.
# </details>

# %%
plan = plan_for(asked, rates)
numbers = {
    "events a second, on average": plan.rate,
    "events a second, at the peak": plan.peak_rate,
    "messages to FCM a second, at the peak": plan.peak_notification_rate,
    "share of FCM's quota at the peak, %": 100 * plan.fcm_quota_share,
    "written to Kafka at the peak, MB/s": plan.kafka_bytes / 1e6,
    "kept by Kafka for three days, GB": plan.kafka_stored / 1e9,
    "outcomes of 30 days in PostgreSQL, GB": plan.outcomes_stored / 1e9,
}

# %%
table(
    list(numbers.items()),
    columns=["what", "number"],
    caption="What the question asks for. Kafka's figures count all replicas.",
)
assert 277 < plan.rate < 278 and 0.3 < plan.fcm_quota_share < 0.45

# %% [markdown]
# ## Two processes of each would do, and partitions are the ceiling
# A process is planned to be at most 60 % busy at the peak, and there are at least
# two of each, so that one may die. What comes out is small: the question's rate
# is no large one for any of these parts.

# %%
table(
    [*plan.processes.items(), ("broker", plan.brokers)],
    columns=["program", "how many"],
    caption="Processes of one core each; render's are cores of one Spark job.",
)
print(f"{plan.partitions} partitions a topic, {plan.pods} pods,", end=" ")
print(
    f"about {plan.cost_per_month:,.0f} a month at list prices of a large cloud"
)
assert plan.partitions >= 2 * max(plan.processes.values())

# %% [markdown]
# A consumer group has at most as many working members as its topic has
# partitions. Adding partitions later moves keys to other partitions, and with
# them the order and the place where a worker looks for what was sent already. So
# one begins with several times the consumers of today. A partition costs little:
# some files, and a moment of every failover.

# %%
wanted = [1, 2, 4, 8, 16, 32, 64]
counts = [partitions(consumers, brokers=3) for consumers in wanted]
show(
    lines({"partitions": (wanted, counts)}, x="consumers", y="partitions"),
    alt="Partitions for 1 to 64 consumers on three brokers: always at least "
    "twice as many, in numbers that consumers and brokers share evenly.",
)
assert all(many >= 2 * few for few, many in zip(wanted, counts, strict=True))

# %% [markdown]
# ## Each part does one thing, and a log stands between them
# Squares are programs, round boxes keep something. Between two programs there is
# always something that keeps, so no program waits for another.

# %%
NOTES = "notifications\nhigh · normal"
RENDER, TABLES = "render\n(Spark)", "PostgreSQL\nusers, outcomes"
LATER = "retries by delay\ndead letters"
boxes = {"clients": (0, 0), "ingest API": (1, 0), "events": (2, 0)}
boxes |= {RENDER: (3, 0), NOTES: (4, 0), "deliver × N": (5, 0), "FCM": (6, 0)}
boxes |= {TABLES: (3, 1), "receipts": (4, 1), LATER: (5, 1)}
boxes |= {"track": (3, 2), "audit": (4, 2)}

# %%
way = ["clients", "ingest API", "events", RENDER]
way += [NOTES, "deliver × N", "FCM"]
arrows = [*pairwise(way), (TABLES, RENDER), (RENDER, "receipts")]
arrows += [("deliver × N", "receipts"), ("deliver × N", LATER)]
arrows += [("receipts", "track"), ("track", TABLES), ("receipts", "audit")]

# %%
kept = ["events", NOTES, "receipts", LATER, TABLES]
show(
    diagram(boxes, arrows, stores=kept),
    alt="Clients post to the ingest API, which writes events to Kafka; render "
    "joins them with PostgreSQL and writes notifications; deliver sends them "
    "to FCM; both write receipts, which track and the audit read.",
)
programs = set(boxes) - set(kept) - {"clients", "FCM"}
assert all({one, other} - programs for one, other in arrows)

# %% [markdown]
# | part | technology | configured so, because |
# |---|---|---|
# | door | Starlette on uvicorn, one process a core | it does nothing but check, write and answer; 503 when its bounded buffer is full |
# | log | Kafka, three brokers, replication 3, `min.insync.replicas` 2 | a broker may die while writes go on; `acks=all` waits for two copies (none is an fsync) |
# | keys | user for events, device for notifications | order for one user; a *hot* key (a topic of all users) stays one record, FCM fans it out |
# | bytes | lz4, `linger.ms` 5 | batches cost less than records; 5 ms is nobody's latency |
# | render | Spark Structured Streaming, 0.2 s triggers, tables kept in memory | joins at tens of thousands a second; DStreams, its predecessor, have neither SQL nor checkpoints that survive an upgrade |
# | sending | asyncio, 100 kept connections a worker | FCM takes one message a request, so requests in flight are all there is |
# | state | PostgreSQL | preferences change by transactions, and outcomes are asked for by id |
# | watching | Prometheus and Grafana | every program has `/metrics`; lag is what tells early |
# | scaling | Kubernetes, by lag | a worker's CPU says little when it waits for FCM |
#
# **FCM** as it is today: the batch endpoint and the legacy API are gone. HTTP v1
# takes one message a request, 600,000 a minute for a project; 4,096 bytes, 2,048
# to a topic; a time to live of up to 28 days. *Batching* now means many requests
# at once over connections that stay open, or a topic, whose fan-out is Google's.
# A *collapse key* lets a newer message replace one that the phone has not
# fetched; *high priority* wakes a phone and is for what a person waits for. To a
# single device, 240 messages a minute are the limit.
#
# ## A backlog drains at what is left over
# When a part was away, events waited in Kafka, and new ones come while the old
# are worked off.

# %%
hours = [1, 2, 4, 8, 12, 24]


def minutes(away, arriving):
    waiting = away * asked.events_per_hour
    return drain_seconds(waiting, plan.capacity, arriving) / 60


at_average = [minutes(away, plan.rate) for away in hours]
at_twice = [minutes(away, 2 * plan.rate) for away in hours]

# %%
drained = {"new ones at 278/s": (hours, at_average)}
drained |= {"new ones at 556/s": (hours, at_twice)}
show(
    lines(drained, x="hours away", y="minutes to drain"),
    alt="Minutes to drain a backlog against the hours that delivery was away: "
    "a straight line, a little steeper at twice the rate.",
)
print(f"capacity: {plan.capacity:,.0f} events a second")
assert at_average[0] < 60

# %% [markdown]
# Here `capacity` is that of the slowest part, and with two workers that is often
# FCM's quota: no number of workers sends faster. What helps is to send less: by
# preferences, by topics, and by letting what is old expire.
#
# ## One requirement changed, and what it costs
# Each row changes one number of the question and keeps the others. Prices are round
# figures: 0.04 a core-hour, 0.005 a GB-hour of memory, 0.10 a GB-month of disk.

# %%
changed = {
    "as asked": asked,
    "ten million an hour": replace(asked, events_per_hour=10_000_000),
    "peak of 20 times": replace(asked, peak_factor=20),
    "three devices": replace(asked, devices_per_event=3),
    "kept for 30 days": replace(asked, retention_hours=720),
    "one copy only": replace(asked, replication=1, min_insync=1),
}
plans = {name: plan_for(each, rates) for name, each in changed.items()}

# %%
columns = ["requirement", "pods", "partitions", "Kafka, GB", "cost a month"]
rows = [
    (name, of.pods, of.partitions, of.kafka_stored / 1e9, of.cost_per_month)
    for name, of in plans.items()
]
caption = "Pods count the processes, render's driver and the brokers."
table(rows, columns, caption=caption)
assert plans["kept for 30 days"].kafka_stored > 9 * plan.kafka_stored
assert plans["one copy only"].cost_per_month < plan.cost_per_month

# %%
shares = {name: 100 * of.fcm_quota_share for name, of in plans.items()}
labels = {"x": "% of FCM's quota at the peak", "y": "requirement"}
show(
    bars(shares, **labels, horizontal=True),
    alt="The share of FCM's quota that each plan takes at its peak. Ten "
    "million an hour passes it several times over.",
)
assert shares["ten million an hour"] > 100 > shares["peak of 20 times"]

# %% [markdown]
# Ten million an hour fits into the quota on average and not at its peak. The
# plan still holds: the peak waits in Kafka, and high priority goes first, which
# has a topic of its own.
#
# ## When it breaks
# What cannot be built is said before it is built:

# %%
with raises(Impossible) as beyond:
    plan_for(replace(asked, events_per_hour=50_000_000), rates)
with raises(Impossible) as never:
    plan_for(replace(asked, replication=1, min_insync=2), rates)
with raises(Impossible) as growing:
    drain_seconds(1_000_000, capacity=plan.rate, arriving=plan.rate)

# %% [markdown]
# And what breaks at run time, with what is done about it. Each row is a fault
# that [2.5](2_5_when_things_die.ipynb) injects, or a test of this collection.
#
# | what fails | what happens | what is lost |
# |---|---|---|
# | a broker of three | its partitions get new leaders in some seconds; producers wait | nothing that was answered 202 |
# | two of three | writes stop: the API answers 503 with Retry-After | nothing; callers keep what they have |
# | the API | callers see a cut connection and send again, with the same ids | nothing |
# | Spark | events wait; after the restart some are written twice, with the same ids, and are not sent twice | nothing |
# | a worker | its partitions move; what FCM took in its last moment is sent twice | nothing |
# | PostgreSQL | the door, render and workers go on with what they know; outcomes wait in Kafka | nothing |
# | FCM | workers probe and wait; what expires meanwhile is recorded as expired | nothing |
# | power, on all brokers at once | what no disk had yet | possibly the last moments: Kafka does not fsync each write |
#
# ## Summary
# - 278 a second is the average; ten times that, 1.3 devices and three copies is
#   what one builds.
# - Partitions bound the parallelism. Take several times today's consumers.
# - Between two programs stands something that keeps; each may stop.
# - FCM's quota is the one limit that money does not move quickly.
# - A backlog drains at capacity minus what arrives.
#
# ## Follow-ups
# <details><summary>Why Kafka, and not RabbitMQ?</summary>
# Several readers of one history (render, track, audit), replay after a mistake,
# and order by key. A queue forgets what was acknowledged. Evidence: <i>Each part
# does one thing, and a log stands between them</i>.
# </details>
#
# <details><summary>Why Spark, when a few hundred events a second need no
# cluster?</summary>
# They do not: a consumer in Python would do at this rate. Spark is in the
# question, and it pays when the join grows beyond one machine or the rate beyond
# one process. Evidence: <i>Two processes of each would do, and partitions are
# the ceiling</i>.
# </details>
#
# <details><summary>How many partitions, and may it be changed?</summary>
# At least twice the consumers that a good year needs. More can be added, but keys
# move then. Evidence: <i>Two processes of each would do, and partitions are the
# ceiling</i>.
# </details>
#
# <details><summary>What limits the rate to FCM?</summary>
# The project's quota, and nothing of ours: two workers can send more. Evidence:
# <i>One requirement changed, and what it costs</i>.
# </details>
#
# <details><summary>Delivery was down for a night. When is it level again?</summary>
# Backlog divided by what capacity leaves beyond the new events. Evidence: <i>A
# backlog drains at what is left over</i>.
# </details>
#
# <details><summary>Is 202 a promise that the phone shows it?</summary>
# No. It is one that nothing is dropped without a record. FCM's 200 means that
# Google has it; only the app could tell more. Evidence: <i>When it breaks</i>.
# </details>
#
# ## Exercises
# **1.** A campaign sends one message to each of 40 million devices. How many
# minutes does FCM's default quota take for it, at the least? (A number.)
#
# <details><summary>Solution</summary>
# <code>answer = 40_000_000 / 600_000</code>, a little over an hour. A topic would
# be one message.
# </details>

# %%
answer = ...

# %%
exercises.campaign.check(answer)

# %% [markdown]
# **2.** 5,000 events a second arrive at the peak, and one worker sends 2,000
# messages a second. An event goes to 1.5 devices, and a worker is to be at most
# 60 % busy. How many workers? (A whole number.)
#
# <details><summary>Solution</summary>
# <code>answer = 7</code>: 7,500 messages divided by 1,200, rounded up.
# </details>

# %%
answer = ...

# %%
exercises.workers.check(answer)

# %% [markdown]
# **3.** Write `answer(backlog, capacity, arriving)`: the seconds until a backlog
# is gone, or `None` when it never is.
#
# <details><summary>Solution</summary>
# <pre>def answer(backlog, capacity, arriving):
#     if capacity &lt;= arriving:
#         return None
#     return backlog / (capacity - arriving)</pre>
# </details>

# %%
answer = ...

# %%
exercises.drain.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Next: [2.2 The pipeline](2_2_the_pipeline.ipynb), the system itself, one event at a time
# - [FCM's quotas and limits](https://firebase.google.com/docs/cloud-messaging/throttling-and-quotas)
# - [Kafka's design](https://kafka.apache.org/documentation/#design), and
#   [Structured Streaming's](https://spark.apache.org/docs/latest/streaming/index.html)
# - [Google's SRE book on overload](https://sre.google/sre-book/handling-overload/)

# %%
environment("msgspec", "matplotlib")
