# %% [markdown]
# # 3.4 RSA: what it can do, what it cannot, and how it breaks
# *1 minute · 0.2 GB · services: none*
#
# ## Answer in a minute
# RSA encrypts with a public key what only the private key opens. It is slow, and takes a few hundred
# bytes at most. So it never encrypts a file: it encrypts a fresh AES key, and AES-GCM encrypts the
# file. That is hybrid encryption.
#
# Make keys of 3,072 bits: 2,048 are worth 112 bits of strength, which NIST plans to end with 2030.
# Keep the private key as PKCS#8 under a passphrase, with scrypt. Pad with OAEP, and name SHA-256:
# pycryptodome's default is SHA-1.
#
# The padding is the security. Without it, one message to three people is read without any key.
# With the old padding, PKCS#1 v1.5, a server that says *wrong padding* decrypts for everybody.
#
# ## You will
# - **do**: make and keep a key; encrypt a message and a large file; break textbook RSA and PKCS#1
#   v1.5, and fail to break OAEP.
# - **learn**: which of RSA's many settings decide whether it is safe.
# - **need**: [3.3 AES](3_3_aes.ipynb), or GCM, nonce and tag from elsewhere.

# %%
import math
from contextlib import suppress
from functools import partial

from Crypto.Cipher import AES, PKCS1_OAEP, PKCS1_v1_5
from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Random import get_random_bytes
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from answerbook.notebook import environment, lines, median_seconds, progress
from answerbook.notebook import raises, show, stopwatch, table
from answerbook.notebook.attacks import bleichenbacher, low_exponent
from answerbook.notebook.exercises import q3_4_rsa as exercises
from answerbook.notebook.key_files import protection

# %% [markdown]
# ## 3,072 bits are worth 128, and 2,048 end with 2030
# A public key is a modulus *n*, the product of two secret primes, and an exponent *e*. How long the
# search for primes takes is luck, in every library.

# %%
with stopwatch() as watch:
    key = RSA.generate(3072)
with stopwatch() as other_watch:
    other_key = rsa.generate_private_key(65537, 3072)
public = key.public_key()
print(f"pycryptodome {watch.seconds:.2f} s")
print(f"cryptography {other_watch.seconds:.2f} s")
assert (public.size_in_bits(), public.e) == (3072, 65537)
assert not public.has_private() and key.p * key.q == public.n

# %% [markdown]
# Nobody tries all keys: one factors *n*, and the number field sieve does that far faster. NIST turns
# its work into **bits of strength**, the length of a symmetric key that would take as much to guess,
# by a formula (SP 800-56B Rev. 2, Appendix D), in steps of 8.
#
# By SP 800-57 Part 1 Rev. 5 (2020), 112 bits may protect data until the end of 2030, and serve only
# to read old data afterwards; 128 bits stay. SP 800-131A Rev. 2 (2019) accepts 2,048 and more.
# Drafts of 2024 (SP 800-131A Rev. 3, IR 8547) soften the first date, for public keys, to
# *deprecated*, and add a second: no RSA of any size after 2035, because of quantum computers. What
# you encrypt today must hold as long as it is secret, so count from the end.
#
# <details><summary>Predict: what does one pay for a longer key, and who pays?</summary>
# The owner of the private key pays, roughly with the cube of the length: three to four times the
# work for half as many bits again. Encrypting has a short exponent, and stays cheap.
# </details>


# %%
def strength(bits):
    size = bits * math.log(2)
    work = 1.923 * math.cbrt(size * math.log(size) ** 2) - 4.69
    return 8 * round(work / math.log(2) / 8)


sizes = 2048, 3072, 4096, 8192
print({bits: strength(bits) for bits in sizes})
assert [strength(bits) for bits in sizes] == [112, 128, 152, 200]


# %%
def oaep(digest, mask):
    return padding.OAEP(padding.MGF1(mask()), digest(), None)


def cost(bits):
    made = rsa.generate_private_key(65537, bits)
    scheme = oaep(hashes.SHA256, hashes.SHA256)
    encrypt = partial(made.public_key().encrypt, bytes(32), scheme)
    decrypt = partial(made.decrypt, encrypt(), scheme)
    return [1e3 * median_seconds(each) for each in (encrypt, decrypt)]


# %%
rows = []
for bits in (2048, 3072, 4096):
    until = "2030" if strength(bits) < 128 else "beyond 2030"
    rows.append((bits, strength(bits), until, *cost(bits)))
names = ["bits", "strength", "protects until", "encrypt, ms", "decrypt, ms"]
table(rows, names, caption="What a size is worth, and costs with OpenSSL.")
assert rows[2][4] > 2 * rows[0][4] and rows[1][4] > 2 * rows[1][3]

# %% [markdown]
# ## A key file is as strong as what turns the passphrase into a key
# `export_key()` without a passphrase writes the private key in the clear. With one, there are two
# formats. PKCS#8 with PBES2 (RFC 5958, RFC 8018) names a key derivation and a cipher, and scrypt
# with N = 2¹⁷, r = 8, p = 1 is OWASP's choice: 128 MiB for each guess. The older format, `pkcs=1`,
# hashes the passphrase with MD5, once. To their owner both look alike.
#
# The owner waits once, and whoever guesses waits each time: so set the derivation yourself. What
# pycryptodome writes here, `cryptography` reads.

# %%
PASSPHRASE = "a passphrase of several words"
SCRYPT = {
    "protection": "scryptAndAES256-CBC",
    "prot_params": {"iteration_count": 2**17, "salt_size": 16},
}
pem = key.export_key(passphrase=PASSPHRASE, pkcs=8, **SCRYPT)
print(pem.decode().partition("\n")[0])
loaded = serialization.load_pem_private_key(pem, PASSPHRASE.encode())
assert loaded.private_numbers().public_numbers.n == key.n
with raises(ValueError):
    RSA.import_key(pem, "a passphrase of other words")

# %% [markdown]
# Whoever finds the file guesses. One guess, against the same key in four files:
#
# <details><summary>Predict: by how much does scrypt slow a guess down, against MD5?</summary>
# By a factor of hundreds here, where Python takes most of the quick guess, and by far more in
# truth: a graphics card tries MD5 by the billion, and has room for few guesses of 128 MiB each.
# </details>

# %%
best = serialization.BestAvailableEncryption(PASSPHRASE.encode())
encoding = serialization.Encoding.PEM
pkcs8 = serialization.PrivateFormat.PKCS8
files = {
    "pycryptodome, pkcs=1": key.export_key(passphrase=PASSPHRASE, pkcs=1),
    "cryptography, “best”": loaded.private_bytes(encoding, pkcs8, best),
    "pycryptodome, pkcs=8": key.export_key(passphrase=PASSPHRASE, pkcs=8),
    "pkcs=8 with scrypt": pem,
}


# %%
def guess(file):
    with suppress(ValueError):
        RSA.import_key(file, "wrong")


rows = []
for name, file in files.items():
    found = protection(file)
    milliseconds = 1e3 * median_seconds(partial(guess, file), 3)
    rows.append((name, found.derivation, found.cipher, milliseconds))
names = ["file", "key derivation", "cipher", "ms a guess"]
table(rows, names, caption="What a guess at the passphrase costs.")
assert rows[3][3] > 20 * rows[0][3]

# %% [markdown]
# `BestAvailableEncryption` is a name and no promise: see how often it hashes.
#
# ## OAEP uses SHA-1 unless you name another hash
# OAEP (RFC 8017, section 7.1) mixes the message with random bytes, by a hash. Without `hashAlgo`,
# pycryptodome takes SHA-1. That is no hole: nobody needs a collision there. But NIST retires SHA-1
# by the end of 2030, scanners report it, and both sides have to agree. (pycryptodome 4 has a second
# interface, `Crypto.Cipher.oaep`, without a default.)
#
# The mask has a hash too. pycryptodome's follows the first; Java's
# `OAEPWithSHA-256AndMGF1Padding` masks with SHA-1 until an `OAEPParameterSpec` says otherwise.
#
# <details><summary>Predict: two programs disagree on the hash. What does the error say?</summary>
# Nothing: every failure of OAEP looks alike, on purpose, as we shall see. So write both hashes down
# in the protocol, and test against the other side's library.
# </details>


# %%
def opens(sealed, scheme):
    with suppress(ValueError):
        return loaded.decrypt(sealed, scheme) == b"attack at dawn"
    return False


schemes = {
    "SHA-1": oaep(hashes.SHA1, hashes.SHA1),
    "SHA-256": oaep(hashes.SHA256, hashes.SHA256),
    "SHA-256, mask SHA-1": oaep(hashes.SHA256, hashes.SHA1),
}

# %%
rows = []
for name, chosen in {"no hash named": None, "SHA256 named": SHA256}.items():
    cipher = PKCS1_OAEP.new(public, hashAlgo=chosen)
    sealed = cipher.encrypt(b"attack at dawn")
    assert sealed != cipher.encrypt(b"attack at dawn")
    rows.append((name, *(opens(sealed, each) for each in schemes.values())))
names = ["pycryptodome", *(f"opens as {name}" for name in schemes)]
table(rows, names, caption="Who can open what.")
opened = [row[1:] for row in rows]
assert opened == [(True, False, False), (False, True, False)]

# %% [markdown]
# The assertion inside the loop shows the second thing OAEP does: the same message never looks the
# same twice.
#
# ## RSA carries a key, not a file
# The padded message must be smaller than *n*, and OAEP takes two hashes and two bytes: 384 − 2 · 32
# − 2 leave 318 bytes. Cutting a file into such pieces would be wrong twice: nothing would tie the
# pieces together, so anybody could drop or swap some; and it would be slow.

# %%
cipher = PKCS1_OAEP.new(key, hashAlgo=SHA256)
longest = key.size_in_bytes() - 2 * SHA256.digest_size - 2
full = cipher.encrypt(bytes(longest))
print(f"{longest} bytes fit, and come out as {len(full)}")
assert longest == 318 and len(full) == 384
with raises(ValueError):
    cipher.encrypt(bytes(longest + 1))


# %%
def gcm():
    cipher = AES.new(bytes(32), AES.MODE_GCM, nonce=bytes(12))
    return cipher.encrypt_and_digest(bytes(4_000_000))


by_rsa = longest / median_seconds(lambda: cipher.decrypt(full)) / 1e6
by_aes = 4 / median_seconds(gcm)
rates = {"RSA-3072, decrypting pieces": by_rsa, "AES-256-GCM": by_aes}
table(rates.items(), ["with pycryptodome", "MB/s"], caption="One core.")
assert by_aes > 100 * by_rsa

# %% [markdown]
# ## RSA wraps a data key, and AES-GCM carries the data
# Hybrid encryption: a fresh AES-256 key for each message, wrapped with OAEP for the recipient, and
# everything else under GCM. The letter is wrapped key, nonce, ciphertext and tag. The *context* is
# not secret, and authenticated: a letter for one purpose cannot be passed off as another.
#
# <details><summary>Predict: by how much is the letter longer than a message of 5 MB?</summary>
# By 412 bytes, whatever the message: 384 of RSA, 12 of nonce, 16 of tag.
# </details>


# %%
def seal(message, recipient, context):
    data_key, nonce = get_random_bytes(32), get_random_bytes(12)
    wrapped = PKCS1_OAEP.new(recipient, hashAlgo=SHA256).encrypt(data_key)
    cipher = AES.new(data_key, AES.MODE_GCM, nonce=nonce)
    cipher.update(context)
    return wrapped, nonce, *cipher.encrypt_and_digest(message)


# %%
def unseal(letter, recipient, context):
    wrapped, nonce, ciphertext, tag = letter
    data_key = PKCS1_OAEP.new(recipient, hashAlgo=SHA256).decrypt(wrapped)
    cipher = AES.new(data_key, AES.MODE_GCM, nonce=nonce)
    cipher.update(context)
    return cipher.decrypt_and_verify(ciphertext, tag)


# %%
report, context = get_random_bytes(5_000_000), b"reports, 1"
letter = seal(report, public, context)
assert unseal(letter, key, context) == report
print(sum(map(len, letter)) - len(report), "bytes more")
assert sum(map(len, letter)) - len(report) == 384 + 12 + 16


# %%
def changed(letter, part):
    broken = bytearray(letter[part])
    broken[-1] ^= 1
    return *letter[:part], bytes(broken), *letter[part + 1 :]


for part in range(len(letter)):
    with raises(ValueError):
        unseal(changed(letter, part), key, context)
with raises(ValueError):
    unseal(letter, key, b"reports, 2")

# %% [markdown]
# Tell the sender of all of these in the same words; the last sections show why.
#
# What a letter does not say is who wrote it. The public key is public:

# %%
forged = seal(b"Pay 1,000,000 to Mallory", public, context)
print(unseal(forged, key, context).decode())
assert unseal(forged, key, context).endswith(b"Mallory")

# %% [markdown]
# ## Without padding RSA is arithmetic, and everybody can calculate
# Textbooks write RSA as *c = mᵉ mod n*, and stop there. Then the same message always has the same
# ciphertext: whoever can guess it, encrypts the guess and compares. And a product of ciphertexts is
# the ciphertext of the product: whoever cannot read a number can multiply it.


# %%
def textbook(message):
    return pow(message, public.e, public.n)


vote = textbook(int.from_bytes(b"no"))
words = {textbook(int.from_bytes(word)): word for word in (b"yes", b"no")}
price = textbook(4_200) * textbook(10) % public.n
paid = pow(price, key.d, key.n)
print(f"the vote: {words[vote].decode()}; the price: {paid}")
assert words[vote] == b"no" and paid == 42_000

# %% [markdown]
# ## With e = 3, three copies of a message give it away
# A small exponent makes encryption quick. But where *m³* is smaller than *n*, the modulus never does
# anything, and a cube root is all that it takes. Here are keys of full size.

# %%
keys = [
    rsa.generate_private_key(3, 3072).public_key().public_numbers()
    for _ in progress(range(3), "keys with e = 3")
]
moduli = [each.n for each in keys]
short = b"The meeting is at nine."
captured = pow(int.from_bytes(short), 3, moduli[0])
print(low_exponent.from_short_message(captured, 3).decode())
assert low_exponent.from_short_message(captured, 3) == short

# %% [markdown]
# A longer message is safe from that, and goes to three people, each with his own key. Håstad (1988):
# three remainders of *m³* give, by the Chinese remainder theorem, *m³* modulo the product of all
# three moduli. *m³* is smaller than that product, so it is *m³* itself.
#
# <details><summary>Predict: how long does it take, against keys of 3,072 bits?</summary>
# Milliseconds: nothing is factored, and no size helps.
# </details>

# %%
long = b"The meeting is at nine, at the usual place. " * 8
copies = [pow(int.from_bytes(long), 3, modulus) for modulus in moduli]
with raises(low_exponent.NotRecovered):
    low_exponent.from_short_message(copies[0], 3)
with stopwatch() as watch:
    found = low_exponent.from_broadcast(copies, moduli)
print(f"{found[:44].decode()}… in {1e3 * watch.seconds:.1f} ms")
assert found == long

# %% [markdown]
# The cure is not *e* = 65,537 alone, though SP 800-56B demands more than 2¹⁶: then it takes 65,537
# copies. Numbering the copies is none either: with some more of them, Håstad's full result covers
# every known polynomial of the message. The cure is random padding. OAEP, with the same three keys
# and *e* = 3, makes three different numbers of one message, each as long as its modulus:

# %%
padded = []
for modulus in moduli:
    recipient = PKCS1_OAEP.new(RSA.construct((modulus, 3)), hashAlgo=SHA256)
    padded.append(int.from_bytes(recipient.encrypt(short)))
with raises(low_exponent.NotRecovered):
    low_exponent.from_broadcast(padded, moduli)
with raises(low_exponent.NotRecovered):
    low_exponent.from_short_message(padded[0], 3)

# %% [markdown]
# ## A server that tells of wrong padding decrypts for everybody
# PKCS#1 v1.5, the padding before OAEP, is 00 02, random bytes other than zero, 00, and the message.
# Each line of this server looks reasonable; `None` is the sentinel that pycryptodome returns for
# wrong padding.

# %%
victim = RSA.generate(1025)
old_cipher = PKCS1_v1_5.new(victim)
REFUSED = "400 cannot decrypt"


def respond(sent):
    session_key = old_cipher.decrypt(sent, None)
    return REFUSED if session_key is None else "401 unknown session"


# %% [markdown]
# Bleichenbacher (1998) multiplies, as with the price above. He has one captured ciphertext, sends
# *c · sᵉ* for many numbers *s*, and looks at the answer. Not refused means: *m · s mod n* begins
# with 00 02. That puts *m* into one of few ranges. When one is left, *s* is chosen to halve it.
#
# This key spares you a wait, not the attack. It has 1,025 bits, one more than fill 128 bytes, since
# the leading byte of *n* decides how rare 00 02 is. For a usual key the first yes takes longer, as
# printed below; each further bit of a key costs a few questions more.
#
# <details><summary>Predict: how many questions for each bit, once a single range is left?</summary>
# A few: each yes halves the range, every second <i>s</i> would do, and the zero that has to stand
# somewhere behind the random bytes costs a factor of two to three.
# </details>

# %%
rare = victim.n >> 8 * (victim.size_in_bytes() - 2)
usual = RSA.generate(1024)
as_usual = usual.n >> 8 * (usual.size_in_bytes() - 2)
print(f"00 02: one number in {rare}; with 1,024 bits, one in {as_usual:,}")
assert 256 <= rare < 512 and 32_768 <= as_usual < 65_536

# %%
session_key = get_random_bytes(32)
captured = old_cipher.encrypt(session_key)
attack = bleichenbacher.recover(
    captured, victim.n, victim.e, lambda sent: respond(sent) != REFUSED
)
with stopwatch() as watch:
    known = list(progress(attack, "narrowing"))
end = known[-1]
print(f"{end.questions:,} questions, {watch.seconds:.1f} s")
assert end.message == session_key

# %%
start = known[0].unknown_bits
fewer = [each for each in known if each.unknown_bits < start]
one = next(each for each in fewer if each.ranges == 1)
per_bit = (end.questions - one.questions) / one.unknown_bits
print(f"first yes after {fewer[0].questions:,} questions,")
print(f"one range after {one.questions:,}; then {per_bit:.1f} for each bit")
assert per_bit < 20

# %%
rest = [each for each in fewer if each.questions > one.questions]
drawn = [known[0], fewer[0], one, *rest[::40], end]
questions = [each.questions for each in drawn]
unknown = [each.unknown_bits for each in drawn]
show(
    lines({"": (questions, unknown)}, x="questions asked", y="bits unknown"),
    alt="Hardly anything is known until one range is left; then the padded "
    f"message, bit by bit: all of it after {end.questions:,} questions.",
)

# %% [markdown]
# The private key is still unknown; the recorded session is not. A status code is one such oracle.
# Others were another alert, a closed connection, and time: ROBOT (2017) found one at Facebook and at
# PayPal, and the Marvin attack (2023) needs the timing alone.
#
# ## Whoever answers alike cannot be asked
# RFC 8017 keeps v1.5 for existing applications only, SP 800-131A Rev. 2 disallows it for key
# transport after 2023, TLS 1.3 has none of it. Where it must stay, *implicit rejection* helps:
# wrong padding gives no error, but random bytes, always the same ones for the same ciphertext.
# pycryptodome does so when no sentinel is given, OpenSSL since 3.2, and `cryptography` with it. The
# attack, again:


# %%
def repaired(sent):
    session_key = old_cipher.decrypt(sent)
    return REFUSED if session_key is None else "401 unknown session"


silent = bleichenbacher.recover(
    captured, victim.n, victim.e, lambda sent: repaired(sent) != REFUSED
)
with raises(bleichenbacher.NotRecovered):
    list(progress(silent, "asking in vain"))

# %%
nonsense = get_random_bytes(383).rjust(384, b"\0")
once = loaded.decrypt(nonsense, padding.PKCS1v15())
assert once == loaded.decrypt(nonsense, padding.PKCS1v15())

# %% [markdown]
# It hides the padding, not what the program does next: a session key of an unexpected length must
# not be told either. OAEP needs no such care. A number that nobody made by encrypting is refused,
# whatever its first bytes are, and with one error:
#
# <details><summary>Predict: how many different answers does OAEP give to 300 questions?</summary>
# One. There is nothing to learn from it, however long one asks.
# </details>

# %%
cipher = PKCS1_OAEP.new(key, hashAlgo=SHA256)
sealed, answers = cipher.encrypt(short), set()


def accepted(sent):
    try:
        return bool(cipher.decrypt(sent))
    except ValueError as error:
        answers.add(str(error))
        return False


# %%
deaf = bleichenbacher.recover(sealed, public.n, public.e, accepted, 300)
with raises(bleichenbacher.NotRecovered):
    list(progress(deaf, "asking OAEP"))
print(answers)
assert len(answers) == 1

# %% [markdown]
# ## Summary
# | do | not | because |
# |---|---|---|
# | 3,072 bits, *e* = 65,537 | 2,048 | 112 bits of strength end with 2030 |
# | PKCS#8 with scrypt | `pkcs=1`, or no passphrase | one MD5 a guess, or none |
# | OAEP with SHA-256, both hashes written down | the library's default | it is SHA-1, and errors do not say so |
# | a fresh AES-256-GCM key in each letter | pieces of 318 bytes | slow, and nothing ties them together |
# | a signature, too | trust in what opens | anybody can encrypt |
# | padding, always | textbook RSA | roots, products and guesses need no key |
# | one error for all | “wrong padding” | it decrypts for everybody |
#
# ## Follow-ups
# <details><summary>Is a longer key safe from quantum computers?</summary>
# No: Shor's algorithm factors in polynomial time, and every RSA size in use falls with it. What is
# recorded today can be opened then. Add ML-KEM now, beside a classical agreement. Evidence:
# <a href="https://doi.org/10.6028/NIST.IR.8547.ipd">NIST IR 8547, draft</a>.
# </details>
#
# <details><summary>What is the largest key that somebody has factored?</summary>
# Of those done in public, 829 bits, in 2020; the 795 bits before it took some 900 core-years.
# Evidence:
# <a href="https://doi.org/10.1007/978-3-030-56880-1_3">the record for RSA-240</a>.
# </details>
#
# <details><summary>Has OAEP an oracle of its own?</summary>
# If a decoder tells whether the first byte was zero, Manger (2001) needs about a thousand questions.
# pycryptodome mended a leak of that kind in 3.19.1 (CVE-2023-52323). Evidence:
# <a href="https://www.rfc-editor.org/rfc/rfc8017#section-7.1.2">RFC 8017, the note in 7.1.2</a>.
# </details>
#
# <details><summary>How do several people get the same file?</summary>
# Encrypt it once, and wrap its data key for each of them, as CMS and JWE do. Evidence: <i>RSA wraps
# a data key, and AES-GCM carries the data</i>, and <a
# href="https://www.rfc-editor.org/rfc/rfc5652#section-6">RFC 5652</a>.
# </details>
#
# <details><summary>Why has TLS 1.3 no RSA encryption?</summary>
# Whoever gets the private key years later opens all that was recorded: no forward secrecy. RSA signs
# there, and keys are agreed on with ephemeral Diffie-Hellman. Evidence:
# <a href="https://www.rfc-editor.org/rfc/rfc8446#section-1.2">RFC 8446, 1.2</a>.
# </details>
#
# <details><summary>May one key pair both decrypt and sign?</summary>
# No: SP 800-57 wants one purpose for a key. Who can have anything decrypted can have anything
# signed, as it is the same operation; ROBOT's authors signed with a large site's key that way.
# Evidence:
# <a href="https://robotattack.org/">ROBOT</a>.
# </details>
#
# <details><summary>Is there a standard, instead of writing seal and unseal oneself?</summary>
# HPKE (RFC 9180), with X25519 in place of RSA, or ML-KEM beside it; pycryptodome and
# <code>cryptography</code> have it. With RSA, CMS and JWE's <code>RSA-OAEP-256</code>. Evidence:
# <a href="https://www.rfc-editor.org/rfc/rfc9180">RFC 9180</a>.
# </details>
#
# ## Exercises
# **1.** How many bytes can a key of 4,096 bits encrypt with OAEP and SHA-512?
#
# <details><summary>Solution</summary>
# <code>answer = 382</code>: 512 − 2 · 64 − 2.
# </details>

# %%
answer = ...

# %%
exercises.longest.check(answer)

# %% [markdown]
# **2.** Two routers made their keys right after power-on, with the same little randomness, and their
# moduli share a prime. Write `answer(first, second)`: both primes of the first modulus.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(first, second):
#     shared = math.gcd(first, second)
#     return shared, first // shared
# </pre>
# In 2012 that gave the private keys of one in two hundred TLS hosts on the Internet.
# </details>

# %%
answer = ...

# %%
exercises.shared_prime.check(answer)

# %% [markdown]
# **3.** A textbook server decrypts what anybody sends, except the one ciphertext *c* that you want.
# Write `answer(c, e, n, decrypt)`, which returns the message. `decrypt` takes and returns a number.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(c, e, n, decrypt):
#     twice = decrypt(c * pow(2, e, n) % n)
#     return twice * pow(2, -1, n) % n
# </pre>
# </details>

# %%
answer = ...

# %%
exercises.unblinded.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Next: [3.5 Signatures and key exchange](3_5_signatures_and_exchange.ipynb) says who wrote a
#   letter; [3.6 Files and keys](3_6_files_and_keys.ipynb) wraps data keys at scale
# - [RFC 8017](https://www.rfc-editor.org/rfc/rfc8017), PKCS#1: OAEP, and what it says of v1.5
# - NIST [SP 800-57 Part 1](https://doi.org/10.6028/NIST.SP.800-57pt1r5),
#   [SP 800-131A](https://doi.org/10.6028/NIST.SP.800-131Ar2) and
#   [SP 800-56B](https://doi.org/10.6028/NIST.SP.800-56Br2): sizes and dates
# - [Twenty Years of Attacks on the RSA
#   Cryptosystem](https://crypto.stanford.edu/~dabo/papers/RSA-survey.pdf), by Dan Boneh
# - [Bleichenbacher's paper](https://doi.org/10.1007/BFb0055716), and
#   [the Marvin attack](https://people.redhat.com/~hkario/marvin/)
# - [Mining Your Ps and Qs](https://factorable.net/), on shared primes

# %%
environment("pycryptodome", "cryptography")
