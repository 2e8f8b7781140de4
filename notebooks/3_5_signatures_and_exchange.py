# %% [markdown]
# # 3.5 Signatures and key exchange
# *1 minute · 0.2 GB · services: none*
#
# ## Answer in a minute
# A signature is made with a private key and checked with the public one. Take **Ed25519**. Where it
# has to be RSA, take **PSS**: PKCS#1 v1.5 is safe only as long as every verifier is strict. **ECDSA**
# needs a secret number for each signature, and one that repeats, or is only short, gives the private
# key away; RFC 6979 computes it.
#
# **X25519** makes a secret of two public keys. HKDF turns it into keys, and a signature says with
# whom one shares it: without that, whoever sits in the middle agrees with both.
#
# A quantum computer would break all of these. What is recorded today could be read then, so
# agreement moves first: **ML-KEM-768** beside X25519, both secrets in one HKDF. Signatures follow with
# **ML-DSA-65**. What both cost is bytes, above all.
#
# ## You will
# - **do**: forge an RSA signature, take an ECDSA key from two signatures, and from a handful with
#   short nonces, sit in the middle of an exchange, make a hybrid secret, and measure seven schemes.
# - **learn**: which scheme to take, which parameter to pin, and what each one leaves open.
# - **need**: [3.1](3_1_hashing.ipynb) for hashes and MACs, [3.4](3_4_rsa.ipynb) for RSA.

# %%
import secrets
from functools import partial
from hashlib import sha256

from Crypto.Hash import SHA256
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric import padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from answerbook.notebook import bars, environment, median_seconds
from answerbook.notebook import post_quantum, raises, show, table
from answerbook.notebook.attacks import ecdsa_nonce, pkcs1_v15
from answerbook.notebook.exercises import (
    q3_5_signatures_and_exchange as exercises,
)
from answerbook.notebook.post_quantum import mldsa, mlkem

# %% [markdown]
# ## Only the private key signs, and the public key only checks
# A MAC ([3.1](3_1_hashing.ipynb)) is checked with the key that made it, so whoever can check can
# forge. A signature has two keys. It is often called "encryption with the private key", which is what
# textbook RSA looks like and what no scheme here does: Ed25519 cannot encrypt anything.
#
# Ed25519 (RFC 8032) has no parameter to choose and needs no random number to sign.
#
# <details><summary>Predict: what does <code>verify</code> return for a good signature?</summary>
# Nothing, <code>None</code>. A bad one raises. A function that returned <code>False</code> would be
# called by somebody who does not look at it.
# </details>

# %%
ORDER = b"order 1042: pay 42 euro to Bob"
CHANGED = ORDER.replace(b"42 euro", b"9000 euro")
author = ed25519.Ed25519PrivateKey.generate()
signature = author.sign(ORDER)
print(len(signature), "bytes:", signature.hex()[:40], "…")
assert author.public_key().verify(signature, ORDER) is None
assert len(signature) == 64 and signature == author.sign(ORDER)
with raises(InvalidSignature):
    author.public_key().verify(signature, CHANGED)

# %% [markdown]
# What this does not say: whose public key it is (certificates do, 3.7), when the message was signed,
# and whether it was delivered before. The order number is in the message for that.
#
# ## PKCS#1 v1.5 stands or falls with the verifier
# RSA with PKCS#1 v1.5 signs the block `00 01 FF … FF 00`, then 19 bytes that name SHA-256, then the
# hash; the FF fill it up to the length of the modulus. A verifier who builds the same block and
# compares is safe, and no attack on that is known (RFC 8017, section 8). A verifier who *parses* from
# the left has to check that nothing follows the hash. This one, broken on purpose, does not, and the
# key has e = 3.
#
# The forger wants a number whose cube begins with a block of eight FF, and goes on with anything. He
# takes a cube root, rounds up, and never needed the private key.
#
# <details><summary>Predict: does it work for e = 65537?</summary>
# No. The cube is smaller than the modulus, so nothing is reduced, and roots are easy in the integers.
# The 65537th power of 2 is longer than any modulus. FIPS 186-5 asks for an e above 65536; the verifier
# is wrong all the same.
# </details>

# %%
legacy = rsa.generate_private_key(public_exponent=3, key_size=3_072)
forged = pkcs1_v15.forge(CHANGED, legacy.public_key())
block = pkcs1_v15.opened(legacy.public_key(), forged)
print(block[:11].hex(" "), "… the hash, then …", block[-11:].hex(" "))
assert pkcs1_v15.broken_verify(legacy.public_key(), forged, CHANGED)
scheme = padding.PKCS1v15(), hashes.SHA256()
with raises(InvalidSignature):
    legacy.public_key().verify(forged, CHANGED, *scheme)

# %% [markdown]
# Bleichenbacher showed this in 2006, and it came back: OpenSSL (CVE-2006-4339), NSS (CVE-2014-1568),
# python-rsa (CVE-2016-1494), node-forge (CVE-2022-24772). So the reason against v1.5 is not that it
# is broken. It invites verifiers that are.
#
# ## PSS gives the verifier nothing to parse
# PSS hashes the message with a random salt and masks the rest; the verifier unmasks, takes the salt,
# hashes again and compares every bit. Its security is proven from RSA's (Bellare and Rogaway, 1996).
# RFC 8017 requires it in new applications; TLS 1.3 allows v1.5 in certificates only.
#
# Pin what is a choice: SHA-256 in both places, and a salt as long as the hash (`DIGEST_LENGTH`), which is
# what TLS 1.3 does and the longest that FIPS 186-5 allows. `MAX_LENGTH` goes beyond it, and
# `AUTO` accepts any length.

# %%
signer = rsa.generate_private_key(public_exponent=65_537, key_size=3_072)
mask = padding.MGF1(hashes.SHA256())
PSS = padding.PSS(mask, padding.PSS.DIGEST_LENGTH), hashes.SHA256()
LONG = padding.PSS(mask, padding.PSS.MAX_LENGTH), hashes.SHA256()
one, two = (signer.sign(ORDER, *PSS) for _ in range(2))
for each in (one, two):
    signer.public_key().verify(each, ORDER, *PSS)
assert one != two and len(one) == 384
with raises(InvalidSignature):
    signer.public_key().verify(signer.sign(ORDER, *LONG), ORDER, *PSS)

# %% [markdown]
# ## ECDSA: one nonce used twice is the private key
# ECDSA draws a secret nonce k for each signature. With z the hash of the message, d the private key
# and n the order of the curve, all modulo n:
#
# - r is the x coordinate of k·G: it depends on k alone.
# - s = (z + r·d) / k
#
# Two unknowns, d and k, and one equation: safe. Here a device draws its nonces from a generator whose
# state is restored with a snapshot of the machine. Two messages, the same k: two equations. Sony's
# PlayStation 3 had one k for all (2010); Android wallets repeated theirs (2013).

# %%
device = ECC.generate(curve="P-256")
public = device.public_key()
snapshot = secrets.token_bytes(32)
restored = DSS.new(device, "fips-186-3", randfunc=lambda size: snapshot[:size])
sent = (b"temperature 21.5", b"temperature 21.6")
seen = [(text, restored.sign(SHA256.new(text))) for text in sent]
for text, signature in seen:
    DSS.new(public, "fips-186-3").verify(SHA256.new(text), signature)
    print("r", signature.hex()[:16], "…  s", signature.hex()[64:80], "…")

# %% [markdown]
# Both are valid, and r is the same. The difference of the two equations has no d in it:
# k = (z₁ − z₂) / (s₁ − s₂). Then d = (s₁·k − z₁) / r.

# %%
n = ecdsa_nonce.P256_ORDER
first, second = (ecdsa_nonce.Signed.read(*each) for each in seen)
k = (first.z - second.z) * pow(first.s - second.s, -1, n) % n
d = (first.s * k - first.z) * pow(first.r, -1, n) % n
assert first.r == second.r and d == int(device.d)
stolen = ECC.construct(curve="P-256", d=d)
LIE = b"temperature 99.9"
signature = DSS.new(stolen, "fips-186-3").sign(SHA256.new(LIE))
DSS.new(public, "fips-186-3").verify(SHA256.new(LIE), signature)
print("the device's public key accepts:", LIE.decode())

# %% [markdown]
# ## A nonce that is only short is enough
# Now every nonce is new and random, but has 192 bits and not 256. Each signature then tells 64 bits of
# d, as an equation with a small unknown. Which small numbers fit all of them is a question for a
# lattice, and LLL finds them ([lattice.py](../lib/answerbook/notebook/attacks/lattice.py)).
#
# <details><summary>Predict: how many signatures does it take?</summary>
# 256 bits are wanted and each tells 64, so about four; we take six. Fewer missing bits need more
# signatures: PuTTY's P-521 nonces began with nine zero bits, and some sixty were enough
# (CVE-2024-31497).
# </details>


# %%
def short(size):
    return bytes(min(size, 8)) + secrets.token_bytes(max(size - 8, 0))


def watched(scheme, count=6):
    texts = [b"temperature 2%d" % number for number in range(count)]
    pairs = [(text, scheme.sign(SHA256.new(text))) for text in texts]
    return [ecdsa_nonce.Signed.read(*pair) for pair in pairs]


# %%
seen = watched(DSS.new(device, "fips-186-3", randfunc=short))
assert len({each.r for each in seen}) == 6
found = ecdsa_nonce.from_short(seen, public, bits=192)
print("private key", hex(int(found.d))[:12], "… from", len(seen), "signatures")
assert int(found.d) == int(device.d)
sound = watched(DSS.new(device, "fips-186-3"))
with raises(ecdsa_nonce.NotRecovered):
    ecdsa_nonce.from_short(sound, public, bits=192)

# %% [markdown]
# So a nonce has to be even over the whole range, and secret to the last bit. How long a signature
# takes can tell its length: Minerva (2019) read keys from smart cards like that.
#
# ## RFC 6979 computes the nonce, and the broken generator does no harm
# k comes from the private key and the hash of the message, by HMAC: other message, other k, and no
# random number. Verifiers notice nothing. FIPS 186-5 approves it; in `cryptography` it is
# `ec.ECDSA(…, deterministic_signing=True)`. First the example of RFC 6979, appendix A.2.5, then the
# attack on a device that signs like this.

# %%
D = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
R = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
S = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
example = DSS.new(ECC.construct(curve="P-256", d=D), "deterministic-rfc6979")
assert example.sign(SHA256.new(b"sample")).hex() == R + S
sound = DSS.new(device, "deterministic-rfc6979")
assert sound.sign(SHA256.new(ORDER)) == sound.sign(SHA256.new(ORDER))
with raises(ecdsa_nonce.NotRecovered):
    ecdsa_nonce.from_repeated(*watched(sound, 2), public)

# %% [markdown]
# Ed25519 has had this by design since 2011.
#
# ## X25519: two public keys make a secret, and HKDF makes keys of it
# Each side multiplies the other's public point by its own private number, and both arrive at the same
# 32 bytes (RFC 7748). As the coordinate of a point they are not evenly distributed: no key yet.
# HKDF (RFC 5869) extracts one. Into `info` go a name for the use and both public keys, so that the
# key belongs to this exchange and to no other.
#
# The private keys are made for one session and forgotten: what was recorded stays closed even when a
# server's long-lived key is stolen later. That is forward secrecy.
#
# <details><summary>Predict: Bob's public key is 32 zero bytes. What is the secret?</summary>
# Zero, whatever Alice's key is: it is a point of low order. The library refuses to hand that out, as
# TLS 1.3 demands (RFC 8446, section 7.4.2).
# </details>


# %%
def fresh():
    return x25519.X25519PrivateKey.generate()


def agreed(mine, theirs, use=b"answerbook 3.5: messages"):
    public_keys = mine.public_key(), theirs
    both = sorted(key.public_bytes_raw() for key in public_keys)
    info = use + b"".join(both)
    key = HKDF(hashes.SHA256(), length=32, salt=None, info=info)
    return key.derive(mine.exchange(theirs))


# %%
alice, bob = fresh(), fresh()
a, b = alice.public_key(), bob.public_key()
assert agreed(alice, b) == agreed(bob, a)
assert agreed(alice, b, b"another use") != agreed(alice, b)
zeros = x25519.X25519PublicKey.from_public_bytes(bytes(32))
with raises(ValueError):
    alice.exchange(zeros)

# %% [markdown]
# ## An agreement does not say with whom
# Mallory carries the packets. She keeps Alice's public key and Bob's, and sends hers to both.


# %%
def seal(key, text):
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, text, None)


def unseal(key, sealed):
    return AESGCM(key).decrypt(sealed[:12], sealed[12:], None)


# %%
mallory = fresh()
m = mallory.public_key()
sent = seal(agreed(alice, m), ORDER)
read = unseal(agreed(mallory, a), sent)
passed_on = seal(agreed(mallory, b), CHANGED)
print("Alice sent:", read.decode())
print("Bob got:   ", unseal(agreed(bob, m), passed_on).decode())
assert read == ORDER and unseal(agreed(bob, m), passed_on) == CHANGED

# %% [markdown]
# AES-GCM complained of nothing: both keys are right. So Bob signs what he saw, with a long-lived key
# that Alice knows. With Mallory between them, that is not what she saw, whichever of the two public
# keys Mallory hands her.

# %%
LABEL = b"answerbook 3.5: Bob answers "
identity = ed25519.Ed25519PrivateKey.generate()
with_alice, with_mallory = (
    LABEL + key.public_bytes_raw() + b.public_bytes_raw() for key in (a, m)
)
honest, between = (identity.sign(it) for it in (with_alice, with_mallory))
identity.public_key().verify(honest, with_alice)
alice_saw = LABEL + a.public_bytes_raw() + m.public_bytes_raw()
with raises(InvalidSignature):
    identity.public_key().verify(between, alice_saw)
with raises(InvalidSignature):
    identity.public_key().verify(between, with_alice)

# %% [markdown]
# This shows the principle; a protocol needs more (who Alice is, which versions were offered, proof
# that both have the key). Take one that was analysed: TLS 1.3 (3.7) or Noise.
#
# ## A hybrid agreement has to be broken twice
# Shor's algorithm on a large quantum computer breaks RSA, ECDSA, Ed25519 and X25519 alike. AES-256,
# SHA-256 and HMAC lose little. Nobody has such a computer, but who records today can read then:
# *harvest now, decrypt later*. **ML-KEM** (FIPS 203) rests on lattices. It is a *key encapsulation
# mechanism*: one side publishes a key, the other calls `encapsulate`, which gives a secret and a
# ciphertext that carries it. It is young, so X25519 stays beside it. TLS calls this
# X25519MLKEM768.

# %%
MISSING = post_quantum.missing()
print(MISSING or f"Both are here: {post_quantum.built_with()}")
assert MISSING or (mlkem and mldsa)


# %% [markdown]
# Both secrets, one after the other, go into HKDF, with all that was sent in `info`. That stays a good
# key as long as one of the two secrets is good (NIST SP 800-56C allows it, and TLS does the same).


# %%
def combined(kem_secret, ecdh_secret, sent):
    info = b"answerbook 3.5: hybrid" + sha256(sent).digest()
    key = HKDF(hashes.SHA256(), length=32, salt=None, info=info)
    return key.derive(kem_secret + ecdh_secret)


def exchanged(mine, theirs):
    return mine.exchange(x25519.X25519PublicKey.from_public_bytes(theirs))


def begin():
    keys = mlkem.MLKEM768PrivateKey.generate(), fresh()
    return keys, b"".join(k.public_key().public_bytes_raw() for k in keys)


# %%
def respond(hello):
    kem = mlkem.MLKEM768PublicKey.from_public_bytes(hello[:1184])
    (secret, ciphertext), mine = kem.encapsulate(), fresh()
    reply = ciphertext + mine.public_key().public_bytes_raw()
    shared = exchanged(mine, hello[1184:])
    return combined(secret, shared, hello + reply), reply


def finish(keys, hello, reply):
    secret = keys[0].decapsulate(reply[:1088])
    return combined(secret, exchanged(keys[1], reply[1088:]), hello + reply)


# %%
if not MISSING:
    keys, hello = begin()
    server_key, reply = respond(hello)
    assert finish(keys, hello, reply) == server_key
    print(f"client → server {len(hello)} bytes, back {len(reply)} bytes")
    assert (len(hello), len(reply)) == (1184 + 32, 1088 + 32)

# %% [markdown]
# Now the day has come, and X25519 falls: we hand the attacker the client's X25519 key, in place of
# Shor's algorithm. He recorded everything, and lacks ML-KEM's half. (That shows what the formula
# needs. That ML-KEM is hard to break, no experiment shows.)

# %%
if not MISSING:
    recorded = seal(server_key, ORDER)
    fallen = exchanged(keys[1], reply[1088:])
    with raises(InvalidTag):
        unseal(combined(bytes(32), fallen, hello + reply), recorded)
    half = keys[0].decapsulate(reply[:1088])
    both = combined(half, fallen, hello + reply)
    assert unseal(both, recorded) == ORDER

# %% [markdown]
# <details><summary>Predict: one bit of the ciphertext is flipped on the way. What does
# <code>decapsulate</code> do?</summary>
# It returns a secret, only another one, the same each time: FIPS 203 calls it implicit rejection, and
# an error would tell an attacker something. The two sides find out when the first message does not
# open. So never take "no exception" for "agreed".
# </details>

# %%
if not MISSING:
    kem = mlkem.MLKEM768PrivateKey.generate()
    secret, ciphertext = kem.public_key().encapsulate()
    flipped = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
    other = kem.decapsulate(flipped)
    print("sent", secret.hex()[:16], "…, received", other.hex()[:16], "…")
    assert other != secret and other == kem.decapsulate(flipped)
    with raises(ValueError):
        kem.decapsulate(ciphertext[:-1])

# %% [markdown]
# ## ML-DSA-65 signs like the others, in fifty times the bytes
# ML-DSA (FIPS 204) has `sign` and `verify`, and a *context*, a name for the use that keeps a signature
# from being taken for another purpose. Here it mixes randomness into each signature, so two
# differ and both are good; unlike ECDSA's, a repeated value gives nothing away, since the message
# is mixed in too.

# %%
if not MISSING:
    lattice = mldsa.MLDSA65PrivateKey.generate()
    one, two = (lattice.sign(ORDER, b"orders") for _ in range(2))
    for each in (one, two):
        lattice.public_key().verify(each, ORDER, b"orders")
    print(f"{len(one)} bytes, Ed25519 has {len(author.sign(ORDER))}")
    assert one != two and len(one) == 3_309 > 50 * 64
    with raises(InvalidSignature):
        lattice.public_key().verify(one, ORDER, b"refunds")

# %% [markdown]
# A signature is only in danger from the day on which the key falls. Most can wait until tools are
# there; what has to be trusted for decades cannot: firmware keys in silicon, root certificates,
# signed contracts.
#
# ## Elliptic curves are small and quick; post-quantum costs bytes
# One short message, medians of fifty calls. Public keys are in DER, as a certificate carries them.
# This compares OpenSSL's implementations on this processor, with some microseconds of Python in each
# call. RSA-3072, P-256 and Ed25519 are meant to be equally strong, 128 bits (NIST SP 800-57);
# ML-DSA-65 and ML-KEM-768 are of NIST's category 3, as hard to break as AES-192.
#
# <details><summary>Predict: which is quicker in RSA, signing or checking?</summary>
# Checking, by far: it raises to the power of 65537, of which two bits are set. Signing raises to a
# power as long as the modulus.
# </details>

# %%
p256 = ec.generate_private_key(ec.SECP256R1())
schemes = {
    "RSA-3072, PSS": (signer, *PSS),
    "ECDSA, P-256": (p256, ec.ECDSA(hashes.SHA256())),
    "Ed25519": (author,),
}
if not MISSING:
    schemes["ML-DSA-65"] = (lattice,)


def milliseconds(function, *arguments):
    return 1e3 * median_seconds(partial(function, *arguments), 50)


# %%
rows = []
for name, (key, *how) in schemes.items():
    check, made = key.public_key(), key.sign(ORDER, *how)
    der = check.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signing = milliseconds(key.sign, ORDER, *how)
    checking = milliseconds(check.verify, made, ORDER, *how)
    rows.append((name, len(der), len(made), signing, checking))
names = ["scheme", "public key, bytes", "signature, bytes"]
names += ["sign, ms", "verify, ms"]
table(rows, columns=names, caption="Signatures: what they weigh and cost.")
assert max(length for _, _, length, *_ in rows[1:3]) <= 72

# %%
speeds = {
    what: {row[0]: row[column] for row in rows}
    for what, column in (("sign", 3), ("verify", 4))
}
drawn = bars(speeds, x="milliseconds", y="scheme", log=True, horizontal=True)
signing, checking = speeds.values()
slow, quick = signing.pop("RSA-3072, PSS"), checking["RSA-3072, PSS"]
more, most = slow / quick, slow / signing["Ed25519"]
alt = f"RSA takes {most:.0f} times as long to sign as Ed25519 does,"
show(drawn, alt=f"{alt} and {more:.0f} times as long as it takes to check.")
assert slow > 2 * quick
assert slow > 2 * signing["Ed25519"] and slow > 2 * signing["ECDSA, P-256"]

# %% [markdown]
# Signing with ML-DSA draws until a candidate fits, so how long it takes varies from one signature to
# the next. Agreement now: both sides, from making keys to the derived secret.


# %%
def by_x25519():
    client, server = fresh(), fresh()
    c, s = client.public_key(), server.public_key()
    assert agreed(client, s) == agreed(server, c)


def by_both():
    keys, hello = begin()
    key, reply = respond(hello)
    assert finish(keys, hello, reply) == key


# %%
def by_p256():
    client, server = (ec.generate_private_key(ec.SECP256R1()) for _ in "cs")
    c, s = client.public_key(), server.public_key()
    assert client.exchange(ec.ECDH(), s) == server.exchange(ec.ECDH(), c)


rows = [("ECDH, P-256", 65, 65, milliseconds(by_p256))]
rows += [("X25519", 32, 32, milliseconds(by_x25519))]
if not MISSING:
    rows += [("X25519 + ML-KEM-768", 1216, 1120, milliseconds(by_both))]
names = ["agreement", "client sends, bytes", "server sends, bytes", "ms"]
table(rows, columns=names, caption="Agreement: both sides together.")
assert all(row[3] < 10 * rows[1][3] for row in rows)

# %% [markdown]
# The hybrid takes a small multiple of X25519's time and 36 times its bytes. Its first message may no
# longer fit into one packet, and that, not the computing, is what some old middleboxes choke on.
#
# ## Summary
# | you need | take | mind |
# |---|---|---|
# | a signature | Ed25519 | the whole message is needed twice; whose key it is |
# | a signature, by RSA | PSS, 3,072 bits, SHA-256 | pin the salt's length; v1.5 only for old peers |
# | a signature, by NIST curves | ECDSA P-256 | RFC 6979, or a perfect generator |
# | a shared secret | X25519, fresh keys, HKDF | sign the exchange, or Mallory takes part |
# | a secret that lasts decades | X25519 + ML-KEM-768 | 1.2 KB each way; no error when it fails |
# | a signature that lasts decades | ML-DSA-65 | 3.3 KB a signature, 2 KB a key |
#
# ## Follow-ups
# <details><summary>Ed25519 or ECDSA on P-256?</summary>
# Ed25519 where you choose both ends. P-256 where hardware, passkeys or public certificates ask for
# it. Both are in FIPS 186-5. Evidence: <i>RFC 6979 computes the nonce, and the broken generator does
# no harm</i>, and <a href="https://doi.org/10.6028/NIST.FIPS.186-5">FIPS 186-5</a>.
# </details>
#
# <details><summary>Is a deterministic nonce always better than a random one?</summary>
# Not against who can disturb the computation, in a chip or by Rowhammer: the same message signed
# twice, once with a fault, gives the key away. Hedged signatures take key, message and randomness
# together, as ML-DSA does. Evidence:
# <a href="https://datatracker.ietf.org/doc/draft-irtf-cfrg-det-sigs-with-noise/">deterministic
# signatures with noise</a>.
# </details>
#
# <details><summary>How do I sign a file of 10 GB with Ed25519?</summary>
# Sign its SHA-512 behind a label that says so. Ed25519 hashes the message twice, so it needs all of it
# at hand; Ed25519ph of RFC 8032 hashes first, and libraries seldom have it. Evidence:
# <a href="https://www.rfc-editor.org/rfc/rfc8032#section-8.7">RFC 8032, section 8.7</a>.
# </details>
#
# <details><summary>JWT's RS256 is PKCS#1 v1.5. Is it unsafe?</summary>
# Not with a verifier that builds the block and compares, as OpenSSL does, and e = 65537. For new
# tokens take EdDSA or PS256. Evidence: <i>PKCS#1 v1.5 stands or falls with the verifier</i>.
# </details>
#
# <details><summary>May one key pair both sign and decrypt?</summary>
# No. Who gets you to decrypt what he chose may get a signature by it, and the two have different
# lives: a signing key is destroyed at its end, a decryption key is kept as long as the data. NIST SP
# 800-57, section 5.2. Evidence: <a href="https://doi.org/10.6028/NIST.SP.800-57pt1r5">SP
# 800-57</a>.
# </details>
#
# <details><summary>Why not ML-KEM alone?</summary>
# Some do: the NSA's CNSA 2.0 wants ML-KEM-1024, and asks for no hybrid. Against it speaks age: SIKE,
# a candidate of NIST's fourth round, fell to one core in an hour, in 2022. X25519 adds 64 bytes.
# Evidence:
# <a href="https://eprint.iacr.org/2022/975">the attack on SIKE</a>, and <i>A hybrid agreement has to be
# broken twice</i>.
# </details>
#
# <details><summary>When do RSA and elliptic curves have to be gone?</summary>
# NIST's draft IR 8547 deprecates 112-bit strength after 2030 and disallows all of them after 2035. Count
# back from how long your data must stay closed. Evidence:
# <a href="https://doi.org/10.6028/NIST.IR.8547.ipd">NIST IR 8547</a>.
# </details>
#
# ## Exercises
# **1.** Somebody stores the signatures of orders that were carried out, and refuses one that comes
# again. Write `answer(signature)`: from 64 bytes, r and s, on P-256, it makes another signature of
# the same message, without any key. `n` above is the order of the curve.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(signature):
#     s = int.from_bytes(signature[32:])
#     return signature[:32] + (n - s).to_bytes(32)
# </pre>
# The nonce −k has the same r, and its s is n − s.
# </details>

# %%
answer = ...

# %%
exercises.another.check(answer)

# %% [markdown]
# **2.** A device takes a random nonce once, and adds 1 for each signature. Write `answer(one, two)`:
# the private key, from two that follow each other. Both have `.z`, `.r` and `.s`.
#
# <details><summary>Solution</summary>
# From s₁·k = z₁ + r₁·d and s₂·(k + 1) = z₂ + r₂·d, without k:
# <pre>
# def answer(one, two):
#     above = one.s * (two.z - two.s) - two.s * one.z
#     below = two.s * one.r - one.s * two.r
#     return above * pow(below, -1, n) % n
# </pre>
# </details>

# %%
answer = ...

# %%
exercises.counted.check(answer)

# %% [markdown]
# **3.** Which of these must move to post-quantum first, because recording them today is enough? A
# set of names out of: `X25519 agreement`, `RSA-OAEP that wraps file keys`, `Ed25519 at a login`,
# `AES-256-GCM`, `HMAC-SHA-256`.
#
# <details><summary>Solution</summary>
# <code>answer = {"X25519 agreement", "RSA-OAEP that wraps file keys"}</code>: the two that hide
# something behind a public key.
# </details>

# %%
answer = ...

# %%
exercises.recorded.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Before: [3.4 RSA](3_4_rsa.ipynb). Next: [3.6 Files and keys](3_6_files_and_keys.ipynb); then
#   [3.7 TLS and tokens](3_7_tls_and_tokens.ipynb), where all this is put together
# - [RFC 8017](https://www.rfc-editor.org/rfc/rfc8017), RSA;
#   [RFC 8032](https://www.rfc-editor.org/rfc/rfc8032), Ed25519;
#   [RFC 6979](https://www.rfc-editor.org/rfc/rfc6979);
#   [RFC 7748](https://www.rfc-editor.org/rfc/rfc7748), X25519
# - [FIPS 203](https://doi.org/10.6028/NIST.FIPS.203), ML-KEM;
#   [FIPS 204](https://doi.org/10.6028/NIST.FIPS.204), ML-DSA;
#   [X25519MLKEM768](https://datatracker.ietf.org/doc/draft-ietf-tls-ecdhe-mlkem/) in TLS
# - [Biased nonce sense](https://eprint.iacr.org/2019/023), by Breitner and Heninger: short nonces
#   found in the wild

# %%
environment("cryptography", "pycryptodome")
