"""The format as it is documented: files of yesterday, and another library that reads it."""

import io
import os
from pathlib import Path

from argon2.low_level import Type, hash_secret_raw
from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF

from answerbook.crypto import files
from answerbook.crypto.files import HEADER_BYTES
from tests.unit.encrypted import KEY, SIZES, parts, sealed

PLAINTEXT = b"Attack at dawn."
KEY_OF_THE_FIRST = bytes(range(32))
PASSPHRASE = "correct horse battery staple"

# Written by version 1, and to be read by every version that comes.
UNDER_A_KEY = (
    "8941424b0d0a1a0a010100000000000000000000c103f5985eaee36487aa38f7"
    "f0b521ed420cab5ef05a5b1babca6d0c7f9e2d6c62d84b488c7bce47b7f2646a"
    "8eabf77e61e2788edb4ad58000000f408cdda2bd85c6b0792610f14e7ded5058"
    "5b2b02a138bddf41e5946bd74b0c"
)
UNDER_A_PASSPHRASE = (
    "8941424b0d0a1a0a0101010400010000000000036da98871c45b0f078de57611"
    "bf707f961e9d940312abc57bf25cacb83e3bbf7bd8ef6577914c576ac4e398e7"
    "6cdd626d43298df6ffa3f08000000ffc5894e5a5fa9b2d5724d7f1c39b937816"
    "9457ef05de5e1f0f2699ad161987"
)


def test_files_of_version_1_are_read() -> None:
    writer = io.BytesIO()
    files.decrypt(io.BytesIO(bytes.fromhex(UNDER_A_KEY)), writer, key=KEY_OF_THE_FIRST)
    files.decrypt(io.BytesIO(bytes.fromhex(UNDER_A_PASSPHRASE)), writer, passphrase=PASSPHRASE)
    assert 2 * PLAINTEXT == writer.getvalue()


def test_another_library_reads_a_file_by_its_documentation() -> None:
    for size in SIZES:
        plaintext = os.urandom(size)
        assert plaintext == read_by_the_book(sealed(plaintext), KEY)


def test_another_library_reads_a_file_under_a_passphrase_by_its_documentation() -> None:
    message = bytes.fromhex(UNDER_A_PASSPHRASE)
    memory, passes, lanes = 65_536, 3, 4  # RFC 9106, section 4, the second choice
    assert message[10:20] == bytes([1, lanes]) + memory.to_bytes(4) + passes.to_bytes(4)
    key = hash_secret_raw(PASSPHRASE.encode(), message[20:36], passes, memory, lanes, 32, Type.ID)
    assert PLAINTEXT == read_by_the_book(message, key)


def read_by_the_book(message: bytes, key: bytes) -> bytes:
    """As files.py and header.py say it, with pycryptodome's AES-GCM and HKDF."""
    header, *chunks = parts(message)
    assert b"\x89ABK\r\n\x1a\n\x01\x01" == header[:10]
    assert HEADER_BYTES == len(header) == 75
    salt, prefix, check = header[20:36], header[36:43], header[43:]
    info = b"answerbook file, version 1, AES-256-GCM: key and key check"
    both = HKDF(key, 64, salt, SHA256, context=info)
    assert isinstance(both, bytes)
    assert check == both[32:]
    plaintext = b""
    for index, chunk in enumerate(chunks):
        last = index == len(chunks) - 1
        length = len(chunk) - 4 - 16
        assert chunk[:4] == (length + last * 2**31).to_bytes(4)
        nonce = prefix + index.to_bytes(4) + bytes([last])
        cipher = AES.new(both[:32], AES.MODE_GCM, nonce=nonce)
        cipher.update(header)
        plaintext += cipher.decrypt_and_verify(chunk[4:-16], chunk[-16:])
    return plaintext


def test_the_documented_layout_is_that_of_the_code() -> None:
    from answerbook.crypto import header

    documented = [
        (int(words[0]), int(words[1]))
        for line in (header.__doc__ or "").splitlines()
        if len(words := line.split()) > 2 and words[0].isdecimal() and words[1].isdecimal()
    ]
    assert 10 == len(documented)
    assert [0] + [sum(size for _, size in documented[:n]) for n in range(1, 10)] == [
        offset for offset, _ in documented
    ]
    assert HEADER_BYTES == sum(size for _, size in documented)
    assert Path(header.__file__).name in (files.__doc__ or "")
