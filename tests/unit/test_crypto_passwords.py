"""Passwords: hashed, verified, hashed again, wrapped and peppered; primitives by their vectors."""

import base64
import contextlib
import hashlib
import json
import re
import secrets
from dataclasses import replace
from pathlib import Path

import argon2
import bcrypt
import cryptography_vectors
import pytest
from argon2.low_level import core, ffi, hash_secret_raw
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given, settings
from hypothesis import strategies as st

from answerbook.crypto import passwords
from answerbook.crypto.errors import CryptoError
from answerbook.crypto.passwords import (
    OWASP,
    RFC_9106_SECOND,
    PasswordError,
    Peppers,
    TamperedHash,
    UnknownHash,
    UnknownPepper,
    hash_password,
    needs_rehash,
    rotate_pepper,
    verify,
    wrap_md5,
)

QUICK = replace(OWASP, memory_cost=8, time_cost=1)
"""Argon2's least, so that a test takes no time. What is looked at here does not depend on it."""


def md5(password: str) -> str:
    return hashlib.md5(password.encode()).hexdigest()


def peppers(*names: str, primary: str | None = None, accept_bare: bool = False) -> Peppers:
    keys = {name: secrets.token_bytes(32) for name in names}
    return Peppers(keys, primary or names[-1], accept_bare=accept_bare)


# -- hash and verify ---------------------------------------------------------------------------


def test_default_is_argon2id_as_owasp_has_it_at_least() -> None:
    stored = hash_password("correct horse")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    salt, tag = stored.split("$")[4:]
    assert (16, 32) == tuple(len(base64.b64decode(part + "==")) for part in (salt, tag))
    assert verify("correct horse", stored)
    assert not verify("correct horse ", stored)


def test_second_choice_of_rfc_9106_has_64_mib_three_passes_and_four_lanes() -> None:
    stored = hash_password("correct horse", RFC_9106_SECOND)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert verify("correct horse", stored)


def test_same_password_is_stored_differently_each_time() -> None:
    assert 20 == len({hash_password("same", QUICK).split("$")[4] for _ in range(20)})


anything = st.text(st.characters(), max_size=200)
"""Lone surrogates, too, which a body of JSON may hold."""


@settings(max_examples=200, deadline=None)
@given(anything, anything)
def test_any_text_is_a_password_and_matches_itself_alone(one: str, other: str) -> None:
    stored = hash_password(one, QUICK)
    assert verify(one, stored)
    same = passwords._encoded(one) == passwords._encoded(other)
    assert same == verify(other, stored)


def test_password_may_be_empty_hold_nul_and_be_long() -> None:
    for password in ("", "a\0b", "x" * 100_000):
        assert verify(password, hash_password(password, QUICK))
    assert not verify("a\0c", hash_password("a\0b", QUICK))
    assert not verify("x" * 72 + "z", hash_password("x" * 72 + "y", QUICK))


def test_accent_is_the_same_however_the_keyboard_composes_it() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    assert composed != decomposed
    assert verify(decomposed, hash_password(composed, QUICK))
    assert verify(composed, hash_password(decomposed, QUICK))
    # NFC, and not NFKC: what only looks alike stays apart.
    assert not verify("2", hash_password("²", QUICK))


def test_hashes_that_argon2_cffi_makes_itself_are_verified() -> None:
    for kind in argon2.Type:
        hasher = argon2.PasswordHasher(1, 8, 1, type=kind)
        assert verify("swordfish", hasher.hash("swordfish"))


# -- what is stored is not trusted -------------------------------------------------------------


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "swordfish",
        md5("swordfish"),
        "md5" + md5("swordfish"),
        "$2b$10$" + "a" * 53,
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21l",
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21l$QUJDRA\n",
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21l$QUJDRA\0",
        "$argon2id$v=19$t=1,m=8,p=1$c29tZXNhbHRzb21l$QUJDRA",
        "$argon2id$v=19$m=٨,t=1,p=1$c29tZXNhbHRzb21l$QUJDRA",
        "md5md5$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21l$QUJDRA",
    ],
)
def test_what_is_no_hash_of_ours_is_refused_by_name(stored: str) -> None:
    with pytest.raises(UnknownHash):
        verify("swordfish", stored)
    with pytest.raises(UnknownHash):
        needs_rehash(stored)


@pytest.mark.parametrize("asked", ["m=2097153,t=1,p=1", "m=8,t=65,p=1", "m=1024,t=1,p=65"])
def test_stored_hash_cannot_ask_for_a_terabyte(asked: str) -> None:
    with pytest.raises(UnknownHash, match="asks for"):
        verify("a", f"$argon2id$v=19${asked}$c29tZXNhbHRzb21l$QUJDREVGR0g")


def test_hash_that_could_not_be_verified_is_not_made() -> None:
    with pytest.raises(ValueError, match="verified"):
        hash_password("a", replace(OWASP, time_cost=65))


def test_argon2_that_fails_is_an_error_and_no_wrong_password() -> None:
    with pytest.raises(PasswordError, match="could not compare"):
        verify("a", "$argon2id$v=19$m=1,t=1,p=1$c29tZXNhbHRzb21l$QUJDREVGR0g")
    with pytest.raises(PasswordError, match="could not hash"):
        hash_password("a", replace(QUICK, memory_cost=1))


def test_every_error_is_one_of_the_packages() -> None:
    assert all(issubclass(kind, PasswordError) for kind in (UnknownHash, UnknownPepper))
    assert issubclass(TamperedHash, PasswordError)
    assert issubclass(PasswordError, CryptoError)


looks_like_ours = st.from_regex(
    re.compile(
        r"(md5)?\$argon2(id|i|d)\$(v=\d{1,3}\$)?m=\d{1,3},t=[0-3],p=[0-3]"
        r"\$[A-Za-z0-9+/]{1,40}\$[A-Za-z0-9+/]{1,40}",
        re.ASCII,
    ),
    fullmatch=True,
)
looks_peppered = st.from_regex(
    re.compile(r"pepper\$[A-Za-z0-9]{1,5}\$[A-Za-z0-9_=-]{0,60}", re.ASCII)
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(anything, looks_like_ours, looks_peppered), st.booleans())
def test_garbage_raises_nothing_but_the_named_errors(stored: str, peppered: bool) -> None:
    key = Peppers({"a": b"k" * 32}, "a", accept_bare=True) if peppered else None
    with contextlib.suppress(PasswordError):
        assert verify("a", stored, peppers=key) in (True, False)
    with contextlib.suppress(PasswordError):
        assert needs_rehash(stored, peppers=key) in (True, False)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_one_changed_character_never_lets_another_password_in(data: st.DataObject) -> None:
    stored = hash_password("right", QUICK)
    # Behind the parameters: to change these is to ask for more work, not another answer.
    place = data.draw(st.integers(stored.rindex(",p=1$") + 5, len(stored) - 1))
    other = data.draw(st.sampled_from("ABCxyz019+/$"))
    changed = stored[:place] + other + stored[place + 1 :]
    with contextlib.suppress(PasswordError):
        assert not verify("wrong", changed)
        assert verify("right", changed) == (changed == stored)


# -- hash again --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "weaker",
    [
        replace(OWASP, memory_cost=19_455),
        replace(OWASP, time_cost=1),
        replace(OWASP, salt_len=15),
        replace(OWASP, hash_len=31),
    ],
)
def test_hash_with_less_of_anything_is_to_be_made_anew(weaker: argon2.Parameters) -> None:
    assert needs_rehash(hash_password("a", weaker))


def test_current_hash_stays_and_so_does_a_stronger_one() -> None:
    assert not needs_rehash(hash_password("a"))
    for stronger in (
        replace(OWASP, memory_cost=20_000),
        replace(OWASP, time_cost=3),
        replace(OWASP, parallelism=2),
    ):
        assert not needs_rehash(hash_password("a", stronger))
    assert not needs_rehash(hash_password("a", RFC_9106_SECOND))
    assert needs_rehash(hash_password("a"), RFC_9106_SECOND)


def test_other_kind_and_older_version_of_argon2_are_to_be_made_anew() -> None:
    for kind in (argon2.Type.I, argon2.Type.D):
        assert needs_rehash(hash_password("a", replace(QUICK, type=kind)), QUICK)
    current = hash_password("a", QUICK)
    assert needs_rehash(current.replace("v=19$", "v=16$"), QUICK)
    assert needs_rehash(current.replace("v=19$", ""), QUICK)


# -- wrapped MD5 -------------------------------------------------------------------------------


def test_owner_of_a_wrapped_md5_logs_in_with_the_old_password() -> None:
    stored = wrap_md5(md5("swordfish"))
    assert stored.startswith("md5$argon2id$v=19$m=19456,t=2,p=1$")
    assert md5("swordfish") not in stored
    assert verify("swordfish", stored)
    assert not verify("Swordfish", stored)


def test_md5_itself_is_no_password_for_what_it_is_wrapped_in() -> None:
    digest = md5("swordfish")
    assert not verify(digest, wrap_md5(digest, QUICK))
    # Nor is a wrapped hash taken for one of the digest, or the other way round.
    unwrapped = wrap_md5(digest, QUICK).removeprefix("md5")
    assert not verify("swordfish", unwrapped)
    assert not verify("swordfish", "md5" + hash_password("swordfish", QUICK))


def test_wrapped_md5_is_to_be_made_anew_whatever_its_parameters() -> None:
    assert needs_rehash(wrap_md5(md5("a"), RFC_9106_SECOND))


def test_digits_of_either_case_are_the_same_md5() -> None:
    assert verify("swordfish", wrap_md5(md5("swordfish").upper(), QUICK))


def test_md5_was_made_of_the_password_as_it_came() -> None:
    decomposed = "cafe\u0301"
    stored = wrap_md5(md5(decomposed), QUICK)
    assert verify(decomposed, stored)
    assert not verify("caf\u00e9", stored)


@pytest.mark.parametrize("digest", ["", "0" * 31, "0" * 33, "g" * 32, "0" * 32 + "\n", "٠" * 32])
def test_what_is_no_md5_is_not_wrapped(digest: str) -> None:
    with pytest.raises(ValueError, match="32 digits"):
        wrap_md5(digest, QUICK)


# -- pepper ------------------------------------------------------------------------------------


def test_peppered_hash_shows_its_peppers_id_and_nothing_else() -> None:
    keys = peppers("2026-01")
    stored = hash_password("a", QUICK, peppers=keys, owner="7")
    assert re.fullmatch(r"pepper\$2026-01\$[A-Za-z0-9_=-]+", stored)
    assert verify("a", stored, peppers=keys, owner="7")
    assert not verify("b", stored, peppers=keys, owner="7")
    assert not needs_rehash(stored, QUICK, peppers=keys, owner="7")
    assert needs_rehash(stored, OWASP, peppers=keys, owner="7")


def test_without_the_pepper_even_the_right_password_says_nothing() -> None:
    keys = peppers("one")
    stored = hash_password("a", QUICK, peppers=keys)
    with pytest.raises(UnknownPepper, match="one"):
        verify("a", stored)
    with pytest.raises(UnknownPepper, match="one"):
        verify("a", stored, peppers=peppers("two"))
    with pytest.raises(TamperedHash):
        verify("a", stored, peppers=peppers("one"))


def test_hash_that_is_copied_to_another_owner_is_refused() -> None:
    keys = peppers("one")
    mine = hash_password("known to me", QUICK, peppers=keys, owner="mallory")
    with pytest.raises(TamperedHash, match="another row"):
        verify("known to me", mine, peppers=keys, owner="admin")


def test_hash_without_a_pepper_is_refused_where_peppers_are_used() -> None:
    keys = peppers("one")
    bare = hash_password("known to me", QUICK)
    assert verify("known to me", bare)
    with pytest.raises(UnknownPepper, match="rotate_pepper"):
        verify("known to me", bare, peppers=keys)
    lenient = replace(keys, accept_bare=True)
    assert verify("known to me", bare, peppers=lenient)
    assert needs_rehash(bare, QUICK, peppers=lenient)


def test_pepper_is_added_and_rotated_without_a_password() -> None:
    keys = peppers("old", "new", primary="old")
    for bare in (hash_password("a", QUICK), wrap_md5(md5("a"), QUICK)):
        first = rotate_pepper(bare, keys, owner="7")
        assert first.startswith("pepper$old$")
        assert first == rotate_pepper(first, keys, owner="7")
        newer = replace(keys, primary="new")
        second = rotate_pepper(first, newer, owner="7")
        assert second.startswith("pepper$new$")
        assert needs_rehash(first, QUICK, peppers=newer, owner="7")
        alone = Peppers({"new": keys.keys["new"]}, "new")
        assert verify("a", second, peppers=alone, owner="7")
        assert needs_rehash(second, QUICK, peppers=alone, owner="7") == bare.startswith("md5")


def test_wrapped_md5_can_be_peppered_at_once() -> None:
    keys = peppers("one")
    stored = wrap_md5(md5("a"), QUICK, peppers=keys, owner="7")
    assert verify("a", stored, peppers=keys, owner="7")
    assert needs_rehash(stored, QUICK, peppers=keys, owner="7")


def test_id_of_the_pepper_is_bound_to_the_hash() -> None:
    key = secrets.token_bytes(32)
    both = Peppers({"one": key, "two": key}, "one")
    stored = hash_password("a", QUICK, peppers=both)
    with pytest.raises(TamperedHash):
        verify("a", stored.replace("pepper$one$", "pepper$two$"), peppers=both)


@settings(max_examples=100, deadline=None)
@given(st.integers(0), st.integers(1, 255))
def test_any_changed_byte_of_a_peppered_hash_is_noticed(place: int, change: int) -> None:
    keys = peppers("one")
    head, _, text = hash_password("a", QUICK, peppers=keys).rpartition("$")
    sealed = bytearray(base64.urlsafe_b64decode(text))
    sealed[place % len(sealed)] ^= change
    changed = f"{head}${base64.urlsafe_b64encode(bytes(sealed)).decode()}"
    with pytest.raises(TamperedHash):
        verify("a", changed, peppers=keys)


def test_same_hash_is_sealed_differently_each_time() -> None:
    keys, bare = peppers("one"), hash_password("a", QUICK)
    assert 20 == len({rotate_pepper(bare, keys) for _ in range(20)})


@pytest.mark.parametrize(
    ("keys", "primary", "said"),
    [
        ({"one": b"short"}, "one", "32"),
        ({"one": b"k" * 32}, "two", "primary"),
        ({}, "one", "primary"),
        ({"o$e": b"k" * 32}, "o$e", "id"),
        ({"": b"k" * 32}, "", "id"),
    ],
)
def test_peppers_that_cannot_be_are_refused(
    keys: dict[str, bytes], primary: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Peppers(keys, primary)


def test_peppers_do_not_show_their_keys() -> None:
    assert "kkkk" not in repr(Peppers({"one": b"k" * 32}, "one"))


# -- primitives, by published vectors ----------------------------------------------------------


def argon2_vectors() -> list[dict[str, str]]:
    """Of RFC 9106, of OpenSSL and of the reference program, as `cryptography` publishes them."""
    path = Path(cryptography_vectors.__file__).parent / "KDF" / "argon2id.txt"
    found: list[dict[str, str]] = []
    for line in path.read_text().splitlines():
        name, equals, value = (part.strip() for part in line.partition("="))
        if name == "COUNT":
            found.append({})
        elif equals and not line.startswith("#"):
            found[-1][name] = value
    return found


def computed(vector: dict[str, str]) -> bytes:
    """By argon2-cffi's own library, through the call that takes a secret and associated data."""
    given = {name: bytes.fromhex(vector.get(name, "")) for name in ("pass", "salt", "secret", "ad")}
    kept = {name: ffi.new("uint8_t[]", value or b"\0") for name, value in given.items()}
    out = ffi.new("uint8_t[]", int(vector["length"]))
    context = ffi.new("argon2_context *")
    context.out, context.outlen = out, int(vector["length"])
    context.pwd, context.pwdlen = kept["pass"], len(given["pass"])
    context.salt, context.saltlen = kept["salt"], len(given["salt"])
    context.secret, context.secretlen = kept["secret"], len(given["secret"])
    context.ad, context.adlen = kept["ad"], len(given["ad"])
    context.t_cost, context.m_cost = int(vector["iter"]), int(vector["memcost"])
    context.lanes = context.threads = int(vector["lanes"])
    context.version = argon2.low_level.ARGON2_VERSION
    assert 0 == core(context, argon2.Type.ID.value), "ARGON2_OK"
    return bytes(ffi.buffer(out))


def test_argon2id_gives_the_published_answers_with_that_of_rfc_9106_first() -> None:
    vectors = argon2_vectors()
    rfc = vectors[0]
    assert ("03" * 8, "04" * 12) == (rfc["secret"], rfc["ad"])
    assert rfc["output"].startswith("0d640df58d78766c08c037a34a8b53c9d01ef045")
    agreed = [computed(vector).hex() for vector in vectors]
    assert [vector["output"] for vector in vectors] == agreed
    print(f"{len(vectors)} published vectors of Argon2id")
    assert len(vectors) >= 6


def test_second_implementation_agrees_at_the_parameters_that_are_used() -> None:
    salt = secrets.token_bytes(16)
    for used in (OWASP, RFC_9106_SECOND):
        ours = hash_secret_raw(
            b"password", salt, used.time_cost, used.memory_cost, used.parallelism, 32, used.type
        )
        other = Argon2id(
            salt=salt,
            length=32,
            iterations=used.time_cost,
            lanes=used.parallelism,
            memory_cost=used.memory_cost,
        )
        assert other.derive(b"password") == ours


def test_scrypt_and_pbkdf2_give_the_answers_of_rfc_7914() -> None:
    scrypt = hashlib.scrypt(b"password", salt=b"NaCl", n=1024, r=8, p=16, dklen=64)
    assert scrypt.hex().startswith(
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
    )
    pbkdf2 = hashlib.pbkdf2_hmac("sha256", b"passwd", b"salt", 1, 64)
    assert pbkdf2.hex().startswith(
        "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
    )


def test_bcrypt_gives_the_published_answers() -> None:
    # Of Openwall's crypt_blowfish, whose tests every implementation took over.
    for password, stored in {
        b"U*U": b"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        b"U*U*": b"$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
        b"U*U*U": b"$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
        b"": b"$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy",
    }.items():
        assert stored == bcrypt.hashpw(password, stored)


def test_bcrypt_refuses_more_than_72_bytes_instead_of_cutting_them_off() -> None:
    salt = bcrypt.gensalt(4)
    assert bcrypt.hashpw(b"a" * 72, salt)
    with pytest.raises(ValueError, match="72 bytes"):
        bcrypt.hashpw(b"a" * 73, salt)


def test_stored_hash_goes_through_json_unchanged() -> None:
    keys = peppers("one")
    for stored in (hash_password("é", QUICK), hash_password("é", QUICK, peppers=keys)):
        assert stored.isascii()
        assert stored == json.loads(json.dumps(stored))
