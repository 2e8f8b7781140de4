"""Bleichenbacher's attack on RSA with PKCS#1 v1.5 padding: a server that says "bad padding".

The attacker has a ciphertext and the public key, and somebody who decrypts what he sends and lets
him see whether the padding was right: by an error, another status, or the time that it took. He
multiplies the plaintext by a number s, inside the ciphertext: c · s^e mod n. Where that is
accepted, the product, modulo n, begins with the bytes 00 02: it lies from 2B up to 3B, where B is
256^(k-2) and k the modulus' size in bytes. Each such s cuts the range in which the plaintext lies.

Bleichenbacher 1998, https://doi.org/10.1007/BFb0055716; the steps' numbers are the paper's.
Notebook 3.4 runs it against pycryptodome's own decryption, used with a sentinel.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count

from answerbook.notebook.attacks.low_exponent import NotRecovered

REPORT_EVERY = 100
"""Questions between two reports while no answer is yes."""

Range = tuple[int, int]


@dataclass(frozen=True)
class Known:
    """How far the attack has come."""

    questions: int
    unknown_bits: int
    """Of the padded message: how many bits it takes to number all that it can still be."""
    ranges: int
    """In how many ranges it can lie; once there is one, each yes about halves it."""
    message: bytes | None = None
    """At the end, what was encrypted, without its padding."""


@dataclass(frozen=True)
class Modulus:
    """A modulus, and the range of padded messages under it."""

    n: int

    @property
    def size(self) -> int:
        """In bytes, as a ciphertext has."""
        return (self.n.bit_length() + 7) // 8

    @property
    def low(self) -> int:
        """2B, the least number that begins with 00 02."""
        return 2 << 8 * (self.size - 2)

    @property
    def high(self) -> int:
        """3B - 1, the greatest."""
        return (3 << 8 * (self.size - 2)) - 1


def recover(
    ciphertext: bytes,
    modulus: int,
    exponent: int,
    accepts: Callable[[bytes], bool],
    most: int | None = None,
) -> Iterator[Known]:
    """Yield how far the attack is, and at last the message.

    `accepts` asks the server whether a ciphertext has the right padding; the one that is attacked
    must have it. Raises NotRecovered after `most` questions, and when what the answers lead to is
    not the message, since they say nothing about the padding.
    """
    key = Modulus(modulus)
    captured = int.from_bytes(ciphertext)
    ranges = [(key.low, key.high)]
    questions, factor, first = 0, _divided_up(key.n, key.high + 1) - 1, True
    yield Known(0, _bits(ranges), len(ranges))
    while width(ranges) > 1:
        one_range = len(ranges) == 1 and not first
        candidates = _in_range(ranges[0], factor, key) if one_range else count(factor + 1)
        for factor in candidates:
            if questions == most:
                raise NotRecovered(f"After {questions} questions the message is still unknown.")
            questions += 1
            product = captured * pow(factor, exponent, key.n) % key.n
            if accepts(product.to_bytes(key.size)):
                break
            if questions % REPORT_EVERY == 0:
                yield Known(questions, _bits(ranges), len(ranges))
        ranges, first = narrowed(ranges, factor, key), False
        yield Known(questions, _bits(ranges), len(ranges))
    found = ranges[0][0] if ranges else 0
    # The key is public: whoever believes to have the message can encrypt it again, and compare.
    if pow(found, exponent, key.n) != captured:
        raise NotRecovered("No message fits all answers: they do not depend on its padding.")
    yield Known(questions, 0, 1, _unpadded(found.to_bytes(key.size)))


def width(ranges: Iterable[Range]) -> int:
    """How many numbers lie in the ranges, ends included."""
    return sum(last - first + 1 for first, last in ranges)


def narrowed(ranges: Iterable[Range], factor: int, key: Modulus) -> list[Range]:
    """What is left of `ranges`, since `factor` times the message was accepted (step 3)."""
    left = []
    for first, last in ranges:
        fewest = _divided_up(first * factor - key.high, key.n)
        most = (last * factor - key.low) // key.n
        for wraps in range(fewest, most + 1):
            least = max(first, _divided_up(key.low + wraps * key.n, factor))
            greatest = min(last, (key.high + wraps * key.n) // factor)
            if least <= greatest:
                left.append((least, greatest))
    return _merged(left)


def _in_range(only: Range, factor: int, key: Modulus) -> Iterator[int]:
    """Factors under which about half of a single range would be accepted (step 2c)."""
    first, last = only
    for wraps in count(_divided_up(2 * (last * factor - key.low), key.n)):
        least = _divided_up(key.low + wraps * key.n, last)
        greatest = (key.high + wraps * key.n) // first
        yield from range(least, greatest + 1)


def _merged(ranges: Iterable[Range]) -> list[Range]:
    """The same numbers in ranges that do not touch, in order."""
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(last, merged[-1][1])
        else:
            merged.append((first, last))
    return merged


def _bits(ranges: Iterable[Range]) -> int:
    return max(0, width(ranges) - 1).bit_length()


def _unpadded(encoded: bytes) -> bytes:
    """What stands behind 00 02, eight or more bytes that are not zero, and a zero."""
    end = encoded.find(0, 2)
    if not encoded.startswith(b"\x00\x02") or end < 10:
        raise NotRecovered("What was found is no padded message: the ciphertext had no padding.")
    return encoded[end + 1 :]


def _divided_up(number: int, by: int) -> int:
    """The quotient, rounded up."""
    return -(-number // by)
