"""The ECDSA key that its nonces give away, and the nonces of RFC 6979 that do not."""

import secrets
from collections.abc import Callable

import pytest
from Crypto.Hash import SHA256
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS

from answerbook.notebook.attacks.ecdsa_nonce import (
    P256_ORDER,
    NotRecovered,
    Signed,
    from_repeated,
    from_short,
)

Bytes = Callable[[int], bytes]


def signed(key: ECC.EccKey, message: bytes, randfunc: Bytes | None = None) -> Signed:
    signature = DSS.new(key, "fips-186-3", randfunc=randfunc).sign(SHA256.new(message))
    return Signed.read(message, signature)


def short(size: int) -> bytes:
    """Random but for its first eight bytes, which are zero, as in the notebook."""
    return bytes(min(size, 8)) + secrets.token_bytes(max(size - 8, 0))


@pytest.fixture
def key() -> ECC.EccKey:
    return ECC.generate(curve="P-256")


def test_order_is_that_of_the_curve() -> None:
    # (n - 1)·G is -G: the same x.
    first, last = (ECC.construct(curve="P-256", d=d).pointQ for d in (1, P256_ORDER - 1))
    assert (first.x, int(first.y)) == (last.x, (-last.y) % (2**256 - 2**224 + 2**192 + 2**96 - 1))


def test_nonce_used_twice_gives_the_private_key(key: ECC.EccKey) -> None:
    snapshot = secrets.token_bytes(32)
    messages = secrets.token_bytes(16), secrets.token_bytes(16)
    first, second = (signed(key, each, lambda size: snapshot[:size]) for each in messages)
    assert first.r == second.r
    assert key.d == from_repeated(first, second, key.public_key()).d


def test_nonce_used_twice_is_found_when_one_signature_was_mirrored(key: ECC.EccKey) -> None:
    snapshot = secrets.token_bytes(32)
    first, second = (signed(key, each, lambda size: snapshot[:size]) for each in (b"a", b"b"))
    mirrored = Signed(second.z, second.r, P256_ORDER - second.s)
    assert key.d == from_repeated(first, mirrored, key.public_key()).d


def test_fresh_and_deterministic_nonces_give_nothing(key: ECC.EccKey) -> None:
    public = key.public_key()
    with pytest.raises(NotRecovered, match="No nonce was used twice"):
        from_repeated(signed(key, b"a"), signed(key, b"b"), public)
    signer = DSS.new(key, "deterministic-rfc6979")
    first, second, again = (
        Signed.read(each, signer.sign(SHA256.new(each))) for each in (b"a", b"b", b"a")
    )
    assert first == again
    for other in (second, again):
        with pytest.raises(NotRecovered, match="No nonce was used twice"):
            from_repeated(first, other, public)


def test_signatures_of_another_key_give_nothing(key: ECC.EccKey) -> None:
    first, second = (
        signed(key, each, lambda size: bytes(size)[1:] + b"7") for each in (b"a", b"b")
    )
    with pytest.raises(NotRecovered, match="not of this public key"):
        from_repeated(first, second, ECC.generate(curve="P-256").public_key())


def test_nonces_of_192_bits_give_the_private_key(key: ECC.EccKey) -> None:
    seen = [signed(key, secrets.token_bytes(16), short) for _ in range(6)]
    assert len({each.r for each in seen}) == 6
    assert key.d == from_short(seen, key.public_key(), 192).d


def test_nonces_of_full_length_give_nothing_to_the_lattice(key: ECC.EccKey) -> None:
    seen = [signed(key, secrets.token_bytes(16)) for _ in range(6)]
    with pytest.raises(NotRecovered, match="No nonces below"):
        from_short(seen, key.public_key(), 192)
