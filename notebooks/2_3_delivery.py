# %% [markdown]
# # 2.3 Delivery: a million messages through Firebase Cloud Messaging
# *2 minutes · 0.8 GB · services: Kafka, FCM's emulator, a delivery worker*
#
# ## Answer in a minute
# FCM takes one message a request; the batch endpoint is gone. To send many is
# to have many requests under way at once, over connections that are kept. The
# official library does not do that well: it starts threads by the hundred, or
# pushes everything through one HTTP/2 connection. An event loop over a hundred
# kept connections sends many times as much.
#
# The rest is what to do with each answer. Sent: write a receipt. The device or
# the message is wrong: dead, at once. FCM is wrong: try again, later and later,
# with jitter, never before Retry-After. If all fails in a row, stop and probe.
# A token bucket stays under the project's 600,000 a minute.
#
# FCM has no idempotency key. A lost answer means that the message goes out
# twice, so the app has to recognise an id.
#
# ## You will
# - **do**: send to an emulator of FCM; race three senders; script what FCM
#   answers, lose its answers, and take it down.
# - **learn**: what limits a sender, which answers are worth another try, what
#   keeps an outage from losing anything.
# - **need**: [1.5](1_5_kafka.ipynb) for topics and offsets.

# %%
from answerbook import services

services.fetch(["notify"])

# %%
import json
from uuid import uuid4

import requests

from answerbook.notebook import bars, environment, lines, progress, senders
from answerbook.notebook import show, table, wait_for
from answerbook.notebook.delivering import Delivering, per_second
from answerbook.notebook.exercises import q2_3_delivery as exercises
from answerbook.notify.deliver.bucket import Bucket
from answerbook.notify.deliver.policy import POLICY
from answerbook.notify.records import PRUNING

# %% [markdown]
# ## FCM takes one message in one request
# Until 2024 one request could carry 500 messages, and the legacy API a thousand
# tokens. Both are gone. HTTP v1, `messages:send`, is what is left: a POST, an
# OAuth token of a service account, one message.
#
# Nobody reaches Google from here, so an emulator answers in its place: the same
# paths, checks and errors. It takes the token `owner` over loopback. Delivery is
# all that we start of the system: Kafka, the emulator, one worker.

# %%
system = services.find("notify").start_delivery()
emulator = system.emulator
project = f"{emulator.url}/v1/projects/answerbook"
fcm = requests.Session()
fcm.headers["Authorization"] = "Bearer owner"

# %% [markdown]
# A message has exactly one target: a `token` or `fid` (one installation of an
# app), a `topic`, or a `condition` over topics. Beside that:
#
# - `notification` is shown by the system; `data`, strings only, is for the app.
# - **TTL**: how long FCM keeps it for a phone that is off, 0 to 2,419,200
#   seconds, four weeks. A taxi that has arrived is of no interest tomorrow.
# - **Collapse key**: of those waiting with the same key, the phone gets the last.
# - **Priority**: `high` wakes a sleeping phone; `normal` waits until it wakes.

# %%
message = {
    "token": "token-of-ann",
    "notification": {"title": "Shipped", "body": "It is on its way."},
    "data": {"order": "1042"},
    "android": {"priority": "high", "ttl": "3600s", "collapse_key": "1042"},
    "apns": {"headers": {"apns-priority": "10"}},
}
body = {"message": message}
answer = fcm.post(f"{project}/messages:send", json=body, timeout=10)
print(answer.status_code, answer.json()["name"].partition("%")[0])
assert answer.ok and "/messages/" in answer.json()["name"]

# %% [markdown]
# 200 says that FCM has taken it, not that a phone has shown it. What is wrong
# with a message it says exactly: the field, and why.
#
# <details><summary>Predict: what is wrong with
# <code>"data": {"order": 1042}</code>?</summary>
# The number. Values in <code>data</code> are strings; a client that turns a
# dictionary into JSON as it comes will send one that is none.
# </details>


# %%
def refusal(**changed):
    body = {"message": message | changed}
    answer = fcm.post(f"{project}/messages:send", json=body, timeout=10)
    details = answer.json()["error"]["details"]
    (first,) = [v for d in details for v in d.get("fieldViolations", [])]
    return answer.status_code, first["field"], first["description"]


# %%
wrong = {
    "a number": refusal(data={"order": 1042}),
    "two targets": refusal(topic="news"),
    "29 days": refusal(android={"ttl": "2505600s"}),
    "5,000 bytes": refusal(data={"text": "x" * 5_000}),
    "a field of the legacy API": refusal(to="token-of-ann"),
}
rows = [(what, *refused) for what, refused in wrong.items()]
names = ["what is wrong", "status", "field", "FCM's words"]
table(rows, columns=names, caption="All are INVALID_ARGUMENT.")
assert all(status == 400 for status, *_ in wrong.values())

# %% [markdown]
# A message may have 4,096 bytes, 2,048 to a topic.
#
# ## An event loop over kept connections outruns firebase-admin
# So *batching* now means many requests at once. Google's library has two ways,
# each for up to 500 messages a call. `send_each` starts a thread for a message
# if none is idle; `send_each_async` puts all on one HTTP/2 connection. The third is this system's
# sender: callbacks on one event loop, a hundred connections, one request at a
# time on each, and httptools, the parser of Node.js.
#
# Each runs in a process of its own, with the service-account flow and TLS as
# towards Google; Google's library is unmodified. The clock starts after a
# hundred messages, when token and first connections are there.
#
# <details><summary>Predict: how many connections does <code>send_each</code>
# open for a batch?</summary>
# As many as its threads find all others busy. Below it is
# <code>requests</code>, which keeps ten a host. What is more is thrown away
# after its answer, and the next message pays for a new handshake.
# </details>

# %%
messages = {"send_each": 500, "send_each_async": 500, "ours": 5_000}
found = {
    way: senders.measure(way, emulator.folder, count)
    for way, count in progress(messages.items(), "senders")
}
rates = {way: each.per_second for way, each in found.items()}
drawn = bars(rates, x="way of sending", y="messages a second")
best = max(rates["send_each"], rates["send_each_async"])
times = rates["ours"] / best
alt = f"Ours sends {times:.0f} times as much as the next."
show(drawn, alt=alt)
assert rates["ours"] > 2.5 * best

# %%
table(
    [
        (way, each.cpu_microseconds, each.threads, each.connections)
        for way, each in found.items()
    ],
    columns=["way", "CPU µs a message", "threads", "connections"],
    caption="What each cost; threads and connections begun after the warm-up.",
)
assert found["send_each"].threads > 10 > found["ours"].threads
assert found["ours"].connections == 0

# %% [markdown]
# What decides is the processor's time for a message, since Python computes on
# one core at a time: a thread and perhaps a handshake; or HTTP/2 frames, header
# compression and locks in Python. HTTP/2 is not slow; these layers are. (A
# machine that is busy otherwise slows all three, and those that hand work from
# thread to thread the most.)
#
# A thousand messages an hour need none of this. A million are 278 a second on
# average, and ten times that when a campaign starts: at a millisecond or two
# each, that is more processors than this machine has.
#
# ## Each of FCM's answers has one rule
# The worker's policy is a table, and this is it. FCM's own code decides, else
# Google's, else the HTTP status.

# %%
table(
    [
        (code, it.then, "yes" if it.outage else "", it.why.replace("`", ""))
        for code, it in POLICY.items()
    ],
    columns=["code", "then", "FCM's fault", "why"],
    caption="What is done about each answer; column three feeds a breaker.",
)
assert {rule.then for rule in POLICY.values()} == {"sent", "dead", "retry"}

# %% [markdown]
# The emulator fails on demand, by token. We write to Kafka what render would,
# and read what the worker writes about it.


# %%
control = requests.Session()
control.headers["Authorization"] = f"Bearer {emulator.token}"
control.post(f"{emulator.url}/control/reset", timeout=10)


def faults(**plan):
    url = f"{emulator.url}/control/faults"
    control.put(url, json=plan, timeout=10).raise_for_status()


def counts():
    return control.get(f"{emulator.url}/control/counts", timeout=10).json()


# %% [markdown]
# *busy* answers 503 once, with `Retry-After: 2`. *limited* says QUOTA_EXCEEDED.
# One message to it may live an hour, one only 30 seconds. Another is over before
# it is sent.
#
# <details><summary>Predict: what becomes of the one that may live 30
# seconds?</summary>
# It expires, and at once: after QUOTA_EXCEEDED nobody tries again for a minute,
# and by then it is of no use.
# </details>

# %%
plan = {"gone": "UNREGISTERED", "wrong": "INVALID_ARGUMENT"}
plan |= {"busy": ["UNAVAILABLE", "OK"], "limited": "QUOTA_EXCEEDED"}
faults(tokens=plan, retry_after=2)
delivering = Delivering(system)
notes = {it: delivering.note(it) for it in ("fine", "gone", "wrong", "busy")}
notes["limited, 30 s"] = delivering.note("limited", ttl=30)
notes["over"] = delivering.note("fine", ttl=-1)
limited = delivering.note("limited")
delivering.write([*notes.values(), limited])
receipts = delivering.receipts_of(list(notes.values()))

# %%
ended = dict(zip(notes, receipts, strict=True))
rows = [
    (name, each.outcome, each.reason or "–", each.attempt)
    for name, each in ended.items()
]
names = ["notification", "outcome", "reason", "sends that failed"]
table(rows, columns=names, caption="A receipt each: the last word on it.")
outcomes = [each.outcome for each in receipts]
assert outcomes == ["sent", "dead", "dead", "sent", "expired", "expired"]
assert ended["gone"].reason in PRUNING

# %% [markdown]
# *gone* is pruned: `track` reads that receipt, and marks the device in the
# database so that nobody sends to it again. *wrong* is kept whole in
# `dead-letters`; `answerbook notify replay` sends it again once its cause is
# mended. *busy* came back after the two seconds that were asked for. And
# *limited*?

# %%
waited = ended["busy"].at - notes["busy"].accepted_at
topic, again = delivering.put_off_of(limited)
pause = again.not_before - limited.accepted_at
print(f"busy: sent after {waited / 1000:.1f} s")
print(f"limited: in {topic}, not before {pause / 1000:.1f} s")
assert waited >= 2_000 and pause >= 60_000
faults()

# %% [markdown]
# Whatever waits longer than a second waits in Kafka, in topics by delay: 5, 30,
# 120 and 600 seconds. The partition goes on, and a worker that dies takes no
# waiting messages with it. The waits grow, up to 1, 4, 16, 64 … seconds, each
# drawn from zero to that (*full jitter*), so that what failed together does not
# come back together.
#
# ## A replay is recognised, a lost answer is not
# Two hundred messages; FCM accepts all, and one in ten of its answers is lost.
#
# <details><summary>Predict: how many are lost, how many come twice?</summary>
# None, and about twenty. The worker cannot tell a lost answer from a lost
# request. Not to try again would lose the other kind, so it does. FCM has no
# idempotency key that could say: I have this one.
# </details>

# %%
faults(lost_answers={"share": 0.1, "how": "cut"}, seed=7)
before = counts()["accepted"]
notes = [delivering.note(f"token-{number}") for number in range(200)]
delivering.write(notes)
receipts = delivering.receipts_of(notes)
accepted = counts()["accepted"] - before
faults()
print(f"200 notifications, 200 receipts; FCM accepted {accepted}")
assert {receipt.outcome for receipt in receipts} == {"sent"}
assert accepted > 200

# %% [markdown]
# That is *at least once*, and it ends in the app: the notification's id is in
# `data`, and an app that has shown it drops it. With the same `tag` (Android) or
# `apns-collapse-id`, the second replaces the first.
#
# Another kind of repeat never gets that far. Spark, killed and started again,
# writes a whole micro-batch a second time. Ids are a hash of event, user and
# device, so the copies have those of the first; the worker knows what it has
# sent, and after a restart learns it from the receipts.

# %%
name = "duplicates_total"
before, accepted = delivering.metric(name), counts()["accepted"]
delivering.write(notes)
wait_for(lambda: delivering.metric(name) - before == 200, "all are seen", 60)
print("200 copies dropped, sent again:", counts()["accepted"] - accepted)

# %% [markdown]
# ## A token bucket stays under the quota, and starts slowly
# 600,000 messages a minute is what a project may send. Each send takes a token
# from a bucket that fills at 10,000 a second, and hardly saves up: what was not
# used is lost. FCM asks senders to ramp up within a minute. Here is the worker's
# own bucket with a clock of ours, and always something to send. After 90 seconds
# FCM says that it is too much.
#
# <details><summary>Predict: how much goes out in the first second?</summary>
# 500, a twentieth of the rate. Without the ramp, each restart of all workers
# would be a wall of 10,000 a second.
# </details>


# %%
now = [0.0]
bucket = Bucket(600_000, ramp=60, clock=lambda: now[0])


def sent_in(second):
    taken = 0
    for part in range(20):
        now[0] = second + part / 20
        while bucket.take():
            taken += 1
    return taken


# %%
sent = [sent_in(second) for second in progress(range(90), "before")]
bucket.slow()
sent += [sent_in(second) for second in progress(range(90, 180), "after")]
seconds = range(0, 180, 3)
series = {"one worker": (seconds, [sent[each] for each in seconds])}
series["the quota"] = ([0, 180], [10_000, 10_000])
drawn = lines(series, x="seconds", y="messages a second")
show(drawn, alt="A minute to the quota; halved at 90 s, and up again.")
assert sent[0] <= 600
assert max(sum(sent[each : each + 60]) for each in range(121)) <= 600_000

# %% [markdown]
# Several workers share the quota as they share the partitions: who holds two of
# six fills his bucket at a third. No worker asks another, and the sum is right
# whenever the partitions are.
#
# ## A topic is one message to many phones
# If all get the same, the phones subscribe to a topic, and FCM copies. To
# subscribe is one request a token, 3,000 a second for a project; a call for a
# thousand tokens is legacy by now.
#
# <details><summary>Predict: fifty phones subscribed; what does a message to
# them take from the quota?</summary>
# One. The copying is FCM's work, which it may take its time over.
# </details>

# %%
topic = f"news-{uuid4().hex[:6]}"
for number in progress(range(50), "subscribed"):
    path = f"registrations/token-{number}/topicSubscriptions"
    url = f"{project}/{path}"
    fcm.post(url, params={"topic_name": topic}, timeout=10).raise_for_status()
text = {"notification": {"title": "Sale", "body": "Until midnight."}}
for target in ({"topic": topic}, {"condition": f"'{topic}' in topics"}):
    body = {"message": text | target}
    fcm.post(f"{project}/messages:send", json=body, timeout=10)

# %%
seen = counts()["topics"][topic]
print(seen)
assert seen == {"messages": 2, "subscribers": 50}

# %% [markdown]
# The price: no receipt for each phone, nothing personal in the text, and no
# preferences or quiet hours of ours, because the sender does not know who gets
# it. A topic is for what anybody may know: whoever has the app can subscribe.
#
# ## When it breaks
# **FCM is down.** A hundred notifications a second are written; after two
# seconds FCM answers 503 to everything, for five.
#
# After 20 failures in a row a *breaker* opens: nothing is sent but a probe, every
# 0.25 to 4 seconds. What the worker holds stays where it is, the rest stays in
# Kafka, and keeps its attempts. The first answer opens everything again.
#
# <details><summary>Predict: five hundred are written while FCM is down. How many
# requests does FCM see?</summary>
# A few dozen: the failures until the breaker opens, and the probes. A service
# that is overloaded is not helped by everybody knocking.
# </details>

# %%
notes = delivering.steady(200, rate=100)
faults(outage={"kind": "unavailable", "seconds": 5})
notes += delivering.steady(700, rate=100)
receipts = delivering.receipts_of(notes)
knocks = counts()["answers"]["OUTAGE_UNAVAILABLE"]
print(f"{len(receipts)} sent, {knocks} requests while FCM was down")
assert {receipt.outcome for receipt in receipts} == {"sent"}
assert knocks < 250

# %%
began = notes[0].accepted_at
series = {
    "written to Kafka": per_second([it.accepted_at for it in notes], began),
    "accepted by FCM": per_second([it.at for it in receipts], began),
}
drawn = lines(series, x="seconds", y="notifications a second")
down = (notes[200].accepted_at - began) / 1000
drawn.axes[0].axvspan(down, down + 5, color="#000000", alpha=0.1)
show(drawn, alt="While FCM is down (grey) nothing is sent; then all of it.")

# %% [markdown]
# The worker said so, once, and not for each message:

# %%
text = system.deliver.logs(200).splitlines()
log = [json.loads(line) for line in text if line.startswith("{")]
told = [each for each in log if each["event"].startswith("FCM ")]
for each in told[-2:]:
    print(each["level"], each["event"], each.get("reason", ""))
assert told[-1]["event"] == "FCM answers again"

# %% [markdown]
# **A poison record.** What is no notification cannot be sent, now or later. It
# becomes a dead letter, whole, with the reason and its place, and the
# notification behind it goes out.

# %%
delivering.write_raw(b"order 1042")
behind = delivering.note("fine")
delivering.write([behind])
letter = delivering.letter_of("order 1042")
(receipt,) = delivering.receipts_of([behind])
print(letter.reason, "from", letter.source_topic, "–", letter.detail)
assert (letter.reason, receipt.outcome) == ("malformed", "sent")

# %% [markdown]
# **A worker is killed.** What it had in flight is read again by the next one;
# those FCM had accepted, and whose receipt was not in Kafka yet, go out twice:
# at most one a connection, and those of the last milliseconds.
# [2.5](2_5_when_things_die.ipynb) kills parts under load, and counts.
#
# ## Summary
# - One message, one request. Batching is many requests at once over kept
#   connections; for the same text to many, a topic.
# - The official library spends its time on threads, handshakes or HTTP/2 in
#   Python; an event loop with kept connections is many times quicker.
# - Dead at once if the device or the message is at fault; retried with backoff,
#   jitter and Retry-After if FCM is; expired if it would come too late.
# - Long waits are spent in retry topics, and an outage opens a breaker: nothing
#   is lost, and no attempt is wasted.
# - Replays are dropped by id. A lost answer is a duplicate that only the app can
#   drop.
#
# ## Follow-ups
# <details><summary>Does 200 mean that the phone has shown it?</summary>
# No, only that FCM has it. The phone may be off until the TTL is over, or the
# app gone. FCM's exports to BigQuery tell more, later; what must be known, the
# app reports itself. Evidence:
# <a href="https://firebase.google.com/docs/cloud-messaging/understand-delivery">FCM
# on delivery</a>.
# </details>
#
# <details><summary>Is HTTP/2 not quicker than a hundred connections?</summary>
# On the wire it is thriftier: one handshake, compressed headers. But every frame
# passes through the sender's code, and in pure Python that costs more than
# the connections. In Go or Java the answer would be another. Evidence:
# <i>An event loop over kept connections outruns firebase-admin</i>.
# </details>
#
# <details><summary>Why not sleep in the worker until a retry is due?</summary>
# The offset of what waits cannot be committed, and one that waits ten minutes
# would hold its whole partition's offset back, or everything behind it. Evidence:
# <i>Each of FCM's answers has one rule</i>.
# </details>
#
# <details><summary>How do several workers keep one quota?</summary>
# Each has the share of its partitions. A central counter would be exact, and one
# more thing that can be down. Evidence:
# <i>A token bucket stays under the quota, and starts slowly</i>.
# </details>
#
# <details><summary>Are there limits beside the quota?</summary>
# To one Android device 240 messages a minute and 5,000 an hour; collapsible ones
# a burst of 20, then one in three minutes. A thousand topic messages may be being
# copied at once. Evidence:
# <a href="https://firebase.google.com/docs/cloud-messaging/throttling-and-quotas">FCM's
# quotas</a>.
# </details>
#
# <details><summary>When does a token die without UNREGISTERED?</summary>
# It does not at once: a phone in a drawer keeps its token, until FCM drops it
# after 270 days. So devices carry the day they were last seen. Evidence:
# <a href="https://firebase.google.com/docs/cloud-messaging/manage-tokens">FCM on
# tokens</a>.
# </details>
#
# <details><summary>What can the emulator not show?</summary>
# Google's latency, its limits for each device, and whatever it does that is not
# documented. The same worker sends to Google once it has the key of a service
# account. Evidence: <i>FCM takes one message in one request</i>.
# </details>
#
# ## Exercises
# **1.** A worker holds 2 of 6 partitions of a project with the usual quota. How
# many messages a second may it send, once it is warm? Answer with a whole
# number.
#
# <details><summary>Solution</summary>
# <code>answer = 3_333</code>: 600,000 a minute are 10,000 a second, and a third
# of that is its share.
# </details>

# %%
answer = ...

# %%
exercises.share.check(answer)

# %% [markdown]
# **2.** Write a function of the attempt that failed (from 1) and the seconds that
# Retry-After asks for (0 for none): the shortest and the longest wait before the
# next attempt, as a pair. The bound is 1 second after the first, four times as
# much after each more, and 600 at most.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(attempt, retry_after):
#     bound = min(600, pow(4, attempt - 1))
#     return retry_after, max(bound, retry_after)
# </pre>
# Full jitter begins at zero; Retry-After is a floor under all of it.
# </details>

# %%
answer = ...

# %%
exercises.waits.check(answer)

# %% [markdown]
# **3.** A football score goes to the topic `finals`. An older score that has not
# arrived yet is to be replaced, and after a minute nobody wants it. Answer with
# the message, a dictionary, for Android. Leave the text out.
#
# <details><summary>Solution</summary>
# <pre>
# answer = {
#     "topic": "finals",
#     "android": {"ttl": "60s", "collapse_key": "score"},
# }
# </pre>
# </details>

# %%
answer = ...

# %%
exercises.score.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Next: [2.4 A million an hour](2_4_a_million_an_hour.ipynb), all of it under load.
# - Before: [2.2 The pipeline](2_2_the_pipeline.ipynb), where notifications come
#   from.
# - [FCM HTTP v1](https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages),
#   every field of a message, and
#   [its errors](https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode).
# - [Exponential backoff and
#   jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/),
#   by Marc Brooker.

# %%
environment("firebase-admin", "httptools", "uvloop", system.kafka)
