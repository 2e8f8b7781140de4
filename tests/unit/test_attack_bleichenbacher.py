"""Bleichenbacher's attack recovers what a server unwraps, if the server tells of the padding."""

import secrets
from collections.abc import Callable

import pytest
from Crypto.Cipher import PKCS1_OAEP, PKCS1_v1_5
from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from hypothesis import given
from hypothesis import strategies as st

from answerbook.notebook.attacks.bleichenbacher import Known, Modulus, narrowed, recover, width
from answerbook.notebook.attacks.low_exponent import NotRecovered
from answerbook.notebook.attacks.small_keys import small_key

Oracle = Callable[[bytes], bool]


def last(key: RSA.RsaKey, ciphertext: bytes, accepts: Oracle, most: int = 1_000_000) -> Known:
    *_, found = recover(ciphertext, key.n, key.e, accepts, most)
    return found


def lenient(key: RSA.RsaKey) -> Oracle:
    """A server that looks at the first two bytes only."""
    modulus = Modulus(key.n)
    return lambda sent: modulus.low <= pow(int.from_bytes(sent), key.d, key.n) <= modulus.high


def test_session_key_is_recovered_from_a_library_used_with_a_sentinel() -> None:
    key = small_key(265)
    cipher, session_key = PKCS1_v1_5.new(key), secrets.token_bytes(16)

    found = last(key, cipher.encrypt(session_key), lambda sent: cipher.decrypt(sent, b"") != b"")

    assert session_key == found.message
    assert 0 == found.unknown_bits


@pytest.mark.parametrize("bits", [121, 128, 129])
def test_message_is_recovered_whatever_the_first_byte_of_the_modulus(bits: int) -> None:
    key, message = small_key(bits), secrets.token_bytes(4)

    found = last(key, PKCS1_v1_5.new(key).encrypt(message), lenient(key))

    assert message == found.message


def test_unknown_bits_only_become_fewer_and_the_questions_more() -> None:
    key = small_key(129)
    ciphertext = PKCS1_v1_5.new(key).encrypt(secrets.token_bytes(4))
    steps = list(recover(ciphertext, key.n, key.e, lenient(key)))
    assert sorted(steps, key=lambda step: (step.questions, -step.unknown_bits)) == steps
    assert [None] == list({step.message for step in steps[:-1]})


def test_oaep_whose_errors_are_all_alike_tells_nothing() -> None:
    key = RSA.generate(1024)
    cipher = PKCS1_OAEP.new(key, hashAlgo=SHA256)

    def accepts(sent: bytes) -> bool:
        try:
            cipher.decrypt(sent)
        except ValueError:
            return False
        return True

    with pytest.raises(NotRecovered, match="After 200 questions"):
        last(key, cipher.encrypt(secrets.token_bytes(32)), accepts, most=200)


def test_implicit_rejection_accepts_everything_and_tells_nothing() -> None:
    key = small_key(512)
    cipher = PKCS1_v1_5.new(key)

    with pytest.raises(NotRecovered, match="do not depend on"):
        last(
            key,
            cipher.encrypt(secrets.token_bytes(16)),
            lambda sent: isinstance(cipher.decrypt(sent), bytes),
        )


def test_ciphertext_without_the_padding_is_not_taken_for_one_that_has_it() -> None:
    key = small_key(129)
    with pytest.raises(NotRecovered):
        last(key, pow(12_345, key.e, key.n).to_bytes(17), lenient(key), most=20_000)


@given(st.data())
def test_narrowing_never_loses_the_message(data: st.DataObject) -> None:
    """Small enough to try all: what is left is what the multiplier takes to a padded message."""
    key = Modulus(data.draw(st.integers(1 << 16, (1 << 24) - 1), "n"))
    factor = data.draw(st.integers(2, 5_000), "factor")
    first = data.draw(st.integers(key.low, key.high), "first")
    ends = first, min(key.high, first + 500)

    left = narrowed([ends], factor, key)

    expected = {
        message
        for message in range(ends[0], ends[1] + 1)
        if key.low <= message * factor % key.n <= key.high
    }
    assert expected == {each for low, high in left for each in range(low, high + 1)}
    assert len(expected) == width(left)
