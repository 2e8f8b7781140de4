# %% [markdown]
# # 3.7 TLS and tokens: who is there, and what may they do?
# *1 minute · 0.2 GB · services: none*
#
# ## Answer in a minute
# TLS encrypts, but what it is worth depends on one check: is the other side who I wanted? A
# *certificate* binds a name to a public key; a *certificate authority* (CA) that I trust has signed
# it. The client checks chain, dates, purpose and name, and its error says what is wrong. Whoever
# switches the check off talks to anyone.
#
# *Mutual TLS* asks the client for a certificate too. In TLS 1.3 a client that is refused has
# finished its handshake already, and learns it when it first reads.
#
# A *JSON Web Token* is claims with a signature: signed, not encrypted. The verifier, never the
# token, says which algorithm. After the signature come the claims: expiry, audience, issuer, and
# that they are there at all. Keys are rotated by `kid`: published before they sign, removed after
# their last token.
#
# ## You will
# - **do**: make a CA; talk TLS 1.3 over sockets; break it in ten ways; sit in the middle of a
#   connection; forge tokens in three ways; rotate a signing key.
# - **learn**: which side says what when something is wrong, and what no side says.
# - **need**: signatures and key agreement, [3.5](3_5_signatures_and_exchange.ipynb) or elsewhere.

# %%
import inspect
import json
import secrets
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

from answerbook.notebook import bars, certificates, environment, listening
from answerbook.notebook import meeting, raises, show, table
from answerbook.notebook.attacks import interception, token_forgery
from answerbook.notebook.exercises import q3_7_tls_and_tokens as exercises
from answerbook.notebook.flights import handshake

# %% [markdown]
# ## A certificate is a signed statement about a key
# It says (RFC 5280): this public key belongs to this name, from then until then, for these
# purposes; signed, the issuer. What the key may be used for stands in *extensions*:
#
# - **basic constraints**: may it sign certificates, and how many CAs may stand below it?
# - **key usage**, **extended key usage**: sign what; be a server, or a client?
# - **subject alternative name** (SAN): the names. The common name in the subject is a label; RFC
#   9525 has clients ignore it.
#
# The second value of each pair is *critical*: whoever does not understand this extension has to
# refuse the certificate.


# %%
def authority(below):
    yield x509.BasicConstraints(ca=True, path_length=below), True
    yield certificates.usage("key_cert_sign", "crl_sign"), True


def end_entity(*names, purpose=Purpose.SERVER_AUTH):
    yield x509.BasicConstraints(ca=False, path_length=None), True
    yield certificates.usage("digital_signature"), True
    yield x509.ExtendedKeyUsage([purpose]), False
    if names:
        yield x509.SubjectAlternativeName([*map(x509.DNSName, names)]), False


# %% [markdown]
# The rest is the same for each certificate, and drafted elsewhere: names, dates, serial number, and
# identifiers of the issuer's key and of its own. Without an issuer a certificate is signed with its
# own key, which proves nothing about the name.


# %%
def issue(name, extensions, issuer=None, days=(-1, 30)):
    key = ec.generate_private_key(ec.SECP256R1())
    builder = certificates.draft(name, key, issuer, days)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    signed = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    return certificates.Holder(signed, key)


# %% [markdown]
# A root signs an issuing CA, and that signs servers and clients. The root's key can then stay
# offline, and the issuing CA be replaced without touching a client.
#
# <details><summary>Predict: a client trusts the root alone. What does the server have to send, so
# that its own certificate can be checked?</summary>
# Its certificate and the issuing CA's. The root's would be of no use: who does not have it already
# does not trust it.
# </details>

# %%
root = issue("Root CA", authority(1), days=(-1, 3_650))
issuing = issue("Issuing CA", authority(0), root, days=(-1, 365))
shop = issue("shop", end_entity("localhost"), issuing)
store = verification.Store([root.certificate])
checker = verification.PolicyBuilder().store(store)
checker = checker.build_server_verifier(x509.DNSName("localhost"))
chain = checker.verify(shop.certificate, [issuing.certificate])
print(" ← ".join(each.subject.rfc4514_string() for each in chain))
assert chain == [it.certificate for it in (shop, issuing, root)]

# %% [markdown]
# Here `cryptography`'s verifier builds the chain. In what follows OpenSSL does it, through Python's
# `ssl`.
#
# ## A client that checks needs few lines
# `create_default_context` checks chain and name. We add: nothing older than TLS 1.3; RFC 5280 taken
# strictly (the default from Python 3.13); no common names, on which Python still falls back where a
# certificate has no SAN. Given `cadata`, it trusts this CA and *not* the operating system's.


# %%
TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
folder = TemporaryDirectory()


def with_chain(context, chain):
    context.minimum_version = TLS_1_3
    if chain:
        file = certificates.chain_file(Path(folder.name), *chain)
        context.load_cert_chain(file)
    return context


# %%
def server_side(*chain):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    return with_chain(context, chain)


def client_side(trusted, *chain):
    authorities = certificates.pem(trusted)
    context = ssl.create_default_context(cadata=authorities)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.hostname_checks_common_name = False
    return with_chain(context, chain)


# %% [markdown]
# A `Listener` takes connections on 127.0.0.1, runs a function for each, and keeps what that returned
# or raised.


# %%
def greeter(context):
    def greet(connection):
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.sendall(b"welcome")
            return tls.recv(100)

    return greet


# %%
serving, careful = server_side(shop, issuing), client_side(root)
with listening.Listener(greeter(serving)) as server:
    raw = socket.create_connection(server.address, timeout=10)
    with raw, careful.wrap_socket(raw, server_hostname="localhost") as tls:
        tls.sendall(b"good day")
        answer = tls.recv(100)
        print(tls.version(), tls.cipher(), ssl.OPENSSL_VERSION)
    heard = server.heard()
assert answer == b"welcome" and heard == b"good day"

# %% [markdown]
# ## TLS 1.3 saves a round trip and hides the certificates
# The same contexts, joined by buffers in memory, so that every byte passes our hands: what a
# wiretap reads, without decrypting anything. Beside it TLS 1.2, which RFC 9325 still allows; and a
# server that insists on a group for which the client has sent no key share.
#
# <details><summary>Predict: what does somebody on the way still learn in TLS 1.3?</summary>
# The name that the client asks for (SNI), unless Encrypted Client Hello hides it; addresses, sizes
# and times. In TLS 1.2 the certificates, too: with mutual TLS that is who the client is.
# </details>


# %%
def limited(context, oldest, newest):
    context.minimum_version, context.maximum_version = oldest, newest
    return context


flexible = limited(server_side(shop, issuing), TLS_1_2, TLS_1_3)
older = limited(client_side(root), TLS_1_2, TLS_1_2)
picky = server_side(shop, issuing)
picky.set_ecdh_curve("secp384r1")
pairs = (careful, flexible), (older, flexible), (careful, picky)
new, old, retried = (handshake(*pair, "localhost") for pair in pairs)

# %%
der = shop.certificate.public_bytes(serialization.Encoding.DER)
rows = [
    (it.version, it.cipher, it.group, it.round_trips, der in it.clear)
    for it in (new, old, retried)
]
columns = ["version", "cipher suite", "group", "round trips", "readable"]
caption = "Round trips before the request; is the certificate readable?"
table(rows, columns, caption=caption)
assert [row[3:] for row in rows] == [(1, False), (2, True), (2, False)]
assert all(b"localhost" in it.clear for it in (new, old, retried))

# %%
series = {
    "in clear": {it.version: len(it.clear) for it in (new, old)},
    "encrypted": {it.version: len(it.encrypted) for it in (new, old)},
}
axes = {"x": "bytes of the handshake", "y": "version"}
drawn = bars(series, **axes, horizontal=True)
drawn.axes[0].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
show(drawn, alt="TLS 1.3 encrypts all but the hellos; TLS 1.2 little.")
assert 2 * len(old.encrypted) < min(len(old.clear), len(new.encrypted))

# %% [markdown]
# The client guesses a group and sends its share for it; a wrong guess is asked for again
# (HelloRetryRequest), and the round trip that TLS 1.3 saved is spent.
#
# A suite of TLS 1.3 names cipher and hash only; key agreement and signature are negotiated apart.
# Each full handshake makes new keys for the agreement, so a server's key that is stolen later
# decrypts nothing that was recorded before. Where `ssl` stands on OpenSSL 3.5 or later, the group
# is X25519MLKEM768, which is meant to withstand a quantum computer too.
#
# ## Each failure says what it is, and not always why
# The side that finds fault raises an error with OpenSSL's number of it, and sends the other an
# *alert*. `meet` does what the client above did, and tells what both say.
#
# <details><summary>Predict: which of these is often met in production, and goes unnoticed in a
# browser?</summary>
# The intermediate that is not sent. Browsers remember intermediates or fetch them; programs do not.
# </details>

# %%
for_clients = end_entity("localhost", purpose=Purpose.CLIENT_AUTH)
spoiled = {
    "expired": issue("late", end_entity("localhost"), issuing, (-9, -2)),
    "not valid yet": issue("early", end_entity("localhost"), issuing, (2, 9)),
    "another name": issue("bank", end_entity("bank.test"), issuing),
    "name in the subject alone": issue("localhost", end_entity(), issuing),
    "self-signed": issue("alone", end_entity("localhost")),
    "a client's certificate": issue("guest", for_clients, issuing),
}
below = issue("below", end_entity("localhost"), shop)

# %%
pairs = {case: (server_side(it, issuing),) for case, it in spoiled.items()}
pairs |= {
    "signed by a server's key": (server_side(below, shop, issuing),),
    "intermediate not sent": (server_side(shop),),
    "unknown CA": (serving, client_side(issue("Other", authority(1)))),
    "client has TLS 1.2 only": (serving, older),
}
failed = {}
for case, (server, *client) in pairs.items():
    failed[case] = meeting.meet(greeter(server), *client or [careful])

# %%
rows = [(case, it.client, it.server) for case, it in failed.items()]
columns = ["case", "the client", "the server"]
table(rows, columns, caption="In brackets OpenSSL's number of the fault.")
assert all(meeting.ACCEPTED not in row for row in rows)
codes = {"expired": "(10)", "self-signed": "(18)", "another name": "(62)"}
assert all(failed[case].client.endswith(it) for case, it in codes.items())
same = failed["unknown CA"], failed["intermediate not sent"]
assert same[0].client == same[1].client

# %% [markdown]
# One text has two causes: *unable to get local issuer certificate* is a CA that the client does not
# trust, or an intermediate that the server forgot.
#
# And what is accepted, unless one asks for more? A name in the **subject alone**, by Python's
# default. And a certificate that was **revoked**: a client of `ssl` does not look, unless it is given
# the CA's list (CRL) *and* told to use it.

# %%
trusting, informed = client_side(root), client_side(root)
trusting.hostname_checks_common_name = True
subject = pairs["name in the subject alone"][0]
loose = meeting.meet(greeter(subject), trusting).client
file = Path(folder.name, "crl.pem")
file.write_text(certificates.revocation_list(issuing, shop))
informed.load_verify_locations(file)
given = meeting.meet(greeter(serving), informed).client
informed.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
told = meeting.meet(greeter(serving), informed).client
print(f"subject: {loose}; list: {given}; list and flag: {told}")
assert loose == given == "accepted" and told == "certificate revoked (23)"

# %% [markdown]
# Such lists grow and go stale. The usual answer today is a certificate that lives for days or
# weeks, and a program that renews it.
#
# ## A client that does not check talks to whoever answers
# `verify=False` makes the error go away. A man in the middle needs a place on the way and *any*
# certificate. He ends the client's TLS, opens his own to the server, and passes everything on. Here
# the client connects to him directly; elsewhere a Wi-Fi, a DNS answer or a route sees to that.
#
# <details><summary>Predict: what do client and server notice?</summary>
# Nothing: both have an encrypted connection that works, and the right answers come.
# </details>

# %%
careless = client_side(root)
careless.check_hostname = False
careless.verify_mode = ssl.CERT_NONE
mallory = server_side(issue("Mallory", end_entity("mallory.test")))
password = secrets.token_hex(8).encode()


def log_in(server, context):
    raw = socket.create_connection(server.address, timeout=10)
    with raw, context.wrap_socket(raw, server_hostname="localhost") as tls:
        tls.sendall(b"password: " + password)
        return tls.recv(100)


# %%
def in_between(connection):
    server = real.address, "localhost"
    return interception.intercept(connection, mallory, *server)


real = listening.Listener(greeter(serving))
with real, listening.Listener(in_between) as middle:
    answer, overheard = log_in(middle, careless), middle.heard()
    with raises(ssl.SSLCertVerificationError):
        log_in(middle, careful)
    print("the man in the middle:", meeting.in_words(middle.heard()))
assert answer == b"welcome" and password in overheard.request

# %% [markdown]
# The password was read; the careful client left before it said anything. Where a CA is private, give
# its certificate to the client (`cadata` here, `verify="ca.pem"` in `requests`).
#
# ## Mutual TLS: a refused client learns it when it reads
# The server asks for a certificate too, and says which CA it trusts for that. What it gets is
# *who*; whether `billing.test` may do what it asks is a decision of its own.


# %%
mutual = limited(server_side(shop, issuing), TLS_1_2, TLS_1_3)
mutual.verify_mode = ssl.CERT_REQUIRED
mutual.load_verify_locations(cadata=certificates.pem(root))


def identify(connection):
    with mutual.wrap_socket(connection, server_side=True) as tls:
        ((_, name),) = tls.getpeercert()["subjectAltName"]
        tls.sendall(f"welcome, {name}".encode())
        return tls.recv(100)


# %% [markdown]
# In TLS 1.3 the client's certificate comes with its *last* message of the handshake. Having sent
# that, the client is done and may send its request: the server has not looked at anything yet.
#
# <details><summary>Predict: a client without a certificate connects, sends, reads. At which of
# these three does it fail?</summary>
# At the third. A client that only sends, and closes, takes its message for delivered.
# </details>

# %%
with listening.Listener(identify) as server:
    raw = socket.create_connection(server.address, timeout=10)
    with raw, careful.wrap_socket(raw, server_hostname="localhost") as tls:
        print("connected:", tls.version())
        print("sent:", tls.send(b"pay 100 to Mallory"), "bytes")
        with raises(ssl.SSLError) as refused:
            tls.recv(100)
    print("the server:", meeting.in_words(server.heard()))
assert refused.error.reason == "TLSV13_ALERT_CERTIFICATE_REQUIRED"

# %% [markdown]
# No message of TLS 1.3 says "your certificate is fine". Here are other clients, and one with TLS 1.2,
# where the server has the last word.

# %%
client = list(end_entity("billing.test", purpose=Purpose.CLIENT_AUTH))
billing = issue("billing", client, issuing)
late = issue("late", client, issuing, (-9, -2))
forged = issue("billing", client, issue("Other", authority(0)))
clients = {
    "billing's": client_side(root, billing, issuing),
    "expired": client_side(root, late, issuing),
    "of another CA": client_side(root, forged),
    "a server's": client_side(root, shop, issuing),
    "none": careful,
    "none, TLS 1.2": older,
}

# %%
met = {case: meeting.meet(identify, it) for case, it in clients.items()}
rows = [(case, it.at, it.client, it.server) for case, it in met.items()]
columns = ["certificate", "fails at", "the client", "the server"]
table(rows, columns, caption="Clients of a server that asks who they are.")
assert rows[0][1:] == ("never", meeting.ACCEPTED, meeting.ACCEPTED)
assert {row[1] for row in rows[1:-1]} == {"first read"}
assert rows[-1][1] == "handshake"

# %% [markdown]
# ## A JWT is signed, not encrypted
# A token (RFC 7519) is three parts in Base64url: header, claims, signature (here Ed25519, which JOSE
# calls EdDSA). Whoever holds it can read it; only who has the private key can make one. It is a
# *bearer* token: whoever holds it may use it, so it travels over TLS only.

# %%
ISSUER, AUDIENCE = "https://login.test", "shop"
now = int(datetime.now(UTC).timestamp())
signer = ed25519.Ed25519PrivateKey.generate()
public = signer.public_key()
claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "role": "reader"}
claims |= {"iat": now, "exp": now + 600}


def signed(key=signer, kid="2026-a", typ="at+jwt", **changed):
    given = (claims | changed).items()
    given = {name: value for name, value in given if value is not None}
    headers = {"kid": kid, "typ": typ}
    return jwt.encode(given, key, "EdDSA", headers=headers)


# %%
token = signed()
print(jwt.get_unverified_header(token))
print(token_forgery.claims_of(token))
assert jwt.decode(token, public, ["EdDSA"], audience=AUDIENCE) == claims
header, _, signature = token.split(".")
other = signed(role="admin").split(".")[1]
with raises(jwt.InvalidSignatureError):
    jwt.decode(f"{header}.{other}.{signature}", public, ["EdDSA"])

# %% [markdown]
# ## A verifier that believes the header can be talked into anything
# The header comes from whoever sent the token. A verifier that does what it says is broken, and
# such verifiers were in use: CVE-2015-9235 is the first two ways below, CVE-2018-0114 the third.
# Ours, broken on purpose, expects RS256 and is given an RSA public key:

# %%
forge = token_forgery
print(inspect.getsource(forge.broken_verify))


def verdict(verify, *given):
    try:
        return f"role: {verify(*given)['role']}"
    except jwt.PyJWTError as error:
        return type(error).__name__


# %% [markdown]
# - `alg=none`: there is no signature to check.
# - **Key confusion**: the header says HS256, so the verifier takes its *public* key's bytes for the
#   secret of an HMAC. Everyone has those bytes.
# - **A key of one's own**: the header brings the key along, in `jwk`.
#
# <details><summary>Predict: which of the three does PyJWT refuse if both RS256 and HS256 are
# allowed?</summary>
# All. It refuses a PEM key as a secret of its own accord. That is a second line of defence, and it
# had a hole once, for other formats (CVE-2022-29217). One key, one algorithm is the first.
# </details>

# %%
private = rsa.generate_private_key(public_exponent=65_537, key_size=3_072)
PEM = serialization.Encoding.PEM
INFO = serialization.PublicFormat.SubjectPublicKeyInfo
public_pem = private.public_key().public_bytes(PEM, INFO)
genuine = jwt.encode({"sub": "ann", "role": "reader"}, private, "RS256")
admin = {"role": "admin"}
tokens = {
    "genuine": genuine,
    "alg=none": forge.forge_unsigned(genuine, **admin),
    "key confusion": forge.forge_with_public_key(genuine, public_pem, **admin),
    "own key": forge.forge_with_own_key(genuine, **admin),
}

# %%
rows, allowed = [], (["RS256"], ["RS256", "HS256"])
for name, one in tokens.items():
    broken = verdict(forge.broken_verify, one, public_pem)
    sound = [verdict(jwt.decode, one, public_pem, it) for it in allowed]
    rows.append((name, broken, *sound))
columns = ["token", "broken verifier", "PyJWT, RS256", "RS256 or HS256"]
table(rows, columns, caption="The genuine token says reader, others admin.")
assert set(rows[0][1:]) == {"role: reader"}
assert [row[1] for row in rows[1:]] == ["role: admin"] * 3
assert all(end.endswith("Error") for row in rows[1:] for end in row[2:])

# %% [markdown]
# ## A good signature is where verification begins
# A signed token can be old, meant for another service, or of another kind. Two verifiers: a lax one
# that looks at the signature and at what PyJWT checks by itself, and a strict one. `leeway` is for
# clocks that differ. `typ` (RFC 9068) tells an access token from an ID token by the same issuer;
# PyJWT leaves that to you.


# %%
def lax(token, key=public):
    return jwt.decode(token, key, ["EdDSA"], {"verify_aud": False})


def strict(token, key=public):
    given = {"audience": AUDIENCE, "issuer": ISSUER, "leeway": 30}
    options = {"require": ["exp", "iat", "sub", "aud", "iss"]}
    whole = jwt.decode_complete(token, key, ["EdDSA"], options, **given)
    if whole["header"].get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("a token of another kind")
    return whole["payload"]


# %% [markdown]
# <details><summary>Predict: <code>exp</code> is checked by default, and a token has none. Is it
# refused?</summary>
# No. What is not there is not checked, unless <code>require</code> names it.
# </details>

# %%
tokens = {
    "expired 10 s ago": signed(exp=now - 10),
    "expired an hour ago": signed(exp=now - 3_600),
    "without exp": signed(exp=None),
    "for another audience": signed(aud="bank"),
    "by another issuer": signed(iss="https://login.example"),
    "an ID token": signed(typ="JWT"),
}
rows = [(n, verdict(lax, it), verdict(strict, it)) for n, it in tokens.items()]
table(rows, ["token", "lax", "strict"], caption="All are signed by the key.")
assert [row[1] for row in rows[2:]] == ["role: reader"] * 4
assert [row[2][:4] == "role" for row in rows] == [True] + 5 * [False]

# %% [markdown]
# ## A key is published before it signs, and removed after its last token
# The issuer publishes its public keys as a set (JWKS, RFC 7517), each with a `kid`. The token's
# header names one; the verifier looks it up *in that set*, and takes no key, address or file from
# the token. The set is as trustworthy as the connection that it came by: we serve it with our TLS
# server. `PyJWKClient` keeps it for five minutes, and asks for an unknown `kid` at most once in 30
# seconds.


# %%
def in_set(kid, private):
    key = private.public_key()
    found = jwt.algorithms.OKPAlgorithm.to_jwk(key, as_dict=True)
    return found | {"kid": kid, "alg": "EdDSA", "use": "sig"}


def serve_set(connection):
    with serving.wrap_socket(connection, server_side=True) as tls:
        tls.recv(10_000)
        body = json.dumps({"keys": published}).encode()
        head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length:"
        tls.sendall(f"{head} {len(body)}\r\n\r\n".encode() + body)
        fetched.append([key["kid"] for key in published])


# %%
published, fetched = [], []


def verifier(*keys):
    published[:] = keys
    client = jwt.PyJWKClient(url, ssl_context=careful, timeout=10)
    client.get_jwk_set()
    return client


def by_set(token, client):
    return strict(token, client.get_signing_key_from_jwt(token))


# %% [markdown]
# Three verifiers fetch the set at three moments of a rotation from *a* to *b*, and keep it. Each
# then gets a token by either key.
#
# <details><summary>Predict: what goes wrong when <i>a</i> is replaced by <i>b</i> at one
# moment?</summary>
# Both ways: who has the old set does not know <i>b</i>, and who has the new one refuses tokens by
# <i>a</i> that have not expired.
# </details>

# %%
jwks = listening.Listener(serve_set)
url = f"https://localhost:{jwks.port}/jwks.json"
newer = ed25519.Ed25519PrivateKey.generate()
a, b = in_set("2026-a", signer), in_set("2026-b", newer)
keep = {"a": verifier(a), "a and b": verifier(a, b), "b": verifier(b)}
by_a, by_b = signed(), signed(newer, "2026-b")
rows = [
    (known, verdict(by_set, by_a, client), verdict(by_set, by_b, client))
    for known, client in keep.items()
]

# %%
columns = ["the verifier's set has", "token by a", "token by b"]
table(rows, columns, caption=f"{len(fetched)} fetches, one for each verifier.")
works = [[found.startswith("role") for found in row[1:]] for row in rows]
assert works == [[True, False], [True, True], [False, True]]
assert fetched == [["2026-a"], ["2026-a", "2026-b"], ["2026-b"]]

# %% [markdown]
# So at any moment two neighbouring rows may be in use, if one waits long enough between the steps:
#
# 1. Publish *b* beside *a*; wait until every cached set has expired.
# 2. Sign with *b*; wait until the last token by *a* has expired.
# 3. Remove *a*.
#
# The first row is also the price of a cache: where *a* was **stolen** and removed, a verifier with
# the old set still takes it, until its cache expires. And an unknown `kid` must not become a fetch
# each time, or whoever sends nonsense has your verifiers flood the issuer:

# %%
nonsense = [signed(kid=secrets.token_hex(4)) for _ in range(50)]
ends = {verdict(by_set, one, keep["b"]) for one in nonsense}
print(ends, f"after {len(fetched)} fetches in all")
assert ends == {"PyJWKClientError"} and len(fetched) == 3
ordinary = ssl.create_default_context()
with raises(jwt.PyJWKClientConnectionError):
    jwt.PyJWKClient(url, ssl_context=ordinary).get_jwk_set()
jwks.stop()
folder.cleanup()

# %% [markdown]
# An ordinary client, which trusts the operating system's CAs, gets no keys at all: that is no
# refused token but an issuer out of reach, and 503 rather than 401.
#
# ## Summary
# | question | answer |
# |---|---|
# | Who may speak for a name? | Whoever has the key of a certificate with that SAN, signed below a CA that I trust, in time, for that purpose |
# | What does a client need? | `create_default_context`, TLS 1.3, its CA; never `verify=False` |
# | What does the handshake hide? | In TLS 1.3 all but the two hellos; the server's name is in the first |
# | What went wrong? | The error's number says; *unable to get local issuer* is an unknown CA or a missing intermediate |
# | What goes wrong unsaid? | Revocation, until a list is loaded and its check switched on |
# | When does a client know that it is accepted? | In TLS 1.3 when it has read an answer, not when it is connected |
# | Who says how a token is verified? | The verifier: one key, one algorithm, pinned |
# | What is checked after the signature? | `exp`, `aud`, `iss`, `typ`; and that they are there |
# | How does a key change? | Publish, wait for caches, sign, wait for tokens, remove |
#
# ## Follow-ups
# <details><summary>Is the common name enough, if the certificate has no SAN?</summary>
# For Python's <code>ssl</code>, yes, unless <code>hostname_checks_common_name</code> is off; for
# browsers, <code>urllib3</code> 2 and Go, no. Evidence: <i>Each failure says what it is, and not always why</i>, and
# <a href="https://www.rfc-editor.org/rfc/rfc9525">RFC 9525</a>.
# </details>
#
# <details><summary>What does mutual TLS protect that a token does not?</summary>
# The private key never leaves the client, so nothing that is seen on the way, or logged, can be used
# again. Both go together: a token can be bound to the client's certificate. Evidence:
# <a href="https://www.rfc-editor.org/rfc/rfc8705">RFC 8705</a>.
# </details>
#
# <details><summary>A proxy ends TLS before my service. Who is the client then?</summary>
# Whoever the proxy says in a header, such as <code>Client-Cert</code>. The service has to take that
# header from the proxy alone, and the proxy to delete it from what comes in. Evidence:
# <a href="https://www.rfc-editor.org/rfc/rfc9440">RFC 9440</a>.
# </details>
#
# <details><summary>What about 0-RTT?</summary>
# A client that comes again may send data with its first message. Somebody on the way can send that
# again, so it is for requests that do no harm twice. Python's <code>ssl</code> has no such call.
# Evidence: <a href="https://www.rfc-editor.org/rfc/rfc8446#section-8">RFC 8446, section 8</a>.
# </details>
#
# <details><summary>How does one revoke a token?</summary>
# Not at all: it is good until <code>exp</code>, so let that be minutes, and the refresh token be what
# is revoked. A list of refused <code>jti</code> works too, and is a session table again. Evidence:
# <i>A good signature is where verification begins</i>.
# </details>
#
# <details><summary>HS256 or a key pair?</summary>
# With HS256 everyone who verifies can also sign, and a secret that a person thought up is guessed
# offline from one token. It fits where issuer and verifier are one program, with 32 random bytes.
# Evidence: <a href="https://www.rfc-editor.org/rfc/rfc8725#section-3.5">RFC 8725, section 3.5</a>.
# </details>
#
# <details><summary>Why does the header say EdDSA, and not Ed25519?</summary>
# The old name leaves the curve to the key. RFC 9864 deprecates it for names that say all, such as
# <code>Ed25519</code>; check what your libraries know. Evidence:
# <a href="https://www.rfc-editor.org/rfc/rfc9864">RFC 9864</a>.
# </details>
#
# <details><summary>The signing key was stolen. What now?</summary>
# Remove it from the set at once and sign with another: people have to log in again. Until caches
# expire, verifiers take the thief's tokens, so a short cache is the price of a quick end. Evidence:
# <i>A key is published before it signs, and removed after its last token</i>.
# </details>
#
# ## Exercises
# **1.** Write `answer(authority)`, which makes a client's context out of a CA's certificate (PEM, as
# text). It trusts that CA alone, checks the name, and talks TLS 1.3 or newer.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(authority):
#     context = ssl.create_default_context(cadata=authority)
#     context.minimum_version = ssl.TLSVersion.TLSv1_3
#     return context
# </pre>
# </details>

# %%
answer = ...

# %%
exercises.careful_client.check(answer)

# %% [markdown]
# **2.** Write `answer(token, key)`: the claims of a token for the audience `shop`, by
# `https://login.test`, signed with Ed25519 by `key`. It has to expire. Whatever else comes raises an
# `InvalidTokenError`.
#
# <details><summary>Solution</summary>
# <pre>
# def answer(token, key):
#     return jwt.decode(
#         token, key, algorithms=["EdDSA"], audience="shop",
#         issuer="https://login.test", options={"require": ["exp"]})
# </pre>
# </details>

# %%
answer = ...

# %%
exercises.verify.check(answer)

# %% [markdown]
# **3.** In which order is a signing key replaced, so that no good token is refused? Answer with the
# five letters, such as `"abcde"`: **a** sign with the new key; **b** publish the new key beside the
# old one; **c** wait until every cached set has expired; **d** remove the old key from the set; **e**
# wait until every token that was signed before has expired.
#
# <details><summary>Solution</summary>
# <code>answer = "bcaed"</code>.
# </details>

# %%
answer = ...

# %%
exercises.rotation.check(answer)

# %% [markdown]
# ## Next, and further reading
# - Before: [3.6 Files and keys](3_6_files_and_keys.ipynb)
# - [RFC 8446](https://www.rfc-editor.org/rfc/rfc8446), TLS 1.3, and
#   [RFC 9325](https://www.rfc-editor.org/rfc/rfc9325), how to use TLS today
# - [RFC 5280](https://www.rfc-editor.org/rfc/rfc5280), certificates;
#   [RFC 9525](https://www.rfc-editor.org/rfc/rfc9525), the names in them
# - [RFC 7519](https://www.rfc-editor.org/rfc/rfc7519), JWT, and
#   [RFC 8725](https://www.rfc-editor.org/rfc/rfc8725), its best current practice
# - Python's [ssl](https://docs.python.org/3/library/ssl.html),
#   [PyJWT](https://pyjwt.readthedocs.io/), [cryptography](https://cryptography.io/)

# %%
environment("cryptography", "pyjwt")
