# %% [markdown]
# # 2.5 When things die
# *3 minutes · 1.8 GB · services: the notification system*
#
# ## Answer in a minute
# Each program may die at any instant, because none holds the only copy of
# anything. The API answers 202 when Kafka has the event. Each later stage reads
# from Kafka, and says that it is done only after its result is in Kafka, too.
# So a death loses no work; at most some is done again.
#
# Doing it again is harmless as long as it can be *recognised*. A repeated event
# has the same id, and the ids of its notifications are computed from it; the
# sender keeps a window of ids that it has finished.
#
# One repeat remains: FCM accepts a message and its answer is lost. FCM takes no
# idempotency key, so the choice is to send again (some come twice) or not to
# (some never come). We send again, and count.
#
# An audit after each death holds what was promised against what happened.
#
# ## You will
# - **do**: kill Spark, kill the API, and lose answers of FCM, under load; see
#   each on a timeline, and account for every event.
# - **learn**: where work waits while a program is dead, what is done again,
#   and why exactly once is not on offer at the last hop.
# - **need**: [2.2](2_2_the_pipeline.ipynb) for the pipeline,
#   [2.3](2_3_delivery.ipynb) for delivery; neither has to run.

# %%
from answerbook import services

services.fetch(["notify"])

# %%
import subprocess
import sys

from answerbook.config import Settings
from answerbook.load import ledger
from answerbook.load.events import Events
from answerbook.notebook import environment, fault_runs, faults
from answerbook.notebook import show, table
from answerbook.notebook.exercises import q2_5_when_things_die as exercises
from answerbook.notify import records

# %% [markdown]
# ## What was promised stands on a disk, and outside of the system
# The load is a process of its own. It sends events at an even pace, and when
# the API has answered 202 it writes the event's id into a *ledger* and waits
# until that is on disk. A request without an answer is sent again, with the
# same ids.
#
# The audit begins at the ledger. Each id in it needs an outcome: expanded into
# notifications, suppressed by the user's wish, expired, or dead with a reason.
# Each notification needs one, too, and each that counts as sent must stand in
# the record of FCM's emulator. Kafka's own count would prove nothing: what
# the API lost before Kafka would be missing on both sides.
#
# First a run in which nothing dies.

# %%
notify = services.require("notify")
full = Settings.load().profile == "full"
events, rate = (6_000, 400) if full else (1_500, 150)
runs = [fault_runs.run(notify, faults.Fault("nothing"), events, rate)]
print(runs[0].report.summary)

# %%
promised = ledger.path_of(notify.ledger_folder, runs[0].totals.run_id)
lines = list(ledger.read(promised))
print(*(event_id for event_id, _ in lines[:3]), sep="\n")
assert len(lines) == runs[0].totals.accepted == events
assert runs[0].report.balanced and runs[0].lost == runs[0].twice == 0

# %% [markdown]
# ## A killed Spark goes on where its checkpoint stands
# A third into the run, SIGKILL to Spark's JVM: no handler runs, nothing is
# flushed. The Python program around it notices, and ends. Whoever runs it
# starts it again: in production an orchestrator, here the very call that
# started it, `services.require("notify")`.
#
# <details><summary>Predict: which of the three curves stops: events accepted,
# notifications sent, records waiting?</summary>
# Only what is sent stops. The door knows nothing of Spark: it needs Kafka, and
# goes on answering 202. What comes in meanwhile waits in <code>events</code>.
# </details>

# %%
jvm = faults.NAMED["Spark's JVM killed"]
killed = fault_runs.run(notify, jvm, events, rate)
runs.append(killed)
show(
    fault_runs.timeline(killed),
    alt="Accepted stays level while sent falls to zero and records wait; "
    "when Spark is back, sent rises above accepted until nothing waits.",
)

# %%
waiting = max(sample.lag for sample in killed.samples)
print(f"{killed.pause:.1f} s without a send, up to {waiting} records waiting")
print(killed.report.summary)
assert not killed.totals.failures, "the door stayed open"
assert killed.report.balanced and killed.lost == 0

# %% [markdown]
# Spark writes down what a micro-batch will read before it begins (the
# *offset log*), and that it is done after Kafka has all of its output (the
# *commit log*). Between the two stands the batch that died. It is planned again
# with the same offsets, so all of it is written again, and Kafka, which Spark
# writes to at least once, then holds some notifications twice.
#
# <details><summary>Predict: how many of these reach FCM twice?</summary>
# None. The second copy has the id of the first, since ids are computed and not
# drawn, and so stands on the same partition. The worker that has the partition
# knows which ids it has finished. After a rebalance it rebuilds that window
# from the receipts, whose partitions are the same.
# </details>

# %%
device = ("shop/order-7", "u000001", "device-1")
elsewhere = "from answerbook.notify.records import notification_id as made; "
elsewhere += f"print(made(*{device}))"
command = [sys.executable, "-c", elsewhere]
computed = subprocess.check_output(command, text=True).strip()
assert computed == records.notification_id(*device)
print(f"{killed.held_back} copies held back by delivery")
assert killed.twice == 0, "a replay of Spark's reached FCM"

# %% [markdown]
# Another process computes the same id. The number of copies is often 0 here: at
# this pace a micro-batch is small, and the kill mostly falls between two.
#
# ## A killed API leaves doubt, and the event's id resolves it
# The API dies with requests under way. Some of their events are in Kafka
# already, only the answer was never sent. Their caller sees a broken
# connection, as it would if nothing had been read.
#
# <details><summary>Predict: what must the caller do about an event in doubt?
# </summary>
# Send it again, with the same id. If it was in Kafka, it stands there twice
# now, and both copies expand into notifications with the same ids: the second
# of each is held back.
# </details>

# %%
api = faults.NAMED["the API killed"]
shut = fault_runs.run(notify, api, events, rate)
runs.append(shut)
show(
    fault_runs.timeline(shut),
    alt="Accepted falls to zero while the API is away, errors rise, and "
    "accepted catches up afterwards.",
)

# %%
print(shut.totals.failures, f"{shut.totals.again} events sent again")
print(shut.report.summary)
assert shut.totals.failures and shut.totals.accepted == events
assert shut.report.balanced and shut.lost == shut.twice == 0

# %% [markdown]
# The caller's part is small, and it is a part: an id of its own, made before
# the first attempt, and kept until the 202. An id that is drawn for each
# attempt makes two events of one.

# %%
moment = "2026-01-01T00:00:00Z"
first, again = (Events("r1").json(7, moment) for _ in range(2))
assert first == again and Events("r1").event_id(7) in first
assert Events("r2").event_id(7) not in first

# %% [markdown]
# ## When it breaks: an answer that is lost cannot be told from a send that is
# Now FCM itself. The emulator accepts a message, writes it into its record, and
# cuts the connection before it answers, for a tenth of what comes in.
#
# <details><summary>Predict: the worker tries these again. What does its window
# of ids do about it?</summary>
# Nothing: the window holds what is known to be finished, and this is not known.
# </details>

# %%
before = faults.control(notify, "GET", "counts")["answers_lost"]
losing = faults.NAMED["FCM loses answers"]
silent = fault_runs.run(notify, losing, events, rate)
runs.append(silent)
answers_lost = faults.control(notify, "GET", "counts")["answers_lost"] - before
print(silent.report.summary, f"{answers_lost} answers lost", sep="\n")

# %%
show(
    fault_runs.timeline(silent),
    alt="Errors appear while answers are lost, and a few records wait for a "
    "retry after that.",
)
assert silent.report.balanced and silent.lost == 0
assert 0 < silent.twice <= answers_lost

# %% [markdown]
# A lost answer is a message that came twice, and nothing else came twice. To do
# better, the *receiver* has to help. Ours can: a notification carries its id in
# `data`, so an app drops what it has shown; a `collapse_key` or `tag` lets the
# second replace the first on the screen.
#
# Had we chosen not to send again, the same fault would lose what was never
# accepted, in silence. A push that comes twice is a nuisance; one about a
# payment that never comes is a loss.
#
# ### All faults
# In the study profile the table ends with what you have just seen. In the full
# one (`ANSWERBOOK_PROFILE=full`) all others follow, with 6,000 events each, and
# at last a broker of three is killed. (`make thorough` does each with 100,000.)

# %%
seen = {run.fault.name for run in runs}
others = [fault for fault in faults.FAULTS if fault.name not in seen]
runs += [
    fault_runs.run(notify, fault, events, rate) for fault in others if full
]
if full:
    three = services.require("notify", kafka="kafka-3")
    runs.append(fault_runs.run(three, faults.BROKER, events, rate))
    notify = services.require("notify", kafka="kafka")
for run in runs[len(seen) :]:
    alt = f"{run.fault.name}: rates, records waiting and errors over time."
    show(fault_runs.timeline(run), alt=alt)

# %%
rows = [run.row() for run in runs]
table(rows, fault_runs.COLUMNS, caption="A run for each fault, audited.")
assert all(run.report.balanced and run.lost == 0 for run in runs)
assert all(run.twice == 0 for run in runs if not run.fault.may_repeat)

# %% [markdown]
# | what dies | what its users see | where the work waits | what is done again |
# |---|---|---|---|
# | the API | refused connections | with the caller | requests without an answer |
# | a broker of three | a pause of seconds | in the buffers of whoever writes | writes, which Kafka recognises |
# | Spark's JVM | later pushes | `events` | a micro-batch |
# | a delivery worker | later pushes | `notifications.*`, until another takes over | sends that had no receipt yet |
# | PostgreSQL | no state at `GET /v1/events/…` | `receipts.*` | writes, which change nothing |
# | FCM | later pushes | `notifications.*` and `retries.*` | what was refused or cut |
#
# Nothing died in the first run, and it paused nevertheless: a JVM compiles Spark's
# plan during its first micro-batch. Warm a new one up before you rely on it.
#
# A worker that is killed has sends under way, and some may have been accepted
# without a receipt: it is the lost answer again, from the other side.
#
# Not everything that goes wrong is a death. A *poison* event (no such kind, no
# such user, text beyond FCM's 4,096 bytes) is accepted at the door, and render
# puts it into the dead letters with the reason. If it threw instead, each
# restart would meet it again. What is no event at all is refused with 422 at
# the door; written past the door into Kafka, it becomes a dead letter as well.
#
# ## Summary
# - Promise only what is on more than one disk; say done only after the result
#   is where the next one reads.
# - Then a death costs time: the work waits in a log until somebody reads on.
# - Repeats are the price. Ids that are computed make them recognisable.
# - At the last hop the receiver decides. Without its help it is twice or never.
# - An audit that begins at the caller's own record is the proof.
#
# ## Follow-ups
# <details><summary>Kafka has transactions. Why not exactly once?</summary>
# They reach from topic to topic. FCM takes no part in them, so the send would
# still be done before or after the commit. Evidence: <i>When it breaks: an
# answer that is lost cannot be told from a send that is</i>.
# </details>
#
# <details><summary>How long may Spark be away?</summary>
# As long as Kafka keeps <code>events</code>, and as the events' time to live
# allows: what has expired meanwhile is recorded as expired. Evidence: <i>A
# killed Spark goes on where its checkpoint stands</i>.
# </details>
#
# <details><summary>What if a caller cannot keep an id?</summary>
# The API makes one, and then a retry is a new event. Whoever cannot repeat an
# id cannot repeat safely. Evidence: <i>A killed API leaves doubt, and the
# event's id resolves it</i>.
# </details>
#
# <details><summary>Could the audit itself be wrong?</summary>
# It is tested by deleting one record of each kind, each of which must make it
# fail, and it starts from a file that the system never touches. Evidence:
# <i>What was promised stands on a disk, and outside of the system</i>.
# </details>
#
# <details><summary>FCM is down for an hour. Does every notification use up its
# attempts?</summary>
# No. After a few failures in a row a worker stops sending and only probes, so
# what waits has not been tried. Evidence: <i>All faults</i>, in the full
# profile.
# </details>
#
# <details><summary>Does the order hold?</summary>
# Not across a retry: what waits in a retry topic is overtaken, on purpose. A
# kind of push for which that matters carries a version, and the app ignores the
# older. Evidence: <i>All faults</i>.
# </details>
#
# ## Exercises
# **1.** Render is dead for 60 s while 278 events a second come in. Then it does
# 2,000 a second, and they keep coming. After how many seconds does nothing wait
# any more? (A whole number, rounded up.)
#
# <details><summary>Solution</summary>
# <code>answer = 10</code>: 16,680 wait, and 1,722 of them go each second.
# </details>

# %%
answer = ...

# %%
exercises.drain.check(answer)

# %% [markdown]
# **2.** Where does the work wait? Choose for each one of caller, events,
# notifications, retries, receipts: **a** the API is dead; **b** Spark is dead;
# **c** all workers are dead; **d** FCM answered 503; **e** PostgreSQL is down.
# Answer with `{"a": …, "b": …}` and so on.
#
# <details><summary>Solution</summary>
# <code>answer = {"a": "caller", "b": "events", "c": "notifications", "d":
# "retries", "e": "receipts"}</code>
# </details>

# %%
answer = ...

# %%
exercises.places.check(answer)

# %% [markdown]
# **3.** A worker's attempts are pairs of a notification's id and what came of
# it: `"OK"`, `"UNAVAILABLE"` (a 503), or `"CUT"`. Write `answer(attempts)`: how
# many messages FCM accepted at least, and at most, as a pair.
#
# <details><summary>Solution</summary>
# <pre>def answer(attempts):
#     sure = sum(code == "OK" for _, code in attempts)
#     return sure, sure + sum(code == "CUT" for _, code in attempts)</pre>
# </details>

# %%
answer = ...

# %%
exercises.doubt.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Next: [5.1](5_1_full_text_search.ipynb), search in PostgreSQL
# - [Spark on fault tolerance in Structured
#   Streaming](https://spark.apache.org/docs/latest/streaming/getting-started.html#fault-tolerance-semantics)
# - [Kafka on delivery semantics](https://kafka.apache.org/documentation/#semantics)
# - [Firebase on scaling and
#   retries](https://firebase.google.com/docs/cloud-messaging/scale-fcm)

# %%
environment(notify.kafka, notify.postgres, "pyspark", "confluent-kafka")
