"""The forged PKCS#1 v1.5 signature: accepted by the loose verifier, refused by a sound one."""

import secrets

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from answerbook.notebook.attacks import pkcs1_v15


def key(size: int = 2048, exponent: int = 3) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=exponent, key_size=size)


def test_loose_verifier_accepts_a_signature_made_from_the_public_key_alone() -> None:
    public = key().public_key()
    message = secrets.token_bytes(40)
    forged = pkcs1_v15.forge(message, public)
    assert pkcs1_v15.broken_verify(public, forged, message)
    assert not pkcs1_v15.broken_verify(public, forged, message + b".")
    # The cube is smaller than the modulus: no private key took part.
    assert int.from_bytes(forged) ** 3 < public.public_numbers().n


def test_sound_verifiers_refuse_the_forged_signature() -> None:
    public = key().public_key()
    message = secrets.token_bytes(40)
    forged = pkcs1_v15.forge(message, public)
    for scheme in padding.PKCS1v15(), padding.PSS(padding.MGF1(SHA256()), 32):
        with pytest.raises(InvalidSignature):
            public.verify(forged, message, scheme, SHA256())


def test_loose_verifier_accepts_true_signatures_and_no_others() -> None:
    private = key()
    public = private.public_key()
    signature = private.sign(b"hello", padding.PKCS1v15(), SHA256())
    assert pkcs1_v15.broken_verify(public, signature, b"hello")
    assert not pkcs1_v15.broken_verify(public, signature, b"other")
    for _ in range(20):
        assert not pkcs1_v15.broken_verify(public, secrets.token_bytes(255), b"hello")


@pytest.mark.parametrize(("size", "exponent"), [(2048, 65_537), (1024, 3)])
def test_other_exponents_and_short_tails_cannot_be_forged(size: int, exponent: int) -> None:
    public = key(size, exponent).public_key()
    with pytest.raises(ValueError, match=r"e = 3|no cube"):
        pkcs1_v15.forge(secrets.token_bytes(8), public)


@given(st.integers(min_value=0, max_value=1 << 600))
def test_cube_root_is_the_largest_whose_cube_fits(number: int) -> None:
    root = pkcs1_v15.cube_root(number)
    assert root**3 <= number < (root + 1) ** 3
