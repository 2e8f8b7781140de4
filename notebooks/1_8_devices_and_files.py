# %% [markdown]
# # 1.8 Devices, files and cards: MQTT, SFTP and ISO 8583
# *1 minute · 0.3 GB · services: none*
#
# ## Answer in a minute
# *MQTT* is publish and subscribe for devices on bad networks. QoS 0 may lose a
# message, QoS 1 may repeat it, QoS 2 does neither, but only between one client
# and its broker, for as long as both keep the session. The broker keeps the
# last retained message of a topic, and publishes a device's last will when it
# goes without a goodbye.
#
# *SFTP* moves files over SSH. It is not FTP over TLS (that is FTPS). Check the
# host key, log in with a key, resume at the size that is already there, write
# to a temporary name and rename: a reader then sees a whole file or none.
#
# *ISO 8583* is what a card terminal speaks: a bitmap and the fields that it
# names. TCP has no messages, so each gets its length in front. After a timeout
# nobody knows whether money moved: the terminal sends a reversal.
#
# ## You will
# - **do**: lose acknowledgements on purpose, kill a device, cut an upload,
#   meet an impostor, take a card payment apart and reverse it.
# - **learn**: what each protocol promises when the connection breaks.
# - **need**: nothing but this notebook; [1.3](1_3_amqp.ipynb) for comparison.

# %%
import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from itertools import combinations

import asyncssh
import iso8583
import paho.mqtt.client as paho

from answerbook.notebook import environment, raises, table, wait_for
from answerbook.notebook.exercises import q1_8_devices_and_files as exercises
from answerbook.protocols import card_network, mqtt, sftp, wire_costs
from answerbook.protocols.wire import Wire

# %% [markdown]
# ## The level of service decides what a broken connection costs
# The broker is amqtt, in a process of its own; the devices are paho clients in
# ours, each with a list for what it gets. `loop_start()` runs a client's network
# in a thread, which also connects again by itself. `clean=False` asks both
# sides to keep a *session*: what is subscribed and what is not yet
# acknowledged.

# %%
broker = mqtt.serve()


def device(name, port=broker.port, clean=True):
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, name, clean, [])
    client.on_message = lambda _, inbox, message: inbox.append(message)
    client.username_pw_set(broker.user, broker.password)
    client.connect(broker.host, port)
    client.loop_start()
    wait_for(client.is_connected, f"{name} is connected")
    return client


# %%
def subscribe(client, topic, qos):
    granted = []
    client.on_subscribe = lambda *answer: granted.append(answer)
    client.subscribe(topic, qos)
    wait_for(lambda: granted, f"the broker granted {topic}")


def received(client, topic):
    inbox = client.user_data_get()
    return [str(m.payload, "utf-8") for m in inbox if m.topic == topic]


def arrives(client, topic, text):
    wait_for(lambda: text in received(client, topic), f"{text} arrives")


# %% [markdown]
# Between a door and the broker we put a `Wire`, which passes every byte on
# until it is told to lose what one side says. The door publishes once. Either
# its PUBLISH is lost on the way, or it arrives and the broker's answer is
# lost. Then the connection breaks, and the next one is whole.
#
# <details><summary>Predict: how many messages does a subscriber get, for QoS 0,
# 1 and 2, in each of the two cases?</summary>
# 0, 1, 1 when the message is lost; 1, 2, 1 when the answer is. The sender
# cannot tell the two cases apart, so QoS 1 sends again in both.
# </details>


# %%
def opens(wire, topic, qos, side):
    door = device("door", wire.port, clean=False)
    wire.lose(side)
    sent = door.publish(topic, "opened", qos)
    wait_for(lambda: wire.lost(side) or received(display, topic), "loss")
    wire.cut()
    wait_for(sent.is_published, "the door takes it for published")
    door.disconnect()


# %%
display, sensor, arrivals = device("display"), device("sensor"), {}
for side in ("requests", "answers"):
    for qos in (0, 1, 2):
        topic = f"door/{side}/{qos}"
        subscribe(display, topic, qos)
        with Wire(broker.port) as wire:
            opens(wire, topic, qos, side)
        sensor.publish(topic, "end", qos)
        arrives(display, topic, "end")
        arrivals[side, qos] = received(display, topic).count("opened")

# %%
table(
    [(q, arrivals["requests", q], arrivals["answers", q]) for q in range(3)],
    columns=["QoS", "message was lost", "answer was lost"],
    caption="How often a message arrived that was published once.",
)
assert [arrivals["requests", q] for q in range(3)] == [0, 1, 1]
assert [arrivals["answers", q] for q in range(3)] == [1, 2, 1]

# %% [markdown]
# At QoS 0, *published* means that the bytes were handed to the operating
# system. At QoS 1 a sender that connects again repeats each PUBLISH that had no
# PUBACK, marked DUP, and the broker passes every copy on; the mark is for that
# one hop, and no subscriber may rely on it. At QoS 2 the broker knows the
# packet's number from the first time, and passes the message on only when the
# sender has released that number: PUBLISH, PUBREC, PUBREL, PUBCOMP, four
# packets for one message.
#
# ## QoS 2 is exactly once only while both sides remember
# A till publishes order 7 at QoS 2. Its last answer, the PUBCOMP, is lost
# (the PUBREC before it has four bytes, and passes). Then the till is restarted,
# and its own records say that order 7 is unconfirmed.
#
# <details><summary>Predict: how often does order 7 arrive?</summary>
# Twice. paho keeps its side of the session in memory, which is gone. To the
# broker, the second order 7 is a new message with a new number.
# </details>

# %%
subscribe(display, "orders", 2)
with Wire(broker.port) as wire:
    till = device("till", wire.port)
    wire.lose("answers", after=4)
    till.publish("orders", "order 7", 2)
    wait_for(lambda: wire.lost("answers"), "the PUBCOMP is lost")
till.disconnect()
till = device("till")
till.publish("orders", "order 7", 2)
wait_for(lambda: len(received(display, "orders")) > 1, "it comes again")
assert received(display, "orders") == ["order 7", "order 7"]

# %% [markdown]
# And nothing in MQTT says that the subscriber *did* anything with it. Exactly
# once from end to end takes an id in the payload, and a receiver that
# remembers ids. Whoever plans with QoS 2 should also ask the broker: by its
# documentation, RabbitMQ's MQTT plugin [has QoS 0 and 1
# only](https://www.rabbitmq.com/docs/mqtt).
#
# ## A retained message is the last value, not a queue
# A thermometer publishes three values with `retain=True`, while nobody
# listens. The broker keeps one for the topic, and hands it to each new
# subscriber, marked as retained. An empty retained message deletes it, and who
# subscribes after that gets only what comes live.

# %%
for celsius in (20, 21, 22):
    sensor.publish("room", celsius, 1, retain=True).wait_for_publish()
subscribe(display, "room", 1)
arrives(display, "room", "22")
assert display.user_data_get()[-1].retain
assert received(display, "room") == ["22"]
sensor.publish("room", "", 1, retain=True).wait_for_publish()
newcomer = device("newcomer")
subscribe(newcomer, "room", 1)
sensor.publish("room", 24, 1)
arrives(newcomer, "room", "24")
assert received(newcomer, "room") == ["24"]

# %% [markdown]
# ## The broker sends a last will for a device that dies
# A lamp, in a process of its own, leaves its will when it connects: *offline*,
# to be published if it goes without a DISCONNECT. We kill it with SIGKILL, so
# it can do nothing itself.

# %%
LAMP = """
import paho.mqtt.client as paho
port, user, password = input().split()
lamp = paho.Client(paho.CallbackAPIVersion.VERSION2, "lamp")
lamp.username_pw_set(user, password)
lamp.will_set("lamp", "offline", qos=1)
lamp.connect("127.0.0.1", int(port))
lamp.publish("lamp", "online", qos=1)
lamp.loop_forever()"""

# %%
subscribe(display, "lamp", 1)
program = [sys.executable, "-c", LAMP]
lamp = subprocess.Popen(program, stdin=subprocess.PIPE, text=True)
login = f"{broker.port} {broker.user} {broker.password}\n"
lamp.stdin.write(login), lamp.stdin.flush()
arrives(display, "lamp", "online")
lamp.kill()
arrives(display, "lamp", "offline")
print(received(display, "lamp"), "and the lamp ended by signal", -lamp.wait())
assert received(display, "lamp") == ["online", "offline"]

# %% [markdown]
# A killed process is noticed at once, because its kernel closes the socket. If a
# device loses power, nobody closes anything: by the standard the broker gives
# it up after one and a half times its *keep-alive* (amqtt 0.12 does not check
# that; others do). After an orderly DISCONNECT there is no will, so publish
# *offline* first.
#
# ## A persistent session collects what a device missed
# Two phones subscribe and disconnect, one with a clean session, one with a
# persistent one. While they are away, a message is published at QoS 1, and a
# display that is online gets it. Then both come back, each under the client id
# that it had.

# %%
for clean in (True, False):
    phone = device(f"phone, clean={clean}", clean=clean)
    subscribe(phone, "news", 1)
    phone.disconnect(), phone.loop_stop()
subscribe(display, "news", 1)
sensor.publish("news", "you missed this", 1)
arrives(display, "news", "you missed this")

# %%
missed = {}
for clean in (True, False):
    phone = device(f"phone, clean={clean}", clean=clean)
    subscribe(phone, f"end/{clean}", 1)
    sensor.publish(f"end/{clean}", "end", 1)
    arrives(phone, f"end/{clean}", "end")
    missed[clean] = received(phone, "news")
print("by clean session:", missed)
assert missed == {True: [], False: ["you missed this"]}

# %% [markdown]
# The second did not even subscribe again. *Persistent* means that the broker keeps
# it, somewhere; how safely is the broker's affair (see below).
#
# ## An unknown host key is refused before anything is sent
# Files now. We make a key pair and give its public half to the bank; the bank
# gives us its *host key*, over another channel than the one it protects. A
# `known_hosts` line joins that key to a name.

# %%
key = asyncssh.generate_private_key("ssh-ed25519")
bank = sftp.serve(key.export_public_key())
known = asyncssh.import_known_hosts(f"bank {bank.host_key}")


def log_in(port, known_hosts=known, key=key):
    who = {"username": bank.user, "client_keys": [key], "config": None}
    where = {"known_hosts": known_hosts, "host_key_alias": "bank"}
    return asyncssh.connect(bank.host, port, **who, **where)


# %% [markdown]
# An impostor takes the bank's place. It lets our key in as well: a public key
# is no secret. Many examples say `known_hosts=None` (or `AutoAddPolicy` in
# paramiko), "to make it work".
#
# <details><summary>Predict: what do we notice with the check switched off?
# </summary>
# Nothing. The log-in succeeds, and the impostor has the payments.
# </details>

# %%
impostor = sftp.serve(key.export_public_key())
with raises(asyncssh.HostKeyNotVerifiable):
    await log_in(impostor.port)
async with log_in(impostor.port, None) as ssh, ssh.start_sftp_client() as ftp:
    remote = await ftp.open("payments.csv", "w")
    await remote.write("to,amount\nDE89…,1200.00\n")
assert (impostor.folder / "payments.csv").exists()
async with log_in(bank.port) as ssh:
    print("the bank:", ssh.get_server_host_key().get_fingerprint())

# %% [markdown]
# ## A cut upload goes on where it stopped
# Four megabytes, in blocks that we write one after the other, each at its own
# offset. The wire breaks after 1.5 MB.

# %%
DATA, BLOCK = random.Random(8).randbytes(4_000_000), 32_768


async def upload(ftp, name, data=DATA, start=0):
    async with ftp.open(name, "r+b" if start else "wb") as remote:
        for offset in range(start, len(data), BLOCK):
            await remote.write(data[offset : offset + BLOCK], offset)


wire = Wire(bank.port)
wire.cut_after(1_500_000)
with raises(OSError, asyncssh.Error):
    async with log_in(wire.port) as ssh, ssh.start_sftp_client() as ftp:
        await upload(ftp, "report.bin")

# %%
before = wire.passed("requests")
async with log_in(wire.port) as ssh, ssh.start_sftp_client() as ftp:
    there = (await ftp.stat("report.bin")).size
    await upload(ftp, "report.bin", start=there)
    again = wire.passed("requests") - before
    async with ftp.open("report.bin", "rb") as remote:
        assert await remote.read() == DATA
print(f"{there:,} bytes were there; {again:,} sent to finish")
assert 0 < there < 1_500_000 and again < len(DATA) - there + 200_000

# %% [markdown]
# The size is a safe place to go on because the blocks were written in order. A
# client that keeps many writes in flight (`put` does, to be fast) can leave
# holes, so compare a checksum of the whole in the end, as we did with the
# bytes. Writing the same block at the same offset twice does no harm.
#
# ## A reader never sees half of a file that is renamed into place
# One connection replaces a file twenty times, another reads it all the while.
# First in place; then under another name, with a rename at the end.

# %%
OLD, NEW = b"1.10\n" * 60_000, b"1.12\n" * 60_000


async def replace(ftp, new, rename):
    await upload(ftp, "rates.part" if rename else "rates.csv", new)
    if rename:
        await ftp.posix_rename("rates.part", "rates.csv")


async def watch(ftp, seen):
    while True:
        async with ftp.open("rates.csv", "rb") as remote:
            seen.append(await remote.read())


# %%
writer, reader = await log_in(bank.port), await log_in(bank.port)
writing = await writer.start_sftp_client()
reading = await reader.start_sftp_client()
await upload(writing, "rates.csv", OLD)
seen = {"in place": [], "renamed": []}
for way, views in seen.items():
    watching = asyncio.create_task(watch(reading, views))
    for version in (NEW, OLD) * 10:
        await replace(writing, version, rename=way == "renamed")
    watching.cancel()

# %% [markdown]
# The rename is `posix_rename`, an extension that OpenSSH brought and most
# servers have. SFTP's own `rename` refuses a name that is taken. And a rename
# is atomic on one file system only: from another disk it is a copy.

# %%
halves = {w: sum(view not in (OLD, NEW) for view in seen[w]) for w in seen}
table(
    [(way, len(seen[way]), halves[way]) for way in seen],
    columns=["replaced", "reads", "neither old nor new"],
    caption="What a reader saw while a file was replaced twenty times.",
)
assert halves["in place"] > 0 and halves["renamed"] == 0
with raises(asyncssh.SFTPFailure):
    await writing.rename("rates.csv", "report.bin")

# %% [markdown]
# ## A card message is a bitmap and the fields that it names
# An authorisation request, type 0100: 25.00 € at a terminal. The *trace
# number* (field 11) is the terminal's own; with terminal and time it names
# this request. The card number is one that is published for tests, and we
# show it masked even so: whole ones belong in no log.
#
# No names, no separators: a set bit says that a field is there, the *spec*
# says how long it is (fields 2 and 32 carry their length in two digits). ISO
# 8583 leaves encodings open, so there is no such thing as *the* format. The
# same bytes, read with a spec whose bitmap is in hexadecimal, are an error at
# best.

# %%
PURCHASE = {
    "t": "0100", "2": card_network.TEST_PAN, "3": "000000",
    "4": "000000002500", "7": "1124101530", "11": "000042",
    "32": "12345", "41": "TERM0001", "49": "978",
}  # fmt: skip
SPEC = card_network.SPEC
raw, encoded = iso8583.encode(PURCHASE, SPEC)
with raises(iso8583.DecodeError):
    iso8583.decode(raw, iso8583.specs.default_ascii)

# %%
bitmap = encoded["p"]["data"]
bits = f"{int.from_bytes(bitmap, 'big'):064b}"
named = [n for n, bit in enumerate(bits, start=1) if bit == "1"]
fields = {n: (SPEC[str(n)]["desc"], PURCHASE[str(n)]) for n in named}
fields[2] = (fields[2][0], card_network.masked(PURCHASE["2"]))
size = {n: encoded[str(n)]["len"].decode() for n in named}
print(f"type {raw[:4].decode()}, bitmap {bitmap.hex(' ')}, {len(raw)} bytes")
rows = [(n, meaning, size[n], data) for n, (meaning, data) in fields.items()]
table(rows, ["field", "meaning", "length", "data"], caption="Fields in order.")
assert named == [2, 3, 4, 7, 11, 32, 41, 49]

# %% [markdown]
# ## TCP has no messages, so each brings its length
# Two calls of `sendall`, one `recv`: the boundary is gone. It works the other
# way too: one message may come in several pieces.

# %%
with socket.create_server(("127.0.0.1", 0)) as server:
    with socket.create_connection(server.getsockname()) as sender:
        sender.sendall(b"first")
        sender.sendall(b"second")
    receiver, _ = server.accept()
    with receiver:
        assert receiver.recv(4096) == b"firstsecond"

# %% [markdown]
# The usual frame is two bytes of length, the high one first. What is not whole
# stays in the buffer for the next time. Two messages, cut at any two places:


# %%
def framed(message):
    return len(message).to_bytes(2, "big") + message


def messages(buffer):
    while len(buffer) >= 2:
        end = 2 + int.from_bytes(buffer[:2], "big")
        if len(buffer) < end:
            return
        yield bytes(buffer[2:end])
        del buffer[:end]


# %%
stream, outcomes = framed(raw) + framed(b"second"), []
for first, second in combinations(range(len(stream) + 1), 2):
    buffer, read = bytearray(), []
    for piece in (stream[:first], stream[first:second], stream[second:]):
        buffer += piece
        read += messages(buffer)
    outcomes.append((read, bytes(buffer)))
print(f"{len(outcomes):,} ways to cut {len(stream)} bytes in three")
assert all(outcome == ([raw, b"second"], b"") for outcome in outcomes)

# %% [markdown]
# Now live, against a host that keeps one account. Two requests go out in one
# piece, a third byte by byte; three answers, type 0110, come back. Field 39 is
# the verdict (00 is yes), field 54 ends with what is left, in cents.


# %%
def send(connection, *requests):
    raws = [iso8583.encode(dict(each), SPEC)[0] for each in requests]
    connection.sendall(b"".join(framed(raw) for raw in raws))


def receive(connection, count=1):
    buffer, read = bytearray(), []
    while len(read) < count:
        if not (piece := connection.recv(4096)):
            raise EOFError("The host closed: check length and spec.")
        buffer += piece
        read += messages(buffer)
    return [iso8583.decode(each, SPEC)[0] for each in read]


# %%
host = card_network.serve()
terminal = socket.create_connection((host.host, host.port), timeout=5)
terminal.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
send(terminal, PURCHASE | {"11": "000001"}, PURCHASE | {"11": "000002"})
for byte in framed(iso8583.encode(PURCHASE | {"11": "000003"}, SPEC)[0]):
    terminal.sendall(bytes([byte]))
answers = receive(terminal, 3)
print([(a["t"], a["11"], a["39"], int(a["54"][8:])) for a in answers])
assert [a["11"] for a in answers] == ["000001", "000002", "000003"]
assert [int(a["54"][8:]) for a in answers] == [7500, 5000, 2500]

# %% [markdown]
# ## A small SFTP upload costs several times an MQTT message
# A hundred bytes, fifty times, through a wire that counts: published and
# acknowledged at QoS 1; written and renamed; and a balance inquiry, which is
# a little shorter, with its answer.

# %%
wires = [Wire(peer.port) for peer in (broker, bank, host)]
meter, ssh = device("meter", wires[0].port), await log_in(wires[1].port)
ftp = await ssh.start_sftp_client()
line = socket.create_connection((host.host, wires[2].port), timeout=5)


async def publish(number):
    meter.publish("meter", bytes(100), 1).wait_for_publish()


async def put(number):
    await upload(ftp, "new.part", bytes(100))
    await ftp.posix_rename("new.part", "new")


async def inquire(number):
    send(line, PURCHASE | {"3": "310000", "11": f"9{number:05}"})
    receive(line)


# %%
exchanges = {"MQTT": publish, "SFTP": put, "ISO 8583": inquire}
repairs = "receiver drops copies", "sender goes on", "sender reverses"
costs = {}
for wire, name in zip(wires, exchanges, strict=True):
    costs[name] = await wire_costs.measure(wire, exchanges[name], 50)
table(
    [(n, *costs[n], how) for n, how in zip(costs, repairs, strict=True)],
    columns=["protocol", "log-in", "exchange", "ms", "a lost answer"],
    caption="Bytes both ways, above TCP; milliseconds for an exchange.",
)
assert 2 * costs["MQTT"].log_in < costs["SFTP"].log_in
assert 2 * costs["MQTT"].exchange < costs["SFTP"].exchange

# %% [markdown]
# SFTP has its keys to exchange first, and writing a file is open, write, close
# and rename, a round trip each. ISO 8583 has no log-in of its own: networks use
# private lines or TLS, and codes of authenticity in the messages.
#
# ## When it breaks
# ### Wrong credentials
# When paho's `connect()` returns, there is a TCP connection and no more. The
# broker's refusal comes later, in its CONNACK, and only `on_connect` sees it.
# SFTP raises at once.

# %%
stranger, verdicts = paho.Client(paho.CallbackAPIVersion.VERSION2), []
stranger.on_connect = lambda *answer: verdicts.append(answer[3])
stranger.username_pw_set(broker.user, "guess")
stranger.connect(broker.host, broker.port)
stranger.loop_start()
wait_for(lambda: verdicts, "the broker answers")
stranger.disconnect()
print("MQTT:", verdicts[0])
assert verdicts[0].is_failure
with raises(asyncssh.PermissionDenied) as denied:
    await log_in(bank.port, key=asyncssh.generate_private_key("ssh-ed25519"))

# %% [markdown]
# ### The broker is killed
# paho keeps an unacknowledged message, connects again and sends it: *fire* is
# published at QoS 1 while there is no broker, and acknowledged by the next.
#
# <details><summary>Predict: does the display, also connected again, show it?
# </summary>
# No. Its subscription died with the first broker, and paho does not renew it.
# </details>

# %%
subscribe(display, "alarm", 1)
os.kill(broker.pid, signal.SIGKILL)
fire = sensor.publish("alarm", "fire", 1)
broker = mqtt.serve(broker.port, broker.password)
wait_for(fire.is_published, "the next broker has it")
wait_for(display.is_connected, "the display is back")
subscribe(display, "alarm", 1)
sensor.publish("alarm", "end", 1)
arrives(display, "alarm", "end")
assert received(display, "alarm") == ["end"]

# %% [markdown]
# No error told anyone. So the display subscribes in `on_connect`, which runs at
# each connection. And *fire* is retained: whichever of the two comes back
# first, the display gets it. The same death again:

# %%
display.on_connect = lambda client, *_: client.subscribe("alarm", 1)
os.kill(broker.pid, signal.SIGKILL)
sensor.publish("alarm", "fire", 1, retain=True)
broker = mqtt.serve(broker.port, broker.password)
arrives(display, "alarm", "fire")
print(received(display, "alarm"))
assert received(display, "alarm")[:2] == ["end", "fire"]

# %% [markdown]
# (It may come twice, retained and live, when both come back at one moment.) What
# a broker acknowledged before it was killed, no client sends again. Only a
# broker that keeps it on disk still has it, and this one does not.
#
# ### The host closes, or says nothing
# Another network writes lengths as four digits. Our host reads the first two
# as a length of 12,336, which no message has. Where messages begin and end is
# lost for good, so it closes.
#
# A host that says nothing may have taken the money. The answer to a purchase of
# 10.00 € is lost:

# %%
with socket.create_connection((host.host, host.port), timeout=5) as confused:
    confused.sendall(b"%04d" % len(raw) + raw)
    with raises(EOFError) as closed:
        receive(confused)
purchase = PURCHASE | {"4": "000000001000", "11": "000101"}
wires[2].lose("answers")
send(line, purchase)
line.settimeout(0.5)
with raises(TimeoutError) as silent:
    receive(line)
wires[2].cut()

# %% [markdown]
# ### After its timeout, the terminal reverses
# It sends a *reversal*, 0400, which names the request in field 90: type, trace
# number, time, and who sent it. Reversals are repeated until answered. (The
# balance before the purchase was in the host's last answer above.)

# %%
inquiry = PURCHASE | {"3": "310000", "4": "0" * 12, "11": "000103"}
before = int(answers[-1]["54"][8:])
original = "0100" + purchase["11"] + purchase["7"] + "12345".zfill(11)
reversal = purchase | {"t": "0400", "11": "000102"}
reversal |= {"90": original.ljust(42, "0")}
send(terminal, inquiry, reversal, reversal | {"t": "0401"})
balances = [int(answer["54"][8:]) for answer in receive(terminal, 3)]
print("cents left before, after the timeout, reversed:", before, *balances)
assert balances == [before - 1000, before, before]

# %% [markdown]
# The money was gone, came back, and came back once, although the reversal was
# sent twice. A purchase that is sent twice (a *repeat* should say so with type
# 0101) is recognised in the same way, by terminal, trace number and time:

# %%
again = PURCHASE | {"4": "000000001000", "11": "000104"}
send(terminal, again, again, again | {"t": "0101"}, again | {"11": "000105"})
answers = receive(terminal, 4)
print([(a["11"], a["38"], int(a["54"][8:])) for a in answers])
assert len({a["38"] for a in answers[:3]}) == 1
left = [int(a["54"][8:]) for a in answers]
assert left == [before - 1000] * 3 + [before - 2000]

# %% [markdown]
# In a sentence each, for whoever is called at night:

# %%
advice = [
    ("password", verdicts[0], "Ask the broker's owner for the right one."),
    ("key", denied.error, "Have the bank authorise it, or use the right one."),
    ("broker dead", "no alarm", "Start it; subscribe in on_connect; retain."),
    ("length", closed.error, "Agree on its form, and connect again."),
    ("answer lost", silent.error, "Send a reversal until it is answered."),
]
columns = ["what broke", "you see", "what to do"]
table(advice, columns, caption="What each asks for.")

# %% [markdown]
# ## Summary
# - QoS 0 may lose, QoS 1 may repeat, QoS 2 does neither while both sides keep
#   the session; a restarted program is a new sender.
# - Retained is the last value of a topic; a will speaks for a device that
#   died; a persistent session keeps what a subscriber missed.
# - Subscribe in `on_connect`: a broker may have forgotten, and tells nobody.
# - Check the host key: without that, an impostor gets the files.
# - Resume at the size that is there, and rename into place.
# - A bitmap names the fields, a spec their form, a length in front of each
#   message its end.
# - After a timeout: a reversal, by number, as often as it takes.
#
# ## Follow-ups
# <details><summary>Is SFTP the same as FTPS?</summary>
# No. FTPS is FTP inside TLS: certificates, a second connection for data, ports
# to open. SFTP is a protocol of its own inside SSH, on one connection.
# Evidence: <a href="https://datatracker.ietf.org/doc/html/rfc4217">RFC 4217</a>
# for FTPS; there is only a draft for SFTP.
# </details>
#
# <details><summary>Is QoS 2 end to end?</summary>
# No, and its levels are per hop: publisher to broker, and broker to each
# subscriber, at the lower of the two levels asked for. Evidence: <i>QoS 2 is
# exactly once only while both sides remember</i>.
# </details>
#
# <details><summary>And if the subscriber is cut off before its
# acknowledgement?</summary>
# The broker has to send again when a persistent session comes back. amqtt 0.12
# does not, so we cut the publisher's side. Try it on the broker that you will
# use. Evidence: <a href="https://github.com/Yakifo/amqtt/issues/401">amqtt's
# issue 401</a>.
# </details>
#
# <details><summary>When does a receiver know that an uploaded file is complete?
# </summary>
# When it has its final name. Evidence: <i>A reader never sees half of a file
# that is renamed into place</i>.
# </details>
#
# <details><summary>Does the rename survive a power cut?</summary>
# Atomic is not durable: the file and its folder have to be fsynced, which SFTP
# leaves to the server. Evidence:
# <a href="https://man7.org/linux/man-pages/man2/rename.2.html">rename(2)</a>.
# </details>
#
# <details><summary>Why not just send the purchase again after a timeout?
# </summary>
# A repeat with the same trace number is safe where the host recognises it. But
# the customer may be gone; the reversal settles the matter either way.
# Evidence: <i>When it breaks</i>.
# </details>
#
# ## Exercises
# **1.** A door publishes one message at QoS 1. Three times the PUBACK is lost
# and the connection breaks; the fourth PUBACK arrives. How many copies does a
# subscriber get? (A whole number.)
#
# <details><summary>Solution</summary>
# <code>answer = 4</code>: each PUBLISH arrived, and each was passed on.
# </details>

# %%
answer = ...

# %%
exercises.copies.check(answer)

# %% [markdown]
# **2.** Write a function of a bitmap's eight bytes that returns the list of
# fields that it names, in order.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(bitmap):
#     bits = f"{int.from_bytes(bitmap, 'big'):064b}"
#     return [n for n, bit in enumerate(bits, start=1) if bit == "1"]
# </pre>
# The leading zeros matter: without <code>064</code> everything shifts.
# </details>

# %%
answer = ...

# %%
exercises.fields.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Next: [1.9 Choosing](1_9_choosing.ipynb), one payload through every
#   protocol.
# - [1.5 Kafka](1_5_kafka.ipynb), where the receiver keeps its own place.
# - [MQTT
#   3.1.1](https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html),
#   the standard: section 4.3 is the levels of service.
# - [asyncssh](https://asyncssh.readthedocs.io/),
#   [paho](https://eclipse.dev/paho/files/paho.mqtt.python/html/),
#   [pyiso8583](https://pyiso8583.readthedocs.io/).

# %%
environment("paho-mqtt", "amqtt", "asyncssh", "pyiso8583")
