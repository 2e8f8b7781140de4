"""Signatures and key exchange on curves hold Wycheproof's vectors, in both libraries."""

from collections.abc import Callable
from typing import Any

import pytest
from Crypto.Hash import SHA256
from Crypto.Protocol.DH import import_x25519_private_key, import_x25519_public_key, key_agreement
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS, eddsa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.unit.conftest import Tally
from tests.unit.vectors import CRYPTOGRAPHY, Case, wycheproof

ED25519 = wycheproof("Signature/ed25519")
ECDSA_P256 = wycheproof("Signature/ecdsa_secp256r1_sha256")
X25519 = wycheproof("Protocol/x25519")
ECDH_P256 = wycheproof("Protocol/ecdh_secp256r1_ecpoint")

Verify = Callable[[Case], object]
"""Raises where it refuses."""


def ed25519_cryptography(case: Case) -> None:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(case.group["publicKey"]["pk"]))
    key.verify(case["sig"], case["msg"])


def ed25519_pycryptodome(case: Case) -> None:
    key = eddsa.import_public_key(bytes.fromhex(case.group["publicKey"]["pk"]))
    eddsa.new(key, "rfc8032").verify(case["msg"], case["sig"])


def ecdsa_cryptography(case: Case) -> None:
    key: Any = load_pem_public_key(case.group["publicKeyPem"].encode())
    key.verify(case["sig"], case["msg"], ECDSA(hashes.SHA256()))


def ecdsa_pycryptodome(case: Case) -> object:
    key = ECC.import_key(case.group["publicKeyPem"])
    verifier = DSS.new(key, "fips-186-3", encoding="der")
    return verifier.verify(SHA256.new(case["msg"]), case["sig"])


def x25519_cryptography(case: Case) -> bytes:
    theirs = X25519PublicKey.from_public_bytes(case["public"])
    return X25519PrivateKey.from_private_bytes(case["private"]).exchange(theirs)


def x25519_pycryptodome(case: Case) -> bytes:
    shared: bytes = key_agreement(
        static_priv=import_x25519_private_key(case["private"]),
        static_pub=import_x25519_public_key(case["public"]),
        kdf=bytes,
    )
    return shared


@pytest.mark.parametrize(
    ("verify", "cases", "known"),
    [
        (ed25519_cryptography, ED25519, 181),
        (ed25519_pycryptodome, ED25519, 181),
        (ecdsa_cryptography, ECDSA_P256, 484),
        (ecdsa_pycryptodome, ECDSA_P256, 484),
    ],
)
def test_a_signature_holds_every_vector(
    verify: Verify, cases: list[Case], known: int, tally: Tally
) -> None:
    decided = [case for case in cases if case.valid or case.invalid]
    for case in decided:
        if case.valid:
            verify(case)
        else:
            with pytest.raises((InvalidSignature, ValueError)) as refused:
                verify(case)
            assert is_refusal(refused.value), f"{case}: {refused.value!r}"
    assert {True, False} == {case.valid for case in decided}
    tally(title(verify), len(decided), known)


def title(function: Callable[[Case], object]) -> str:
    """`ed25519_cryptography` → `Ed25519, cryptography`."""
    name, _, library = function.__name__.partition("_")
    return f"{NAMES[name]}, {library}"


NAMES = {"ed25519": "Ed25519", "ecdsa": "ECDSA P-256", "x25519": "X25519"}


def is_refusal(error: Exception) -> bool:
    told = "The signature is not authentic" in str(error)
    return isinstance(error, InvalidSignature) or told


def test_ecdsa_of_pycryptodome_returns_false_for_a_good_signature_and_raises_for_a_bad() -> None:
    # So `if verifier.verify(…):` refuses everything; what counts is that nothing is raised.
    (good, *_) = [case for case in ECDSA_P256 if case.valid]
    assert ecdsa_pycryptodome(good) is False


@pytest.mark.parametrize("verify", [ed25519_cryptography, ed25519_pycryptodome])
def test_ed25519_takes_public_keys_of_small_order_in_both_libraries(
    verify: Verify, tally: Tally
) -> None:
    # RFC 8032 does not forbid them. Whoever chose such a key can find a signature that holds for
    # many messages: a signature binds only if the key's owner was honest.
    acceptable = [case for case in ED25519 if not case.valid and not case.invalid]
    assert {"MixedOrderPublicKey", "SmallOrderPublicKey"} == {
        flag for case in acceptable for flag in case.flags
    }
    for case in acceptable:
        verify(case)
    tally(f"{title(verify)}, keys of small order", len(acceptable), 29)


def test_ed25519_of_cryptography_signs_as_its_authors_do(tally: Tally) -> None:
    # sign.input of https://ed25519.cr.yp.to: secret and public key, public key, message, and
    # signature with message.
    lines = (CRYPTOGRAPHY / "asymmetric" / "Ed25519" / "sign.input").read_text().splitlines()
    for line in lines:
        secret, public, message, signed = (bytes.fromhex(each) for each in line.split(":")[:4])
        key = Ed25519PrivateKey.from_private_bytes(secret[:32])
        assert public == key.public_key().public_bytes_raw()
        assert signed == key.sign(message) + message
    tally("Ed25519, cryptography, signs", len(lines), 1_024)


@pytest.mark.parametrize(
    ("exchange", "refusal"),
    [
        (x25519_cryptography, "Error computing shared key"),
        (x25519_pycryptodome, "Invalid Curve25519 public key"),
    ],
)
def test_x25519_holds_every_vector_and_refuses_a_shared_secret_of_zero(
    exchange: Callable[[Case], bytes], refusal: str, tally: Tally
) -> None:
    # What Wycheproof calls acceptable is what a library may refuse. Both refuse only points of
    # low order, as RFC 7748, section 6.1, allows: they would make the secret all zero.
    zero = [case for case in X25519 if not any(case["shared"])]
    assert 31 <= len(zero)
    for case in X25519:
        if case in zero:
            with pytest.raises(ValueError, match=refusal):
                exchange(case)
        else:
            assert case["shared"] == exchange(case), str(case)
    tally(title(exchange), len(X25519), 518)


def p256_cryptography(case: Case) -> bytes:
    theirs = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), case["public"])
    ours = derive_private_key(int.from_bytes(case["private"], "big"), SECP256R1())
    return ours.exchange(ECDH(), theirs)


def p256_pycryptodome(case: Case) -> bytes:
    shared: bytes = key_agreement(
        static_priv=ECC.construct(curve="p256", d=int.from_bytes(case["private"], "big")),
        static_pub=ECC.import_key(case["public"], curve_name="p256"),
        kdf=bytes,
    )
    return shared


@pytest.mark.parametrize("exchange", [p256_cryptography, p256_pycryptodome])
def test_ecdh_on_p256_holds_every_vector_and_takes_no_point_off_the_curve(
    exchange: Callable[[Case], bytes], tally: Tally
) -> None:
    refused = [case for case in ECDH_P256 if case.invalid]
    assert {"InvalidCurveAttack", "WrongCurve", "InvalidEncoding"} <= {
        flag for case in refused for flag in case.flags
    }
    for case in ECDH_P256:
        if case in refused:
            with pytest.raises(ValueError):  # noqa: PT011  each says something else of the point
                exchange(case)
        else:  # the acceptable one is a compressed point, which both understand
            assert case["shared"] == exchange(case), str(case)
    tally(f"ECDH P-256, {exchange.__name__.partition('_')[2]}", len(ECDH_P256), 355)
