"""Whatever is done to a file without its key is refused by name; a design without places is not."""

import os
from io import BytesIO

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from answerbook.crypto import files
from answerbook.crypto.errors import CryptoError, Tampered, Truncated, UnknownFormat
from answerbook.notebook.attacks.moved_chunks import changes, parts

EXPECTED: dict[str, type[CryptoError]] = {
    "two chunks swapped": Tampered,
    "one left out": Tampered,
    "one repeated": Tampered,
    "the last one removed": Truncated,
    "cut inside a chunk": Truncated,
    "one byte added": Tampered,
    "one bit changed": Tampered,
    "a chunk of another file": Tampered,
    "header of another file": Tampered,
    "sent as text": UnknownFormat,
    "nothing at all": UnknownFormat,
}


def encrypted(content: bytes, key: bytes) -> bytes:
    out = BytesIO()
    files.encrypt(BytesIO(content), out, key=key)
    return out.getvalue()


@pytest.mark.parametrize("what", EXPECTED)
def test_the_format_refuses_the_change_by_name(what: str) -> None:
    key, content = files.new_key(), os.urandom(2 * files.CHUNK_BYTES + 1_000)
    done = changes(encrypted(content, key), encrypted(content, key))
    assert EXPECTED.keys() == done.keys()
    with pytest.raises(CryptoError) as refused:
        files.verify(BytesIO(done[what]), key=key)
    assert EXPECTED[what] is type(refused.value)


def test_the_parts_are_the_whole() -> None:
    key, content = files.new_key(), os.urandom(2 * files.CHUNK_BYTES + 1_000)
    blob = encrypted(content, key)
    assert blob == b"".join(parts(blob))
    assert len(content) == files.verify(BytesIO(b"".join(parts(blob))), key=key)


def test_chunks_without_places_open_in_any_order() -> None:
    cipher, pieces = AESGCM(files.new_key()), [os.urandom(20) for _ in range(3)]
    sealed = [(nonce := os.urandom(12)) + cipher.encrypt(nonce, it, None) for it in pieces]
    moved = [sealed[1], sealed[0], sealed[0]]
    assert [pieces[1], pieces[0], pieces[0]] == [
        cipher.decrypt(it[:12], it[12:], None) for it in moved
    ]
