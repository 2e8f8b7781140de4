"""Exercises of notebook 3_7_tls_and_tokens."""

import ssl
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from answerbook.notebook.attacks import token_forgery
from answerbook.notebook.exercises import Exercise
from answerbook.notebook.flights import handshake

# -- a client's context --------------------------------------------------------------------------

Contexts = Callable[[str], ssl.SSLContext]


def _careful_client(answer: Contexts) -> str | None:
    import trustme

    authority, other = trustme.CA(), trustme.CA()
    context = answer(authority.cert_pem.bytes().decode())
    refusal = _refusal(context, authority, "localhost")
    if refusal:
        return f"It refuses a server that is what it should be: {refusal}."
    for what, whose, name in (
        ("of an authority that it was not given", other, "localhost"),
        ("for another name", authority, "bank.test"),
    ):
        if not _refusal(context, whose, name):
            return f"It takes a certificate {what}."
    older = ssl.TLSVersion.TLSv1_2
    if not _refusal(context, authority, "localhost", older):
        return "It talks TLS 1.2 to a server that knows nothing newer."
    trusted = context.cert_store_stats()["x509_ca"]
    return None if trusted == 1 else f"It trusts {trusted} authorities, not the given one alone."


def _refusal(
    context: ssl.SSLContext,
    authority: Any,
    name: str,
    newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
) -> str:
    """What `context` says to a server with a certificate for `name`; empty when it is content."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.maximum_version = newest
    authority.issue_cert(name).configure_cert(server)
    try:
        handshake(context, server, "localhost")
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except ssl.SSLError as error:
        return str(error.reason)
    return ""


def _careful(authority: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def _older_too(authority: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority)


def _any_authority(authority: str) -> ssl.SSLContext:
    context = _careful(authority)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _any_name(authority: str) -> ssl.SSLContext:
    context = _careful(authority)
    context.check_hostname = False
    return context


def _without_it(_: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


careful_client = Exercise(
    solution=_careful,
    wrong=(_older_too, _any_authority, _any_name, _without_it, "TLSv1.3"),
    test=_careful_client,
    because="Chain and name are checked unless somebody turns that off; the oldest version and the "
    "authorities are yours to choose.",
)

# -- a token's verification ----------------------------------------------------------------------

ISSUER, AUDIENCE = "https://login.test", "shop"
Verify = Callable[[str, Ed25519PublicKey], dict[str, Any]]


def _verify(answer: Verify) -> str | None:
    signer = Ed25519PrivateKey.generate()
    key, now = signer.public_key(), int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 300}

    def signed(without: str = "", by: Ed25519PrivateKey = signer, **changed: object) -> str:
        given = {name: value for name, value in claims.items() if name != without}
        return jwt.encode(given | changed, by, "EdDSA")

    if answer(signed(), key) != claims:
        return "It gives back something else than the claims of a good token."
    unsigned = token_forgery.forge_unsigned(signed(), sub="root")
    for what, token in {
        "signed by another key": signed(by=Ed25519PrivateKey.generate()),
        "without a signature, alg=none": unsigned,
        "that expired an hour ago": signed(exp=now - 3600),
        "for another audience": signed(aud="bank"),
        "of another issuer": signed(iss="https://login.example"),
        "that never expires": signed(without="exp"),
        "of no issuer": signed(without="iss"),
        "for no audience": signed(without="aud"),
    }.items():
        hint = _taken(answer, token, key, what)
        if hint:
            return hint
    return None


def _taken(answer: Verify, token: str, key: Ed25519PublicKey, what: str) -> str:
    try:
        answer(token, key)
    except jwt.InvalidTokenError:
        return ""
    except jwt.PyJWTError as error:
        return (
            f"A token {what} raises {type(error).__name__}, which is not an InvalidTokenError: "
            "it had a say in how it is verified."
        )
    return f"It takes a token {what}."


def _strict(token: str, key: Ed25519PublicKey) -> dict[str, Any]:
    return jwt.decode(
        token,
        key,
        algorithms=["EdDSA"],
        audience=AUDIENCE,
        issuer=ISSUER,
        options={"require": ["exp"]},
    )


def _as_the_token_says(token: str, key: Ed25519PublicKey) -> dict[str, Any]:
    algorithm = jwt.get_unverified_header(token)["alg"]
    return jwt.decode(token, key, algorithms=[algorithm], audience=AUDIENCE, issuer=ISSUER)


def _without_require(token: str, key: Ed25519PublicKey) -> dict[str, Any]:
    return jwt.decode(token, key, algorithms=["EdDSA"], audience=AUDIENCE, issuer=ISSUER)


def _any_issuer(token: str, key: Ed25519PublicKey) -> dict[str, Any]:
    return jwt.decode(
        token, key, algorithms=["EdDSA"], audience=AUDIENCE, options={"require": ["exp", "iss"]}
    )


def _any_audience(token: str, key: Ed25519PublicKey) -> dict[str, Any]:
    options: Any = {"verify_aud": False, "require": ["exp"]}
    return jwt.decode(token, key, algorithms=["EdDSA"], issuer=ISSUER, options=options)


def _unverified(token: str, _: Ed25519PublicKey) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


verify = Exercise(
    solution=_strict,
    wrong=(
        _as_the_token_says,
        _without_require,
        _any_issuer,
        _any_audience,
        _unverified,
        ["EdDSA"],
    ),
    test=_verify,
    because="The signature says who made it; that it is yours, of now and for you stands in the "
    "claims, and a claim that is not there has to be asked for.",
)

# -- a key's rotation ----------------------------------------------------------------------------

STEPS = {
    "a": "sign with the new key",
    "b": "publish the new key beside the old one",
    "c": "wait until every cached set has expired",
    "d": "remove the old key from the set",
    "e": "wait until every token has expired",
}


def _rotation(answer: str) -> str | None:
    if sorted(answer) != sorted(STEPS):
        return f"Each of the letters {', '.join(STEPS)} comes once."
    signing, published = "old", {"old"}
    cached, alive = [{"old"}], {"old"}
    for step in answer:
        match step:
            case "a":
                signing = "new"
                alive.add(signing)
            case "b" | "d":
                published = published | {"new"} if step == "b" else published - {"old"}
                cached.append(published)
            case "c":
                cached = [published]
            case "e":
                alive = {signing}
        for token in sorted(alive):
            if not all(token in known for known in cached):
                return (
                    f"After “{STEPS[step]}” a good token by the {token} key meets a verifier that "
                    "does not know that key."
                )
    return None


rotation = Exercise(
    solution="bcaed",
    wrong=("abcde", "bacde", "bcade", "badce", "bdcae", "bceda", "bca", 5),
    test=_rotation,
    because="Published before it signs, removed after its last token: two waits, one for caches "
    "and one for tokens.",
)
