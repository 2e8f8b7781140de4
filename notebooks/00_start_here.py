# %% [markdown]
# # 00 Start here
# *1 minute · 0.8 GB · services: RabbitMQ, Kafka, PostgreSQL*
#
# ## Answer in a minute
# This is a collection of notebooks that answer backend questions with code that runs live: against
# a real RabbitMQ, a real Kafka, a real PostgreSQL, on this machine. You read a notebook from top to
# bottom and run it as you go. Each section makes one claim in its heading, runs it, and shows the
# evidence; an `assert` stands behind every claim that can be checked. If a claim were wrong, its
# notebook would fail.
#
# Services start when a notebook asks for them and stay up for the next one; `make down` ends them.
# They listen on this machine only, with generated passwords, and keep everything in one folder.
#
# The questions keep the numbers that they were asked under: 1, 2, 3 and 5. There is no question 4.
#
# ## You will
# - **do**: run a first experiment without any service; then send a message, a record and a row.
# - **learn**: how a notebook reads, what the three services do differently, and what to do when
#   something fails.
# - **need**: Linux, Python 3.11 or later, and a network connection for the first run, which fetches
#   the services.
#
# | question | the notebooks so far |
# |---|---|
# | 1 · integration protocols | [1.1 REST](1_1_rest.ipynb), [1.2 REST in production](1_2_rest_in_production.ipynb), [1.3 AMQP](1_3_amqp.ipynb), [1.4 AMQP patterns](1_4_amqp_patterns.ipynb), [1.5 Kafka](1_5_kafka.ipynb), [1.6 RPC](1_6_rpc.ipynb), [1.7 Push](1_7_push.ipynb), [1.8 Devices and files](1_8_devices_and_files.ipynb), [1.9 Choosing](1_9_choosing.ipynb) |
# | 2 · a million notifications an hour | [2.1 The plan](2_1_the_plan.ipynb), [2.2 The pipeline](2_2_the_pipeline.ipynb), [2.3 Delivery](2_3_delivery.ipynb), [2.4 A million an hour](2_4_a_million_an_hour.ipynb), [2.5 When things die](2_5_when_things_die.ipynb) |
# | 3 · encryption, one-way and two-way | [3.1 Hashing](3_1_hashing.ipynb), [3.2 Passwords](3_2_passwords.ipynb), [3.3 AES](3_3_aes.ipynb), [3.4 RSA](3_4_rsa.ipynb), [3.5 Signatures and key exchange](3_5_signatures_and_exchange.ipynb), [3.6 Files and keys](3_6_files_and_keys.ipynb), [3.7 TLS and tokens](3_7_tls_and_tokens.ipynb) |
# | 5 · a search page on PostgreSQL | [5.1 Full-text search](5_1_full_text_search.ipynb), [5.2 Ranking](5_2_ranking.ipynb), [5.3 The search site](5_3_search_site.ipynb) |

# %%
import shutil
import socket
import uuid

import psycopg
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from answerbook import doctor, services
from answerbook.config import Settings
from answerbook.notebook import (
    bars,
    environment,
    median_seconds,
    raises,
    show,
    table,
)
from answerbook.notebook.exercises import q00_start_here as exercises

# %% [markdown]
# ## A port that is open is not a service that works
# This is how a section reads: the heading claims something, this text says what we do and how it
# could turn out otherwise, a folded question lets you guess first, and the cells below decide.
#
# The claim, then: a program that connects to a port, and even sends its request, has learned nothing
# about the service behind it. We open a port and never look at it, as a program does that hangs or
# that is still starting. If connecting proved anything, one of the first two steps would fail.
#
# <details><summary>Predict: which step fails: to connect, to send, or to receive?</summary>
# Only to receive. The operating system accepts the connection and keeps the bytes, for a program
# that may never ask for them.
# </details>

# %%
nobody_looks = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(nobody_looks.getsockname(), timeout=1)
sent = client.send(b"are you there?")
assert sent == len(b"are you there?")

# %%
with raises(TimeoutError):
    client.recv(1)
client.close()
nobody_looks.close()

# %% [markdown]
# The assertion held, and `raises` fails unless its block ends in the error that it names: connecting
# and sending worked, and nothing came back. That is why `services.require(...)`, which you will meet below, waits for
# more than an open port: it returns when the service's real client has written something and read
# it back.
#
# ## This machine has what the services need
# `answerbook doctor` looks at this machine, and changes nothing. Here is what it finds now, with the
# engine that will run the services: Docker's Compose where a Docker engine answers, private
# processes everywhere else. Programs that are not here yet are fetched when a notebook first
# requires them, once, with their size announced.

# %%
findings = doctor.examine()
free = shutil.disk_usage(Settings.load().state_folder).free
rows = [("disk", f"{free / 1e9:.0f} GB free", "")] + [
    (finding.what, finding.result, finding.mend)
    for finding in findings
    if finding.what != "state folder"
]

# %%
table(
    rows,
    columns=["what", "found", "what to do"],
    caption="This machine, as the services see it.",
)
missing = [found for found in findings if found.state == "missing"]
assert not missing, missing

# %% [markdown]
# ## RabbitMQ: a message is gone once it was taken
# A broker holds messages until somebody takes them. `require` starts RabbitMQ if it is not up, and
# returns its handle; `channel()` is pika's channel on a connection of its own. The queue is deleted
# first, because services outlive a notebook, and so would what the last run left. We publish one
# message and ask for it twice.

# %%
rabbitmq = services.require("rabbitmq")
channel = rabbitmq.channel()
channel.queue_delete("start-here")
declared = channel.queue_declare("start-here", durable=True)
assert declared.method.message_count == 0


# %%
def publish(channel, body):
    channel.confirm_delivery()
    channel.basic_publish("", "start-here", body, mandatory=True)


def take(channel):
    _, _, body = channel.basic_get("start-here", auto_ack=True)
    return body


publish(channel, b"a message")
first, second = take(channel), take(channel)
print(first, second)
assert first == b"a message"
assert second is None

# %% [markdown]
# More on confirms, acknowledgements and what survives a crash: [1.3 AMQP](1_3_amqp.ipynb).
#
# ## Kafka: a record stays after it was read
# Kafka keeps a log. Reading moves the reader on, not the record away, so whoever comes later, or
# comes again, reads the same. We write one record, wait until the broker has acknowledged it, and
# read it twice from the offset that it got.
#
# <details><summary>Predict: what does the second reading need that the first did not?</summary>
# Nothing but to go back: <code>seek</code>. The broker does not know, and does not mind, that the
# record was read before.
# </details>

# %%
kafka = services.require("kafka")
topic = f"start-here-{uuid.uuid4().hex[:8]}"
admin = kafka.admin()
admin.create_topics({topic: {"num_partitions": 1}}, wait_for_metadata=True)
admin.close()


# %%
def clients():
    address = {"bootstrap_servers": kafka.bootstrap_servers}
    producer = KafkaProducer(**address, acks="all")
    consumer = KafkaConsumer(**address, consumer_timeout_ms=10_000)
    consumer.assign([TopicPartition(topic, 0)])
    return producer, consumer


def read(consumer, offset):
    consumer.seek(TopicPartition(topic, 0), offset)
    return next(consumer).value


# %%
producer, consumer = clients()
offset = producer.send(topic, b"a record").get(timeout=10).offset
first, second = read(consumer, offset), read(consumer, offset)
print(first, second, "at offset", offset)
assert first == second == b"a record"

# %% [markdown]
# More on partitions, groups and replay: [1.5 Kafka](1_5_kafka.ipynb).
#
# ## PostgreSQL: a row answers questions that nobody asked when it was written
# A database keeps rows and takes questions. One connection writes three orders and commits; another
# one, which knows only the table's name, asks for a sum. The database is a fresh one, made for this
# notebook.

# %%
postgres = services.require("postgres")
database = postgres.create_database("start_here")
writer = psycopg.connect(database, autocommit=True)
writer.execute("CREATE TABLE orders (item text, pieces integer)")
orders = [("lamp", 2), ("chair", 4), ("lamp", 1)]
writer.cursor().executemany("INSERT INTO orders VALUES (%s, %s)", orders)

# %%
SUM = "SELECT sum(pieces) FROM orders WHERE item = 'lamp'"
with psycopg.connect(database) as reader:
    (lamps,) = reader.execute(SUM).fetchone()
print(lamps, "lamps")
assert lamps == 3

# %% [markdown]
# More on asking, and on how fast the answer comes: [5.1 Full-text
# search](5_1_full_text_search.ipynb).
#
# ## A connection that is kept saves most of the time
# We measure the same round trip on each service in two ways: over the connection that is open
# already, and over a new one, opened and closed for it. A round trip is to publish a message and
# take it, to write a record and read it, to ask the database and get the answer. Each number is a
# median: of fifty round trips over the connection that is kept, and of nine over new ones. (It is no
# race between the three. They promise different things.)
#
# <details><summary>Predict: on one machine, with no network between, does it matter?</summary>
# Yes. To open a connection is more than to connect: both sides agree on a version, the client proves
# who it is, and asks for what it will need. Each of these is a round trip of its own.
# </details>


# %%
def message(channel):
    publish(channel, b"ping")
    return take(channel)


def record(producer, consumer):
    offset = producer.send(topic, b"ping").get(timeout=10).offset
    return read(consumer, offset)


def row(connection):
    return connection.execute(SUM).fetchone()


# %%
def new_message():
    channel = rabbitmq.channel()
    message(channel)
    channel.connection.close()


def new_record():
    producer, consumer = clients()
    record(producer, consumer)
    producer.close()
    consumer.close()


def new_row():
    with psycopg.connect(database, autocommit=True) as connection:
        row(connection)


# %%
kept = {
    "RabbitMQ": median_seconds(lambda: message(channel), 50),
    "Kafka": median_seconds(lambda: record(producer, consumer), 50),
    "PostgreSQL": median_seconds(lambda: row(writer), 50),
}
new = {
    "RabbitMQ": median_seconds(new_message, 9),
    "Kafka": median_seconds(new_record, 9),
    "PostgreSQL": median_seconds(new_row, 9),
}

# %%
milliseconds = {
    "kept connection": {name: 1000 * kept[name] for name in kept},
    "new connection": {name: 1000 * new[name] for name in new},
}
show(
    bars(milliseconds, x="service", y="milliseconds", log=True),
    alt="A round trip on each of the three services: over a new connection "
    "it takes several times as long as over one that is kept.",
)
assert all(2 * kept[name] < new[name] for name in kept)

# %% [markdown]
# So a program opens its connections once and keeps them, in a pool where it needs several at a time.
#
# ## A service that was killed is noticed, and comes back with its data
# This is the first thing to know for when something fails: run the cell with `require` again. It
# looks whether the service still answers, starts it again if not, and what was committed is there.
# We kill PostgreSQL, as the kernel does when memory runs out, and look for the lamps.

# %%
postgres.kill()
with raises(psycopg.OperationalError):
    writer.execute(SUM)

# %%
conditions = [
    (service.name, node.condition, service.engine.name)
    for service in services.running()
    for node in service.nodes()
]
table(
    conditions,
    columns=["service", "condition", "engine"],
    caption="What answerbook status knows after the kill.",
)

# %%
postgres = services.require("postgres")
with psycopg.connect(database) as reader:
    assert reader.execute(SUM).fetchone() == (3,)

log = postgres.logs(50).splitlines()
recovery = [line for line in log if "recovery in progress" in line]
print(recovery[-1])

# %% [markdown]
# The last line is PostgreSQL's own, from its log: it saw that it had not been shut down, and repeated
# what its write-ahead log had kept.
#
# ### When something else fails
# An error of a service is one paragraph that says what is missing and the command that mends it. In
# a terminal, in the folder of the collection:
#
# - `.venv/bin/answerbook doctor` is the table above, and says what to do about each line.
# - `.venv/bin/answerbook status` shows each service's address, process, uptime and memory.
# - `.venv/bin/answerbook logs kafka` prints the end of its log.
# - `.venv/bin/answerbook down` ends all services and keeps their data; with `--delete-data` it
#   begins anew. `make down` is the same, for when you are done.
#
# A cell that seems to hang has a progress bar or a deadline: nothing here waits for ever. Interrupt
# the kernel if you will, and run the notebook again from its top: each begins with a clean queue,
# topic or database.
#
# ## Summary
# - A section is a claim, code and evidence; an assertion fails where the claim is wrong.
# - An open port says nothing; a round trip by the real client does.
# - A queue hands a message to one reader; a log keeps a record for all; a table answers questions.
# - Connections are opened once and kept.
# - `require` brings a dead service back, with its data.
#
# ## Follow-ups
# <details><summary>Why real services, and no mocks?</summary>
# A mock does what its author thinks that the service does. What surprises people in production is
# the difference: a port that is open and does not answer, for one. Evidence: <i>A port that is open
# is not a service that works</i>.
# </details>
#
# <details><summary>When would you take a queue, when a log, and when a table?</summary>
# A queue where each piece of work is done by one worker and then forgotten. A log where several
# programs read the same events, at their own pace, and may have to read them again. A table where
# the questions come later than the data. Evidence: <i>Kafka: a record stays after it was read</i>,
# and its two neighbours.
# </details>
#
# <details><summary>Does a killed PostgreSQL lose nothing at all?</summary>
# Nothing that was committed: a commit returns when its write-ahead log is on the disk. What was not
# committed is rolled back. Evidence: <i>A service that was killed is noticed, and comes back with
# its data</i>, and <a
# href="https://www.postgresql.org/docs/current/wal-reliability.html">Reliability</a>.
# </details>
#
# ## Exercises
# An exercise is a cell `answer = ...`. Put your answer in place of the three dots, run it and the
# cell below, and that says whether it is right, or gives a hint. The solution is folded.
#
# **1.** After every program that wanted it has read it once: which of `"rabbitmq"`, `"kafka"` and
# `"postgres"` still have what was written? Answer with a set of names.
#
# <details><summary>Solution</summary>
# <code>answer = {"kafka", "postgres"}</code>: only a queue forgets a message that was taken.
# </details>

# %%
answer = ...

# %%
exercises.still_there.check(answer)

# %% [markdown]
# **2.** Write a function `answer(address)` that sends `b"ping"` to the address (a host and a port)
# and returns whether at least one byte comes back within a second. The check tries it on a server
# that answers, and on one that does not.
#
# <details><summary>Solution</summary>
# <pre>def answer(address):
#     with socket.create_connection(address, timeout=1) as client:
#         client.send(b"ping")
#         try:
#             return client.recv(1) != b""
#         except TimeoutError:
#             return False</pre>
# </details>

# %%
answer = ...

# %%
exercises.answers.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Next, for question 1: [1.1 REST](1_1_rest.ipynb), then [1.3 AMQP](1_3_amqp.ipynb) and
#   [1.5 Kafka](1_5_kafka.ipynb)
# - For question 3: [3.1 Hashing](3_1_hashing.ipynb); it needs no service
# - For question 5: [5.1 Full-text search](5_1_full_text_search.ipynb)
# - [AMQP concepts](https://www.rabbitmq.com/tutorials/amqp-concepts), RabbitMQ's own introduction
# - [Kafka: introduction](https://kafka.apache.org/intro), what a log is good for
# - [PostgreSQL: tutorial](https://www.postgresql.org/docs/current/tutorial.html)

# %%
environment("pika", "kafka-python", "psycopg", rabbitmq, kafka, postgres)
