"""The hashes of question 3 and HMAC give what NIST and the RFCs print, in all three libraries.

Wycheproof has vectors of HMAC, too; neither of the two packages ships them.
"""

import hashlib
import hmac
import re
from collections.abc import Callable

import pytest
from Crypto.Hash import (
    HMAC,
    MD5,
    SHA1,
    SHA3_256,
    SHA3_512,
    SHA256,
    SHA512,
    SHAKE128,
    BLAKE2b,
    BLAKE2s,
)
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC as THEIR_HMAC

from tests.unit.conftest import Tally
from tests.unit.vectors import PYCRYPTODOME, blocks, message, unhex

Digest = Callable[[bytes], bytes]


def cryptography(algorithm: hashes.HashAlgorithm) -> Digest:
    def digest(content: bytes) -> bytes:
        one = hashes.Hash(algorithm)
        one.update(content)
        return one.finalize()

    return digest


HASHES: dict[str, list[Digest]] = {
    "MD5": [
        lambda content: hashlib.md5(content).digest(),
        lambda content: MD5.new(content).digest(),
        cryptography(hashes.MD5()),
    ],
    "SHA-1": [
        lambda content: hashlib.sha1(content).digest(),
        lambda content: SHA1.new(content).digest(),
        cryptography(hashes.SHA1()),
    ],
    "SHA-256": [
        lambda content: hashlib.sha256(content).digest(),
        lambda content: SHA256.new(content).digest(),
        cryptography(hashes.SHA256()),
    ],
    "SHA-512": [
        lambda content: hashlib.sha512(content).digest(),
        lambda content: SHA512.new(content).digest(),
        cryptography(hashes.SHA512()),
    ],
    "SHA3-256": [
        lambda content: hashlib.sha3_256(content).digest(),
        lambda content: SHA3_256.new(content).digest(),
        cryptography(hashes.SHA3_256()),
    ],
    "SHA3-512": [
        lambda content: hashlib.sha3_512(content).digest(),
        lambda content: SHA3_512.new(content).digest(),
        cryptography(hashes.SHA3_512()),
    ],
    "BLAKE2b": [
        lambda content: hashlib.blake2b(content).digest(),
        lambda content: BLAKE2b.new(data=content, digest_bits=512).digest(),
        cryptography(hashes.BLAKE2b(64)),
    ],
    "BLAKE2s": [
        lambda content: hashlib.blake2s(content).digest(),
        lambda content: BLAKE2s.new(data=content, digest_bits=256).digest(),
        cryptography(hashes.BLAKE2s(32)),
    ],
}
"""By hashlib, by pycryptodome, by `cryptography`."""


@pytest.mark.parametrize(
    ("name", "paths", "known"),
    [
        ("MD5", ("MD5/rfc-1321",), 7),
        ("SHA-1", ("SHA1/SHA1ShortMsg", "SHA1/SHA1LongMsg"), 129),
        ("SHA-256", ("SHA2/SHA256ShortMsg", "SHA2/SHA256LongMsg"), 129),
        ("SHA-512", ("SHA2/SHA512ShortMsg", "SHA2/SHA512LongMsg"), 257),
        ("SHA3-256", ("SHA3/SHA3_256ShortMsg", "SHA3/SHA3_256LongMsg"), 237),
        ("SHA3-512", ("SHA3/SHA3_512ShortMsg", "SHA3/SHA3_512LongMsg"), 173),
        ("BLAKE2b", ("blake2/blake2b",), 7),
        ("BLAKE2s", ("blake2/blake2s",), 7),
    ],
)
def test_a_hash_gives_what_is_printed_in_hashlib_and_both_libraries(
    name: str, paths: tuple[str, ...], known: int, tally: Tally
) -> None:
    held = 0
    for path in paths:
        folder, _, file = path.partition("/")
        ending = "rsp" if folder.startswith("SHA") else "txt"
        for block in blocks(f"hashes/{folder}/{file}.{ending}"):
            if "md" not in block:
                continue
            for digest in HASHES[name]:
                assert unhex(block, "md") == [digest(message(block))], (path, block["len"])
            held += 1
    tally(f"{name}, three libraries", held, known)


def test_shake_gives_as_much_as_is_asked_for_and_what_nist_prints(tally: Tally) -> None:
    held = 0
    for name in ("ShortMsg", "VariableOut"):
        for block in blocks(f"hashes/SHAKE/SHAKE128{name}.rsp"):
            if "output" not in block:
                continue
            content = message(block) if "len" in block else unhex(block, "msg")[0]
            (expected,) = unhex(block, "output")
            size = len(expected)
            theirs = cryptography(hashes.SHAKE128(size))
            assert expected == hashlib.shake_128(content).digest(size) == theirs(content)
            assert expected == SHAKE128.new(content).read(size)
            held += 1
    tally("SHAKE128, three libraries", held, 1_463)


def test_a_hundred_times_a_thousand_sha_256_in_a_row_end_where_nist_says(tally: Tally) -> None:
    # SHAVS, "Monte Carlo": each digest is of the three before it.
    seeded, *checkpoints = blocks("hashes/SHA2/SHA256Monte.rsp")
    (seed,) = unhex(seeded, "seed")
    for checkpoint in checkpoints:
        last = [seed, seed, seed]
        for _ in range(1_000):
            last = [*last[1:], hashlib.sha256(b"".join(last)).digest()]
        seed = last[-1]
        assert unhex(checkpoint, "md") == [seed], checkpoint["count"]
    tally("SHA-256 Monte Carlo, hashlib", len(checkpoints), 100)


def test_keyed_blake2_gives_what_its_authors_print(tally: Tally) -> None:
    held = 0
    for name, ours in (("BLAKE2b", hashlib.blake2b), ("BLAKE2s", hashlib.blake2s)):
        text = (PYCRYPTODOME / "Hash" / name / f"{name.lower()}-test.txt").read_text()
        values = [bytes.fromhex(value) for value in re.findall(r"\w+:\t([0-9a-f]*)", text)]
        for content, key, digest in zip(*[iter(values)] * 3, strict=True):
            assert digest == ours(content, key=key).digest()
            held += 1
    tally("BLAKE2 with a key, hashlib", held, 512)


@pytest.mark.parametrize("name", ["sha256", "sha512"])
def test_hmac_gives_what_rfc_4231_prints_in_hashlib_and_both_libraries(
    name: str, tally: Tally
) -> None:
    held = 0
    for block in blocks(f"HMAC/rfc-4231-{name}.txt"):
        key, expected = unhex(block, "key", "md")
        content = message(block)
        theirs = THEIR_HMAC(key, getattr(hashes, name.upper())())
        theirs.update(content)
        theirs.verify(expected)
        module = {"sha256": SHA256, "sha512": SHA512}[name]
        assert expected == hmac.digest(key, content, name)
        assert expected == HMAC.new(key, content, module).digest()
        held += 1
    tally(f"HMAC-SHA-{name[3:]} of RFC 4231, three libraries", held, 6)
