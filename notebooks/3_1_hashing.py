# %% [markdown]
# # 3.1 Hashing: one way, and what that does not give
# *1 minute · 0.4 GB · services: none*
#
# ## Answer in a minute
# A hash turns bytes of any length into a short digest, without a key, and nobody can compute the way
# back. What is called "one-way encryption" is hashing, and it is no encryption: there is nothing to
# decrypt. Take SHA-256, from `hashlib`, of text as bytes and of a file in pieces.
#
# MD5 is broken: two inputs with one digest are made in seconds. As a checksum it finds accidents,
# and nothing that somebody does on purpose.
#
# A digest hides nothing that can be guessed, and does not say who made it. For that a key has to go
# in: HMAC-SHA-256, compared with `hmac.compare_digest`. `sha256(secret + message)` is no substitute:
# whoever sees one tag makes another.
#
# Passwords need a slow hash: [3.2](3_2_passwords.ipynb).
#
# ## You will
# - **do**: hash text and a file of any size, draw the avalanche, find collisions of short digests,
#   run two programs that have one MD5, forge tags by length extension and by the clock.
# - **learn**: what each of encoding, hashing, MAC and encryption promises, which hash to take, how
#   to check a tag.
# - **need**: text and bytes in Python.

# %%
import base64
import hashlib
import hmac
import operator
import secrets
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from answerbook.notebook import avalanche, clocking, memory
from answerbook.notebook import bars, environment, lines, median_seconds
from answerbook.notebook import show, stopwatch, table
from answerbook.notebook.attacks import length_extension, md5_collision, timing
from answerbook.notebook.exercises import q3_1_hashing as exercises

# %% [markdown]
# ## Encoding, hashing, MAC and encryption promise different things
# All four make a message unreadable. What tells them apart is who can compute them, and who can go
# back. *MAC* is short for message authentication code: a digest with a key, also called a tag.
#
# <details><summary>Predict: which of the four can be undone, and by whom?</summary>
# Encoding by everybody, encryption by whoever has the key. Hash and MAC by nobody, not even with the
# key: 32 bytes cannot hold a message of any length.
# </details>

# %%
message = b"Pay 100 to Bob"
mac_key, nonce = secrets.token_bytes(32), secrets.token_bytes(12)
cipher = AESGCM(AESGCM.generate_key(256))
made = {
    "encoding, Base64": base64.b64encode(message),
    "hash, SHA-256": hashlib.sha256(message).digest(),
    "MAC, HMAC-SHA-256": hmac.digest(mac_key, message, "sha256"),
    "encryption, AES-GCM": cipher.encrypt(nonce, message, None),
}

# %%
who = [
    ("anyone", "anyone", "nothing"),
    ("anyone", "nobody", "same digest, same message"),
    ("key holders", "nobody", "… and made by a key holder"),
    ("key holders", "key holders", "… and read by nobody else"),
]
names = ["14 bytes by", "in hex", "computed by", "undone by", "promises"]
rows = [(name, f"{made[name].hex()[:12]}…", *who.pop(0)) for name in made]
table(rows, columns=names, caption="One message, four ways.")
assert base64.b64decode(made["encoding, Base64"]) == message
assert cipher.decrypt(nonce, made["encryption, AES-GCM"], None) == message

# %% [markdown]
# The last promise needs *authenticated* encryption, such as AES-GCM; a cipher alone keeps a message
# secret and lets everybody change it. That is [3.3](3_3_aes.ipynb).
#
# ## A hash does not hide what can be guessed
# "Nobody can go back" holds for what nobody can guess. A code of six digits, a telephone number or an
# address from a list is guessed, hashed and compared. Here somebody published the SHA-256 of a code.
#
# <details><summary>Predict: how long does a laptop need for a million codes?</summary>
# About a second, in Python, on one core. A salt beside the digest changes nothing for one code; it
# only keeps one list of digests from serving for many.
# </details>

# %%
code = f"{secrets.randbelow(10**6):06}"
published = hashlib.sha256(code.encode()).digest()

with stopwatch() as watch:
    for number in range(10**6):
        guess = f"{number:06}"
        if hashlib.sha256(guess.encode()).digest() == published:
            break
print(f"{published.hex()[:12]}… is {guess}, after {watch.seconds:.2f} s")
assert guess == code

# %% [markdown]
# So the hash of a personal number is still personal data. With a key in it, nobody but the key's
# holder can test a guess.
#
# ## A hash takes bytes, and the same text can be different bytes
# `hash_content` gets text, and text has no bytes until an encoding gives it some; take UTF-8. The
# digests below are those that RFC 1321 and NIST published, so that we know that we compute the same.


# %%
def hash_content(content, name="sha256"):
    return hashlib.new(name, content.encode()).hexdigest()


rows = [
    (text, name.upper(), hash_content(text, name)[:20] + "…")
    for text in ("abc", "message digest", "")
    for name in ("md5", "sha256")
]
table(rows, columns=["text", "hash", "digest"], caption="Known answers.")
MD5 = "f96b697d7cb7938d525a2f31aaf161d0"
assert hash_content("message digest", "md5") == MD5
assert hash_content("abc").startswith("ba7816bf8f01cfea414140de5dae2223")

# %% [markdown]
# <details><summary>Predict: is the digest of é always the same?</summary>
# No. Unicode knows it as one character and as an e with an accent to be put on it; on the screen they
# are equal. Text that people type is brought into one form first, usually NFC.
# </details>
#
# Fields that are hashed one after the other lose their borders, too. Exercise 2 gives them back.

# %%
one, two = "caf\u00e9", "cafe\u0301"
print(one, two, hash_content(one)[:12], hash_content(two)[:12])
assert hash_content(one) != hash_content(two)
assert hash_content(one) == hash_content(unicodedata.normalize("NFC", two))

joined = hashlib.sha256(b"ann")
joined.update(b"admin")
assert joined.digest() == hashlib.sha256(b"anna" + b"dmin").digest()

# %% [markdown]
# ## A file of any size needs constant memory
# A hash eats its input block by block, 64 bytes at a time for MD5 and SHA-256, and keeps a state of a
# few dozen bytes. `hashlib.file_digest` (Python 3.11) reads in pieces, and lets other threads
# run meanwhile. The file here is sparse: 256 MiB of zeros that take no room on the disk.
#
# <details><summary>Predict: how much does <code>read_bytes()</code> take instead?</summary>
# As much as the file has; the hash itself adds nothing to it.
# </details>

# %%
folder = tempfile.TemporaryDirectory()
path = Path(folder.name, "large.bin")
with path.open("wb") as file:
    file.truncate(256 << 20)
with memory.memory_growth() as pieces, path.open("rb") as file:
    in_pieces = hashlib.file_digest(file, "sha256").hexdigest()
with memory.memory_growth() as whole:
    at_once = hashlib.sha256(path.read_bytes()).hexdigest()

# %%
rows = [
    ("file_digest", pieces.bytes / 1e6, in_pieces[:16] + "…"),
    ("read_bytes", whole.bytes / 1e6, at_once[:16] + "…"),
]
names = ["way", "memory, MB", "SHA-256"]
table(rows, columns=names, caption="256 MiB, hashed in pieces and whole.")
assert in_pieces == at_once
assert whole.bytes > 2 * pieces.bytes and pieces.bytes < 32e6

# %% [markdown]
# ## One flipped bit changes half of the digest, and says nothing of safety
# A good hash behaves as if each digest were drawn by lot: whichever bit of the input flips, each bit
# of the digest flips with probability ½. This is called the avalanche effect.
#
# <details><summary>Predict: MD5 is broken. Is its avalanche worse?</summary>
# No, the same. A search for collisions does not flip bits at random.
# </details>

# %%
text = b"The quick brown fox jumps over the lazy dog"


def flip(data, bit):
    return (int.from_bytes(data) ^ 1 << bit).to_bytes(len(data))


def share_changed(name, data, bit):
    before, after = (
        hashlib.new(name, each) for each in (data, flip(data, bit))
    )
    changed = avalanche.differing_bits(before.digest(), after.digest())
    return sum(changed) / len(changed)


# %%
shares = {
    name: [share_changed(name, text, bit) for bit in range(8 * len(text))]
    for name in ("md5", "sha256")
}
before, after = (
    hashlib.sha256(each).digest() for each in (text, flip(text, 0))
)
drawn = avalanche.draw_avalanche(before, after, shares)
show(
    drawn,
    alt="One bit flipped: what changes (left); how much, each flip (right).",
)

# %%
means = {name: sum(each) / len(each) for name, each in shares.items()}
print({name: f"{mean:.1%}" for name, mean in means.items()})
assert all(0.48 < mean < 0.52 for mean in means.values())

# %% [markdown]
# SHA-256 scatters less about the half only because its digest has twice the bits.
#
# ## A digest of n bits withstands collisions up to n/2 bits of work
# Any hash has collisions, since there are more inputs than digests. By the birthday paradox one comes
# after about 2^(n/2) inputs, not 2^n: it is enough that *some* two agree. We cut SHA-256 short and
# count.
#
# <details><summary>Predict: how many inputs until two agree in 32 bits?</summary>
# Some 80,000: a little more than 2^16.
# </details>


# %%
def until_collision(bits):
    start, seen = secrets.randbelow(2**64), set()
    while True:
        digest = hashlib.sha256(b"%d" % (start + len(seen))).digest()
        cut = int.from_bytes(digest[:8]) >> 64 - bits
        if cut in seen:
            return len(seen)
        seen.add(cut)


# %%
lengths = [16, 20, 24, 28, 32]
needed = [
    sorted(until_collision(bits) for _ in range(9))[4] for bits in lengths
]
curves = {
    "2^n": (lengths, [2**n for n in lengths]),
    "until two agree, median of 9": (lengths, needed),
    "2^(n/2)": (lengths, [2 ** (n / 2) for n in lengths]),
}
drawn = lines(curves, x="n, bits of the digest", y="inputs", log=True)

# %%
show(drawn, alt="Two digests agree after about 2^(n/2) inputs, far below 2^n.")
pairs = zip(lengths, needed, strict=True)
ratios = [count / 2 ** (bits / 2) for bits, count in pairs]
print([f"{ratio:.2f}" for ratio in ratios], "times 2^(n/2)")
assert all(1 / 4 < ratio < 4 for ratio in ratios)

# %% [markdown]
# MD5's 128 bits would therefore be too few even if nothing else were wrong with it: 2^64 steps are
# in reach of whoever wants to pay. SHA-256 has 128 bits of security against collisions. To find an
# input for a *given* digest is another matter, called a preimage: 2^n.
#
# ## MD5 is broken: two programs, one digest
# In 2004 Wang and others published two inputs of 128 bytes that differ in six bits and have the same
# MD5. Today anyone makes such a pair in seconds, and in hours one that begins with two given texts.
#
# <details><summary>Predict: we append the same bytes to both. Do they still collide?</summary>
# Yes. After two whole blocks MD5 is in one state for both, and what follows is the same.
# </details>

# %%
pair = md5_collision.COLLIDING_ONE, md5_collision.COLLIDING_OTHER
differing = sum(avalanche.differing_bits(*pair))
rows = [
    (name, *(hashlib.new(name, each).hexdigest()[:32] for each in pair))
    for name in ("md5", "sha1", "sha256")
]
caption = f"Two inputs that differ in {differing} of {8 * len(pair[0])} bits."
table(rows, columns=["first 128 bits", "one", "the other"], caption=caption)
assert pair[0] != pair[1] and rows[0][1] == rows[0][2]
assert rows[2][1] != rows[2][2]

# %% [markdown]
# Is that of any use? Python runs a zip archive, and an archive may have anything before it. So each
# block of the pair gets the same archive behind it, whose program looks at one of the six bits.

# %%
PROGRAM = """import sys
with open(sys.argv[0], "rb") as file:
    bit = file.read()[19] & 0x80
print("harmless" if bit else "HOSTILE")"""


def program(block, name):
    path = Path(folder.name, name)
    path.write_bytes(block)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py"), PROGRAM)
    return path


# %%
programs = [program(pair[0], "a.pyz"), program(pair[1], "b.pyz")]
rows = []
for path in programs:
    said = subprocess.check_output([sys.executable, path], text=True).strip()
    content = path.read_bytes()
    md5, sha256 = (hashlib.new(n, content) for n in ("md5", "sha256"))
    rows.append((said, md5.hexdigest(), sha256.hexdigest()[:32]))
folder.cleanup()
names = ["the program says", "MD5", "SHA-256, first 128 bits"]
table(rows, columns=names, caption="Two programs, one MD5.")
assert [row[0] for row in rows] == ["harmless", "HOSTILE"]
assert rows[0][1] == rows[1][1] and rows[0][2] != rows[1][2]

# %% [markdown]
# Whoever reviews one of them and pins its MD5 has pinned the other. A forged certificate authority
# (2008), the Flame malware (2012) and Blast-RADIUS (2024) are this attack on real systems. SHA-1
# followed in 2017. What still holds: nobody can make a partner for a file that somebody *else* made.
# So MD5 stays a checksum against accidents; say so in code, `md5(…, usedforsecurity=False)`.
#
# ## SHA-3 and BLAKE2 are other designs, and MD5 is hardly faster
# SHA-256 is not broken. SHA-3 (FIPS 202) was standardised to have something of another kind: a
# *sponge*, of whose state the digest shows a part. BLAKE2 (RFC 7693) marks its last block; it takes a
# key, a length and a purpose as parameters.
#
# <details><summary>Predict: which is the fastest here?</summary>
# It depends on the processor. With SHA instructions SHA-1 and SHA-256 win; without them BLAKE2b and
# SHA-512, which compute with words of 64 bits.
# </details>

# %%
KINDS = {
    "md5": (128, 128, "in seconds"),
    "sha1": (160, 160, "since 2017"),
    "sha256": (256, 256, "none known"),
    "sha512": (512, 512, "none known"),
    "sha3_256": (256, 1600, "none known"),
    "blake2b": (512, 512, "none known"),
}
data = secrets.token_bytes(8 << 20)
seconds = {n: median_seconds(partial(hashlib.new, n, data)) for n in KINDS}

# %%
speeds = {name: len(data) / 1e6 / each for name, each in seconds.items()}
rows = [(name, *kind, speeds[name]) for name, kind in KINDS.items()]
names = ["hashlib's name", "digest, bits", "state, bits", "collisions", "MB/s"]
table(rows, columns=names, caption="One core, 8 MiB.")
assert all(hashlib.new(n).digest_size * 8 == KINDS[n][0] for n in KINDS)
assert 2 * speeds["blake2b"] > speeds["md5"]

# %%
shake = hashlib.shake_128(b"abc")
assert shake.digest(32).startswith(shake.digest(16))
short = hashlib.blake2b(b"abc", digest_size=16)
assert not hashlib.blake2b(b"abc").digest().startswith(short.digest())
purposes = [hashlib.blake2b(b"abc", person=p) for p in (b"file", b"login")]
print([each.hexdigest()[:16] for each in purposes])
assert purposes[0].digest() != purposes[1].digest()

# %% [markdown]
# SHAKE gives as many bytes as asked for, and more of them begin with the fewer; BLAKE2 with another
# length or purpose is another hash.
#
# ## sha256(secret + message) lets anyone go on
# To prove who made a message, put a secret before it and hash both: this looks right, and services
# did it (Flickr's API, 2009). Look at the table: the digest of SHA-256 *is* its state. So whoever has
# a digest can go on hashing where its maker stopped, after the padding that SHA-256 adds at the end:
# a 1 bit, zeros, the length.
#
# `hashlib` lets nobody set a state, so `length_extension` has a SHA-256 written out, to be used for
# this and nothing else.

# %%
SECRET = secrets.token_bytes(16 + secrets.randbelow(32))


def broken_tag(message):
    return hashlib.sha256(SECRET + message).digest()


message = b"user=eve&role=reader"
tag = broken_tag(message)
hashed = SECRET + message
padded = hashed + length_extension.padding(len(hashed))
resumed = length_extension.resume(tag, len(padded), b"&role=admin")
assert resumed == hashlib.sha256(padded + b"&role=admin").digest()

# %% [markdown]
# `resume` was given the tag and a length, and not the secret. The length is all that Eve has to
# guess. The server reads the last of two equal fields, as many do.
#
# <details><summary>Predict: how many requests does Eve need?</summary>
# One for each length that the secret may have: some dozens.
# </details>


# %%
def server(message, tag):
    if not hmac.compare_digest(broken_tag(message), tag):
        return None
    return dict(parse_qsl(message.decode(errors="replace")))["role"]


requests = []


def eve(message, tag):
    requests.append(message)
    return server(message, tag)


# %%
assert server(message, tag) == "reader"
forged = length_extension.forge(message, tag, b"&role=admin", eve)
print(forged.message)
print(f"{len(requests)} requests; the secret has {forged.secret_length} bytes")
assert server(forged.message, forged.tag) == "admin"
assert forged.secret_length == len(SECRET)

# %% [markdown]
# SHA-512, SHA-1 and MD5 fall the same way; SHA-3, BLAKE2 and SHA-512/256 do not, since their digest
# is not all of the state, or the last block is marked. Putting the secret last is no cure with MD5:
# the colliding pair gets one tag.

# %%
tags = [hashlib.md5(each + SECRET).hexdigest() for each in pair]
print(tags[0], tags[0] == tags[1])
assert tags[0] == tags[1]

# %% [markdown]
# ## HMAC is a hash with a key, made right
# HMAC (RFC 2104, FIPS 198-1) hashes twice, with two keys made from one: H(k₂ ‖ H(k₁ ‖ message)). The
# outer hash hides the inner state. The same attack now gets nothing. That one attack fails shows
# little; there is a proof for all, which needs a pseudorandom compression function and no collision
# resistance (Bellare, 2006).
#
# <details><summary>Predict: does HMAC-MD5 tell the colliding pair apart?</summary>
# Yes: the key comes first, so MD5 is no longer in the state that the pair was made for. RFC 6151
# lets old uses stay, and wants no new ones.
# </details>

# %%
KEY = secrets.token_bytes(32)


def accepts(message, tag):
    return hmac.compare_digest(hmac.digest(KEY, message, "sha256"), tag)


tag = hmac.digest(KEY, message, "sha256")
assert accepts(message, tag)
attempt = length_extension.forge(message, tag, b"&role=admin", accepts)
tags = [hmac.digest(KEY, each, "md5").hex()[:16] for each in pair]
print(attempt, tags)
assert attempt is None and tags[0] != tags[1]

# %% [markdown]
# Take 32 random bytes for a key, not a password. HMAC fills short keys up with zeros and hashes those
# of more than a block, so that different keys can be the same one:

# %%
long = secrets.token_bytes(65)
same = hashlib.sha256(long).digest()
for one, other in ((b"key", b"key\0"), (long, same)):
    tags = [hmac.digest(each, message, "sha256") for each in (one, other)]
    assert one != other and tags[0] == tags[1]
print("two pairs of keys, one tag each")

# %% [markdown]
# ## A comparison that stops early gives the tag away
# Whoever checks a tag compares two strings of bytes. A loop that returns at the first difference runs
# longer, the more bytes are right, and so the tag is guessed byte by byte. The clock of this attack
# counts compared bytes: the best clock there can be.
#
# <details><summary>Predict: how many guesses for a tag of 16 bytes?</summary>
# Some thousands: 256 for each byte, and some to be sure. Trying all would be 2^128.
# </details>

# %%
compared = []


def broken_equal(one, other):
    for mine, yours in zip(one, other, strict=False):
        compared.append(mine)
        if mine != yours:
            return False
    return len(one) == len(other)


# %%
tag, guesses = tag[:16], []


def check(guess):
    guesses.append(guess)
    return broken_equal(tag, guess)


stolen = timing.recover_tag(16, check, rounds=1, clock=compared.__len__)
print(f"{stolen.hex()} after {len(guesses):,} guesses")
assert stolen == tag and len(guesses) < 2**16

# %% [markdown]
# ## compare_digest takes the same time for any bytes, and a clock says little of ==
# A real clock has noise. We time a guess that is wrong in its first byte and one that is wrong in its
# last, in pairs, and count how often the clock says which was which. Half is what a coin says.
#
# <details><summary>Predict: does one call of <code>==</code> tell more than a coin?</summary>
# Hardly: it compares 32 bytes in some nanoseconds, and the clock's own noise is more. A hundred calls
# together often do.
# </details>


# %%
def loop_equal(one, other):
    for mine, yours in zip(one, other, strict=False):
        if mine != yours:
            return False
    return len(one) == len(other)


tag = hmac.digest(KEY, message, "sha256")
ways = {
    "loop": loop_equal,
    "==": operator.eq,
    "compare_digest": hmac.compare_digest,
}


# %%
def wrong_from(place):
    return tag[:place] + bytes(255 - byte for byte in tag[place:])


def told(way, **how):
    calls = [partial(way, tag, wrong_from(place)) for place in (0, 31)]
    return 100 * clocking.told_apart(*calls, **how)


right = {
    "one call": {n: told(way) for n, way in ways.items()},
    "100 calls together": {
        n: told(way, pairs=500, batch=100) for n, way in ways.items()
    },
}

# %%
drawn = bars(right, x="comparison of 32 bytes", y="told right, % of pairs")
show(
    drawn,
    alt="How often the clock is right; a coin is right in 50 % of pairs.",
)
told_more = {
    name: abs(share - 50) for name, share in right["one call"].items()
}
assert right["one call"]["loop"] > 75
assert told_more["loop"] > 2 * told_more["compare_digest"]

# %% [markdown]
# And by how much? The fastest of many calls, for guesses that are right up to some place:

# %%
places = [0, 1, 8, 16, 24, 31]
curves = {}
for name, way in ways.items():
    calls = {n: partial(way, tag, wrong_from(n)) for n in places}
    taken = clocking.fastest_nanoseconds(calls)
    curves[name] = (places, [taken[place] for place in places])
drawn = lines(curves, x="leading bytes that are right", y="nanoseconds")
show(drawn, alt="Only the loop takes longer, the more bytes are right.")
assert curves["loop"][1][-1] > 2 * curves["loop"][1][0]

# %% [markdown]
# What this shows: the loop leaks, in a single call. What it does not show:
#
# - *That `==` is safe.* Python looks at the first byte, and then calls the C library's `memcmp`, which
#   takes many bytes at a time: another length, processor or Python gives another leak. A share near
#   half says that so many calls did not suffice here, and more may.
# - *That `compare_digest` is.* Its code is what says so: it goes through all bytes, without a branch
#   on any. The measurement merely fails to contradict it. It may show the *length*, which is public.
# - *What a network adds.* Studies found differences of about 100 ns on a local network and tens of
#   microseconds across the Internet (Crosby and others, 2009), and the noise cancels where two requests travel
#   together (Van Goethem, 2020).
#
# `compare_digest` costs nothing, so nobody has to judge how good an attacker's clock is.

# %% [markdown]
# ## Summary
# | you want | take | not |
# |---|---|---|
# | to find accidents | CRC-32, any hash | |
# | to name content, pin a download | SHA-256; BLAKE2b, SHA-3 | MD5, SHA-1 |
# | to prove that a key holder made it | HMAC-SHA-256, keyed BLAKE2 | `sha256(secret + message)` |
# | to check a tag | `hmac.compare_digest` | `==`, a loop |
# | a pseudonym for what can be guessed | HMAC with a key kept apart | a hash, salted or not |
# | to keep passwords | [Argon2id](3_2_passwords.ipynb) | any hash of this page |
# | to keep a message secret | [authenticated encryption](3_3_aes.ipynb) | Base64, a hash |
#
# A digest of n bits withstands collisions up to n/2 bits of work. Avalanche says nothing of safety.
# Text needs an encoding and a form, fields need their lengths, keys need 32 random bytes.
#
# ## Follow-ups
# <details><summary>Is MD5 all right for an ETag, a cache key or a shard?</summary>
# Where nobody gains by a collision, yes. As soon as users choose the content, one of them can make two
# files that your cache takes for one. BLAKE2b costs about the same. Evidence: <i>SHA-3 and BLAKE2 are other
# designs, and MD5 is hardly faster</i>.
# </details>
#
# <details><summary>May we publish hashed e-mail addresses as anonymous data?</summary>
# No. Addresses are in lists, and a list is hashed in seconds. Evidence: <i>A hash does not hide what
# can be guessed</i>.
# </details>
#
# <details><summary>Does sha256(sha256(secret + message)) help?</summary>
# Against length extension, yes: the inner state stays hidden. But HMAC has the proof, and costs the
# same. Evidence: <a href="https://ia.cr/2006/043">New proofs for HMAC</a>.
# </details>
#
# <details><summary>How short may a tag be cut?</summary>
# RFC 2104 wants at least half of the hash's bits and at least 80; 128 bits are usual. A forger of one
# tag of n bits has to be lucky once in 2^n, so count how many guesses the server takes. Evidence:
# <a href="https://www.rfc-editor.org/rfc/rfc2104#section-5">RFC 2104, section 5</a>.
# </details>
#
# <details><summary>The tag is right. What can the sender still have done?</summary>
# Sent the same message a second time, or an old one: put a time and a number into what is tagged, and
# remember the numbers. And both sides have the key, so neither can prove to a third who made it; that
# takes a signature. Evidence: <i>Encoding, hashing, MAC and encryption promise different things</i>.
# </details>
#
# <details><summary>Does SHA-256 fall to quantum computers?</summary>
# Not as RSA does. Grover's search halves the exponent for preimages, from 2^256 to 2^128 steps one
# after the other, which nobody will take. NIST counts SHA-256 collisions as one of its levels of
# strength. Evidence:
# <a href="https://csrc.nist.gov/projects/post-quantum-cryptography/faqs">NIST, questions on
# post-quantum cryptography</a>.
# </details>
#
# <details><summary>Must SHA-1 go where it only names things, as in Git?</summary>
# It should. Collisions with chosen beginnings were made in 2020; Git detects the known attacks and can
# use SHA-256; NIST wants SHA-1 gone by the end of 2030. HMAC-SHA-1 is not known to be broken. Evidence: <a href="https://sha-mbles.github.io/">SHA-1 is a shambles</a>.
# </details>
#
# ## Exercises
# **1.** Hand in two different invoices with the same MD5, as a tuple of bytes. Both have to end with
# `b"Pay on Friday."`; `pair` is still there.
#
# <details><summary>Solution</summary>
# <code>answer = tuple(block + b"Pay on Friday." for block in pair)</code>: what follows the two blocks
# is free, and has to be the same.
# </details>

# %%
answer = ...

# %%
exercises.invoices.check(answer)

# %% [markdown]
# **2.** Write `answer(*fields)`: the SHA-256 digest (bytes) of any number of fields, each bytes, so
# that two different lists of fields are never the same input. Fields may hold every byte.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(*fields):
#     joined = b"".join(len(f).to_bytes(8) + f for f in fields)
#     return hashlib.sha256(joined).digest()
# </pre>
# A separator would not do: it can be in a field.
# </details>

# %%
answer = ...

# %%
exercises.fields.check(answer)

# %% [markdown]
# **3.** A payment service calls your webhook, with the header `sha256=` and the hexadecimal
# HMAC-SHA-256 of the body. Write `answer(secret, body, header)`, which is `True` or `False`; `secret`
# and `body` are bytes, `header` is text or `None`, and comes from whoever calls.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(secret, body, header):
#     tag = hmac.new(secret, body, "sha256").hexdigest()
#     expected = "sha256=" + tag
#     given = (header or "").encode()
#     return hmac.compare_digest(expected.encode(), given)
# </pre>
# <code>compare_digest</code> raises for text that is not ASCII, so both become bytes.
# </details>

# %%
answer = ...

# %%
exercises.webhook.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Next: why none of these keeps a password, [3.2 Passwords](3_2_passwords.ipynb)
# - [hashlib](https://docs.python.org/3/library/hashlib.html) and
#   [hmac](https://docs.python.org/3/library/hmac.html)
# - [FIPS 180-4](https://csrc.nist.gov/pubs/fips/180-4/upd1/final), SHA-2;
#   [FIPS 202](https://csrc.nist.gov/pubs/fips/202/final), SHA-3;
#   [RFC 7693](https://www.rfc-editor.org/rfc/rfc7693), BLAKE2;
#   [RFC 6151](https://www.rfc-editor.org/rfc/rfc6151), what is left of MD5
# - [The collisions of 2004](https://ia.cr/2004/199), and
#   [hashclash](https://github.com/cr-marcstevens/hashclash), which makes new ones
# - [New proofs for HMAC](https://ia.cr/2006/043), by Bellare
# - [Timeless timing attacks](https://www.usenix.org/conference/usenixsecurity20/presentation/van-goethem),
#   by Van Goethem and others

# %%
environment("cryptography")
