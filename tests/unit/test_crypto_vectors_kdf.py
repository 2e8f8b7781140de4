"""What makes keys and keeps passwords in question 3 gives what the RFCs print."""

import hashlib
from collections.abc import Callable
from typing import Any

import argon2.low_level as argon2
import bcrypt
import pytest
from Crypto.Hash import SHA1, SHA256
from Crypto.Protocol import KDF
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from tests.unit.conftest import Tally
from tests.unit.vectors import Block, Case, blocks, unhex, wycheproof

# -- Argon2id, RFC 9106 ---------------------------------------------------------------------------


def test_argon2id_of_argon2_cffi_and_cryptography_gives_what_is_printed(tally: Tally) -> None:
    # The first is RFC 9106's own, with a secret and associated data; the others, of the reference
    # implementation, have neither, and argon2-cffi's usual function makes them too.
    vectors = blocks("KDF/argon2id.txt")
    rfc = [block for block in vectors if "secret" in block]
    assert ["0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"] == [
        block["output"] for block in rfc
    ]
    for block in vectors:
        password, salt, expected = unhex(block, "pass", "salt", "output")
        secret, data = (bytes.fromhex(block.get(name, "")) for name in ("secret", "ad"))
        assert expected == with_secret(block, password, salt, secret, data), block["count"]
        if block not in rfc:
            assert expected == usual(block, password, salt), block["count"]
        theirs = Argon2id(
            salt=salt,
            length=int(block["length"]),
            iterations=int(block["iter"]),
            lanes=int(block["lanes"]),
            memory_cost=int(block["memcost"]),
            ad=data or None,
            secret=secret or None,
        )
        theirs.verify(password, expected)
    tally("Argon2id, argon2-cffi and cryptography", len(vectors), 6)


def usual(block: Block, password: bytes, salt: bytes) -> bytes:
    return argon2.hash_secret_raw(
        password,
        salt,
        time_cost=int(block["iter"]),
        memory_cost=int(block["memcost"]),
        parallelism=int(block["lanes"]),
        hash_len=int(block["length"]),
        type=argon2.Type.ID,
    )


def with_secret(block: Block, password: bytes, salt: bytes, secret: bytes, data: bytes) -> bytes:
    """By `argon2_ctx`, which alone of argon2-cffi takes a secret and associated data."""
    ffi = argon2.ffi
    length = int(block["length"])
    out = ffi.new("uint8_t[]", length)
    # What a pointer points at lives as long as its own variable.
    taken = [ffi.new("uint8_t[]", each) for each in (password, salt, secret, data)]
    context = ffi.new(
        "argon2_context *",
        {
            "out": out,
            "outlen": length,
            "version": argon2.ARGON2_VERSION,
            "pwd": taken[0],
            "pwdlen": len(password),
            "salt": taken[1],
            "saltlen": len(salt),
            "secret": taken[2] if secret else ffi.NULL,
            "secretlen": len(secret),
            "ad": taken[3] if data else ffi.NULL,
            "adlen": len(data),
            "t_cost": int(block["iter"]),
            "m_cost": int(block["memcost"]),
            "lanes": int(block["lanes"]),
            "threads": int(block["lanes"]),
            "allocate_cbk": ffi.NULL,
            "free_cbk": ffi.NULL,
            "flags": 0,
        },
    )
    code = argon2.core(context, argon2.Type.ID.value)
    assert 0 == code, argon2.error_to_str(code)
    return bytes(ffi.buffer(out, length))


# -- scrypt, RFC 7914 -----------------------------------------------------------------------------


def test_scrypt_gives_what_rfc_7914_prints_in_three_libraries(tally: Tally) -> None:
    # Without the fourth, which takes a gigabyte and four seconds, and shows nothing more.
    small = [block for block in blocks("KDF/scrypt.txt") if int(block["n"]) < 2**20]
    for block in small:
        password, salt, (expected,) = *texts(block), unhex(block, "derived_key")
        n, r, p, length = (int(block[name]) for name in ("n", "r", "p", "length"))
        assert expected == hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, dklen=length)
        Scrypt(salt, length, n, r, p).verify(password, expected)
        assert expected == KDF.scrypt(password, salt, length, n, r, p)
    tally("scrypt of RFC 7914, three libraries", len(small), 3)


def texts(block: Block) -> tuple[bytes, bytes]:
    """Password and salt, which these files print as text; `\\0` in it is a byte of zero."""
    return (
        block["password"].replace("\\0", "\0").encode(),
        block["salt"].replace("\\0", "\0").encode(),
    )


# -- PBKDF2, RFC 6070 and RFC 7914 ----------------------------------------------------------------

SHA_256_VECTORS = [
    # RFC 7914, section 11: password, salt, iterations, and the first 32 and the last 32 bytes.
    (
        (b"passwd", b"salt", 1),
        "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc",
        "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
    ),
    (
        (b"Password", b"NaCl", 80_000),
        "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56",
        "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d",
    ),
]


def test_pbkdf2_with_sha_256_gives_what_rfc_7914_prints_in_three_libraries(tally: Tally) -> None:
    for (password, salt, iterations), *printed in SHA_256_VECTORS:
        expected = bytes.fromhex("".join(printed))
        assert expected == hashlib.pbkdf2_hmac("sha256", password, salt, iterations, 64)
        PBKDF2HMAC(hashes.SHA256(), 64, salt, iterations).verify(password, expected)
        assert expected == KDF.PBKDF2(password, salt, 64, iterations, hmac_hash_module=SHA256)
    tally("PBKDF2-HMAC-SHA-256 of RFC 7914, three libraries", len(SHA_256_VECTORS), 2)


def test_pbkdf2_with_sha_1_gives_what_rfc_6070_prints_in_three_libraries(tally: Tally) -> None:
    # But for the one of 16,777,216 iterations, which takes seconds and shows nothing more.
    vectors = [
        block
        for block in blocks("KDF/rfc-6070-PBKDF2-SHA1.txt")
        if block["iterations"] != "16777216"
    ]
    for block in vectors:
        password, salt, (expected,) = *texts(block), unhex(block, "derived_key")
        iterations, length = int(block["iterations"]), int(block["length"])
        assert expected == hashlib.pbkdf2_hmac("sha1", password, salt, iterations, length)
        PBKDF2HMAC(hashes.SHA1(), length, salt, iterations).verify(password, expected)
        made = KDF.PBKDF2(password, salt, length, iterations, hmac_hash_module=SHA1)
        assert expected == made
    tally("PBKDF2-HMAC-SHA-1 of RFC 6070, three libraries", len(vectors), 5)


# -- HKDF, RFC 5869 -------------------------------------------------------------------------------


def by_pycryptodome(case: Case) -> bytes:
    size = int(case.test["size"])
    made = KDF.HKDF(case["ikm"], size, case["salt"], SHA256, context=case["info"])
    assert isinstance(made, bytes)
    return made


def by_cryptography(case: Case) -> bytes:
    size = int(case.test["size"])
    return HKDF(hashes.SHA256(), size, case["salt"], case["info"]).derive(case["ikm"])


@pytest.mark.parametrize("derive", [by_pycryptodome, by_cryptography])
def test_hkdf_with_sha_256_holds_every_vector(
    derive: Callable[[Case], bytes], tally: Tally
) -> None:
    cases = wycheproof("Protocol/hkdf_sha256")
    assert ["RFC 5869"] * 3 == [c.test["comment"] for c in cases if "5869" in c.test["comment"]]
    for case in cases:
        if case.valid:
            assert case["okm"] == derive(case), str(case)
        else:
            assert case.test["size"] > 255 * 32
            with pytest.raises(
                ValueError, match=r"Too much secret data|[Cc]annot derive keys larger|8160"
            ):
                derive(case)
    tally(f"HKDF-SHA-256, {derive.__name__.removeprefix('by_')}", len(cases), 86)


# -- bcrypt ---------------------------------------------------------------------------------------

OPENWALL: list[tuple[bytes, bytes]] = [
    # Openwall's crypt_blowfish 1.3, wrapper.c, of those with the prefix $2a$ or $2b$.
    (b"U*U", b"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    (b"U*U*", b"$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
    (b"U*U*U", b"$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
    (b"", b"$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"),
    (b"\xff\xff\xa3", b"$2a$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e"),
    (b"\xa3", b"$2a$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq"),
]


def test_bcrypt_gives_what_openwall_prints(tally: Tally) -> None:
    for password, printed in OPENWALL:
        assert printed == bcrypt.hashpw(password, printed[:29])
        assert bcrypt.checkpw(password, printed)
        assert not bcrypt.checkpw(password + b"x", printed)
    tally("bcrypt of Openwall, bcrypt", len(OPENWALL), 6)


def test_bcrypt_5_refuses_more_than_72_bytes() -> None:
    make: Any = bcrypt.hashpw
    assert make(b"a" * 72, b"$2b$04$" + b"." * 22).startswith(b"$2b$04$")
    with pytest.raises(ValueError, match="72 bytes"):
        make(b"a" * 73, b"$2b$04$" + b"." * 22)
