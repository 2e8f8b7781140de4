# %% [markdown]
# # 2.4 A million an hour
# *3 minutes · 1.8 GB · services: the notification system*
#
# ## Answer in a minute
# A million an hour is 278 a second. That a system keeps up is shown by three
# things. *An honest load*: requests are due at times that no answer moves, and
# latency counts from when one was due. Callers that wait for each answer slow
# down with the server, and so leave out the very seconds in which nothing
# worked (*coordinated omission*). *The right numbers*: percentiles, not
# averages, and the lag of every stage, because a 202 says only that Kafka has
# the event. *An account*: what the sender saw accepted, held against what
# became of each event, up to FCM's answer.
#
# A spike beyond the pipeline's rate waits in Kafka and drains; a growing lag
# means more partitions and workers. Past its key's rate a caller gets
# 429 with `Retry-After`. Sending without a pause finds the most that the system
# takes: on two cores, many times the question's rate.
#
# ## You will
# - **do**: load the running system from a cell, at the question's rate, with a
#   spike, and as fast as it goes; freeze its door; account for every event.
# - **learn**: what an open load model sees that a closed one hides, where a
#   backlog stands, and which numbers to ask of a load test.
# - **need**: nothing but this notebook; [2.1](2_1_the_plan.ipynb) explains the
#   system.

# %%
from answerbook import services

services.fetch(["notify"])

# %%
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import perf_counter
from uuid import uuid4

import httpx
import numpy as np

from answerbook.config import Settings
from answerbook.load.shapes import RATE, shape
from answerbook.million import audit
from answerbook.notebook import backlog, environment, load, million, results
from answerbook.notebook import show, stopwatch, table, wait_for
from answerbook.notebook.benchmarks import notify_rows
from answerbook.notebook.exercises import q2_4_a_million_an_hour as exercises
from answerbook.notebook.load_figures import stages, timeline
from answerbook.notify.store.keys import create_key

# %% [markdown]
# ## At 278 a second the door answers at once, and every lag is worked off
# Locust makes the load, in a process of its own: its patches of the standard
# library would hang this kernel. Each of its users takes the next request that
# is due and posts one event. Every answer 202 goes into a *ledger* on disk
# before it counts. A warm-up of four seconds, at four times the rate, comes
# first, since a JVM that rendered little is slow.
#
# Meanwhile a thread asks Kafka for the *lag* of each stage: how many records
# its consumer group has not committed.
#
# <details><summary>Predict: Kafka answers in milliseconds. Is the lag zero, then,
# while events come in?</summary>
# No. Render works in micro-batches and commits after each, so what came in
# since the last commit always waits. At a steady rate the lag has a level: rate
# × time in the stage. What must not happen is that it keeps growing.
# </details>

# %%
system = services.require("notify")
door = {"url": system.url, "key": system.api_key}
door |= {"ledger": system.ledger_folder}
warm_up = load.run("steady", **door, seconds=4, rate=4 * RATE)

# %%
with backlog.watch(system) as waiting:
    waiting.until_empty()
    steady = load.run("steady", **door, seconds=45)
    behind = waiting.until_empty()
whole = steady.attrs["whole"]
print(f"{whole.accepted:,} of {45 * RATE:,.0f} events accepted,")
print(f"the last worked off after {behind:.1f} s; what was due began")
print(f"at most {steady.late.max() * 1e3:.0f} ms late")
assert whole.errors == 0 and whole.accepted >= int(45 * RATE)
assert not any(waiting.samples[-1][1].values())

# %%
drawn = timeline(steady, waiting.frame(steady.attrs["began"]))
show(
    drawn,
    alt="A steady 278 events a second: how long the API took in each "
    "second, and the records that waited for each stage, none at the end.",
)

# %% [markdown]
# The peaks of p99 are seconds in which somebody else had the processor: here
# the load generator, the brokers, Spark, the workers and FCM's emulator share
# this machine's cores.
#
# Percentiles are of *all* requests, and cannot be averaged. The slowest hundredth
# lies in a few bad seconds, and a mean over all seconds spreads it thin.

# %%
means = {name: steady[name].mean() for name in ("p50", "p95", "p99")}
rows = [
    (name, f"{getattr(whole, name) * 1e3:.1f}", f"{mean * 1e3:.1f}")
    for name, mean in means.items()
]
columns = ["", "of all requests, ms", "mean of the seconds', ms"]
table(rows, columns=columns, caption="Until the API's 202, at 278/s.")
assert whole.p50 <= whole.p95 <= whole.p99 <= whole.most

# %% [markdown]
# ## The audit finds each event again, and FCM's answer
# A 202 promises that the event will not be lost. The audit takes the ledger,
# the receipts that render and the workers wrote, the dead letters, and what
# FCM's emulator says it accepted, and holds them against each other. It also
# has the latency that a user would notice: from the door to FCM's answer.

# %%
report = audit(system, whole.run_id)
events, sent = report.events, report.notifications
print(report.summary)
assert report.balanced and events.no_outcome == sent.pending == 0
ended = (events.expanded, events.suppressed, events.expired, events.dead)
assert sum(ended) == events.accepted == whole.accepted

# %%
rows = [
    (each.stage, *(round(it) for it in (each.p50, each.p95, each.p99)))
    for each in report.latency
]
columns = ["from → to", "p50, ms", "p95, ms", "p99, ms"]
table(rows, columns=columns, caption="On the way to FCM, at 278/s.")
door_to_fcm = report.latency[-1]
assert door_to_fcm.p50 / 1e3 > whole.p99

# %% [markdown]
# Most of it is render's micro-batch: an event waits for the batch before
# it, and then for its own. Percentiles of stages do not add up, either: the
# slowest in one stage need not be the slowest in the next.
#
# ## A spike waits in Kafka, not at the door
# Ten times the rate for four seconds. A request holds ten events here, as
# clients with much to send do, so that the load generator takes little of the
# cores it shares.
#
# <details><summary>Predict: what does the spike cost the callers?</summary>
# Little. The door only writes to Kafka, and Kafka's log takes far more than
# this. The price is paid behind it: records wait for render, then for FCM, and
# their notifications come later. A queue between two stages turns an overload
# into a delay, as long as it ends.
# </details>

# %%
spike = shape("spike", 16)
with backlog.watch(system) as waiting:
    spiky = load.run("spike", **door, seconds=16, batch=10)
    waiting.until_empty()
print("the most that waited:", waiting.most)
spiked = spiky.attrs["whole"]
print(f"{spiked.accepted:,} accepted, p99 {spiked.p99 * 1e3:.0f} ms")
assert spiky.rate.max() > 5 * RATE and waiting.most["for render"] > RATE
assert spiked.errors == 0 and spiked.accepted > 48 * RATE
assert audit(system, spiked.run_id).balanced

# %%
drawn = timeline(spiky, waiting.frame(spiky.attrs["began"]))
begins, ends = spike.spike
for axes in drawn.axes:
    axes.axvspan(begins, ends, color="#000000", alpha=0.08)
show(
    drawn,
    alt="A spike of ten times the rate, shaded: what it brought waits for "
    "render, for FCM and for the store, and is gone soon after.",
)

# %% [markdown]
# ## Latency counts from when a request was due
# Two ways to ask for load. In an *open* model requests come when they come: a
# million people do not wait for each other. In a *closed* one a fixed number
# of callers each send, wait for the answer, and only then send again. Most
# load tests are closed without saying so.
#
# We freeze the API for three seconds (SIGSTOP) and measure it in both ways at
# once: Locust at 100 requests a second from the times at which they are due,
# and two closed callers, each with a stopwatch around its request.
#
# <details><summary>Predict: what does each say of p99?</summary>
# Open: nearly three seconds. Some 300 of 1,200 requests were due in the freeze,
# and waited for what was left of it. Closed: milliseconds. Each of the two
# callers has one slow request among hundreds; what they would have sent
# meanwhile was never sent and counts nowhere.
# </details>

# %%
key = {"Authorization": f"Bearer {system.api_key}"}
client = httpx.Client(base_url=system.url, trust_env=False, timeout=60)
news = {"topic": "news", "kind": "news"}
news |= {"data": {"headline": "Frozen", "summary": "A door that froze"}}
over = Event()


def closed_caller(headers):
    measured = []
    while not over.wait(0.01):
        began = perf_counter()
        client.post("/v1/events", json=news, headers=headers)
        measured.append(perf_counter() - began)
    return measured


# %%
def freeze(second):
    if second.second == 2:
        system.api.pause()
    if second.second == 5:
        system.api.resume()


with ThreadPoolExecutor(2) as pool:
    callers = [pool.submit(closed_caller, key) for _ in range(2)]
    options = {"seconds": 12, "rate": 100, "each_second": freeze}
    frozen = load.run("steady", **door, **options)
    over.set()
closed = np.concatenate([caller.result() for caller in callers])

# %%
honest = frozen.attrs["whole"]
shares = np.percentile(closed, (50, 99, 100))
rows = [
    ("open", honest.requests, honest.p50, honest.p99, honest.most),
    ("closed", len(closed), *(float(share) for share in shares)),
]
columns = ["model", "requests", "p50, s", "p99, s", "most, s"]
table(rows, columns=columns, caption="The same freeze, measured twice.")
assert honest.p99 > 1 and honest.p99 > 2 * shares[1]
assert (closed > 1).sum() < 0.01 * len(closed)

# %% [markdown]
# Both are right about what they sent. Only the first says what happens to
# people who come when they like. A load test that reports a *most* far above
# its p99, and no percentile near it, deserves this question.
#
# ## As fast as the system takes them, none is lost
# Now the whole million, without a pause: this is `answerbook notify million`. Its sender posts 250
# events at a time, and finds its own pace as TCP does: one more request under
# way while all goes well, half as many when the API says *later*. In the study
# profile 10,000 events are enough to see the rate; with
# `ANSWERBOOK_PROFILE=full`, as on this page, it is the million.

# %%
full = Settings.load().profile == "full"
run = million.run(system, 1_000_000 if full else 10_000)
print(run.outcome.summary(run.report))
assert run.report.balanced and run.report.events.no_outcome == 0
assert run.report.events.accepted == run.outcome.totals.accepted
assert run.outcome.rate > RATE

# %%
show(
    stages(run.seconds),
    alt="Events accepted and rendered, and notifications sent, over time: the "
    "API takes all of them first, and the later stages follow at their rates.",
)

# %% [markdown]
# The gap between two lines is what waits between two stages. Where a line is
# the flattest, there is the bottleneck: that stage wants more partitions and
# workers, no other.
#
# ## When it breaks
# **Past a key's rate** the API answers 429, and says in `Retry-After` when to
# come back. A key has a bucket of tokens: a second's worth, and never less than
# the largest batch, a thousand. This key may send 500 events a second, so its
# first thousand empties the bucket. A polite client then waits as long as it is
# told to; ours asks again and again, to see when it is let in.

# %%
with system.postgres.connect() as connection:
    slow = create_key(connection, f"slow-{uuid4().hex[:8]}", 500)
slow = {"Authorization": f"Bearer {slow}"}


def post(events):
    return client.post("/v1/events", json=events, headers=slow)


known = wait_for(lambda: post([news]).status_code == 202, "it is known", 60)

# %%
answers = [post([news] * 999) for _ in range(4)]
refused = next(each for each in answers if each.status_code == 429)
seconds = int(refused.headers["Retry-After"])
print(refused.json()["detail"], f"Come back in {seconds} s.")
assert answers[0].status_code == 202 and seconds >= 1
with stopwatch() as watch:
    batch = [news] * 999
    wait_for(lambda: post(batch).status_code == 202, "its tokens", 60)
print(f"let in again after {watch.seconds:.1f} s")

# %% [markdown]
# **Too fast for the pipeline.** Here the workers that send to FCM are frozen,
# which is the extreme of being too slow. The door goes on as if nothing had
# happened: its latency is the wrong number to watch. The lag of what is to be
# sent says it at once, and which stage it is.
#
# <details><summary>Predict: what becomes of these events?</summary>
# They wait in Kafka, for as long as their retention and the time to live of
# each allow, and are sent when the workers are back. How long that takes is the
# backlog divided by what the stage can do beyond what goes on coming in.
# </details>

# %%
with backlog.watch(system) as waiting:
    waiting.until_empty()
    system.deliver.pause()
    unaware = load.run("steady", **door, seconds=6).attrs["whole"]
    wait_for(lambda: waiting.most["for FCM"] > 1_000, "a backlog", 120)
    system.deliver.resume()
    waiting.until_empty()
assert unaware.errors == 0

# %%
late = audit(system, unaware.run_id)
sending, frozen_sending = report.latency[1], late.latency[1]
rows = [
    ("at work", f"{whole.p50:.3f}", sending.p50 / 1e3),
    ("frozen", f"{unaware.p50:.3f}", frozen_sending.p50 / 1e3),
]
columns = ["workers", "until 202, p50, s", "rendered → FCM's answer, p50, s"]
table(rows, columns=columns, caption="What the door does not say.")
print("the most that waited:", waiting.most)
assert late.balanced and frozen_sending.p50 / 1e3 > 2 * unaware.p50

# %% [markdown]
# ## Summary
# - A million an hour is 278/s; at that rate every lag is worked off, and the
#   audit finds every event again.
# - Latency counts from when a request was due. A closed load test leaves out
#   what it did not send while the server stood still.
# - A 202 says that Kafka has the event. Watch lag, stage by stage, and the time
#   to FCM's answer.
# - A spike becomes a delay; a lag that keeps growing becomes a loss, when
#   retention or a time to live is over.
# - A rate for each key keeps one caller from taking everybody's place.
#
# What `make bench BENCH=notify` measured on two cores, the whole million in the
# full profile included:

# %%
try:
    rows = notify_rows(results("notify"))
except FileNotFoundError:
    print("Not measured yet; `make bench BENCH=notify` does it.")
else:
    columns = ["what", "measured", "goal", "reached"]
    table(rows, columns=columns, caption="The notification system, 2 cores.")

# %% [markdown]
# ## Follow-ups
# <details><summary>Why not simply correct a closed test afterwards?</summary>
# One can: for each answer that took longer than the interval between requests,
# add those that should have been sent meanwhile, as HdrHistogram does. It
# guesses what the server would have done with them; an open test measures it.
# Evidence: the first exercise, and <i>Latency counts from when a request was
# due</i>.
# </details>
#
# <details><summary>How do you know that the load generator is not the
# bottleneck?</summary>
# It says so itself: the column <code>late</code> holds how long after its time a
# request was taken up. If that is not small, the latencies are the generator's
# own, and it needs a machine of its own, or several. Evidence:
# <i>At 278 a second the door answers at once, and every lag is worked off</i>: it is
# <code>steady.late.max()</code>.
# </details>
#
# <details><summary>Is an open model always the right one?</summary>
# No. Where a fixed number of callers really wait (a pool of workers, a batch
# job), a closed one is the truth. The sender of the million is closed: it asks
# how much the system takes, not how long a caller waits. Evidence:
# <a href="https://www.usenix.org/legacy/event/nsdi06/tech/schroeder.html">Open
# versus closed: a cautionary tale</a>.
# </details>
#
# <details><summary>How many requests wait at once?</summary>
# By Little's law, rate × latency: at 278/s and 10 ms, three. That is also how
# many connections a client needs; and in a freeze of three seconds it is over
# 800. Evidence: the column <code>waiting</code> of <code>frozen</code>, in
# <i>Latency counts from when a request was due</i>.
# </details>
#
# <details><summary>How long may the backlog get?</summary>
# As long as it is gone before retention and the events' time to live are: both
# are times, so divide by the rate at which it drains. Then ask when the last
# notification is still worth sending. Evidence: <i>When it breaks</i>, and the
# second exercise.
# </details>
#
# <details><summary>Does one run prove it?</summary>
# It proves that nothing was lost in this run, at this rate, on this machine.
# A soak of hours finds leaks, and faults under load find the rest: that is
# <a href="2_5_when_things_die.ipynb">2.5</a>. Evidence:
# <i>The audit finds each event again, and FCM's answer</i>.
# </details>
#
# ## Exercises
# **1.** A closed caller should have sent a request each `interval` seconds, and
# measured these `latencies`. Write a function that returns all latencies that
# an open test would have seen: for each answer after more than an interval,
# also those of the requests that were due meanwhile, each an interval less,
# as long as more than nothing is left. So 3.0 with an interval of 1.0 is 3.0,
# 2.0, 1.0.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(latencies, interval):
#     corrected = []
#     for latency in latencies:
#         while latency &gt; 0:
#             corrected.append(latency)
#             latency -= interval
#     return corrected
# </pre>
# </details>

# %%
answer = ...

# %%
exercises.corrected.check(answer)

# %% [markdown]
# **2.** A stage does `capacity` records a second, `arriving` come in, and
# `backlog` wait. Write a function of the three that returns the seconds until
# nothing waits: `float("inf")` where that never is.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(capacity, arriving, backlog):
#     if not backlog:
#         return 0.0
#     if capacity &lt;= arriving:
#         return float("inf")
#     return backlog / (capacity - arriving)
# </pre>
# </details>

# %%
answer = ...

# %%
exercises.drained.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Next: [2.5 When things die](2_5_when_things_die.ipynb), the same load with
#   parts killed under it.
# - [Locust's shapes](https://docs.locust.io/en/stable/custom-load-shape.html),
#   and `answerbook load --page` for its page.
# - [How not to measure latency](https://www.youtube.com/watch?v=lJ8ydIuPFeU),
#   Gil Tene's talk on coordinated omission.
# - [HdrHistogram](https://hdrhistogram.github.io/HdrHistogram/), which corrects
#   for it.

# %%
environment("locust", "confluent-kafka", "pyspark", system.kafka)
