"""GCM's hash key is found from one nonce used twice, and forges; with other nonces it is not."""

import pytest
from Crypto.Cipher import AES
from Crypto.Random import get_random_bytes
from Crypto.Util.strxor import strxor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from answerbook.notebook.attacks.gcm_forgery import forge, ghash, hash_key, multiply
from answerbook.notebook.attacks.sealed import Sealed


def seal(key: bytes, nonce: bytes, message: bytes) -> Sealed:
    return Sealed(nonce, *AES.new(key, AES.MODE_GCM, nonce=nonce).encrypt_and_digest(message))


def opened(key: bytes, sealed: Sealed) -> bytes:
    cipher = AES.new(key, AES.MODE_GCM, nonce=sealed.nonce)
    return cipher.decrypt_and_verify(sealed.ciphertext, sealed.tag)


def secret_of(key: bytes) -> bytes:
    return AES.new(key, AES.MODE_ECB).encrypt(bytes(16))


@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.parametrize("length", [1, 15, 16])
def test_hash_key_is_found_from_two_messages_of_one_nonce(size: int, length: int) -> None:
    key, nonce = get_random_bytes(size), get_random_bytes(12)
    first = get_random_bytes(length)
    second = strxor(first, b"\1" * length)
    found = hash_key(seal(key, nonce, first), seal(key, nonce, second))
    assert secret_of(key) == found


@pytest.mark.parametrize("length", [12, 16])
def test_message_of_any_length_under_any_nonce_is_forged(length: int) -> None:
    key, nonce = get_random_bytes(32), get_random_bytes(length)
    secret = hash_key(seal(key, nonce, b"PAY 0100 TO BOB"), seal(key, nonce, b"PAY 0250 TO ANN"))

    known = get_random_bytes(100)
    seen = seal(key, get_random_bytes(12), known)
    for wanted in (get_random_bytes(100), get_random_bytes(33), b""):
        cut = len(wanted)
        stream = strxor(seen.ciphertext[:cut], known[:cut]) if cut else b""
        ciphertext = strxor(stream, wanted) if cut else b""
        assert wanted == opened(key, forge(seen, ciphertext, secret))


def test_what_two_nonces_give_forges_nothing() -> None:
    key = get_random_bytes(32)
    one, two = (seal(key, get_random_bytes(12), it) for it in (b"one message", b"two message"))
    with pytest.raises(ValueError, match="different nonces"):
        hash_key(one, two)
    wrong = hash_key(one, Sealed(one.nonce, two.ciphertext, two.tag))
    assert secret_of(key) != wrong
    with pytest.raises(ValueError, match="MAC check failed"):
        opened(key, forge(one, two.ciphertext, wrong))


def test_nonce_used_twice_with_gcm_siv_forges_nothing() -> None:
    cipher, nonce = AESGCMSIV(get_random_bytes(32)), get_random_bytes(12)
    one, two = (cipher.encrypt(nonce, it, None) for it in (b"one message", b"two message"))
    first, second = (Sealed(nonce, it[:-16], it[-16:]) for it in (one, two))
    # Not the second's ciphertext: a tag of that solves the same equation, whatever the mode.
    forged = forge(first, get_random_bytes(11), hash_key(first, second))
    with pytest.raises(InvalidTag):
        cipher.decrypt(nonce, forged.ciphertext + forged.tag, None)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (b"a message", b"a longer one", "one length"),
        (b"more than sixteen", b"bytes, and twice.", "one length"),
        (b"the same", b"the same", "nothing new"),
    ],
)
def test_messages_that_say_too_little_are_named(first: bytes, second: bytes, message: str) -> None:
    key, nonce = get_random_bytes(32), get_random_bytes(12)
    with pytest.raises(ValueError, match=message):
        hash_key(seal(key, nonce, first), seal(key, nonce, second))


def test_hash_is_that_of_the_published_test_case() -> None:
    # McGrew and Viega, The Galois/Counter Mode of Operation, appendix B, test case 2.
    secret = bytes.fromhex("66e94bd4ef8a2c3b884cfa59ca342b2e")
    ciphertext = bytes.fromhex("0388dace60b6a392f328c2b971b2fe78")
    assert bytes.fromhex("f38cbb1ad69223dcc3457ae5b6b0f885") == ghash(ciphertext, secret)


def test_product_is_commutative_and_distributes() -> None:
    a, b, c = (int.from_bytes(get_random_bytes(16)) for _ in range(3))
    assert multiply(a, b) == multiply(b, a)
    assert multiply(a, b ^ c) == multiply(a, b) ^ multiply(a, c)
    assert a == multiply(a, 1 << 127)
