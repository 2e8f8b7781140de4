# %% [markdown]
# # 3.6 Files and keys: any size, and keys that change
# *1 minute · 0.4 GB · services: none*
#
# ## Answer in a minute
# A large file is sealed in chunks of 64 KiB, so memory stays constant and nothing is given out
# before its tag was checked. A tag protects its own chunk only. So each nonce also says *which*
# chunk it is and *whether it is the last*: what was swapped, repeated, left out or cut off does not
# open. That is the STREAM construction; age and Tink use it.
#
# **Envelope encryption**: each file has its own data key, and a key-encryption key (KEK) wraps that.
# Rotating the KEK rewrites a few hundred bytes a file, and no data. Destroying a KEK shreds all files
# under it, in every backup. Neither takes back a data key that somebody copied.
#
# A **KMS** holds the KEK where nobody can read it, decides who may unwrap, and logs each call. The
# cipher is rarely what limits the rate: the disk is.
#
# ## You will
# - **do**: break chunks that were sealed one by one, mend them, attack a file on disk, rotate a KEK,
#   shred a customer, and measure memory and rates.
# - **learn**: what each byte of an encrypted file's format is for, and what rotation and shredding
#   do not do.
# - **need**: AEAD, nonce and tag from [3.3](3_3_aes.ipynb).

# %%
import os
import shutil
from collections import Counter
from functools import partial
from hashlib import file_digest
from io import BytesIO
from mmap import mmap
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from answerbook.crypto import envelope, errors, files
from answerbook.notebook import bars, environment, file_rates, lines, progress
from answerbook.notebook import raises, results, show, stopwatch, table
from answerbook.notebook.attacks.moved_chunks import changes
from answerbook.notebook.benchmarks import crypto_rows
from answerbook.notebook.exercises import q3_6_files_and_keys as exercises
from answerbook.notebook.file_rates import make
from answerbook.notebook.key_service import KeyService
from answerbook.notebook.memory import memory_growth

# %% [markdown]
# ## A file goes in chunks, or into memory as a whole
# One call of AES-GCM takes all of the plaintext and returns all of the ciphertext. It also has a
# limit: 64 GiB − 32 bytes under one nonce (NIST SP 800-38D), and 2 GiB − 1 in `cryptography`. We
# compare it with `files.encrypt_file`, which this notebook takes apart below.
#
# Memory is the kernel's at its peak, less what it took before.
#
# <details><summary>Predict: how much memory does one call take for a file of 128 MiB?</summary>
# Twice the file: plaintext and ciphertext are there at the same moment. To decrypt takes as much.
# </details>

# %%
folder = TemporaryDirectory(dir="/var/tmp")
here, MIB, KEY = Path(folder.name), 2**20, files.new_key()
plain, sealed = here / "plain", here / "sealed"
in_chunks = partial(files.encrypt_file, key=KEY)


def at_once(source, target):
    sealed = AESGCM(KEY).encrypt(os.urandom(12), source.read_bytes(), None)
    target.write_bytes(sealed)


# %%
in_chunks(make(plain, MIB), sealed)
SIZES, grown = (16, 64, 128), {"at once": [], "in chunks": []}
for size in progress(SIZES, "files"):
    make(plain, size * MIB)
    for way, sizes in zip((at_once, in_chunks), grown.values(), strict=True):
        with memory_growth() as growth:
            way(plain, sealed)
        sizes.append(growth.bytes / MIB)

# %%
series = {name: (SIZES, found) for name, found in grown.items()}
drawn = lines(series, x="size of the file, MiB", y="memory, MiB")
show(drawn, alt="At once, memory grows with the file; in chunks it does not.")
assert 5 * grown["in chunks"][-1] < SIZES[-1] < 1.1 * grown["at once"][-1]
with raises(OverflowError):
    AESGCM(KEY).encrypt(os.urandom(12), mmap(-1, 2 * 2**30), None)

# %% [markdown]
# ## Chunks that were sealed one by one can be moved
# The obvious way: a random nonce for each chunk, and AES-GCM. Here a file is a payment a chunk. An
# attacker who can write to the disk, and has no key, moves whole chunks. Two files are under the same
# key.
#
# <details><summary>Predict: which of the six attacks below does AES-GCM refuse?</summary>
# None. Each tag is right for its chunk, and no tag says anything about the others.
# </details>


# %%
def broken_seal(key, pieces):
    nonces = [os.urandom(12) for _ in pieces]
    pairs = zip(nonces, pieces, strict=True)
    return b"", [n + AESGCM(key).encrypt(n, piece, None) for n, piece in pairs]


def broken_open(key, _, chunks):
    pairs = [(chunk[:12], chunk[12:]) for chunk in chunks]
    return [AESGCM(key).decrypt(n, sealed, None) for n, sealed in pairs]


# %%
MARCH = [b"Ann gets 5", b"Bob gets 70", b"Cid gets 900", b"total 975"]
APRIL = [b"Ann gets 6", b"Bob gets 999", b"total 1005"]
names = ["attack", "the reader gets"]


def read(open_all, *sealed):
    try:
        return " · ".join(piece.decode() for piece in open_all(KEY, *sealed))
    except InvalidTag:
        return "refused"


# %%
ATTACKS = {
    "nothing": lambda march, _: march,
    "two swapped": lambda march, _: [march[1], march[0], *march[2:]],
    "one left out": lambda march, _: march[:2] + march[3:],
    "one repeated": lambda march, _: [march[0], *march],
    "cut off": lambda march, _: march[:-1],
    "something added": lambda march, april: march + april[:1],
    "one of April": lambda march, april: [march[0], april[1], *march[2:]],
}


# %%
def attacked(seal, open_all):
    (head, march), (_, april) = seal(KEY, MARCH), seal(KEY, APRIL)
    moved = {name: move(march, april) for name, move in ATTACKS.items()}
    return {name: read(open_all, head, it) for name, it in moved.items()}


broken = attacked(broken_seal, broken_open)
table(broken.items(), names, caption="A random nonce for each chunk.")
assert len(set(broken.values())) == len(ATTACKS)
assert "refused" not in broken.values()

# %% [markdown]
# ## A nonce that says which chunk, and whether it is the last, refuses all
# The *STREAM* construction (Hoang, Reyhanitabar, Rogaway and Vizár, 2015) gives a nonce two jobs. It
# is a prefix of the file, the chunk's place, and a byte that is 1 for the last chunk only. Nothing of
# it but the prefix is stored: the reader knows which chunk he expects, and computes the nonce.
#
# <details><summary>Predict: which attack would come through without the last byte?</summary>
# Cutting off at the end of a chunk: all that is left is in its right place.
# </details>


# %%
def nonces(prefix, chunks):
    flags = [0] * (len(chunks) - 1) + [1]
    return [prefix + n.to_bytes(4) + bytes([f]) for n, f in enumerate(flags)]


def stream_seal(key, pieces):
    prefix, cipher = os.urandom(7), AESGCM(key)
    pairs = zip(nonces(prefix, pieces), pieces, strict=True)
    return prefix, [cipher.encrypt(n, piece, None) for n, piece in pairs]


def stream_open(key, prefix, chunks):
    pairs = zip(nonces(prefix, chunks), chunks, strict=True)
    return [AESGCM(key).decrypt(n, sealed, None) for n, sealed in pairs]


# %%
stream = attacked(stream_seal, stream_open)
table(stream.items(), names, caption="Nonce = prefix ‖ place ‖ last.")
assert stream.pop("nothing") == broken["nothing"]
assert set(stream.values()) == {"refused"}

# %% [markdown]
# ## A file format names what is wrong, and leaves nothing behind
# [files.py](../lib/answerbook/crypto/files.py) is this with a header. By HKDF-SHA-256, its salt makes
# a key for each file, so a nonce has to be unique in its file only. The *key check*, from the same
# HKDF, tells a wrong key from a changed file. It also commits to the key: AES-GCM alone does not, and
# whoever knows two keys can make a ciphertext that opens under both. All of the header is associated
# data of each chunk.

# %%
make(plain, 2 * files.CHUNK_BYTES + 1000)
in_chunks(plain, sealed)
blob = sealed.read_bytes()
header = files.Header.unpack(blob[: files.HEADER_BYTES])
FIELDS = "salt", "nonce_prefix", "key_check"
parts = [("magic, version, algorithm, key source, cost", blob[:20])]
parts += [(name, getattr(header, name)) for name in FIELDS]
rows = [(name, len(it), it[:8].hex(" ")) for name, it in parts]
table(rows, ["field", "bytes", "begins"], caption="Nothing here is secret.")
assert sum(len(it) for _, it in parts) == files.HEADER_BYTES
assert len(blob) == files.encrypted_size(plain.stat().st_size)

# %% [markdown]
# Now we [change the file](../lib/answerbook/notebook/attacks/moved_chunks.py) on disk, and decrypt it
# over a file that is there already.
#
# <details><summary>Predict: what does the target hold after a file was refused in its last
# chunk?</summary>
# What it held before. Plaintext goes to a new file beside it, which gets the target's name when the
# last chunk has verified, and not earlier.
# </details>


# %%
def refused(content, key=KEY):
    (here / "changed").write_bytes(content)
    try:
        files.decrypt_file(here / "changed", here / "target", key=key)
    except errors.CryptoError as error:
        return type(error).__name__, str(error).partition(". ")[0]


in_chunks(plain, here / "other")
changed = changes(blob, (here / "other").read_bytes())

# %%
(here / "target").write_text("before")
there = {*here.iterdir(), here / "changed"}
rows = [(what, *refused(content)) for what, content in changed.items()]
rows.append(("another key", *refused(blob, key=files.new_key())))
table(rows, ["file", "error", "message"], caption="Each has its name.")
found = Counter(name for _, name, _ in rows)
assert found.keys() == {"Tampered", "Truncated", "UnknownFormat", "WrongKey"}
assert found["Tampered"] == 7 and found.total() == 12
assert (here / "target").read_text() == "before"
assert set(here.iterdir()) == there

# %% [markdown]
# ## What comes out of a pipe is authentic, and perhaps not all
# Standard output cannot be taken back. `files.decrypt` gives out each chunk as it verifies; of a file
# that was cut off, a beginning has gone when the error comes. `files.decrypt_verified` reads the file
# twice, and gives out all or nothing.
#
# <details><summary>Predict: can an attacker make <code>decrypt</code> give out a single byte that
# was not in the file?</summary>
# No. But he can choose where it ends: a script that is piped to a shell could stop in front of its
# second half. Check the exit status before you use what came.
# </details>

# %%
out, nothing = BytesIO(), BytesIO()
with raises(errors.Truncated):
    files.decrypt(BytesIO(blob[:-9]), out, key=KEY)
with raises(errors.Truncated):
    files.decrypt_verified(BytesIO(blob[:-9]), nothing, key=KEY)
given = out.getvalue()
print(f"{len(given):,} of {plain.stat().st_size:,} bytes, then the error")
assert given == plain.read_bytes()[: 2 * files.CHUNK_BYTES]
assert nothing.getvalue() == b""

# %% [markdown]
# ## The format costs little beside a bare loop, and the disk sets the pace
# What limits the rate? We measure the parts alone: reading a file that was just written, so from
# memory; sealing one chunk over and over, so from the processor's cache; writing until the disk has
# it. Then a bare loop that does just these three, and then the file format. The ways take turns, and
# the best of three rounds counts: what else the machine does can only slow one down. The disk of a
# virtual machine is a noisy thing, so look at the order of the bars, not at their last digit.


# %%
def bare(source, target):
    cipher, place = AESGCM(KEY), 0
    with source.open("rb", 0) as reader, target.open("wb", 0) as writer:
        while chunk := reader.read(files.CHUNK_BYTES):
            nonce = place.to_bytes(12)
            writer.write(cipher.encrypt(nonce, chunk, None))
            place += 1
        os.fsync(writer.fileno())


# %%
size, copy = 128 * MIB, here / "copy"
in_chunks(make(plain, size), sealed)
ways = {
    "read": partial(file_rates.read, plain),
    "seal": partial(file_rates.seal, size),
    "write": partial(file_rates.write, copy, size),
    "bare loop": partial(bare, plain, copy),
    "encrypt_file": partial(in_chunks, plain, sealed),
    "decrypt_file": partial(files.decrypt_file, sealed, copy, key=KEY),
}
rates = file_rates.best_rates(ways, size)

# %%
drawn = bars(rates, x="MB/s", y="128 MiB", horizontal=True)
shown = {name: f"{rate:.0f}" for name, rate in rates.items()}
alt = (
    f"encrypt_file does {shown['encrypt_file']} MB a second, a bare loop "
    f"{shown['bare loop']}; sealing alone {shown['seal']}, "
    f"writing {shown['write']}."
)
show(drawn, alt=alt)
assert 2 * rates["encrypt_file"] > rates["bare loop"]
assert 2 * rates["decrypt_file"] > rates["bare loop"]
assert 2 * rates["seal"] > rates["write"]

# %% [markdown]
# Where `encrypt_file` beats the bare loop, it is not by its format: it asks the system every few
# megabytes to begin with the writing, and the bare loop leaves all of it to one fsync at the end.
#
# Why 64 KiB? Each call has a price of its own, and each chunk 20 bytes. Larger chunks gain little
# more, and each has to be held and verified before its first byte may be used.
#
# <details><summary>Predict: how much slower are chunks of 1 KiB than of 64 KiB?</summary>
# Several times: the call from Python costs more than a thousand bytes of AES in hardware.
# </details>

# %%
CHUNKS = [2**n for n in range(8, 21, 2)]
ways = {each: partial(file_rates.seal, 8 * MIB, each) for each in CHUNKS}
by_chunk = file_rates.best_rates(ways, 8 * MIB)
series = {"AES-256-GCM": (CHUNKS, list(by_chunk.values()))}
drawn = lines(series, x="bytes in a chunk", y="MB/s")
drawn.axes[0].set_xscale("log", base=2)
show(
    drawn, alt="Small chunks are slow; beyond 64 KiB there is little to gain."
)
assert 2 * by_chunk[2**10] < by_chunk[2**16]
assert 2 * by_chunk[2**16] > by_chunk[2**20]

# %% [markdown]
# ## An envelope holds a data key for each file
# Envelope encryption has two layers. A new, random *data key* seals the file; a *key-encryption key*
# (KEK) seals the data key, and the result stands beside the file. The KEK's id and a *context*, such
# as whose file it is, are associated data of the wrapped key.
#
# <details><summary>Predict: an attacker puts Bob's file and its wrapped key where Ann's were. Does
# it open?</summary>
# Under the same KEK it would: both parts are authentic. The context refuses it, because the program
# that reads Ann's file says so.
# </details>

# %%
vault, out = here / "vault", here / "out"
vault.mkdir()
ann, bob = vault / "ann", vault / "bob"
keyring = envelope.Keyring.new("2026")
make(plain, 3 * MIB)
envelope.encrypt_file(plain, ann, keyring, context=b"ann")
envelope.encrypt_file(plain, bob, keyring, context=b"bob")
print(envelope.sidecar(ann).read_text().replace(", ", ",\n "))

# %%
with raises(errors.Tampered):
    envelope.decrypt_file(bob, out, keyring, context=b"ann")
envelope.decrypt_file(bob, out, keyring, context=b"bob")
assert out.read_bytes() == plain.read_bytes()

# %% [markdown]
# ## Rotating the KEK rewrites wrapped keys, and no data
# A KEK is changed every so often (NIST SP 800-57 calls this its cryptoperiod), or because somebody
# who knew it has left. Twenty files of 8 MiB: a new KEK becomes the *primary*, each data key is
# unwrapped under the old and wrapped under the new. Beside it, what it would take to encrypt
# everything again.


# %%
def digest(path):
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


make(plain, 8 * MIB)
stored = [vault / f"file {n}" for n in range(20)]
for path in progress(stored, "encrypting"):
    envelope.encrypt_file(plain, path, keyring)
before = {path: digest(path) for path in stored}
backup = shutil.copytree(vault, here / "backup")

# %%
keyring.add("2027")
with stopwatch() as rotating:
    done = [envelope.rotate_file(path, keyring) for path in stored]
with stopwatch() as again:
    for _ in progress(stored, "again"):
        files.encrypt_file(plain, copy, key=files.new_key())
assert all(done) and before == {path: digest(path) for path in stored}
assert not any(envelope.rotate_file(path, keyring) for path in stored)

# %%
written = sum(envelope.sidecar(path).stat().st_size for path in stored)
total = sum(path.stat().st_size for path in stored)
rows = [("rotate the KEK", written, rotating), ("encrypt again", total, again)]
rows = [(*row, watch.seconds, watch.cpu_seconds) for *row, watch in rows]
columns = ["way", "bytes written", "seconds", "of these CPU"]
table(rows, columns, caption="Twenty files.")
assert {envelope.read_wrapped(path).kek for path in stored} == {"2027"}
assert 10_000 * written < total

# %% [markdown]
# The second time there was nothing left to do, so a rotation that was interrupted is begun again. What
# takes time is not the cipher: it is small files, each of them written, synced to the disk and renamed.
#
# ## Rotation takes back neither a data key nor a backup
# The data key is the same as before. And the backup that was made before the rotation has wrapped
# keys under the old KEK.
#
# <details><summary>Predict: who can read a file after the rotation, if the old KEK was
# stolen?</summary>
# The thief, with any old copy of the wrapped key; with none, nobody but you. If he unwrapped data keys
# while he could, rotation changes nothing: encrypt those files again.
# </details>

# %%
old = envelope.read_wrapped(backup / "file 7")
new = envelope.read_wrapped(vault / "file 7")
data_key = envelope.unwrap(old, keyring)
print(f"under {old.kek} and under {new.kek} lies the same data key")
assert data_key == envelope.unwrap(new, keyring)
keyring.destroy("2026")
with raises(errors.WrongKey):
    envelope.unwrap(old, keyring)
files.decrypt_file(vault / "file 7", out, key=data_key)
assert digest(out) == digest(plain)

# %% [markdown]
# So an old KEK is destroyed at the end of a rotation, when no wrapped key needs it (exercise 3): the
# backup we just lost could have been rotated too.
#
# ## To shred data, destroy its KEK, not its file
# A customer leaves, and what is his has to go, out of each backup, on tapes that nobody can rewrite.
# *Crypto-shredding*: he has a KEK of his own. NIST SP 800-88 knows it as Cryptographic Erase.
#
# <details><summary>Predict: is it enough to delete file and wrapped key?</summary>
# Not where there is a backup of both. What has to go is something that is in no backup: the KEK.
# </details>

# %%
own = {"ann": files.new_key(), "bob": files.new_key()}
customers = envelope.Keyring(own, primary="ann")
make(plain, MIB)
shutil.rmtree(backup)
for who in own:
    customers.primary = who
    envelope.shred_file(vault / who)
    envelope.encrypt_file(plain, vault / who, customers, who.encode())
backup = shutil.copytree(vault, here / "backup")

# %%
envelope.shred_file(ann)
saved = backup / "ann"
envelope.decrypt_file(saved, out, customers, b"ann")
print("deleted, and opened from the backup:", digest(out) == digest(plain))
customers.destroy("ann")
own.clear()
with raises(errors.WrongKey):
    envelope.decrypt_file(saved, out, customers, b"ann")
envelope.decrypt_file(backup / "bob", out, customers, b"bob")
assert not ann.exists() and digest(out) == digest(plain)

# %% [markdown]
# It is worth as much as the certainty that no copy of the KEK is left: not in a backup of the keyring,
# not in swap or a core dump, not in this kernel's memory, which Python does not overwrite. Nor does it
# reach plaintext that was exported, indexed or logged. That is why KEKs live elsewhere.
#
# ## A KMS keeps the KEK, decides, and writes it down
# A key management service wraps and unwraps, and never gives out a KEK: the keys are in hardware
# modules, validated to FIPS 140-3 with the large providers. An application asks for a data key, gets it once in the clear and once wrapped,
# uses the first, forgets it and stores the second. The data itself never goes there; AWS KMS, for one,
# encrypts at most 4,096 bytes a call. Ours is [a stand-in](../lib/answerbook/notebook/key_service.py):
# an object in this kernel, whose answers are what counts here.
#
# <details><summary>Predict: a caller loses his permission. Can he still read the file that he
# has opened?</summary>
# Yes: a data key that was given out cannot be called back. What he has not opened, he cannot open.
# </details>

# %%
kms, context = KeyService("billing"), b"invoices/7"
data_key, wrapped = kms.data_key("billing", context)
files.encrypt_file(plain, sealed, key=data_key)
with raises(PermissionError):
    kms.unwrap("reports", wrapped, context)
files.decrypt_file(sealed, out, key=kms.unwrap("billing", wrapped, context))
kms.forbid("billing")
with raises(PermissionError):
    kms.unwrap("billing", wrapped, context)

# %%
rows = [vars(call) for call in kms.log]
table(rows, caption="The service's log. It never holds a key.")
answers = [call.answer for call in kms.log]
assert answers == ["given", "PermissionError"] * 2
files.decrypt_file(sealed, out, key=data_key)
assert digest(out) == digest(plain)
folder.cleanup()

# %% [markdown]
# | question | a keyring in a file | a KMS |
# |---|---|---|
# | who can read the KEK? | whoever reads the file | nobody: it stays in hardware |
# | who may unwrap? | whoever has it | whom a policy names, until it does not |
# | who did unwrap? | nobody knows | a log that callers cannot change |
# | how is a KEK destroyed? | in every copy, if you find them | once, after a delay |
# | what does it cost? | nothing | a call for each file; without the service, no data |
#
# The delay is against mistakes, since destruction cannot be undone (7 to 30 days with AWS). What a KMS
# does not stop: an application that was broken into may unwrap whatever it may unwrap. But it has to
# ask, file by file, and that can be limited, and seen.
#
# ## Summary
# - In chunks of 64 KiB memory is constant, and nothing comes out unverified.
# - A tag protects a chunk. Place and last flag in the nonce protect the file.
# - A header, authenticated, with a key for each file and a check that commits to it: errors have
#   names, and a target is replaced as a whole or not at all.
# - A stream gives out authentic beginnings; whoever needs all or nothing reads twice.
# - A data key for each file, wrapped with a context: rotating the KEK writes a few hundred
#   bytes a file.
# - Rotation does not take back data keys. Shredding needs every copy of the KEK gone.
# - A KMS keeps, decides and logs.
#
# The benchmark (`make bench BENCH=crypto`) encrypts and decrypts 1 GiB by the `answerbook` command, as
# a process of its own, beside a bare loop in the same run:

# %%
measured = results("crypto")
caption = (
    f"{measured['mib']:,} MiB, {measured['runs']} runs; rates are medians."
)
names = ["measured", "value", "goal", "reached"]
table(crypto_rows(measured), names, caption=caption)

# %% [markdown]
# ## Follow-ups
# <details><summary>Somebody puts last week's version of the file back. Is that noticed?</summary>
# No: it is authentic, and it is a whole file. Keep a version number or a hash of the current one
# elsewhere, and make it part of the context. Evidence: <i>An envelope holds a data key for each
# file</i>.
# </details>
#
# <details><summary>Can one read from the middle?</summary>
# Yes: chunk <i>i</i> begins at a place that can be computed, and its nonce too. It is authentic, at its
# place in this file; that the file's end is there is not known. Evidence: <i>A nonce that says which
# chunk, and whether it is the last, refuses all</i>.
# </details>
#
# <details><summary>Why not one key for all files, with random nonces?</summary>
# 96 random bits allow 2<sup>32</sup> messages under one key (NIST SP 800-38D, section 8.3), and each
# chunk is one: 256 TiB in all. A key for each file has no such total. Evidence:
# <a href="https://doi.org/10.6028/NIST.SP.800-38D">SP 800-38D</a>.
# </details>
#
# <details><summary>What is key commitment for?</summary>
# Without it one ciphertext can open as two different texts, under two keys; and with passphrases, one
# made to open under many at once tests many guesses in one try. Evidence:
# <a href="https://www.usenix.org/conference/usenixsecurity21/presentation/len">Partitioning
# Oracle Attacks</a>.
# </details>
#
# <details><summary>Should a file be compressed before?</summary>
# Afterwards there is nothing to compress. Before, the size tells more of the content, which matters
# where an attacker can put in text of his own beside a secret (CRIME, BREACH). Sizes show anyway, see
# exercise 2. Evidence: <a href="https://www.rfc-editor.org/rfc/rfc8446#section-5.4">TLS 1.3 on
# padding</a>.
# </details>
#
# <details><summary>The disk is encrypted already. Why files, too?</summary>
# Full-disk encryption protects a disk that is switched off. On a running machine whoever can read the
# file reads plaintext; and XTS, which it mostly uses, has no tag: changes are not noticed. Evidence:
# <a href="https://doi.org/10.6028/NIST.SP.800-38E">SP 800-38E</a>.
# </details>
#
# <details><summary>Who wraps the KEK?</summary>
# Another key, up to a root that is in hardware, or split among people (Shamir) or typed in as a
# passphrase. A hierarchy ends in something that is not a file. Evidence: <i>A KMS keeps the KEK,
# decides, and writes it down</i>.
# </details>
#
# <details><summary>Would you use a format of your own?</summary>
# No: age for files, Tink or an AWS Encryption SDK in a program; they do the same, and were reviewed.
# This one is short enough to read. Evidence:
# <a href="https://github.com/C2SP/C2SP/blob/main/age.md">age's format</a>.
# </details>
#
# ## Exercises
# **1.** Write `answer(prefix, place, last)`: the nonce of a chunk, from 7 bytes, a number and a
# boolean. The place has the highest byte first; one that has no room must be an error.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(prefix, place, last):
#     return prefix + place.to_bytes(4) + bytes([last])
# </pre>
# </details>

# %%
answer = ...

# %%
exercises.nonce.check(answer)

# %% [markdown]
# **2.** A file has 200,000 bytes. The header has 75; each chunk, of up to 65,536 bytes of text, has 4
# before it and a tag of 16 behind it. How many bytes has the encrypted file?
#
# <details><summary>Solution</summary>
# <code>answer = 200_155</code>: three full chunks and one of 3,392 bytes.
# </details>

# %%
answer = ...

# %%
exercises.size.check(answer)

# %% [markdown]
# **3.** Write `answer(wrapped, name)`: may the KEK of that name be destroyed? `wrapped` is a list of all
# wrapped keys there are, each with its KEK's name in `.kek`. No file may be lost.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(wrapped, name):
#     return all(each.kek != name for each in wrapped)
# </pre>
# </details>

# %%
answer = ...

# %%
exercises.destroyable.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Before: [3.3 AES](3_3_aes.ipynb); [3.2 Passwords](3_2_passwords.ipynb), where a key comes from a
#   passphrase
# - Next: [3.7 TLS and tokens](3_7_tls_and_tokens.ipynb)
# - [Online Authenticated-Encryption and its Nonce-Reuse
#   Misuse-Resistance](https://eprint.iacr.org/2015/189), where STREAM comes from
# - [Streaming AEAD in Tink](https://developers.google.com/tink/streaming-aead)
# - [NIST SP 800-57, part 1](https://doi.org/10.6028/NIST.SP.800-57pt1r5), how long keys live;
#   [SP 800-88](https://csrc.nist.gov/pubs/sp/800/88/r2/final), Cryptographic Erase
# - [AWS KMS: envelope
#   encryption](https://docs.aws.amazon.com/kms/latest/developerguide/kms-cryptography.html)

# %%
environment("cryptography")
