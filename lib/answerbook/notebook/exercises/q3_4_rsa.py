"""Exercises of notebook 3_4_rsa."""

import math
import secrets
from collections.abc import Callable

from answerbook.notebook.attacks.small_keys import small_key
from answerbook.notebook.exercises import Exercise

LONGEST = 4_096 // 8 - 2 * 512 // 8 - 2


def _longest(answer: int) -> str | None:
    if answer == LONGEST:
        return None
    return {
        512 - 2 * 32 - 2: "That is with SHA-256. Each of the two hashes takes 64 bytes here.",
        512 - 11: "That is what PKCS#1 v1.5 leaves.",
        LONGEST
        + 2: "Two single bytes are there too: a 00 in front, and the 01 before the message.",
        512: "The padding takes its part.",
    }.get(answer, "The key has 512 bytes; take away two hashes of SHA-512, and two bytes.")


longest = Exercise(
    solution=382,
    wrong=(446, 501, 384, 512, 4_096, "382"),
    test=_longest,
    because="512 − 2 · 64 − 2: a larger hash makes room for less, and a data key always fits.",
)

Factors = Callable[[int, int], tuple[int, int]]


def _shared_prime(answer: Factors) -> str | None:
    first, second = small_key(512), small_key(512)
    shared = first.p
    found = answer(shared * first.q, shared * second.q)
    if set(found) == {first.p, first.q}:
        return None
    if math.prod(found) != first.n:
        return "Their product is not the first modulus."
    return "The product is right, but these are not the two primes."


def _factors(first: int, second: int) -> tuple[int, int]:
    shared = math.gcd(first, second)
    return shared, first // shared


def _of_both(first: int, second: int) -> tuple[int, int]:
    shared = math.gcd(first, second)
    return shared, second // shared


def _trivial(first: int, second: int) -> tuple[int, int]:
    return 1, first


def _square_root(first: int, second: int) -> tuple[int, int]:
    return math.isqrt(first), first // math.isqrt(first)


shared_prime = Exercise(
    solution=_factors,
    wrong=(_of_both, _trivial, _square_root, math.gcd, 65_537),
    test=_shared_prime,
    because="Nobody factors a modulus, but a common factor of two takes microseconds: a key is as "
    "good as the random numbers that its primes came from.",
)

Decrypt = Callable[[int], int]
Unblinded = Callable[[int, int, int, Decrypt], int]


def _unblinded(answer: Unblinded) -> str | None:
    key = small_key(512)
    message = secrets.randbelow(key.n - 2) + 2
    target = pow(message, key.e, key.n)
    refused = []

    def decrypt(ciphertext: int) -> int:
        """What an over-obliging server does: all but the one ciphertext that matters."""
        if ciphertext % key.n == target:
            refused.append(ciphertext)
            return 0
        return pow(ciphertext, key.d, key.n)

    found = answer(target, key.e, key.n, decrypt)
    if refused:
        return "The server refuses to decrypt the ciphertext itself. Change it, and ask for that."
    if found == message:
        return None
    if found % key.n == message:
        return "Right but for a multiple of n: take the remainder."
    if found % key.n == message * 2 % key.n:
        return "That is twice the message. Divide, modulo n: pow(2, -1, n)."
    return "That is not the message."


def _by_two(c: int, e: int, n: int, decrypt: Decrypt) -> int:
    return decrypt(c * pow(2, e, n) % n) * pow(2, -1, n) % n


def _itself(c: int, e: int, n: int, decrypt: Decrypt) -> int:
    return decrypt(c)


def _the_same_again(c: int, e: int, n: int, decrypt: Decrypt) -> int:
    return decrypt(c + n)


def _not_divided(c: int, e: int, n: int, decrypt: Decrypt) -> int:
    return decrypt(c * pow(2, e, n) % n)


def _divided_as_if_whole(c: int, e: int, n: int, decrypt: Decrypt) -> int:
    return decrypt(c * pow(3, e, n) % n) // 3 + 1


def _factor_without_exponent(c: int, e: int, n: int, decrypt: Decrypt) -> int:
    return decrypt(2 * c % n) * pow(2, -1, n) % n


unblinded = Exercise(
    solution=_by_two,
    wrong=(
        _itself,
        _the_same_again,
        _not_divided,
        _divided_as_if_whole,
        _factor_without_exponent,
        2,
    ),
    test=_unblinded,
    because="Whoever may choose ciphertexts can read any textbook ciphertext. OAEP refuses what "
    "nobody made by encrypting.",
)
