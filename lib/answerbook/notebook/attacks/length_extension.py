"""Length extension: from a tag sha256(secret + message), valid tags of longer messages.

Notebook 3_1_hashing carries it out. The attacker sees one message and its tag. A digest of SHA-256
is the whole state after the last block, so he goes on hashing from there; he gets a message that
begins with the one he saw, ends as he likes, and has a valid tag. He needs the length of the
secret, which he tries, and never the secret itself. SHA-1, MD5 and SHA-512 fall the same way.

SHA-256 is written out here only because hashlib lets nobody set the state that it starts from: it
is slow, and nothing else may be hashed with it.
"""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass

State = tuple[int, ...]
"""Eight words of 32 bits."""

BLOCK = 64
"""Bytes that one round of compression takes."""
LONGEST_SECRET = 64
"""Bytes; longer ones are rare, and each length costs the attacker one try."""

_MASK = 0xFFFFFFFF
_PRIMES = [n for n in range(2, 312) if all(n % divisor for divisor in range(2, math.isqrt(n) + 1))]

# The 32 bits after the point of square and cube roots of primes, FIPS 180-4, 5.3.3 and 4.2.2.
_INITIAL: State = tuple(int(math.sqrt(prime) % 1 * 2**32) for prime in _PRIMES[:8])
_ROUND = [int(math.cbrt(prime) % 1 * 2**32) for prime in _PRIMES]


@dataclass(frozen=True)
class Forgery:
    """A message that the holder of the secret never tagged, and its valid tag."""

    message: bytes
    tag: bytes
    secret_length: int
    """In bytes, found out on the way."""


def forge(
    message: bytes,
    tag: bytes,
    suffix: bytes,
    accepts: Callable[[bytes, bytes], object],
    longest: int = LONGEST_SECRET,
) -> Forgery | None:
    """The first extension of `message` by `suffix` that `accepts(message, tag)` says yes to.

    Tries secrets of 0 to `longest` bytes. None where no try is accepted: then the tag is not the
    state of a hash that began with the secret, or the secret is longer.
    """
    for length in range(longest + 1):
        longer, its_tag = extend(message, tag, suffix, length)
        if accepts(longer, its_tag):
            return Forgery(longer, its_tag, length)
    return None


def extend(message: bytes, tag: bytes, suffix: bytes, secret_length: int) -> tuple[bytes, bytes]:
    """The longer message and its tag, if the secret has `secret_length` bytes."""
    hashed = secret_length + len(message)
    glue = padding(hashed)
    return message + glue + suffix, resume(tag, hashed + len(glue), suffix)


def padding(length: int) -> bytes:
    """What SHA-256 appends to `length` bytes: a 1 bit, zeros, the length in bits (64 bits)."""
    return b"\x80" + bytes(-(length + 9) % BLOCK) + (8 * length).to_bytes(8)


def resume(digest: bytes, hashed: int, more: bytes) -> bytes:
    """The digest of `more` after `hashed` bytes, whole blocks with their padding, gave `digest`."""
    return _digest(struct.unpack(">8I", digest), hashed, more)


def textbook_sha256(message: bytes) -> bytes:
    """SHA-256 as FIPS 180-4 writes it; the tests hold it to NIST's vectors."""
    return _digest(_INITIAL, 0, message)


def _digest(state: State, hashed: int, more: bytes) -> bytes:
    padded = more + padding(hashed + len(more))
    for start in range(0, len(padded), BLOCK):
        state = _compress(state, padded[start : start + BLOCK])
    return struct.pack(">8I", *state)


def _compress(state: State, block: bytes) -> State:
    """FIPS 180-4, 6.2.2: mix a block of 64 bytes into the state."""
    words = list(struct.unpack(">16I", block))
    for index in range(16, 64):
        early, late = words[index - 15], words[index - 2]
        mixed = _turned(early, 7) ^ _turned(early, 18) ^ early >> 3
        mixed += _turned(late, 17) ^ _turned(late, 19) ^ late >> 10
        words.append(mixed + words[index - 16] + words[index - 7] & _MASK)
    a, b, c, d, e, f, g, h = state
    for word, constant in zip(words, _ROUND, strict=True):
        first = h + (_turned(e, 6) ^ _turned(e, 11) ^ _turned(e, 25)) + (e & f ^ ~e & g)
        first += constant + word
        second = (_turned(a, 2) ^ _turned(a, 13) ^ _turned(a, 22)) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = first + second & _MASK, a, b, c, d + first & _MASK, e, f, g
    mixed_in = (a, b, c, d, e, f, g, h)
    return tuple(old + new & _MASK for old, new in zip(state, mixed_in, strict=True))


def _turned(word: int, by: int) -> int:
    """32 bits, rotated to the right."""
    return (word >> by | word << 32 - by) & _MASK
