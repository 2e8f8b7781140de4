"""RSA keys that are too small to protect anything, made in milliseconds.

Notebook 3.4's exercises and the attacks' tests need many, and no library makes them. That the
attacks do not depend on a key's size is what the notebook shows, on keys of full size.
"""

from Crypto.PublicKey import RSA
from Crypto.Util.number import getPrime


def small_key(bits: int, exponent: int = 65_537) -> RSA.RsaKey:
    """A new private key whose modulus has exactly `bits` bits (from 64 on)."""
    if bits < 64:
        raise ValueError(f"Of {bits} bits there are too few primes to choose from: at least 64.")
    while True:
        p, q = getPrime(bits - bits // 2), getPrime(bits // 2)
        suits = p != q and (p - 1) % exponent and (q - 1) % exponent
        if suits and (p * q).bit_length() == bits:
            secret = pow(exponent, -1, (p - 1) * (q - 1))
            return RSA.construct((p * q, exponent, secret, p, q))
