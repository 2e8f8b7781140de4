"""The code on a picture is read from its ciphertext under ECB, not under a mode with a nonce."""

import secrets

import pytest
from Crypto.Cipher import AES
from Crypto.Random import get_random_bytes

from answerbook.notebook.attacks import ecb_picture as picture


def random_code() -> str:
    return f"{secrets.randbelow(10**picture.DIGITS):0{picture.DIGITS}}"


@pytest.mark.parametrize("code", ["0123", "4567", "8990", "1111", "8888", random_code()])
@pytest.mark.parametrize("size", [16, 24, 32])
def test_code_is_read_from_its_ciphertext_under_ecb(code: str, size: int) -> None:
    cipher = AES.new(get_random_bytes(size), AES.MODE_ECB)
    assert code == picture.read(cipher.encrypt(picture.draw(code)))


@pytest.mark.parametrize("mode", ["CTR", "CBC", "GCM", "EAX"])
def test_no_digit_is_seen_under_a_mode_with_a_nonce(mode: str) -> None:
    key, drawn = get_random_bytes(32), picture.draw(random_code())
    cipher = AES.new(key, getattr(AES, f"MODE_{mode}"))
    assert "?" * picture.DIGITS == picture.read(cipher.encrypt(drawn))


def test_ecb_repeats_as_many_blocks_as_the_picture_does() -> None:
    drawn = picture.draw(random_code())
    encrypted = AES.new(get_random_bytes(32), AES.MODE_ECB).encrypt(drawn)
    assert picture.repeated(drawn) == picture.repeated(encrypted) > len(drawn) // 16 // 2
    assert 0 == picture.repeated(AES.new(get_random_bytes(32), AES.MODE_CTR).encrypt(drawn))


def test_picture_has_its_size_and_whole_blocks_in_each_row() -> None:
    rows = picture.pixels(picture.draw("2024"))
    assert (picture.HEIGHT, picture.WIDTH) == (len(rows), len(rows[0]))
    assert {tuple(picture.CASE[:3]), tuple(picture.DISPLAY[:3]), tuple(picture.LIT[:3])} == {
        pixel for row in rows for pixel in row
    }
    assert 0 == 4 * picture.WIDTH % 16


@pytest.mark.parametrize("code", ["", "123", "12345", "12a4", "-123"])
def test_what_is_no_code_is_not_drawn(code: str) -> None:
    with pytest.raises(ValueError, match="A code has 4 digits"):
        picture.draw(code)
