"""Textbook RSA with a low exponent: one short message, or one message sent to several people.

Textbook RSA is `pow(message, e, n)` and nothing else. The attacker has the public keys and the
ciphertexts; neither attack needs a factor of a modulus, so no size of key stops them.

- A message shorter than n's e-th root is never reduced by n: its ciphertext's e-th root is it.
- The same message under e moduli: the Chinese remainder theorem gives message ** e below the
  product of all moduli, where it is never reduced either (Håstad 1988,
  https://doi.org/10.1137/0217019).

Notebook 3.4 runs both, against keys of 3,072 bits, and then against OAEP.
"""

import math
from collections.abc import Sequence


class NotRecovered(Exception):
    """The attack was carried out, and there is no message in what came out."""


def from_short_message(ciphertext: int, exponent: int) -> bytes:
    """The message whose power `exponent` is the ciphertext itself.

    Leading zero bytes of a message are lost, as they are in textbook RSA. Raises NotRecovered
    when the ciphertext is no such power: the message was longer, or padded.
    """
    found = root(ciphertext, exponent)
    if found**exponent != ciphertext:
        raise NotRecovered(f"The number has no whole root of degree {exponent}.")
    return found.to_bytes((found.bit_length() + 7) // 8)


def from_broadcast(ciphertexts: Sequence[int], moduli: Sequence[int]) -> bytes:
    """The message that several people got, each under a modulus of his own.

    All have the same exponent, and it is the number of ciphertexts. Raises NotRecovered when they
    are not of one message, and ValueError when two moduli share a factor (which is worse: their
    greatest common divisor is a prime of both).
    """
    if len(ciphertexts) != len(moduli):
        raise ValueError("To each modulus belongs one ciphertext.")
    return from_short_message(remainder_of_all(ciphertexts, moduli), len(moduli))


def remainder_of_all(remainders: Sequence[int], moduli: Sequence[int]) -> int:
    """The number below the product of all moduli that leaves these remainders."""
    product = math.prod(moduli)
    total = 0
    for remainder, modulus in zip(remainders, moduli, strict=True):
        others = product // modulus
        total += remainder * others * pow(others, -1, modulus)
    return total % product


def root(number: int, degree: int) -> int:
    """The largest integer whose power `degree` is at most `number`, by Newton's method."""
    if number < 0 or degree < 1:
        raise ValueError("Roots are taken here of numbers from 0 on, of a degree from 1 on.")
    if number < 2:
        return number
    guess = 1 << -(-number.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + number // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better
