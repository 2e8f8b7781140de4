"""Data keys under key-encryption keys: wrapped, unwrapped, rotated, destroyed."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from answerbook.crypto import envelope, files
from answerbook.crypto.envelope import Keyring, WrappedKey, rotate, sidecar, unwrap, wrap
from answerbook.crypto.errors import Tampered, UnknownFormat, WrongKey

CONTEXT = b"tenant 7"


@pytest.fixture
def keyring() -> Keyring:
    return Keyring.new("2026")


@pytest.fixture
def encrypted(tmp_path: Path, keyring: Keyring) -> Path:
    """A file that stands encrypted beside its wrapped key."""
    (tmp_path / "plain").write_bytes(os.urandom(100_000))
    envelope.encrypt_file(tmp_path / "plain", tmp_path / "encrypted", keyring, CONTEXT)
    return tmp_path / "encrypted"


# -- keys ----------------------------------------------------------------------------------------


def test_a_data_key_comes_back_in_its_context_alone(keyring: Keyring) -> None:
    data_key = files.new_key()
    wrapped = wrap(data_key, keyring, CONTEXT)
    assert data_key == unwrap(wrapped, keyring, CONTEXT)
    for context in (b"", b"tenant 8", CONTEXT + b"\0"):
        with pytest.raises(Tampered, match="was wrapped for another context"):
            unwrap(wrapped, keyring, context)


def test_the_same_key_wrapped_twice_is_never_the_same(keyring: Keyring) -> None:
    data_key = files.new_key()
    first, second = wrap(data_key, keyring), wrap(data_key, keyring)
    assert first.nonce != second.nonce
    assert first.sealed != second.sealed


def test_id_and_context_are_told_apart() -> None:
    kek = files.new_key()
    data_key = files.new_key()
    wrapped = wrap(data_key, Keyring({"ab": kek}, "ab"), b"c")
    with pytest.raises(Tampered):
        unwrap(replace(wrapped, kek="a"), Keyring({"a": kek}, "a"), b"bc")


def test_another_keyring_does_not_unwrap(keyring: Keyring) -> None:
    wrapped = wrap(files.new_key(), keyring)
    with pytest.raises(WrongKey, match="under the KEK '2026', and the keyring has only 'other'"):
        unwrap(wrapped, Keyring.new("other"))
    with pytest.raises(WrongKey, match="under another KEK that was called '2026'"):
        unwrap(wrapped, Keyring.new("2026"))


@pytest.mark.parametrize("field", ["check", "nonce", "sealed"])
def test_no_bit_of_a_wrapped_key_can_be_changed(field: str, keyring: Keyring) -> None:
    wrapped = wrap(files.new_key(), keyring)
    value = getattr(wrapped, field)
    for bit in range(8 * len(value)):
        changed: Any = {field: (int.from_bytes(value) ^ 1 << bit).to_bytes(len(value))}
        with pytest.raises(WrongKey if field == "check" else Tampered):
            unwrap(replace(wrapped, **changed), keyring)


def test_rotation_changes_the_kek_and_not_the_key(keyring: Keyring) -> None:
    data_key = files.new_key()
    before = wrap(data_key, keyring, CONTEXT)
    assert before is rotate(before, keyring, CONTEXT), "there was nothing to do"
    keyring.add("2027")
    after = rotate(before, keyring, CONTEXT)
    assert ("2026", "2027") == (before.kek, after.kek)
    assert data_key == unwrap(after, keyring, CONTEXT) == unwrap(before, keyring, CONTEXT)
    keyring.destroy("2026")
    assert data_key == unwrap(after, keyring, CONTEXT)
    with pytest.raises(WrongKey):
        unwrap(before, keyring, CONTEXT)


def test_rotation_wants_the_right_context(keyring: Keyring) -> None:
    wrapped = wrap(files.new_key(), keyring, CONTEXT)
    keyring.add("2027")
    with pytest.raises(Tampered):
        rotate(wrapped, keyring, b"tenant 8")


def test_a_keyring_refuses_what_would_lose_keys(keyring: Keyring) -> None:
    with pytest.raises(ValueError, match="there is a KEK '2026' already"):
        keyring.add("2026")
    with pytest.raises(ValueError, match="'2026' is the primary"):
        keyring.destroy("2026")
    with pytest.raises(ValueError, match="a KEK has 32 bytes, and 'short' has 16"):
        keyring.add("short", bytes(16))
    with pytest.raises(ValueError, match="there is no KEK 'new' to be the primary"):
        Keyring({"old": bytes(32)}, "new")
    with pytest.raises(ValueError, match="a data key has 32 bytes"):
        wrap(bytes(16), keyring)
    assert (["2026"], "2026") == (keyring.ids, keyring.primary)


def test_a_keyring_shows_no_key() -> None:
    keyring = Keyring({"2026": b"k" * 32}, "2026")
    assert "<Keyring of 2026; primary: 2026>" == repr(keyring)


# -- records -------------------------------------------------------------------------------------


def test_a_wrapped_key_comes_back_from_json(keyring: Keyring) -> None:
    wrapped = wrap(files.new_key(), keyring)
    assert wrapped == WrappedKey.from_json(wrapped.to_json())


def test_what_is_no_wrapped_key_is_told(keyring: Keyring) -> None:
    good = json.loads(wrap(files.new_key(), keyring).to_json())
    for bad in (
        "",
        "null",
        "[]",
        "{}",
        json.dumps({**good, "format": "answerbook wrapped key 2"}),
        json.dumps({**good, "kek": 7}),
        json.dumps({**good, "nonce": "AAAA"}),
        json.dumps({**good, "sealed": "not base64!"}),
        json.dumps({**good, "more": "AAAA"}),
        json.dumps({name: value for name, value in good.items() if name != "check"}),
        json.dumps(good)[:-1],
    ):
        with pytest.raises(UnknownFormat, match="It is no wrapped key"):
            WrappedKey.from_json(bad)


# -- files ---------------------------------------------------------------------------------------


def test_a_file_comes_back_with_the_key_beside_it(
    encrypted: Path, keyring: Keyring, tmp_path: Path
) -> None:
    envelope.decrypt_file(encrypted, tmp_path / "again", keyring, CONTEXT)
    assert (tmp_path / "plain").read_bytes() == (tmp_path / "again").read_bytes()
    assert 0o600 == sidecar(encrypted).stat().st_mode & 0o777


def test_every_file_has_a_key_of_its_own(encrypted: Path, keyring: Keyring, tmp_path: Path) -> None:
    envelope.encrypt_file(tmp_path / "plain", tmp_path / "other", keyring, CONTEXT)
    sidecar(tmp_path / "other").replace(sidecar(encrypted))
    with pytest.raises(WrongKey):
        envelope.decrypt_file(encrypted, tmp_path / "again", keyring, CONTEXT)
    assert not (tmp_path / "again").exists()


def test_rotation_writes_the_key_again_and_not_the_file(
    encrypted: Path, keyring: Keyring, tmp_path: Path
) -> None:
    before, size = encrypted.stat(), sidecar(encrypted).stat().st_size
    keyring.add("2027")
    assert envelope.rotate_file(encrypted, keyring, CONTEXT)
    assert not envelope.rotate_file(encrypted, keyring, CONTEXT), "again is nothing to do"
    keyring.destroy("2026")
    assert before == encrypted.stat()
    assert size == sidecar(encrypted).stat().st_size < 300
    envelope.decrypt_file(encrypted, tmp_path / "again", keyring, CONTEXT)
    assert (tmp_path / "plain").read_bytes() == (tmp_path / "again").read_bytes()


def test_a_rotation_that_fails_leaves_the_old_key(encrypted: Path, keyring: Keyring) -> None:
    before = sidecar(encrypted).read_bytes()
    keyring.add("2027")
    with pytest.raises(Tampered):
        envelope.rotate_file(encrypted, keyring, b"tenant 8")
    assert before == sidecar(encrypted).read_bytes()


def test_a_shredded_file_is_gone_and_a_copy_of_it_is_noise(
    encrypted: Path, keyring: Keyring, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(encrypted.read_bytes())
    envelope.shred_file(encrypted)
    envelope.shred_file(encrypted)  # to begin again is no error
    assert not encrypted.exists()
    with pytest.raises(FileNotFoundError):
        envelope.decrypt_file(copy, tmp_path / "again", keyring, CONTEXT)


def test_a_destroyed_kek_makes_noise_of_every_file_under_it(
    encrypted: Path, keyring: Keyring, tmp_path: Path
) -> None:
    keyring.add("2027")
    keyring.destroy("2026")
    with pytest.raises(WrongKey, match="if it was not destroyed"):
        envelope.decrypt_file(encrypted, tmp_path / "again", keyring, CONTEXT)


def test_a_file_that_is_there_is_not_replaced_and_keeps_its_key(
    encrypted: Path, keyring: Keyring, tmp_path: Path
) -> None:
    before = sidecar(encrypted).read_bytes()
    with pytest.raises(FileExistsError, match="encrypt to a new name"):
        envelope.encrypt_file(tmp_path / "plain", encrypted, keyring, CONTEXT)
    assert before == sidecar(encrypted).read_bytes()


def test_the_key_of_a_file_that_was_moved_away_is_not_replaced(
    encrypted: Path, keyring: Keyring, tmp_path: Path
) -> None:
    before = sidecar(encrypted).read_bytes()
    encrypted.rename(tmp_path / "moved")
    for source in ("plain", "missing"):
        with pytest.raises(FileExistsError, match=r"\.key is there already"):
            envelope.encrypt_file(tmp_path / source, encrypted, keyring, CONTEXT)
    assert before == sidecar(encrypted).read_bytes()


def test_a_failed_encryption_leaves_no_key_behind(tmp_path: Path, keyring: Keyring) -> None:
    with pytest.raises(FileNotFoundError):
        envelope.encrypt_file(tmp_path / "missing", tmp_path / "target", keyring)
    assert [] == list(tmp_path.iterdir())


def test_a_sidecar_that_was_cut_short_or_swapped_for_a_giant_is_told(encrypted: Path) -> None:
    whole = sidecar(encrypted).read_bytes()
    for content in (whole[:-3], b"", b"[" * 10_000_000):
        sidecar(encrypted).write_bytes(content)
        with pytest.raises(UnknownFormat):
            envelope.read_wrapped(encrypted)
