"""Exercises of notebook 3_5_signatures_and_exchange."""

import secrets
from collections.abc import Callable
from hashlib import sha256

from Crypto.Hash import SHA256
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS

from answerbook.notebook.attacks.ecdsa_nonce import P256_ORDER, Signed
from answerbook.notebook.exercises import Exercise

Another = Callable[[bytes], bytes]


def _another(answer: Another) -> str | None:
    key = ECC.generate(curve="P-256")
    message = secrets.token_bytes(16)
    signature = DSS.new(key, "fips-186-3").sign(SHA256.new(message))
    found = bytes(answer(signature))
    if found == signature:
        return "That is the same signature."
    if len(found) != 64:
        return f"That has {len(found)} bytes: 32 for r and 32 for s."
    if found[:32] != signature[:32]:
        return "Leave r as it is: it says which nonce was used. What can be done with s?"
    try:
        DSS.new(key.public_key(), "fips-186-3").verify(SHA256.new(message), found)
    except ValueError:
        return "The public key refuses it. A point and its mirror image have the same x."
    return None


def _mirrored(signature: bytes) -> bytes:
    s = int.from_bytes(signature[32:])
    return signature[:32] + (P256_ORDER - s).to_bytes(32)


def _same(signature: bytes) -> bytes:
    return signature


def _swapped(signature: bytes) -> bytes:
    return signature[32:] + signature[:32]


def _both_mirrored(signature: bytes) -> bytes:
    r = P256_ORDER - int.from_bytes(signature[:32])
    return r.to_bytes(32) + _mirrored(signature)[32:]


def _next(signature: bytes) -> bytes:
    return signature[:32] + ((int.from_bytes(signature[32:]) + 1) % P256_ORDER).to_bytes(32)


another = Exercise(
    solution=_mirrored,
    wrong=(_same, _swapped, _both_mirrored, _next, b"\x00" * 64),
    test=_another,
    because="ECDSA accepts (r, n − s) wherever it accepts (r, s), so a signature is no name for "
    "what was signed: whoever refuses a repeated order by its signature accepts it twice.",
)

Recover = Callable[[Signed, Signed], int]


def _counted(answer: Recover) -> str | None:
    private, nonce = (secrets.randbelow(P256_ORDER - 2) + 1 for _ in range(2))
    first, second = (_signed(private, nonce + step) for step in (0, 1))
    found = answer(first, second)
    if found % P256_ORDER != private:
        return (
            "That is not the private key. Write each signature as s·k = z + r·d, once with k and "
            "once with k + 1, and get rid of k."
        )
    if not 0 < found < P256_ORDER:
        return "It is right modulo n. Reduce it: % n."
    return None


def _signed(private: int, nonce: int) -> Signed:
    """A signature as the textbook makes it, of a random message and with a nonce that is given."""
    z = int.from_bytes(sha256(secrets.token_bytes(16)).digest())
    r = int(ECC.construct(curve="P-256", d=nonce).pointQ.x) % P256_ORDER
    return Signed(z, r, (z + r * private) * pow(nonce, -1, P256_ORDER) % P256_ORDER)


def _eliminated(first: Signed, second: Signed) -> int:
    above = first.s * (second.z - second.s) - second.s * first.z
    below = second.s * first.r - first.s * second.r
    return above * pow(below, -1, P256_ORDER) % P256_ORDER


def _as_if_repeated(first: Signed, second: Signed) -> int:
    nonce = (first.z - second.z) * pow(first.s - second.s, -1, P256_ORDER) % P256_ORDER
    return first.key_for(nonce)


def _other_way_round(first: Signed, second: Signed) -> int:
    return _eliminated(second, first)


def _not_reduced(first: Signed, second: Signed) -> int:
    return _eliminated(first, second) + P256_ORDER


counted = Exercise(
    solution=_eliminated,
    wrong=(_as_if_repeated, _other_way_round, _not_reduced, 42),
    test=_counted,
    because="A nonce has to be secret and evenly distributed; that it differs each time is not "
    "enough. Any known relation between two nonces is a second equation.",
)

CHOICES = {
    "X25519 agreement": True,
    "RSA-OAEP that wraps file keys": True,
    "Ed25519 at a login": False,
    "AES-256-GCM": False,
    "HMAC-SHA-256": False,
}
"""What could be moved to post-quantum → whether recording it today is enough to read it later."""


def _recorded(answer: set[str]) -> str | None:
    chosen = set(answer)
    unknown = chosen - CHOICES.keys()
    if unknown or isinstance(answer, str):
        return f"Answer with a set of names out of these five: {', '.join(CHOICES)}."
    needed = {name for name, recorded in CHOICES.items() if recorded}
    if "Ed25519 at a login" in chosen:
        return "A login that is over cannot be forged afterwards: what is there to record?"
    if chosen - needed:
        return "Shor's algorithm does nothing to symmetric keys; 256 bits are enough."
    return None if chosen == needed else "Which of them protect a secret by a public key?"


recorded = Exercise(
    solution={"X25519 agreement", "RSA-OAEP that wraps file keys"},
    wrong=(
        {"X25519 agreement"},
        set(CHOICES),
        {"X25519 agreement", "RSA-OAEP that wraps file keys", "Ed25519 at a login"},
        {"X25519 agreement", "RSA-OAEP that wraps file keys", "AES-256-GCM"},
        "X25519 agreement",
        set(),
    ),
    test=_recorded,
    because="Confidentiality is lost backwards, from the day of recording. A signature is only "
    "forged from the day on which the key falls; until then it can be replaced.",
)
