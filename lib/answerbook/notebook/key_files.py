"""What a private key's PEM file says of its own protection, for notebook 3.4's table.

An encrypted PKCS#8 file (RFC 5958) names its scheme before the encrypted part: PBES2 (RFC 8018),
with a key derivation, PBKDF2 or scrypt (RFC 7914), and a cipher. Nothing here needs the passphrase:
whoever finds the file knows as well what a guess will cost.
"""

import re
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from Crypto.Util.asn1 import DerObjectId, DerSequence

PBES2 = "1.2.840.113549.1.5.13"
PBKDF2 = "1.2.840.113549.1.5.12"
SCRYPT = "1.3.6.1.4.1.11591.4.11"

HASHES = {
    "1.2.840.113549.2.7": "HMAC-SHA-1",
    "1.2.840.113549.2.9": "HMAC-SHA-256",
    "1.2.840.113549.2.11": "HMAC-SHA-512",
}
CIPHERS = {
    "1.2.840.113549.3.7": "DES-EDE3-CBC",
    "2.16.840.1.101.3.4.1.2": "AES-128-CBC",
    "2.16.840.1.101.3.4.1.42": "AES-256-CBC",
    "2.16.840.1.101.3.4.1.46": "AES-256-GCM",
}

PEM = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----\n(.*?)-----END", re.DOTALL)
TRADITIONAL = re.compile(rb"^DEK-Info: ([A-Z0-9-]+),", re.MULTILINE)


@dataclass(frozen=True)
class Protection:
    """How the key to a private key is derived from the passphrase, and what it is used with."""

    derivation: str
    cipher: str


IN_THE_CLEAR = Protection("none", "none")


def protection(pem: bytes) -> Protection:
    """What protects the private key in this PEM file.

    Raises ValueError for what is no private key, and for a scheme other than PBES2.
    """
    found = PEM.search(pem)
    if found is None:
        raise ValueError("No private key stands in this file.")
    kind, body = found.groups()
    traditional = TRADITIONAL.search(body)
    if traditional is not None:
        return Protection("MD5, once", traditional[1].decode())
    if kind != b"ENCRYPTED PRIVATE KEY":
        return IN_THE_CLEAR
    scheme, parameters = _algorithm(_parts(b64decode(body))[0])
    if scheme != PBES2:
        raise ValueError(f"Of encrypted keys PBES2 is known here, not {scheme}.")
    derivation, cipher = _parts(parameters)
    cipher_name = _algorithm(cipher)[0]
    return Protection(_derivation(derivation), CIPHERS.get(cipher_name, cipher_name))


def _derivation(algorithm: bytes) -> str:
    name, parameters = _algorithm(algorithm)
    values = _parts(parameters)
    if name == SCRYPT:
        _, cost, block, parallel, *_ = values
        return f"scrypt, N = 2^{cost.bit_length() - 1}, r = {block}, p = {parallel}"
    if name == PBKDF2:
        sequences = [value for value in values[2:] if isinstance(value, bytes)]
        # Without a hash the file means the standard's default.
        digest = _algorithm(sequences[0])[0] if sequences else "1.2.840.113549.2.7"
        return f"PBKDF2, {HASHES.get(digest, digest)}, {values[1]:,} times"
    return name


def _algorithm(encoded: bytes) -> tuple[str, bytes]:
    """The object identifier of an AlgorithmIdentifier, and its parameters, still encoded."""
    parts = _parts(encoded)
    return DerObjectId().decode(parts[0]).value, parts[1] if len(parts) > 1 else b""


def _parts(encoded: bytes) -> list[Any]:
    """What a SEQUENCE holds: numbers as int, all else as it is encoded."""
    found = DerSequence().decode(encoded)
    return [found[index] for index in range(len(found))]
