# %% [markdown]
# # 3.3 AES: a modern mode, and what each misuse gives away
# *1 minute · 0.3 GB · services: none*
#
# ## Answer in a minute
# Two-way encryption with one key is AES, in a mode that **authenticates**: EAX, GCM, or
# ChaCha20-Poly1305, which is no AES. It takes a random key, a nonce that this key never sees twice,
# and associated data that is bound but not hidden. Out come ciphertext and tag. A file holds nonce,
# tag and ciphertext; whoever changes one bit of it gets an error, not other plaintext.
#
# ECB shows patterns. CBC and CTR hide, but do not authenticate: a server that says whether padding
# is right decrypts for anyone. In CTR and GCM a repeated nonce gives away messages, in GCM also the
# key of the tag. `decrypt()` without `verify()` returns whatever an attacker wrote.
#
# A password is no key, and neither is its hash: derive the key with Argon2id or scrypt, and a random
# salt.
#
# ## You will
# - **do**: encrypt to a file and decrypt from it; then read a picture, two messages and a password
#   without their keys, decrypt by asking for padding errors, and forge messages under GCM and EAX.
# - **learn**: what authenticated encryption promises, under which conditions, and what is left of
#   each mode when they are broken.
# - **need**: bytes, hexadecimal and XOR; [3.1](3_1_hashing.ipynb) for what a tag is.

# %%
import hashlib
import math
import secrets
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from argon2.low_level import Type, hash_secret_raw
from Crypto.Cipher import AES, ChaCha20_Poly1305
from Crypto.Random import get_random_bytes
from Crypto.Util.Padding import unpad
from Crypto.Util.strxor import strxor
from cryptography.hazmat.primitives.ciphers import aead

from answerbook.notebook import bars, environment, figure, median_seconds
from answerbook.notebook import progress, raises, show, stopwatch, table
from answerbook.notebook.attacks import bare_hash_key, early_plaintext
from answerbook.notebook.attacks import ecb_picture, gcm_forgery, nonce_reuse
from answerbook.notebook.attacks import padding_oracle
from answerbook.notebook.attacks.sealed import Sealed
from answerbook.notebook.exercises import q3_3_aes as exercises

# %% [markdown]
# ## A file holds nonce, tag and ciphertext, and no wrong bit passes
# The task first: AES-EAX with pycryptodome, to a file and back. A key of 32 random bytes makes it
# AES-256. EAX encrypts in CTR mode and computes a tag over nonce and ciphertext (CMAC);
# `decrypt_and_verify` gives the plaintext only if the tag is right.

# %%
folder = TemporaryDirectory()
path = Path(folder.name, "letter.eax")
key = get_random_bytes(32)


def encrypt(path, data, key):
    cipher = AES.new(key, AES.MODE_EAX)
    ciphertext, tag = cipher.encrypt_and_digest(data)
    path.write_bytes(cipher.nonce + tag + ciphertext)


# %%
def decrypt(path, key):
    with path.open("rb") as file:
        nonce, tag, ciphertext = (file.read(n) for n in (16, 16, -1))
    cipher = AES.new(key, AES.MODE_EAX, nonce=nonce)
    return cipher.decrypt_and_verify(ciphertext, tag)


LETTER = "Meet me at noon, under the clock. – Ann".encode()
encrypt(path, LETTER, key)
print(decrypt(path, key).decode())
assert decrypt(path, key) == LETTER

# %% [markdown]
# <details><summary>Predict: which of the three parts must stay secret?</summary>
# None. The nonce (here 16 random bytes, which pycryptodome chose) must not repeat, and whoever
# decrypts needs it. Tag and ciphertext are worth nothing without the key. The key is not in the
# file.
# </details>

# %%
stored = path.read_bytes()
nonce, tag, ciphertext = stored[:16], stored[16:32], stored[32:]
parts = {"nonce": nonce, "tag": tag, "ciphertext": ciphertext}
rows = [(name, len(it), f"{it[:8].hex(' ')} …") for name, it in parts.items()]
names = ["in the file", "bytes", "begins with"]
table(rows, columns=names, caption=f"{len(LETTER)} bytes, encrypted.")
assert len(ciphertext) == len(LETTER)
encrypt(path, LETTER, key)
assert path.read_bytes()[32:] != ciphertext

# %% [markdown]
# As many bytes as before: the *length* is not hidden. The same letter again is another ciphertext,
# because it has another nonce. Now every bit of the file is turned over, one at a time, and then
# the last byte is cut off, and then the key is another.

# %%
refused = 0
for bit in progress(range(8 * len(stored)), "one bit changed"):
    changed = bytearray(stored)
    changed[bit // 8] ^= 1 << bit % 8
    path.write_bytes(changed)
    try:
        decrypt(path, key)
    except ValueError:
        refused += 1
print(f"{refused} of {8 * len(stored)} are refused")
assert refused == 8 * len(stored)

# %%
path.write_bytes(stored[:-1])
with raises(ValueError):
    decrypt(path, key)
path.write_bytes(stored)
with raises(ValueError):
    decrypt(path, get_random_bytes(32))
assert decrypt(path, key) == LETTER

# %% [markdown]
# A wrong key and a changed file look alike. A file format that can tell them apart adds a check of
# the key: [3.6](3_6_files_and_keys.ipynb) builds one.
#
# ## GCM and ChaCha20-Poly1305 promise the same, and are what others speak
# All three are **AEAD**: authenticated encryption with associated data (RFC 5116). NIST standardised
# GCM (SP 800-38D), not EAX. TLS 1.3 has GCM, CCM and ChaCha20-Poly1305 (RFC 8446, RFC 8439). So what
# other programs shall read is one of these; the bytes are the same whoever wrote them.
#
# One trap: look at the nonce that pycryptodome picks for GCM.

# %%
print(len(AES.new(key, AES.MODE_GCM).nonce), "bytes, by default")
nonce = get_random_bytes(12)
cipher = AES.new(key, AES.MODE_GCM, nonce=nonce)
ciphertext, tag = cipher.encrypt_and_digest(LETTER)
others = aead.AESGCM(key)
assert others.decrypt(nonce, ciphertext + tag, None) == LETTER
assert len(AES.new(key, AES.MODE_GCM).nonce) == 16
chacha_key = get_random_bytes(32)
cipher = ChaCha20_Poly1305.new(key=chacha_key)
sealed = b"".join(cipher.encrypt_and_digest(LETTER))
others = aead.ChaCha20Poly1305(chacha_key)
assert others.decrypt(cipher.nonce, sealed, None) == LETTER

# %% [markdown]
# 16 is allowed and no hole. But SP 800-38D recommends 12 (96 bits), and the AEAD of RFC 5116, TLS and
# JOSE take nothing else. So give GCM its nonce. Now the speeds, on one core, for a megabyte (2²⁰
# bytes).
#
# <details><summary>Predict: which is slower, EAX or GCM?</summary>
# EAX: each block goes through AES twice, once to encrypt it and once in the tag, where one block has
# to wait for the one before. GCM's tag is a multiplication, for which today's processors have
# an instruction.
# </details>

# %%
data = get_random_bytes(2**20)
EAX, GCM, CHACHA = "AES-256-EAX", "AES-256-GCM", "ChaCha20-Poly1305"


def rate(new):
    return 1 / median_seconds(lambda: new().encrypt_and_digest(data))


def openssl_rate(it):
    nonces = (get_random_bytes(12) for _ in range(100))
    return 1 / median_seconds(lambda: it.encrypt(next(nonces), data, None))


# %%
mine = {
    EAX: rate(lambda: AES.new(key, AES.MODE_EAX)),
    GCM: rate(lambda: AES.new(key, AES.MODE_GCM, nonce=get_random_bytes(12))),
    CHACHA: rate(lambda: ChaCha20_Poly1305.new(key=key)),
}
openssl = {
    GCM: openssl_rate(aead.AESGCM(key)),
    CHACHA: openssl_rate(aead.ChaCha20Poly1305(key)),
}

# %%
rates = {"pycryptodome": mine, "cryptography (OpenSSL)": openssl}
drawn = bars(rates, x="MiB/s", y="mode", log=True, horizontal=True)
best = f"{openssl[GCM]:,.0f} MiB/s with GCM in OpenSSL"
show(drawn, alt=f"From {mine[EAX]:,.0f} MiB/s with EAX to {best}.")
assert 2 * mine[EAX] < openssl[GCM] and 2 * mine[GCM] < openssl[GCM]

# %% [markdown]
# With a processor that computes AES itself, GCM wins; without, ChaCha20 does, and in constant time.
# The library matters as much as the mode: the same bytes, at another speed. This says nothing of many
# small messages, where setting up counts.
#
# ## Associated data binds a ciphertext to its place
# Wages stand encrypted in a table, each with its nonce and tag. Somebody who can write to the
# database, but has no key, swaps two of them.
#
# <details><summary>Predict: does GCM notice?</summary>
# No: both are genuine. A tag says who made it, not where it belongs. That is what <i>associated
# data</i> is for: it is not encrypted and not stored, but both sides must name the same.
# </details>


# %%
def seal(key, data, header=b"", nonce=None):
    nonce = nonce or get_random_bytes(12)
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce).update(header)
    return Sealed(nonce, *cipher.encrypt_and_digest(data))


def unseal(key, sealed, header=b""):
    cipher = AES.new(key, AES.MODE_GCM, nonce=sealed.nonce).update(header)
    return cipher.decrypt_and_verify(sealed.ciphertext, sealed.tag)


# %%
ann, bob = seal(key, b"9,400 EUR"), seal(key, b"2,100 EUR")
ann, bob = bob, ann
print("Bob earns", unseal(key, bob).decode())
assert unseal(key, bob) == b"9,400 EUR"
bound = seal(key, b"9,400 EUR", b"wage of ann")
with raises(ValueError):
    unseal(key, bound, b"wage of bob")
assert unseal(key, bound, b"wage of ann") == b"9,400 EUR"

# %% [markdown]
# Bind what the context knows: table, column, row, version, algorithm. What it cannot do is notice
# an *old* value of the same row that is put back: for that, a version has to be kept elsewhere.
#
# ## ECB shows the picture that it hides
# `MODE_ECB` encrypts each block of 16 bytes by itself: no nonce, and equal blocks come out equal. A
# display with a random code is drawn, and its pixels encrypted, four to a block. In the pictures, each
# block has one colour: its first three bytes.
#
# <details><summary>Predict: what does a stronger key help, 256 bits instead of 128?</summary>
# Nothing. No block is decrypted. All that is looked at is which blocks are equal.
# </details>

# %%
code = f"{secrets.randbelow(10_000):04}"
before = ecb_picture.draw(code)
by_ecb = AES.new(key, AES.MODE_ECB).encrypt(before)
by_gcm = seal(key, before).ciphertext
pictures = {"before": before, "after ECB": by_ecb, "after GCM": by_gcm}
drawn, panels = figure(6.6, 1.7, columns=3)
for panel, (name, data) in zip(panels, pictures.items(), strict=True):
    panel.imshow(ecb_picture.pixels(data))
    panel.set_title(name)
    panel.axis("off")
show(drawn, alt="The code is legible after ECB; after GCM all is noise.")

# %% [markdown]
# A program reads it too, by comparing outlines, with ciphertext and no key:

# %%
rows = [
    (name, ecb_picture.repeated(data), ecb_picture.read(data))
    for name, data in pictures.items()
]
names = ["pixels", "repeated blocks", "code that is read"]
table(rows, columns=names, caption=f"Of {len(before) // 16} blocks.")
assert ecb_picture.read(by_ecb) == code and ecb_picture.read(by_gcm) == "????"
assert ecb_picture.repeated(by_gcm) == 0

# %% [markdown]
# ## A nonce used twice gives messages away, and in GCM the key of the tag
# CTR, GCM, EAX and ChaCha20 all make a *key stream* of key and nonce, and XOR it with the message.
# GCM is CTR, begun at 2; the first block of the stream goes into the tag. Twice the same nonce is twice
# the same stream, and it cancels out: ciphertext ⊕ ciphertext = message ⊕ message. Whoever knows one
# message reads the other.

# %%
SECRET = f"The vault's new password is {secrets.token_hex(8)}. Keep it!"
KNOWN = b"Dear customer, your order has left our warehouse. Thank you!"
nonce = get_random_bytes(12)
first, second = (seal(key, it, nonce=nonce) for it in (KNOWN, SECRET.encode()))
ctr = AES.new(key, AES.MODE_CTR, nonce=nonce, initial_value=2)
assert ctr.encrypt(KNOWN) == first.ciphertext
size = len(second.ciphertext)
difference = strxor(first.ciphertext[:size], second.ciphertext)
print(strxor(difference, KNOWN[:size]).decode())
assert strxor(difference, KNOWN[:size]) == SECRET.encode()

# %% [markdown]
# And if no message is known? Then one guesses a phrase, tries it at each place, and looks whether
# the other message comes out as text there. Each hit is a longer phrase to guess.

# %%
hits = nonce_reuse.drag(b" password is ", first.ciphertext, second.ciphertext)
rows = [(hit.place, hit.other) for hit in hits]
names = ["place", "the other message has there"]
table(rows, columns=names, caption="Where “ password is ” leaves text.")
at = SECRET.index(" password is ")
assert (at, KNOWN[at : at + 13].decode()) in rows

# %% [markdown]
# GCM loses more. Its tag is a polynomial of the ciphertext, at a point H that belongs to the *key*,
# plus a mask that belongs to the nonce. In the difference of two tags the mask cancels out, and H is
# a root of what is left (Joux, 2006; SP 800-38D, appendix A). With H one forges under *other* nonces,
# too: here a payment that was sealed with a fresh one. (Poly1305 has a key of its own for each nonce,
# so ChaCha20-Poly1305 loses that nonce only.)
#
# <details><summary>Predict: what does the attacker need beside H, to choose what the bank
# reads?</summary>
# To know what the genuine message says, where he changes it. H is enough for the tag of any
# ciphertext; what it decrypts to is decided by the key stream.
# </details>

# %%
notes = b"PAY 0100 TO BOB", b"PAY 0250 TO ANN"
one, two = (seal(key, note, nonce=nonce) for note in notes)
hash_key = gcm_forgery.hash_key(one, two)
assert hash_key == AES.new(key, AES.MODE_ECB).encrypt(bytes(16))
fresh = seal(key, b"PAY 0007 TO EVE")
more = early_plaintext.rewrite(fresh.ciphertext, 4, b"0007", b"9999")
forged = gcm_forgery.forge(fresh, more, hash_key)
print("The bank verifies, and reads:", unseal(key, forged).decode())
assert unseal(key, forged) == b"PAY 9999 TO EVE"
with raises(ValueError):
    unseal(key, fresh._replace(ciphertext=more))

# %% [markdown]
# So how many *random* nonces may one key see? Until the first repeat it takes about √(π/2 · 2ⁿ) of
# *n* bits. That can be tried for short ones.


# %%
def until_repeated(bits):
    seen = set()
    while (drawn := secrets.randbits(bits)) not in seen:
        seen.add(drawn)
    return len(seen) + 1


def expected(bits):
    return math.sqrt(math.pi / 2 * 2**bits)


def power(number):
    return f"2^{math.log2(number):.1f}"


# %%
SHORT = (8, 12, 16, 20)
means = {}
for bits in progress(SHORT, "drawing nonces"):
    runs = [until_repeated(bits) for _ in range(200)]
    means[bits] = statistics.mean(runs)
assert all(0.5 < mean / expected(bits) < 2 for bits, mean in means.items())

# %%
rows = []
for bits in (*SHORT, 64, 96, 192):
    mean = power(means[bits]) if bits in means else "too long to try"
    most = power(2 ** ((bits - 31) / 2)) if bits > 31 else "none"
    rows.append((bits, mean, power(expected(bits)), most))
names = ["bits", "first repeat", "computed", "for a risk of 2^-32"]
table(rows, columns=names, caption="Messages until a nonce comes again.")

# %% [markdown]
# Hence SP 800-38D, 8.3: at most 2³² messages under one key with random 96-bit nonces. Beyond, change
# the key, count the nonces (and never restore a counter from a backup), or use XChaCha20-Poly1305,
# with 192 bits. Where a repeat cannot be excluded, **AES-GCM-SIV** (RFC 8452) makes it nearly
# harmless: it shows that two messages are equal, and no more.

# %%
siv, known, secret = aead.AESGCMSIV(key), KNOWN, SECRET.encode()
a, b = (siv.encrypt(nonce, message, None) for message in (known, secret))
read = nonce_reuse.with_known(known, a, b)
print("the same attack reads", read[:12].hex(" "), "…")
assert read[:size] != secret
assert siv.encrypt(nonce, known, None) == a

# %% [markdown]
# ## A padding oracle reads a message byte by byte
# CBC XORs each block with the ciphertext block before it, then encrypts. The end is padded to a whole
# block: one byte 1, or two bytes 2, and so on (PKCS#7). The server below decrypts what it is sent and
# says one thing: whether the padding was right.
#
# The attacker puts a block of his own in front of a captured one. What is decrypted is XORed with
# it, so he turns its last byte through all values, until the end *happens to be* a byte 1. Then he
# knows what was there before the XOR.

# %%
CODE = secrets.token_hex(8)
SECRET = f"The vault opens with {CODE}, until Friday. Burn this, tell nobody."
server = padding_oracle.BrokenServer(SECRET.encode())
last, before = server.token[-16:], server.token[-32:-16]
asked = [bytes(15) + bytes([guess]) + last for guess in range(256)]
right = [token[15] for token in asked if server.accepts(token)]
ends = [guess ^ 1 ^ before[15] for guess in right]
print(f"accepted: {right}, so the message ends in a byte {ends}")
assert 16 - len(SECRET) % 16 in ends

# %% [markdown]
# That byte is the message's own padding. With the last byte known, the one before it is found by making
# the end 2, 2; and so on, through all blocks (Vaudenay, 2002).
#
# <details><summary>Predict: how many questions does a byte take?</summary>
# 128 on average, of 256 values. With 32 bytes, that is 4,096 questions, not 2 to the 256th power.
# </details>

# %%
length = len(server.token) - 16
server.asked = 0
steps = padding_oracle.recover(server.token, server.accepts)
found = dict(progress(steps, "bytes read", total=length))
padded = bytes(found[place] for place in range(length))
print(unpad(padded, 16).decode())
print(f"{server.asked / length:.0f} questions a byte, and no key")
assert unpad(padded, 16) == SECRET.encode()

# %%
sound = padding_oracle.SoundServer(SECRET.encode())
with raises(padding_oracle.Resisted):
    dict(padding_oracle.recover(sound.token, sound.accepts))
assert sound.asked == 256

# %% [markdown]
# It is not enough to give one answer for both errors: the *time* tells them apart as well (Lucky
# Thirteen, 2013, in TLS). The cure is order: verify the tag first, and look at nothing that fails. An
# AEAD does.
#
# ## Streaming hands out forged text first, and the error last
# `decrypt()` can be called piece by piece, for what does not fit into memory. Each call returns
# plaintext at once; only `verify()`, at the end, looks at the tag. The attacker knows one line
# of the file, and rewrites it: EAX is a key stream too.


# %%
def pieces(path, key, size=24):
    with path.open("rb") as file:
        nonce, tag = file.read(16), file.read(16)
        cipher = AES.new(key, AES.MODE_EAX, nonce=nonce)
        while piece := file.read(size):
            yield cipher.decrypt(piece)
        cipher.verify(tag)


encrypt(path, ORDERS := b"PAY 0100 EUR TO BOB\n" * 3, key)

# %% [markdown]
# <details><summary>Predict: a program carries out each order as soon as it is read. Which order is
# carried out first?</summary>
# The forged one. The error comes after all of it, and if the program stops reading early, it never
# comes.
# </details>

# %%
genuine = path.read_bytes()
WANTED = b"PAY 9999 EUR TO EVE"
forged = early_plaintext.rewrite(genuine, 32, ORDERS[: len(WANTED)], WANTED)
path.write_bytes(forged)
carried_out = b""
with raises(ValueError):
    for piece in pieces(path, key):
        carried_out += piece
print(carried_out.decode())
assert carried_out == WANTED + ORDERS[len(WANTED) :]

# %% [markdown]
# RFC 5116 allows an AEAD one output: the plaintext, or that it failed. For streams that means to write
# into a temporary file, and to give it its name when the tag has been verified.


# %%
def decrypt_to(target, source, key):
    part = target.with_suffix(".part")
    try:
        with part.open("wb") as file:
            file.writelines(pieces(source, key))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


# %%
target = Path(folder.name, "orders.txt")
target.write_bytes(b"yesterday's orders")
with raises(ValueError):
    decrypt_to(target, path, key)
assert target.read_bytes() == b"yesterday's orders"
assert not target.with_suffix(".part").exists()
path.write_bytes(genuine)
decrypt_to(target, path, key)
assert target.read_bytes() == ORDERS

# %% [markdown]
# A stream without an end, or to another program, needs chunks that are each sealed and counted:
# [3.6](3_6_files_and_keys.ipynb), which also keeps the temporary file private and safe from a crash.
#
# ## A key from a password is derived slowly, with a salt
# AES wants 32 bytes that nobody can guess. `sha256(password)` has 32 bytes, and is guessed as quickly
# as the password: the file itself says which guess is right, offline. The password here is one of
# thousands that follow a policy (capital letter, digits, special character).

# %%
words = bare_hash_key.word_list()
password = secrets.choice(words)
bare = hashlib.sha256(password.encode()).digest()
by_hash = seal(bare, LETTER)
with stopwatch() as watch:
    found = bare_hash_key.guess(by_hash, progress(words, "guessing"))
print(f"{found} after {watch.seconds:.2f} s")
assert found == password

# %% [markdown]
# scrypt (RFC 7914) and Argon2id (RFC 9106) fill memory for each guess: slow, and dear to do many times
# in parallel. The salt, random for each file, makes every file a search of its own. Parameters:
# OWASP's for scrypt (128 MiB), RFC 9106's second choice for Argon2id (64 MiB).
#
# <details><summary>Predict: does the salt have to be kept secret?</summary>
# No, it stands in the file, with the parameters. It only has to be another one each time, so that
# nobody can compute keys in advance, or for many files at once.
# </details>


# %%
def by_scrypt(password, salt):
    cost = {"n": 2**17, "r": 8, "p": 1, "maxmem": 2**28}
    return hashlib.scrypt(password, salt=salt, dklen=32, **cost)


def by_argon2id(password, salt):
    cost = {"time_cost": 3, "memory_cost": 2**16, "parallelism": 4}
    return hash_secret_raw(password, salt, hash_len=32, type=Type.ID, **cost)


# %%
salt = get_random_bytes(16)
sealed = seal(by_argon2id(password.encode(), salt), LETTER, header=salt)
path.write_bytes(salt + b"".join(sealed))
stored = path.read_bytes()
salt, rest = stored[:16], stored[16:]
sealed = Sealed(rest[:12], rest[12:-16], rest[-16:])
again = by_argon2id(password.encode(), salt)
assert unseal(again, sealed, header=salt) == LETTER
assert bare_hash_key.guess(sealed, words) is None

# %%
guess = b"a guess"
ways = {
    "SHA-256": lambda: hashlib.sha256(guess).digest(),
    "Argon2id": lambda: by_argon2id(guess, salt),
    "scrypt": lambda: by_scrypt(guess, salt),
}


def a_guess(derive):
    return median_seconds(lambda: bare_hash_key.opens(sealed, derive()), 3)


seconds = {way: a_guess(derive) for way, derive in ways.items()}

# %%
LONG = 14_000_000
rows = [(way, 1 / it, it * LONG / 3600) for way, it in seconds.items()]
names = ["key by", "guesses a second", "hours for 14 million words"]
table(rows, columns=names, caption="One guess after another, in this kernel.")
slow = min(seconds["scrypt"], seconds["Argon2id"])
assert slow > 100 * seconds["SHA-256"]
folder.cleanup()

# %% [markdown]
# Python's overhead flatters SHA-256 here: a graphics card computes billions a second, and memory is what
# it lacks for the other two ([3.2](3_2_passwords.ipynb)). Slow is not impossible: a password from the
# list is found in the end. Only length and chance help against that.
#
# ## Summary
# | misuse | what the attacker got | instead |
# |---|---|---|
# | ECB | the code on a picture | an AEAD |
# | a nonce twice, CTR | another message | a random nonce, within its limit |
# | a nonce twice, GCM | any message, forged | the same, or AES-GCM-SIV |
# | CBC, and an error for padding | the whole message | verify before all else |
# | `decrypt()`, and `verify()` later | his own text, carried out | publish after `verify()` |
# | no associated data | Bob with Ann's wages | bind what the context knows |
# | `sha256(password)` as a key | the password | Argon2id or scrypt, with a salt |
#
# To encrypt with one key: AES-256-GCM with a 12-byte random nonce, or EAX where both ends are
# pycryptodome; `encrypt_and_digest`, `decrypt_and_verify`, and nothing in between.
#
# ## Follow-ups
# <details><summary>Is AES-128 too short, with quantum computers to come?</summary>
# No. Grover's search halves the exponent in theory, but hardly runs in parallel; NIST takes AES-128
# as the yardstick of its first security category. 256 bits cost little and leave room against attacks on
# many keys at once. Evidence:
# <a href="https://csrc.nist.gov/projects/post-quantum-cryptography/faqs">NIST's questions and
# answers</a>.
# </details>
#
# <details><summary>A random nonce, or a counter?</summary>
# A counter never repeats, as long as its state is never lost, copied or restored: a cloned virtual
# machine counts the same numbers again. Random ones need no state, and have the limit. Evidence: <i>A
# nonce used twice gives messages away, and in GCM the key of the tag</i>.
# </details>
#
# <details><summary>Is CBC with an HMAC as good as an AEAD?</summary>
# Yes, if the HMAC has a key of its own, covers IV and ciphertext, is compared in constant time, and
# is verified before decryption (encrypt-then-MAC). Each of the four has been forgotten somewhere.
# Evidence: <i>A padding oracle reads a message byte by byte</i>.
# </details>
#
# <details><summary>Can one ciphertext of GCM open under two keys?</summary>
# Yes, whoever knows both keys can make one: GCM, EAX and ChaCha20-Poly1305 do not <i>commit</i> to the
# key. With keys from passwords, each question then tests many guesses. A check value of the key in the
# header mends it. Evidence:
# <a href="https://www.usenix.org/conference/usenixsecurity21/presentation/len">Partitioning oracle
# attacks</a>.
# </details>
#
# <details><summary>How long may one message be?</summary>
# 64 GiB under GCM, less 32 bytes, since the counter of blocks has 32 bits. Long before that, one does
# not want to hold it all back until its tag: cut it in chunks. Evidence:
# <a href="https://csrc.nist.gov/pubs/sp/800/38/d/final">SP 800-38D</a>, 5.2.1.1.
# </details>
#
# <details><summary>May a tag be cut, to save bytes?</summary>
# SP 800-38D has 12 to 16 bytes, and 4 or 8 for special uses under strict limits. A short tag is guessed
# sooner, and in GCM each hit tells something of H. Keep all 16. Evidence:
# <a href="https://csrc.nist.gov/pubs/sp/800/38/d/final">SP 800-38D</a>, appendices B and C.
# </details>
#
# <details><summary>What does encryption not hide?</summary>
# How long the message is, when it was sent, by whom, and that it is the same row that changes. Do
# not compress a secret together with what an attacker chooses: then the length tells (CRIME).
# Evidence: <i>A file holds nonce, tag and ciphertext, and no wrong bit passes</i>.
# </details>
#
# <details><summary>Does <code>cryptography</code> hand out plaintext early, too?</summary>
# <code>AESGCM</code> and its kind do not: one call, plaintext or <code>InvalidTag</code>. The
# streaming <code>Cipher(…).decryptor()</code> does, and warns of it. Evidence:
# <a href="https://cryptography.io/en/latest/hazmat/primitives/symmetric-encryption/">its
# documentation</a>, under GCM, and <i>Streaming hands out forged text first, and the error last</i>.
# </details>
#
# ## Exercises
# **1.** A server sets a cookie under CBC: IV and ciphertext, no tag. You know the first 16 bytes of its
# text (`known`), and want others (`wanted`). Write `answer(iv, known, wanted)`, which returns the IV to
# send with the unchanged ciphertext.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(iv, known, wanted):
#     return strxor(iv, strxor(known, wanted))
# </pre>
# </details>

# %%
answer = ...

# %%
exercises.flipped_iv.check(answer)

# %% [markdown]
# **2.** Associated data often has several fields. Write `answer(fields)`: a list of texts to bytes, so
# that different lists never give the same bytes, and the same list always does.
#
# <details><summary>Solution</summary>
# <pre>
# import json
# def answer(fields):
#     return json.dumps(fields).encode()
# </pre>
# Or each field with its length in front. A separator alone can stand in a field.
# </details>

# %%
answer = ...

# %%
exercises.unambiguous.check(answer)

# %% [markdown]
# **3.** A service seals 1,000 messages a second with AES-GCM, each with a random nonce of 96 bits. After
# how many days does SP 800-38D want another key?
#
# <details><summary>Solution</summary>
# <code>answer = pow(2, 32) / 1000 / 86400</code>, not quite 50 days.
# </details>

# %%
answer = ...

# %%
exercises.days.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Before: [3.2 Passwords](3_2_passwords.ipynb)
# - Next: two keys instead of one, [3.4 RSA](3_4_rsa.ipynb); files of any size, and where keys live,
#   [3.6 Files and keys](3_6_files_and_keys.ipynb)
# - [SP 800-38D](https://csrc.nist.gov/pubs/sp/800/38/d/final), GCM, with its limits;
#   [RFC 5116](https://www.rfc-editor.org/rfc/rfc5116), AEAD;
#   [RFC 8439](https://www.rfc-editor.org/rfc/rfc8439), ChaCha20-Poly1305;
#   [RFC 8452](https://www.rfc-editor.org/rfc/rfc8452), AES-GCM-SIV
# - [The EAX mode of operation](https://www.iacr.org/archive/fse2004/30170391/30170391.pdf), by
#   Bellare, Rogaway and Wagner
# - [Security flaws induced by CBC
#   padding](https://www.iacr.org/archive/eurocrypt2002/23320530/cbc02_e02d.pdf), by Vaudenay
# - [Authentication failures in NIST version of
#   GCM](https://csrc.nist.gov/csrc/media/projects/block-cipher-techniques/documents/bcm/comments/800-38-series-drafts/gcm/joux_comments.pdf),
#   by Joux
# - [Cryptopals](https://cryptopals.com/), where one carries out such attacks oneself

# %%
environment("pycryptodome", "cryptography", "argon2-cffi")
