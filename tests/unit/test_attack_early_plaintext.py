"""Streaming EAX hands out forged text first; verified as a whole, nothing of it is seen."""

import secrets
from collections.abc import Iterator
from io import BytesIO

import pytest
from Crypto.Cipher import AES
from Crypto.Random import get_random_bytes

from answerbook.notebook.attacks.early_plaintext import rewrite


def sealed(key: bytes, message: bytes) -> bytes:
    cipher = AES.new(key, AES.MODE_EAX)
    ciphertext, tag = cipher.encrypt_and_digest(message)
    return bytes(cipher.nonce) + tag + ciphertext


def pieces(data: bytes, key: bytes) -> Iterator[bytes]:
    """As a streaming program decrypts; it learns at the end whether that was genuine."""
    file = BytesIO(data)
    nonce, tag = file.read(16), file.read(16)
    cipher = AES.new(key, AES.MODE_EAX, nonce=nonce)
    while piece := file.read(7):
        yield cipher.decrypt(piece)
    cipher.verify(tag)


def test_forged_text_comes_out_before_the_tag_is_looked_at() -> None:
    key, place = get_random_bytes(32), secrets.randbelow(80)
    known, wanted = get_random_bytes(20), get_random_bytes(20)
    before, after = get_random_bytes(place), get_random_bytes(80)
    forged = rewrite(sealed(key, before + known + after), 32 + place, known, wanted)

    reader = pieces(forged, key)
    handed_out = [next(reader) for _ in range(0, len(forged) - 32, 7)]
    with pytest.raises(ValueError, match="MAC check failed"):
        next(reader)
    assert before + wanted + after == b"".join(handed_out)


def test_forged_text_is_refused_when_it_is_verified_as_a_whole() -> None:
    key, known = get_random_bytes(32), get_random_bytes(50)
    forged = rewrite(sealed(key, known), 32, known, get_random_bytes(50))
    cipher = AES.new(key, AES.MODE_EAX, nonce=forged[:16])
    with pytest.raises(ValueError, match="MAC check failed"):
        cipher.decrypt_and_verify(forged[32:], forged[16:32])


def test_genuine_text_comes_out_whole() -> None:
    key, message = get_random_bytes(32), get_random_bytes(1_000)
    assert message == b"".join(pieces(sealed(key, message), key))


@pytest.mark.parametrize(("place", "wanted"), [(0, b"four"), (-1, b"five!"), (6, b"five!")])
def test_what_does_not_fit_is_not_rewritten(place: int, wanted: bytes) -> None:
    with pytest.raises(ValueError, match="as long as"):
        rewrite(bytes(10), place, b"known", wanted)


def test_nothing_rewritten_is_nothing_changed() -> None:
    assert b"text" == rewrite(b"text", 2, b"", b"")
