"""A password whose bare hash is the key is found in a list; derived with a salt it is not, so."""

import hashlib
import secrets

from Crypto.Cipher import AES
from Crypto.Random import get_random_bytes

from answerbook.notebook.attacks.bare_hash_key import broken_key, guess, opens, word_list
from answerbook.notebook.attacks.sealed import Sealed

CHEAP = 2**4
"""scrypt's n, for the tests alone."""


def seal(key: bytes) -> Sealed:
    cipher = AES.new(key, AES.MODE_GCM, nonce=get_random_bytes(12))
    ciphertext, tag = cipher.encrypt_and_digest(get_random_bytes(50))
    return Sealed(bytes(cipher.nonce), ciphertext, tag)


def test_password_from_the_list_is_found_when_its_bare_hash_is_the_key() -> None:
    password = secrets.choice(word_list())
    assert password == guess(seal(broken_key(password.encode())), word_list())


def test_random_password_is_not_found() -> None:
    assert guess(seal(broken_key(secrets.token_bytes(16))), word_list()) is None


def test_password_is_not_found_by_its_bare_hash_when_a_salt_is_in_the_key() -> None:
    password, salt = secrets.choice(word_list()), get_random_bytes(16)
    key = hashlib.scrypt(password.encode(), salt=salt, n=CHEAP, r=8, p=1, dklen=32)
    assert guess(seal(key), word_list()) is None


def test_deriving_makes_a_guess_dear_and_not_impossible() -> None:
    words, salt = word_list()[:50], get_random_bytes(16)
    password = secrets.choice(words)

    def derive(word: bytes) -> bytes:
        return hashlib.scrypt(word, salt=salt, n=CHEAP, r=8, p=1, dklen=32)

    assert password == guess(seal(derive(password.encode())), words, derive)


def test_list_has_thousands_of_different_words() -> None:
    words = word_list()
    assert len(words) == len(set(words)) > 5_000
    assert "Summer2024!" in words


def test_only_the_right_key_opens() -> None:
    key = get_random_bytes(32)
    assert opens(seal(key), key)
    assert not opens(seal(key), get_random_bytes(32))
