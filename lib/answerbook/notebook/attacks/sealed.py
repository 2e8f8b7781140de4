"""What goes over the line, or into a row or a file, where an attacker reads it.

Notebook 3_3_aes seals with AES-256-GCM in cells; `gcm_forgery` and `bare_hash_key` work on this.
"""

from typing import NamedTuple


class Sealed(NamedTuple):
    """A message under an authenticated mode. None of the three is secret."""

    nonce: bytes
    ciphertext: bytes
    tag: bytes
    """16 bytes."""
