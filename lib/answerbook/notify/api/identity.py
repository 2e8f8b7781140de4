"""Ids for events whose caller gave none: UUIDs of version 7 (RFC 9562), which sort by time."""

import os

from answerbook.notify import records

_VERSION = 0x7 << 76
_VARIANT = 0x2 << 62
_RANDOM = (0xFFF << 64) | ((1 << 62) - 1)  # all bits but the time's, the version's, the variant's


def uuid7() -> str:
    """48 bits of milliseconds, then 74 random ones; Python has its own from 3.14 on."""
    chance = int.from_bytes(os.urandom(10)) & _RANDOM
    digits = f"{(records.now() << 80) | _VERSION | _VARIANT | chance:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
