"""Length extension forges tags of sha256(secret + message), and no tag of HMAC."""

import hashlib
import hmac
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answerbook.notebook.attacks import length_extension
from tests.unit.vectors import blocks, message, unhex

MESSAGE = b"user=eve&role=reader"
SUFFIX = b"&role=admin"


@given(st.binary(max_size=300))
def test_textbook_sha256_gives_what_hashlib_gives(message: bytes) -> None:
    assert hashlib.sha256(message).digest() == length_extension.textbook_sha256(message)


@pytest.mark.parametrize("name", ["SHA256ShortMsg", "SHA256LongMsg"])
def test_textbook_sha256_gives_nists_digests(name: str) -> None:
    vectors = blocks(f"hashes/SHA2/{name}.rsp")
    assert 64 <= len(vectors)
    for each in vectors:
        assert unhex(each, "md") == [length_extension.textbook_sha256(message(each))]


@pytest.mark.parametrize("length", [0, 55, 56, 63, 64, 119, 120, 1_000])
def test_padding_fills_whole_blocks_and_ends_with_the_length_in_bits(length: int) -> None:
    padding = length_extension.padding(length)
    assert 0 == (length + len(padding)) % 64
    assert 9 <= len(padding) <= 72
    assert 8 * length == int.from_bytes(padding[-8:])


@pytest.mark.parametrize("secret_length", [0, 1, 16, 35, 36, 64, secrets.randbelow(64)])
def test_attack_forges_a_tag_and_finds_the_length_of_the_secret(secret_length: int) -> None:
    secret = secrets.token_bytes(secret_length)

    def broken_tag(message: bytes) -> bytes:
        return hashlib.sha256(secret + message).digest()

    forgery = length_extension.forge(
        MESSAGE, broken_tag(MESSAGE), SUFFIX, lambda message, tag: tag == broken_tag(message)
    )

    assert forgery is not None
    assert secret_length == forgery.secret_length
    assert forgery.message.startswith(MESSAGE)
    assert forgery.message.endswith(SUFFIX)
    assert broken_tag(forgery.message) == forgery.tag


def test_attack_gives_up_where_the_secret_is_longer_than_it_tries() -> None:
    secret = secrets.token_bytes(20)
    tag = hashlib.sha256(secret + MESSAGE).digest()
    tried = []

    def accepts(message: bytes, forged: bytes) -> bool:
        tried.append(message)
        return forged == hashlib.sha256(secret + message).digest()

    assert length_extension.forge(MESSAGE, tag, SUFFIX, accepts, longest=19) is None
    assert 20 == len(tried)


def test_hmac_resists_for_every_length_of_its_key() -> None:
    key = secrets.token_bytes(32)

    def accepts(message: bytes, tag: bytes) -> bool:
        return hmac.compare_digest(hmac.digest(key, message, "sha256"), tag)

    tag = hmac.digest(key, MESSAGE, "sha256")
    assert accepts(MESSAGE, tag)
    assert length_extension.forge(MESSAGE, tag, SUFFIX, accepts, longest=200) is None


def test_secret_at_the_end_resists() -> None:
    secret = secrets.token_bytes(16)
    tag = hashlib.sha256(MESSAGE + secret).digest()

    def accepts(message: bytes, forged: bytes) -> bool:
        return forged == hashlib.sha256(message + secret).digest()

    assert length_extension.forge(MESSAGE, tag, SUFFIX, accepts) is None
