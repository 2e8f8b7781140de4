"""GCM with a nonce used twice: the key of its authentication, and then any message, forged.

Antoine Joux's "forbidden attack" (2006), which NIST SP 800-38D warns of in its appendix A. GCM's
tag is a polynomial of the ciphertext blocks, taken at the secret H = AES(key, 0), plus a mask that
key and nonce determine. Two messages of one nonce have the same mask: it drops out of the
difference of their tags, and H is a root of what remains. For messages of one block each and of the
same length that is (C1 + C2) · H² = T1 + T2, so H is one square root away; longer ones need
the roots of a longer polynomial. H belongs to the key, not to the nonce: whoever has it forges
under every nonce that he has seen used, once or twice.

Notebook 3_3_aes calls `hash_key` and `forge`. The arithmetic is GCM's field of 2¹²⁸ elements
(SP 800-38D, 6.3), here as the attacker needs it: slow, and in time that depends on its input.
"""

from Crypto.Util.strxor import strxor

from answerbook.notebook.attacks.sealed import Sealed

BLOCK = 16
REDUCTION = 0xE1 << 120
"""SP 800-38D, 6.3: the field's polynomial, with its first coefficient in the most significant
bit."""


def hash_key(first: Sealed, second: Sealed) -> bytes:
    """The secret H of the key that sealed both, 16 bytes.

    Raises ValueError unless they have one nonce, no associated data (which is not looked at), and
    ciphertexts that differ and have the same length, of at most one block. Tags have all 16
    bytes: a shorter one hides a part of the polynomial's value.
    """
    if first.nonce != second.nonce:
        raise ValueError("The two were sealed with different nonces: their masks differ.")
    if len(first.ciphertext) != len(second.ciphertext) or len(first.ciphertext) > BLOCK:
        raise ValueError("The two have to be of one length, of at most 16 bytes.")
    if first.ciphertext == second.ciphertext:
        raise ValueError("The two are the same message, and say nothing new.")
    ciphertexts = _number(strxor(first.ciphertext, second.ciphertext))
    tags = _number(strxor(first.tag, second.tag))
    squared = multiply(tags, _power(ciphertexts, 2**128 - 2))
    return _power(squared, 2**127).to_bytes(BLOCK)


def forge(seen: Sealed, ciphertext: bytes, secret: bytes) -> Sealed:
    """`ciphertext` under the nonce of `seen`, with the tag that the key would give it.

    `secret` is what `hash_key` found. What the receiver reads is the attacker's choice too, as far
    as the message of `seen` is known: ciphertext = seen.ciphertext ⊕ known ⊕ wanted.
    """
    mask = strxor(seen.tag, ghash(seen.ciphertext, secret))
    return Sealed(seen.nonce, ciphertext, strxor(mask, ghash(ciphertext, secret)))


def ghash(ciphertext: bytes, secret: bytes) -> bytes:
    """SP 800-38D, 6.4: the polynomial of the blocks and of the length, at H = `secret`."""
    at, value = _number(secret), 0
    blocks = [ciphertext[place : place + BLOCK] for place in range(0, len(ciphertext), BLOCK)]
    # The first half is the length of associated data, of which there is none.
    blocks.append((8 * len(ciphertext)).to_bytes(BLOCK))
    for block in blocks:
        value = multiply(value ^ _number(block), at)
    return value.to_bytes(BLOCK)


def multiply(one: int, other: int) -> int:
    """SP 800-38D, 6.3: the product of two elements, whose first bit is the most significant."""
    product = 0
    for bit in range(127, -1, -1):
        if other >> bit & 1:
            product ^= one
        one = one >> 1 ^ (REDUCTION if one & 1 else 0)
    return product


def _power(base: int, exponent: int) -> int:
    result = 1 << 127  # the field's one
    while exponent:
        if exponent & 1:
            result = multiply(result, base)
        base = multiply(base, base)
        exponent >>= 1
    return result


def _number(block: bytes) -> int:
    return int.from_bytes(block.ljust(BLOCK, b"\0"))
