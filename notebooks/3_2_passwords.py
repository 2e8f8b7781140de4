# %% [markdown]
# # 3.2 Passwords: slow on purpose, salted, and moved without asking
# *1 minute · 0.3 GB · services: PostgreSQL*
#
# ## Answer in a minute
# MD5 and SHA-256 are made to be fast, and whoever has stolen a table of hashes is grateful: a
# graphics card tries a word list in an instant. A **password hash** is slow on purpose, and takes
# memory that a card has little of: **Argon2id** with 19 MiB, 2 passes, 1 lane at least (OWASP), or
# with 64 MiB, 3 passes, 4 lanes (RFC 9106).
#
# A random **salt** for each user makes tables computed beforehand useless. Salt and parameters stand
# in the stored string, so a login can verify old hashes and, having the password at hand, write a
# stronger one.
#
# A table of MD5 is **wrapped**, Argon2id of the MD5, in one go; logins then replace the wrapping. A
# **pepper**, a key that is not in the database, makes a stolen table useless. **bcrypt** reads 72
# bytes; version 5 refuses more.
#
# ## You will
# - **do**: count guesses, make a rainbow table and crack logins with it, move a live table from MD5
#   to Argon2id through a failure, shuck a wrapped hash, rotate a pepper.
# - **learn**: what salt, slowness, memory and pepper each stop, and what none of them does.
# - **need**: what a hash is ([3.1](3_1_hashing.ipynb)), and `UPDATE … WHERE`.

# %%
import hashlib
import secrets
from functools import partial
from itertools import product
from string import ascii_lowercase

import argon2
import bcrypt
import psycopg

from answerbook import services
from answerbook.crypto import passwords
from answerbook.notebook import bars, environment, progress, raises, show
from answerbook.notebook import stopwatch, table
from answerbook.notebook.accounts import accounts
from answerbook.notebook.attacks.rainbow import RainbowTable
from answerbook.notebook.exercises import q3_2_passwords as exercises
from answerbook.notebook.guessing import duration, guesses_per_second

# %% [markdown]
# ## A fast hash is no password hash
# A hash cannot be turned back, and nobody tries. The attacker hashes guesses, and compares. So what
# protects a weak password is the price of a guess. Six ways to make one, the slow ones as OWASP's cheat
# sheet has them at least: PBKDF2 with 600,000 iterations of SHA-256, scrypt with N = 2^17 and r = 8, bcrypt
# with cost 10, Argon2id with 19 MiB and two passes.
#
# <details><summary>Predict: salted SHA-256 has twice MD5's digest and no known collision. How much
# longer does its attacker take?</summary>
# A few times, if at all. Length and collisions are about other attacks; a guess costs what the
# function costs, and both were made to be cheap.
# </details>

# %%
SALT, BCRYPT_SALT = secrets.token_bytes(16), bcrypt.gensalt(10)
N17 = {"n": 2**17, "r": 8, "p": 1, "maxmem": 2**28}
guesses = {
    "MD5": lambda word: hashlib.md5(SALT + word).digest(),
    "SHA-256": lambda word: hashlib.sha256(SALT + word).digest(),
    "PBKDF2": lambda word: hashlib.pbkdf2_hmac("sha256", word, SALT, 600_000),
    "scrypt": lambda word: hashlib.scrypt(word, salt=SALT, **N17),
    "bcrypt": lambda word: bcrypt.hashpw(word, BCRYPT_SALT),
    "Argon2id": argon2.PasswordHasher.from_parameters(passwords.OWASP).hash,
}

# %% [markdown]
# Rates are per second of one core's time, for about a third of a second each. The fast ones are
# slowed by Python's own loop: a program in C makes several times as many. Beside them stand
# [published rates](https://gist.github.com/Chick3nman/32e662a5bb63bc4f51b847bb422222fd) of hashcat
# on one RTX 4090, which were measured with smaller parameters (999 iterations, N = 2^14, cost 5) and
# are scaled to ours here. They have none for Argon2id. There stands what the card's memory could do
# at the most: it moves 1,008 GB a second, and a guess moves 95 MiB, as we shall see.

# %%
bar = progress(guesses.items(), "guessing")
here = {name: guesses_per_second(guess) for name, guess in bar}
card = {
    "MD5": 164.1e9,
    "SHA-256": 21.98e9,
    "PBKDF2": 8.866e6 * 999 / 600_000,
    "scrypt": 7_126 * 2**14 / 2**17,
    "bcrypt": 184.0e3 * 2**5 / 2**10,
    "Argon2id": 1_008e9 / (95 * 2**20),
}

# %%
series = {"one core, measured": here, "RTX 4090, not measured here": card}
drawn = bars(series, x="guesses a second", y="hash", log=True, horizontal=True)
alt = "A core guesses fast hashes by the million, slow ones by the dozen."
show(drawn, alt=f"{alt} A card gains most on the fast ones.")
slow = max(here[name] for name in ("PBKDF2", "scrypt", "bcrypt", "Argon2id"))
assert min(here["MD5"], here["SHA-256"]) > 1_000 * slow

# %% [markdown]
# How long for a list of 14,344,392 words, the lines of the usual copy of what leaked from RockYou in
# 2009? For one salted hash:

# %%
WORDS = 14_344_392
memory = dict.fromkeys(guesses, "next to none")
memory |= {"scrypt": "128 MiB", "bcrypt": "4 KiB", "Argon2id": "19 MiB"}
rows = []
for name, rate in here.items():
    core, gpu = duration(WORDS / rate), duration(WORDS / card[name])
    rows.append((name, memory[name], core, gpu, round(card[name] / rate)))
names = ["hash", "memory a guess", "on a core", "on a card", "card gains, ×"]
table(rows, columns=names, caption=f"{WORDS:,} guesses at one hash.")
gain = {name: times for name, *_, times in rows}
assert gain["MD5"] > 10 * max(gain["bcrypt"], gain["Argon2id"])

# %% [markdown]
# The card gains most where a guess needs nothing but arithmetic, and far less where it keeps memory
# busy. That is why *memory-hard* is worth more than slow, and why PBKDF2 is the choice only where FIPS
# 140 leaves no other. If Argon2id looks quick beside the other slow ones: this is the least that OWASP
# accepts, and a login that may take longer can have more. No hash saves a password that stands near
# the top of the list.
#
# ## Without a salt, one table works on everybody
# Now a login table as one still finds them: unsalted MD5. Equal passwords can be seen without
# cracking anything.

# %%
postgres = services.require("postgres")
database = postgres.create_database("passwords")
connection = psycopg.connect(database, autocommit=True)
CREATE = "CREATE TABLE account (name text PRIMARY KEY, password text NOT NULL)"
connection.execute(CREATE)
users = dict(accounts(150))


def md5(password):
    return hashlib.md5(password.encode()).hexdigest()


# %%
rows = [(name, md5(password)) for name, password in users.items()]
with connection.cursor() as cursor:
    cursor.executemany("INSERT INTO account VALUES (%s, %s)", rows)
SHARED = """SELECT password, count(*) FROM account
    GROUP BY password ORDER BY count(*) DESC, password LIMIT 3"""
shared = connection.execute(SHARED).fetchall()
table(shared, columns=["stored", "users"], caption="The most frequent hashes.")
assert all(count > 1 for _, count in shared)

# %% [markdown]
# A **rainbow table** is a space of passwords hashed beforehand, and stored small. A chain goes from
# a password to its hash, from there by a *reduction* to another password, and on; only its two ends
# are kept ([rainbow.py](../lib/answerbook/notebook/attacks/rainbow.py); Oechslin 2003). Ours is of
# all passwords of four letters; tables for longer ones can be downloaded.
#
# <details><summary>Predict: the table keeps a few thousand chains for 456,976 passwords. What does it
# pay for being so small?</summary>
# Time at each look-up: for each column that the hash may stand in, it is followed to the chain's end.
# And it misses some passwords, because chains run into each other; a second table with other
# reductions finds most of those.
# </details>

# %%
with stopwatch() as making:
    watched = partial(progress, what="making chains")
    rainbow = RainbowTable(20_000, 100, watched=watched)
print(f"{rainbow.hashes:,} hashes, once, in {making.seconds:.1f} s.")
print(f"Kept: {len(rainbow)} chains for {rainbow.passwords:,} passwords.")

# %%
stolen = connection.execute("SELECT name, password FROM account").fetchall()
with stopwatch() as looking:
    bar = progress(stolen, "looking up")
    cracked = {name: rainbow.crack(digest) for name, digest in bar}
found = {name: password for name, password in cracked.items() if password}
four = [name for name, password in users.items() if len(password) == 4]
print(f"{looking.seconds:.1f} s: {len(found)} of {len(four)} short passwords,")
print("such as", dict(list(found.items())[:3]))
assert found.items() <= users.items() and len(found) > len(four) / 2

# %% [markdown]
# The table goes on to the next leak, and the one after. Now the same passwords with a random salt
# for each user, which need not be secret:

# %%
salts = {name: secrets.token_hex(16) for name in users}
salted = {name: md5(salts[name] + users[name]) for name in users}
bar = progress(salted.values(), "looking up")
assert not any(rainbow.crack(digest) for digest in bar)
assert len(set(salted.values())) == len(users)
print(f"0 of {len(users)} found, and no two hashes are equal.")

# %% [markdown]
# A user's name is no salt: `admin` is everywhere, and worth a table.
#
# ## A salt does not protect one account
# The salt lies beside the hash. Whoever wants one user simply tries all passwords with that salt.
#
# <details><summary>Predict: how long for the 456,976 passwords of four letters, with salted MD5 in
# plain Python?</summary>
# About a second. A salt makes the work for many users add up; it makes no guess dearer.
# </details>


# %%
def search(salt, digest):
    for letters in product(ascii_lowercase, repeat=4):
        if md5(salt + "".join(letters)) == digest:
            return "".join(letters)
    return None


victim = four[0]
with stopwatch() as watch:
    recovered = search(salts[victim], salted[victim])
all_by_argon2id = rainbow.passwords / here["Argon2id"]
print(f"salted MD5: {recovered!r} after {watch.seconds:.2f} s")
print(f"Argon2id: up to {duration(all_by_argon2id)} on this core")
assert recovered == users[victim] and 2 * watch.seconds < all_by_argon2id

# %% [markdown]
# Salt and slowness are for different things, and one needs both.
#
# ## Argon2id has three settings, and memory is the first to choose
# *m* is the memory, *t* how often it is gone over, *p* the lanes that can be computed in parallel.
# OWASP lists five settings that it holds to be equally strong; RFC 9106 (section 4) recommends 2 GiB
# and one pass, or, as its second choice, 64 MiB and three. Here is what each costs, in time of all
# cores together, and what it moves: the first pass reads a block and writes one for each block of
# memory, each further pass reads two and writes one.
#
# <details><summary>Predict: what does a server need for a hundred logins at once, with the second
# choice?</summary>
# 6.4 GiB at that moment. So the number of hashes at once is limited, by a semaphore or a queue: else
# logins are a way to exhaust the server.
# </details>

# %%
SETTINGS = (46, 1, 1), (19, 2, 1), (12, 3, 1), (9, 4, 1), (7, 5, 1), (64, 3, 4)
cost = {}
for m, t, p in progress(SETTINGS, "hashing"):
    hasher = argon2.PasswordHasher(t, m * 1024, p)
    cost[m, t, p] = 1000 / guesses_per_second(hasher.hash, 0.2)
moved = {(m, t, p): m * (2 + 3 * (t - 1)) for m, t, p in cost}
names = ["memory, MiB", "passes", "lanes", "processor, ms", "moved, MiB"]
rows = [(*it, round(ms), moved[it]) for it, ms in cost.items()]
table(rows, columns=names, caption="OWASP's five, and RFC 9106's second.")
assert cost[64, 3, 4] > 2 * cost[19, 2, 1]
assert moved[64, 3, 4] > 5 * moved[19, 2, 1]

# %% [markdown]
# The last column shows what "equally strong" means: the five move nearly as much, and a card that is
# limited by its memory computes nearly as many. This core, with its caches, tells them apart.
#
# Choose in this order: the memory that can be had for the hashes that run at once; lanes, if cores are
# idle; then passes, until a login takes as long as you will let it, measured on the server. Section 4
# of RFC 9106 goes about it in much the same way.
#
# ## Verify by what is stored, and hash again when parameters rise
# The stored string says how it was made. So `verify` needs no configuration, and parameters can rise
# while old hashes still work. `hash_password` is
# of [passwords.py](../lib/answerbook/crypto/passwords.py), thin over argon2-cffi.

# %%
stored = passwords.hash_password("correct horse")
fields = ["kind", "version", "parameters", "salt, 16 bytes", "tag, 32 bytes"]
parts = zip(fields, stored.split("$")[1:], strict=True)
table(parts, columns=["field", "value"], caption="What is stored.")
assert stored != passwords.hash_password("correct horse")
assert passwords.verify("correct horse", stored)
assert not passwords.verify("Correct horse", stored)

# %% [markdown]
# The only moment to make a stronger hash is a login that succeeds: the password is there.
#
# <details><summary>Predict: two servers are configured differently for an hour. What should the weaker
# one do with the stronger one's hashes?</summary>
# Leave them. If it made anew what is not its own setting, each login would undo the other server's.
# </details>

# %%
current, stronger = passwords.OWASP, passwords.RFC_9106_SECOND
risen = passwords.hash_password("correct horse", stronger)
assert not passwords.needs_rehash(stored, current)
assert passwords.needs_rehash(stored, stronger)
assert passwords.verify("correct horse", risen)
assert not passwords.needs_rehash(risen, current)
print(risen[:31] + "…")

# %% [markdown]
# ## A table of MD5 becomes Argon2id, and nobody is asked
# Waiting for logins leaves the MD5 of whoever does not come. So all are **wrapped** at once:
# Argon2id *of the MD5*. A login computes the MD5 of what is typed, verifies that, and stores
# Argon2id of the password itself. This login goes live first, and knows all three kinds:


# %%
FIND = "SELECT password FROM account WHERE name = %s"
SWAP = """UPDATE account SET password = %s
    WHERE name = %s AND password = %s"""
NOBODY = passwords.hash_password(secrets.token_hex())


def stored_for(name):
    row = connection.execute(FIND, [name]).fetchone()
    return row[0] if row else NOBODY


def swap(session, name, old, new):
    return session.execute(SWAP, [new, name, old]).rowcount


# %%
def login(name, password):
    stored = stored_for(name)
    good = passwords.wrap_md5(stored) if len(stored) == 32 else stored
    if not passwords.verify(password, good):
        return False
    if passwords.needs_rehash(good):
        swap(connection, name, stored, passwords.hash_password(password))
    return True


# %% [markdown]
# `NOBODY` is verified for a name that does not exist, so that the time does not tell. `swap` writes
# only over what was read: compare and swap, with no lock held while Argon2 runs. The migration does
# the same, row by row, each committed on its own:


# %%
BARE = """SELECT name, password FROM account
    WHERE length(password) = 32 ORDER BY name"""


def migrate(session):
    for name, digest in progress(session.execute(BARE).fetchall(), "wrapping"):
        yield swap(session, name, digest, passwords.wrap_md5(digest))


# %%
KINDS = """SELECT count(*) FILTER (WHERE length(password) = 32),
    count(*) FILTER (WHERE password LIKE 'md5$%'),
    count(*) FILTER (WHERE password LIKE '$argon2id$%') FROM account"""
history = []


def note(event):
    history.append((event, *connection.execute(KINDS).fetchone()))


note("at the start")
assert login("user000", users["user000"])
note("user000 logs in")

# %% [markdown]
# In the middle, an administrator ends the migration's session.
#
# <details><summary>Predict: what has to be repaired?</summary>
# Nothing. Each row is of one kind or another, and logins know all of them. The next run takes what
# is still bare.
# </details>

# %%
session = psycopg.connect(database, autocommit=True)
END = "SELECT pg_terminate_backend(%s, 5000)"
with raises(psycopg.OperationalError):
    for done, _ in enumerate(migrate(session), start=1):
        if done == 60:
            connection.execute(END, [session.info.backend_pid])
note("the migration is ended")
assert login("user001", users["user001"])
assert login("user148", users["user148"])
note("two more log in")

# %% [markdown]
# It runs again. This time somebody logs in between the migration's reading of all rows and its
# writing of hers. Then it runs once more.

# %%
session = psycopg.connect(database, autocommit=True)
run = migrate(session)
changed = [next(run)]
assert login("user149", users["user149"])
changed += run
note("it runs again, and user149 logs in")
again = list(migrate(session))
note("it runs once more")
assert changed.count(0) == 1 and again == []

# %%
names = ["event", "MD5", "wrapped", "Argon2id"]
table(history, columns=names, caption="How many rows are of which kind.")
assert history[2][1:] == (89, 60, 1)
assert history[-2][1:] == history[-1][1:] == (0, 146, 4)

# %% [markdown]
# Nobody wrote a row twice, and the login that came between won. At last a constraint keeps old code
# from writing an MD5 again, and we look whether a name that does not exist is told by its time.

# %%
CHECK = "ALTER TABLE account ADD CHECK (length(password) > 32)"
connection.execute(CHECK)
with raises(psycopg.errors.CheckViolation):
    swap(connection, "user002", stored_for("user002"), md5("love"))
unknown = guesses_per_second(lambda _: login("nobody", "love"), 0.2)
wrong = guesses_per_second(lambda _: login("user002", "typo"), 0.2)
print(f"{1000 / unknown:.0f} ms for nobody, {1000 / wrong:.0f} ms for user002")
assert 0.5 < unknown / wrong < 2

# %% [markdown]
# The migration does not reach backups, archived write-ahead logs, and dead rows until `VACUUM`. They
# hold the MD5s, and have to expire.
#
# ## What is wrapped can be shucked
# Wrapping is no end state. Passwords are used on several sites; say that another site leaks its
# unsalted MD5s, the victim's among them. Those *hashes* are now the word list. The wrapped hash tells
# which of them is right, and that one is cracked at MD5's price. This is called **shucking**.
#
# <details><summary>Predict: and if the victim has logged in since the migration?</summary>
# Then there is no MD5 in the hash, and nothing to shuck: the attacker pays Argon2id for each guess.
# </details>

# %%
victim = next(name for name in found if stored_for(name).startswith("md5$"))
table_row = stored_for(victim)
elsewhere = [md5(f"{number}") for number in range(15)] + [md5(users[victim])]


def shucked(stored):
    inner = stored.removeprefix("md5")
    return next((it for it in elsewhere if passwords.verify(it, inner)), None)


# %%
digest = shucked(table_row)
print(f"{victim}: {digest} is in there; its password is", end=" ")
print(repr(rainbow.crack(digest)))
assert rainbow.crack(digest) == users[victim]
assert login(victim, users[victim])
assert shucked(stored_for(victim)) is None

# %% [markdown]
# So set a date. Whoever has not logged in by then loses the wrapped hash and resets the password by
# mail.
#
# ## A pepper makes a stolen table useless, and changes without a password
# A pepper is a key that the application has and the database has not: in a secret store, better in a
# KMS or HSM that never gives it away. As the key of an HMAC of the password, before Argon2id, it can
# change only at logins. Here it **encrypts the finished hash** (AES-256-GCM), which OWASP and NIST SP
# 800-63B-4 (3.1.1.2) name as well; so a whole table gets one, or another one, at once. A login then
# passes `peppers=` to the same functions.
#
# <details><summary>Predict: how long does that take for the table, against hashing it again?</summary>
# An instant: one AES operation and one UPDATE a row, and no Argon2 at all.
# </details>

# %%
ROWS = "SELECT name, password FROM account"


def season(peppers):
    with connection.transaction():
        for name, stored in connection.execute(ROWS).fetchall():
            sealed = passwords.rotate_pepper(stored, peppers, owner=name)
            swap(connection, name, stored, sealed)


# %%
first, second = secrets.token_bytes(32), secrets.token_bytes(32)
winter = passwords.Peppers({"winter": first}, primary="winter")
season(winter)
with stopwatch() as rotating:
    both = {"winter": first, "summer": second}
    season(passwords.Peppers(both, primary="summer"))
summer = passwords.Peppers({"summer": second}, primary="summer")
hashing = len(users) / here["Argon2id"]
print(f"{rotating.seconds:.2f} s; hashing takes {hashing:.1f} s at least")
assert 2 * rotating.seconds < hashing

# %%
name, stored = "user001", stored_for("user001")
print(stored[:48] + "…")
assert passwords.verify(users[name], stored, peppers=summer, owner=name)
with raises(passwords.UnknownPepper):
    passwords.verify(users[name], stored)
with raises(passwords.TamperedHash):
    passwords.verify(users[name], stored, peppers=summer, owner="user000")

# %% [markdown]
# The old key is gone, and the password still works. Without a key even the right password cannot be
# recognised. The last refusal is of an attacker who can *write* the table, and copies a hash whose
# password he knows into another row: the owner is associated data. (In production the owner is a
# number that never changes, not a name.) A hash without a pepper is refused as well.
#
# None of this helps when the application itself is taken over. And a pepper that is lost locks out
# everybody: back it up, apart from the database.
#
# ## bcrypt reads 72 bytes, and version 5 of bcrypt says so
# Before version 5, Python's `bcrypt` cut longer passwords off unsaid, which SP 800-63B-4 forbids. It
# is no detail. Who hashes an id, a name and the password together gets, for a name of 52 bytes, a
# hash without the password: a cache key
# [that Okta had](https://trust.okta.com/security-advisories/okta-ad-ldap-delegated-authentication-username/)
# in 2024.

# %%
key = f"00u{secrets.token_hex(9)[:17]}"
key += "somebody.with.a.long.name@subsidiary.of.example.com"
right, other = f"{key}.swordfish".encode(), f"{key}.a guess".encode()
with raises(ValueError):
    bcrypt.hashpw(right, bcrypt.gensalt(4))
cut = bcrypt.hashpw(right[:72], bcrypt.gensalt(4))
print(f"72 bytes end in {right[:72][-8:]!r}.")
print(f"36 times é: {len(('é' * 36).encode())} bytes.")
assert bcrypt.checkpw(other[:72], cut), "another password"

# %% [markdown]
# After the update of a library, `checkpw` raises for users whose long passwords were cut: their next
# login is an error 500. Cut it for them by hand once, to verify, and store Argon2id of the whole.

# %%
phrase = "correct horse battery staple " * 3
legacy = bcrypt.hashpw(phrase.encode()[:72], bcrypt.gensalt(4))
with raises(ValueError):
    bcrypt.checkpw(phrase.encode(), legacy)
assert bcrypt.checkpw(phrase.encode()[:72], legacy)
whole = passwords.hash_password(phrase)
assert passwords.verify(phrase, whole)
assert not passwords.verify(phrase[:72], whole)

# %% [markdown]
# ## Summary
# | against | what helps | what does not |
# |---|---|---|
# | a word list, offline | a slow hash with much memory: Argon2id, 19 MiB, t = 2 | MD5, SHA-256, salted or not |
# | tables made beforehand | a random salt for each user | a slow hash without one |
# | old parameters | `needs_rehash` at a login that succeeds | waiting |
# | a table of MD5 | wrap all rows, then rehash at login | rehash at login alone |
# | shucking | a date after which wrapped hashes go | wrapping alone |
# | a stolen database | a pepper kept elsewhere, by id | a pepper in the same database |
# | a swapped row | the owner as associated data | a hash by itself |
# | bcrypt's 72 bytes | version 5, or Argon2id | cutting off unsaid |
# | a password on every list | refusing it when it is chosen | any hash |
#
# ## Follow-ups
# <details><summary>Why not SHA-256 with a long salt, iterated a thousand times?</summary>
# That is much like PBKDF2 with too few iterations. It takes no memory, so a card computes thousands at once.
# Evidence: <i>A fast hash is no password hash</i>.
# </details>
#
# <details><summary>How do I choose the parameters?</summary>
# Memory first: what the server has, divided by the hashes that run at once. Then passes, to the time
# you can spend. Measure on the server, and again each year. Evidence: <i>Argon2id has three settings,
# and memory is the first to choose</i>, and
# <a href="https://www.rfc-editor.org/rfc/rfc9106#section-4">RFC 9106, section 4</a>.
# </details>
#
# <details><summary>Is a slow login not an invitation to overload the server?</summary>
# It is. Limit the hashes at once, and the attempts for each account and address before hashing. Evidence: <i>Argon2id has three settings, and
# memory is the first to choose</i>.
# </details>
#
# <details><summary>When is PBKDF2 right?</summary>
# Where FIPS 140 is required: Argon2, scrypt and bcrypt are not approved there. Then 600,000
# iterations of HMAC-SHA-256, and a pepper. Evidence:
# <a href="https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#pbkdf2">OWASP,
# PBKDF2</a>.
# </details>
#
# <details><summary>My old hashes are salted SHA-1. Does wrapping work?</summary>
# Yes: Argon2id of the SHA-1, the old salt kept in the stored string, because the login needs it
# again. A salt of one's own also spoils shucking, since no other site has these hashes. Evidence:
# <i>A table of MD5 becomes Argon2id, and nobody is asked</i>, and <i>What is wrapped can be
# shucked</i>.
# </details>
#
# <details><summary>Should passwords expire, and need a digit?</summary>
# No to both, says NIST: change on evidence of a leak, no rules of composition. Instead a minimum
# length (15 where the password is alone), at least 64 characters allowed, and a list of known ones
# refused. Evidence: <a href="https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver">SP
# 800-63B-4, 3.1.1.2</a>.
# </details>
#
# <details><summary>Are é and é the same password?</summary>
# As bytes they may differ, for keyboards compose it differently. Bring it to Unicode's form NFC first,
# as SP 800-63B-4 asks. But an old MD5 was made of the bytes as they came, so a wrapped one is verified
# with those. Evidence:
# <a href="https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver">SP 800-63B-4, 3.1.1.2</a>.
# </details>
#
# ## Exercises
# **1.** A stolen table has 2,000 users, each with a salt of its own. The attacker has a list of 10,000
# words, and makes 40 guesses a second. How many hours until every word was tried for every user?
#
# <details><summary>Solution</summary>
# <code>answer = 139</code>: 10,000 × 2,000 / 40 seconds. Without salts each word is hashed once for
# all: 250 seconds.
# </details>

# %%
answer = ...

# %%
exercises.whole_table.check(answer)

# %% [markdown]
# **2.** You must keep bcrypt, and allow long passwords. Write `answer(password, pepper)`, which gives
# the bytes for `bcrypt.hashpw`: from a text of any length and a key of 32 bytes. All of the password
# has to count; implementations in C stop at a zero byte; and hashes that leaked elsewhere must be of
# no use.
#
# <details><summary>Solution</summary>
# <pre>def answer(password, pepper):
#     keyed = hmac.digest(pepper, password.encode(), "sha256")
#     return base64.b64encode(keyed)</pre>
# with <code>import base64, hmac</code> before it.
# </details>

# %%
answer = ...

# %%
exercises.prehash.check(answer)

# %% [markdown]
# **3.** The migration has read `name` and the MD5 `read`, and now writes. Meanwhile anything may have
# been written: a hash by a login, or another MD5 by a server with old code. Give the condition after
# `UPDATE login SET password = 'wrapped' WHERE`, as a text with `%(name)s` and `%(read)s`.
#
# <details><summary>Solution</summary>
# <code>answer = "name = %(name)s AND password = %(read)s"</code>
# </details>

# %%
answer = ...

# %%
exercises.swap.check(answer, connection)

# %% [markdown]
# ## Next, and further reading
# - Next: two-way encryption, and how it is misused, [3.3 AES](3_3_aes.ipynb)
# - [RFC 9106](https://www.rfc-editor.org/rfc/rfc9106), Argon2, and
#   [RFC 7914](https://www.rfc-editor.org/rfc/rfc7914), scrypt
# - [OWASP, Password Storage](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html)
# - [argon2-cffi](https://argon2-cffi.readthedocs.io/), and
#   [bcrypt's changes](https://github.com/pyca/bcrypt#changelog)
# - [The PHC string format](https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md)
# - P. Oechslin, *Making a Faster Cryptanalytic Time-Memory Trade-Off*, CRYPTO 2003

# %%
environment("argon2-cffi", "bcrypt", "cryptography", "psycopg", postgres)
