"""Forged tokens: the verifier that believes their headers takes them, one with pinned terms not."""

import secrets

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from answerbook.notebook.attacks import token_forgery as forgery

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def genuine() -> str:
    return jwt.encode({"sub": secrets.token_hex(8), "role": "reader"}, KEY, "RS256")


def forged(token: str, role: str) -> dict[str, str]:
    return {
        "none": forgery.forge_unsigned(token, role=role),
        "confusion": forgery.forge_with_public_key(token, PUBLIC, role=role),
        "own key": forgery.forge_with_own_key(token, role=role),
    }


WAYS = list(forged(genuine(), "any"))


@pytest.mark.parametrize("way", WAYS)
def test_broken_verifier_takes_the_claims_that_were_forged(way: str) -> None:
    token, role = genuine(), secrets.token_hex(8)
    expected = forgery.claims_of(token) | {"role": role}
    assert expected == forgery.broken_verify(forged(token, role)[way], PUBLIC)


@pytest.mark.parametrize("allowed", [["RS256"], ["RS256", "HS256"], ["RS256", "none"]])
@pytest.mark.parametrize("way", WAYS)
def test_pyjwt_refuses_each_of_them_whatever_else_is_allowed(way: str, allowed: list[str]) -> None:
    with pytest.raises(jwt.PyJWTError):
        jwt.decode(forged(genuine(), "admin")[way], PUBLIC, allowed)


@pytest.mark.parametrize(
    ("way", "refusal"),
    [
        ("none", jwt.InvalidAlgorithmError),
        ("confusion", jwt.InvalidAlgorithmError),
        ("own key", jwt.InvalidSignatureError),
    ],
)
def test_pinned_algorithm_says_why(way: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        jwt.decode(forged(genuine(), "admin")[way], PUBLIC, ["RS256"])


def test_broken_verifier_takes_genuine_tokens_and_no_others_key() -> None:
    token = genuine()
    assert forgery.claims_of(token) == forgery.broken_verify(token, PUBLIC)
    others = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for other in (
        jwt.encode({"sub": "ann"}, others, "RS256"),
        forgery.forge_with_public_key(token, PUBLIC[:-1], role="admin"),
    ):
        with pytest.raises(jwt.InvalidSignatureError):
            forgery.broken_verify(other, PUBLIC)
