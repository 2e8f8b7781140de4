"""The header of an encrypted file: 75 bytes, big-endian, before the chunks; files.py reads it.

    offset  bytes
         0      8   magic: 89 41 42 4B 0D 0A 1A 0A
         8      1   version: 1
         9      1   algorithm: 1 = AES-256-GCM
        10      1   key source: 0 = a key of 32 bytes, 1 = a passphrase, through Argon2id
        11      1   Argon2id's lanes             (these three are zero where there is
        12      4   Argon2id's memory, KiB        no passphrase)
        16      4   Argon2id's passes
        20     16   salt, random: no two files share a key
        36      7   nonce prefix, random
        43     32   key check: tells a wrong key from a changed file, and commits to the key

The magic is PNG's idea: its first byte is no text, and its line ends do not survive a transfer that
"corrects" them. Nothing here is secret. Every chunk is sealed with all of it as associated data.
"""

import struct
from dataclasses import dataclass
from typing import Self

from answerbook.crypto.errors import Truncated, UnknownFormat

MAGIC = b"\x89ABK\r\n\x1a\n"
VERSION = 1
AES_256_GCM = 1
KEY, PASSPHRASE = 0, 1
SALT_BYTES, PREFIX_BYTES, CHECK_BYTES = 16, 7, 32

LAYOUT = struct.Struct(f">8sBBBBII{SALT_BYTES}s{PREFIX_BYTES}s{CHECK_BYTES}s")
HEADER_BYTES = LAYOUT.size


@dataclass(frozen=True)
class Argon2Cost:
    """What one guess at a passphrase costs. Default: the second choice of RFC 9106, section 4."""

    memory_kib: int = 65_536
    passes: int = 3
    lanes: int = 4

    def is_allowed(self) -> bool:
        """Whether Argon2id takes it, and a file may ask it of whoever opens it (at most 1 GiB)."""
        return (
            1 <= self.lanes <= 16
            and 1 <= self.passes <= 16
            and 8 * self.lanes <= self.memory_kib <= 1_048_576
        )


@dataclass(frozen=True)
class Header:
    """What stands before the chunks. `cost` is None where the key is no passphrase."""

    cost: Argon2Cost | None
    salt: bytes
    nonce_prefix: bytes
    key_check: bytes

    def pack(self) -> bytes:
        """Its bytes in the file, which are also every chunk's associated data."""
        cost = self.cost or Argon2Cost(0, 0, 0)
        return LAYOUT.pack(
            MAGIC,
            VERSION,
            AES_256_GCM,
            PASSPHRASE if self.cost else KEY,
            cost.lanes,
            cost.memory_kib,
            cost.passes,
            self.salt,
            self.nonce_prefix,
            self.key_check,
        )

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Read what a file begins with, all that it has up to 75 bytes.

        Raises UnknownFormat, or Truncated where the file ends inside of a header.
        """
        if not data.startswith(MAGIC):
            raise UnknownFormat(_NOTHING if not data else _OTHER)
        if len(data) < HEADER_BYTES:
            raise Truncated(
                "It ends inside its header: it was cut short. Get it again from where it came from."
            )
        _, version, algorithm, source, lanes, memory, passes, *rest = LAYOUT.unpack(data)
        if version != VERSION or algorithm != AES_256_GCM:
            raise UnknownFormat(
                f"It says version {version} and algorithm {algorithm}, and this program knows only "
                "version 1 with algorithm 1. Use the newer program that made it."
            )
        cost = Argon2Cost(memory, passes, lanes)
        if source == KEY and cost == Argon2Cost(0, 0, 0):
            return cls(None, *rest)
        if source == PASSPHRASE and cost.is_allowed():
            return cls(cost, *rest)
        raise UnknownFormat(
            f"Its header asks for a key of kind {source}, with {memory} KiB, {passes} passes and "
            f"{lanes} lanes of Argon2id, which no version of this program wrote. Get it again from "
            "where it came from."
        )


_NOTHING = (
    "It is empty: even nothing, encrypted, has a header. Get it again from where it came from."
)
_OTHER = (
    "It does not begin as a file of `answerbook encrypt` does. Give the file that the command "
    "wrote, byte for byte: a transfer as text changes it."
)
