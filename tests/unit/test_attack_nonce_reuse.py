"""Two messages under one nonce are read without the key; under two nonces, or SIV, they are not."""

import secrets

import pytest
from Crypto.Cipher import AES, ChaCha20_Poly1305
from Crypto.Random import get_random_bytes
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from answerbook.notebook.attacks.nonce_reuse import PLAIN, Hit, drag, with_known

MODES = ["CTR", "GCM", "EAX", "ChaCha20-Poly1305"]


def encrypt(mode: str, key: bytes, nonce: bytes, message: bytes) -> bytes:
    if mode == "ChaCha20-Poly1305":
        return ChaCha20_Poly1305.new(key=key, nonce=nonce).encrypt(message)
    number = {"CTR": AES.MODE_CTR, "GCM": AES.MODE_GCM, "EAX": AES.MODE_EAX}[mode]
    return bytes(AES.new(key, number, nonce=nonce).encrypt(message))  # type: ignore[call-overload]


def random_text(length: int) -> bytes:
    return bytes(secrets.choice(sorted(PLAIN)) for _ in range(length))


@pytest.mark.parametrize("mode", MODES)
def test_message_is_read_with_the_help_of_another_of_the_same_nonce(mode: str) -> None:
    key, nonce = get_random_bytes(32), get_random_bytes(12 if mode != "CTR" else 8)
    known, secret = get_random_bytes(200), get_random_bytes(150)
    sent, other = (encrypt(mode, key, nonce, message) for message in (known, secret))
    assert secret == with_known(known, sent, other)
    assert secret[:20] == with_known(known[:20], sent, other)


@pytest.mark.parametrize("mode", MODES)
def test_message_under_another_nonce_is_not_read(mode: str) -> None:
    key, known, secret = get_random_bytes(32), get_random_bytes(64), get_random_bytes(64)
    size = 12 if mode != "CTR" else 8
    sent, other = (encrypt(mode, key, get_random_bytes(size), it) for it in (known, secret))
    assert secret != with_known(known, sent, other)


def test_message_under_the_same_nonce_of_gcm_siv_is_not_read() -> None:
    cipher, nonce = AESGCMSIV(get_random_bytes(32)), get_random_bytes(12)
    known, secret = get_random_bytes(64), get_random_bytes(64)
    sent, other = (cipher.encrypt(nonce, message, None) for message in (known, secret))
    assert secret != with_known(known, sent, other)[:64]


def test_word_that_is_guessed_shows_what_the_other_message_has_there() -> None:
    key, nonce = get_random_bytes(32), get_random_bytes(8)
    word, place = b" the password is ", secrets.randbelow(60)
    first = random_text(place) + word + random_text(60 - place)
    second = random_text(len(first))
    sent, other = (encrypt("CTR", key, nonce, message) for message in (first, second))
    there = second[place : place + len(word)].decode()
    assert Hit(place, there) in list(drag(word, sent, other))
    assert Hit(place, there) in list(drag(word, other, sent))


def test_word_that_is_guessed_shows_nothing_of_two_nonces() -> None:
    key, word = get_random_bytes(32), b" the password is "
    sent, other = (
        encrypt("CTR", key, get_random_bytes(8), random_text(20) + word) for _ in range(2)
    )
    assert [] == list(drag(word, sent, other))
