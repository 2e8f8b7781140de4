"""A short message or a broadcast is recovered from textbook RSA, and not from OAEP."""

import math
import secrets

import pytest
from Crypto.Cipher import PKCS1_OAEP
from Crypto.Hash import SHA256
from hypothesis import given
from hypothesis import strategies as st

from answerbook.notebook.attacks.low_exponent import (
    NotRecovered,
    from_broadcast,
    from_short_message,
    remainder_of_all,
    root,
)
from answerbook.notebook.attacks.small_keys import small_key


def secret(length: int) -> bytes:
    """Random bytes, the first of them not zero: textbook RSA loses zeros there."""
    return bytes([secrets.randbelow(255) + 1]) + secrets.token_bytes(length - 1)


@pytest.mark.parametrize("exponent", [3, 5, 17])
def test_short_message_is_the_root_of_its_ciphertext(exponent: int) -> None:
    key = small_key(1024, exponent)
    message = secret(1024 // exponent // 8 - 1)
    ciphertext = pow(int.from_bytes(message), exponent, key.n)
    assert message == from_short_message(ciphertext, exponent)


def test_message_longer_than_the_root_of_the_modulus_is_not_found() -> None:
    key = small_key(1024, 3)
    ciphertext = pow(int.from_bytes(secret(100)), 3, key.n)
    with pytest.raises(NotRecovered):
        from_short_message(ciphertext, 3)


@pytest.mark.parametrize("exponent", [3, 5])
def test_message_to_as_many_people_as_the_exponent_says_is_recovered(exponent: int) -> None:
    moduli = [small_key(768, exponent).n for _ in range(exponent)]
    message = secret(768 // 8 - 1)
    ciphertexts = [pow(int.from_bytes(message), exponent, modulus) for modulus in moduli]
    assert message == from_broadcast(ciphertexts, moduli)


def test_broadcast_to_one_person_fewer_is_not_recovered() -> None:
    moduli = [small_key(768, 3).n for _ in range(2)]
    message = int.from_bytes(secret(768 // 8 - 1))
    with pytest.raises(NotRecovered):
        from_broadcast([pow(message, 3, modulus) for modulus in moduli], moduli)


def test_broadcast_of_different_messages_is_not_recovered() -> None:
    moduli = [small_key(768, 3).n for _ in range(3)]
    messages = [int.from_bytes(secret(95)) for _ in moduli]
    powers = [pow(message, 3, modulus) for message, modulus in zip(messages, moduli, strict=True)]
    with pytest.raises(NotRecovered):
        from_broadcast(powers, moduli)


def test_oaep_resists_the_broadcast_with_the_same_low_exponent() -> None:
    keys = [small_key(1024, 3) for _ in range(3)]
    message = secret(16)
    ciphertexts = [PKCS1_OAEP.new(key, hashAlgo=SHA256).encrypt(message) for key in keys]
    assert message == PKCS1_OAEP.new(keys[0], hashAlgo=SHA256).decrypt(ciphertexts[0])
    with pytest.raises(NotRecovered):
        from_broadcast([int.from_bytes(each) for each in ciphertexts], [key.n for key in keys])
    with pytest.raises(NotRecovered):
        from_short_message(int.from_bytes(ciphertexts[0]), 3)


def test_moduli_that_share_a_prime_are_an_error_and_not_a_wrong_message() -> None:
    shared = small_key(256, 3)
    with pytest.raises(ValueError, match="not invertible"):
        from_broadcast([1, 1, 1], [shared.n, shared.p * small_key(256, 3).p, small_key(256, 3).n])


def test_each_modulus_needs_its_ciphertext() -> None:
    with pytest.raises(ValueError, match="To each modulus"):
        from_broadcast([8, 8], [35, 33, 91])


@given(st.integers(0, 1 << 400), st.integers(1, 9))
def test_root_is_the_largest_whose_power_fits(number: int, degree: int) -> None:
    found = root(number, degree)
    assert found**degree <= number < (found + 1) ** degree


@given(st.integers(0, 1 << 200), st.integers(1, 9))
def test_root_of_a_power_is_its_base(base: int, degree: int) -> None:
    assert base == root(base**degree, degree)


@pytest.mark.parametrize(("number", "degree"), [(-1, 3), (8, 0)])
def test_root_of_what_has_none_is_refused(number: int, degree: int) -> None:
    with pytest.raises(ValueError, match="Roots"):
        root(number, degree)


@given(st.integers(0, 3 * 5 * 7 * 11 - 1))
def test_remainders_name_one_number_below_the_product(number: int) -> None:
    moduli = [3, 5, 7, 11]
    assert number == remainder_of_all([number % modulus for modulus in moduli], moduli)


@pytest.mark.parametrize("bits", [64, 137, 512])
def test_small_key_has_the_bits_that_it_was_asked_for(bits: int) -> None:
    key = small_key(bits, 3)
    assert bits == key.n.bit_length()
    assert key.n == key.p * key.q
    assert 1 == key.d * 3 % math.lcm(key.p - 1, key.q - 1)


def test_key_of_too_few_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 64"):
        small_key(32)
