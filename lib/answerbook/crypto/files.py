"""A file of any size, encrypted so that nobody can read it, change it, reorder it or cut it off.

`answerbook encrypt` and `decrypt`, envelope.py and notebook 3_6 call this. Memory is constant: a
chunk or two. The key is 32 random bytes (`new_key`) or a passphrase, which Argon2id makes one of.

    file   = header  chunk … chunk
    header = 75 bytes: magic, version, algorithm, key source and its cost, salt, nonce prefix, key
             check (header.py has the table)
    chunk  = 4 bytes: its length, in the highest bit whether it is the last
             AES-256-GCM of up to 64 KiB, with a tag of 16 bytes

    key of the file, key check = HKDF-SHA-256(key or Argon2id(passphrase), salt)
    nonce of a chunk           = nonce prefix (7 bytes), its index (4), whether it is the last (1)
    associated data            = the header

Every chunk but the last has exactly 64 KiB. A file of exactly 64 KiB is one chunk, and an empty one
is one chunk of nothing: there always is a last one, so to cut off chunks is noticed. The length
before a chunk protects nothing; it tells a file that was cut short from one that was changed,
wherever the cut is. The file shows its size, give or take nothing, and that it is one of these.

No chunk's plaintext is given out before it has verified. `decrypt` on a stream gives out each as it
verifies, so what it wrote before an error is authentic, and is a beginning; `decrypt_verified` and
`decrypt_file` give out all or nothing.
"""

import os
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from answerbook.crypto import chunks
from answerbook.crypto.chunks import CHUNK_BYTES, FRAME_BYTES, TAG_BYTES, Progress, Reader, Writer
from answerbook.crypto.header import HEADER_BYTES, Header
from answerbook.crypto.keys import KEY_BYTES, Passphrase, Secret, new_key
from answerbook.crypto.replacing import replacing

__all__ = [
    "CHUNK_BYTES",
    "HEADER_BYTES",
    "KEY_BYTES",
    "SEALED_CHUNK_BYTES",
    "Header",
    "decrypt",
    "decrypt_file",
    "decrypt_verified",
    "encrypt",
    "encrypt_file",
    "encrypted_size",
    "new_key",
    "verify",
]

SEALED_CHUNK_BYTES = FRAME_BYTES + CHUNK_BYTES + TAG_BYTES
"""What every chunk but the last takes in the file; chunk i begins at 75 + i times this."""

Name = str | os.PathLike[str]


class SeekableReader(Reader, Protocol):
    """A stream that can be read twice."""

    def seek(self, offset: int, /) -> int: ...
    def tell(self) -> int: ...


def encrypt(
    reader: Reader,
    writer: Writer,
    *,
    key: bytes | None = None,
    passphrase: Passphrase | None = None,
    progress: Progress | None = None,
) -> None:
    """Encrypt all that `reader` gives, under `key` (32 bytes) or `passphrase`.

    `progress` is called with how many bytes were encrypted since its last call. Raises what the two
    streams raise, TypeError unless one of key and passphrase is given, ValueError for another
    length of key, OverflowError after 256 TiB.
    """
    header, cipher = Secret(key, passphrase).begin()
    packed = header.pack()
    chunks.write_all(writer, packed)
    chunks.seal(reader, writer, cipher, header.nonce_prefix, packed, progress or _nobody)


def decrypt(
    reader: Reader,
    writer: Writer,
    *,
    key: bytes | None = None,
    passphrase: Passphrase | None = None,
    progress: Progress | None = None,
) -> None:
    """Decrypt to `writer`, each chunk as it verifies.

    What was written is authentic, but only when this returns is it whole: on an error, throw it
    away. `progress` is called with how many bytes of `reader` were dealt with since its last call.
    Raises WrongKey, UnknownFormat, Tampered or its Truncated, and what the streams raise.
    """
    header, cipher = _begin(reader, Secret(key, passphrase))
    _open(reader, writer, header, cipher, progress or _nobody)


def verify(
    reader: Reader,
    *,
    key: bytes | None = None,
    passphrase: Passphrase | None = None,
    progress: Progress | None = None,
) -> int:
    """How many bytes the message has; raises as `decrypt` does. Nothing is written."""
    header, cipher = _begin(reader, Secret(key, passphrase))
    return _verify(reader, header, cipher, progress or _nobody)


def decrypt_verified(
    reader: SeekableReader,
    writer: Writer,
    *,
    key: bytes | None = None,
    passphrase: Passphrase | None = None,
    progress: Progress | None = None,
) -> None:
    """Verify the whole message, and only then decrypt it: `reader` is read twice.

    For a `writer` that cannot take back what it was given. `progress` hears of every byte twice.
    Each chunk is verified the second time as well, since the file may have been changed between.
    """
    header, cipher = _begin(reader, Secret(key, passphrase))
    first_chunk = reader.tell()
    _verify(reader, header, cipher, progress or _nobody)
    reader.seek(first_chunk)
    _open(reader, writer, header, cipher, progress or _nobody)


def encrypt_file(
    source: Name,
    target: Name,
    *,
    key: bytes | None = None,
    passphrase: Passphrase | None = None,
    progress: Progress | None = None,
) -> None:
    """Encrypt `source` into `target`, which is replaced at once when all is written, or not at all.

    They may be the same file. `target` gets mode 0600. Raises as `encrypt` does, and OSError.
    """
    with Path(source).open("rb", buffering=0) as reader, replacing(target) as writer:
        encrypt(reader, writer, key=key, passphrase=passphrase, progress=progress)


def decrypt_file(
    source: Name,
    target: Name,
    *,
    key: bytes | None = None,
    passphrase: Passphrase | None = None,
    progress: Progress | None = None,
) -> None:
    """Decrypt `source` into `target`, which is replaced when all has verified, or not at all.

    On an error no plaintext is left anywhere. `target` gets mode 0600. Raises as `decrypt` does,
    and OSError.
    """
    with Path(source).open("rb", buffering=0) as reader, replacing(target) as writer:
        decrypt(reader, writer, key=key, passphrase=passphrase, progress=progress)


def encrypted_size(plaintext_bytes: int) -> int:
    """How many bytes a file has when it is encrypted."""
    count = max(1, -(-plaintext_bytes // CHUNK_BYTES))
    return HEADER_BYTES + plaintext_bytes + count * (FRAME_BYTES + TAG_BYTES)


def _begin(reader: Reader, secret: Secret) -> tuple[Header, AESGCM]:
    header = Header.unpack(chunks.read_exactly(reader, HEADER_BYTES))
    return header, secret.fit(header)


def _open(
    reader: Reader, writer: Writer, header: Header, cipher: AESGCM, progress: Progress
) -> None:
    for chunk in chunks.open_all(reader, cipher, header.nonce_prefix, header.pack(), progress):
        chunks.write_all(writer, chunk)


def _verify(reader: Reader, header: Header, cipher: AESGCM, progress: Progress) -> int:
    opened = chunks.open_all(reader, cipher, header.nonce_prefix, header.pack(), progress)
    return sum(map(len, opened))


def _nobody(_: int) -> None:
    """Nobody wants to see progress."""
