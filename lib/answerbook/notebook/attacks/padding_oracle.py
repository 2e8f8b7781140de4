"""A padding oracle reads CBC: a server that says whether padding is right decrypts for anyone.

Serge Vaudenay's attack (EUROCRYPT 2002). Notebook 3_3_aes sends a `BrokenServer` tokens of its own
making and reads a message byte by byte (`recover`), with no more than yes and no for an answer.
`SoundServer` gives the same answers, but authenticates before it decrypts: there `recover` raises
`Resisted`.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

from Crypto.Cipher import AES
from Crypto.Random import get_random_bytes
from Crypto.Util.Padding import pad, unpad

BLOCK = 16


class Resisted(Exception):
    """The oracle accepted none of 256 tokens, one of which has right padding: it looks at more."""


class BrokenServer:
    """AES-256-CBC with PKCS#7 padding and nothing else, as in many a tutorial."""

    def __init__(self, message: bytes) -> None:
        self._key = get_random_bytes(32)
        self.asked = 0
        cipher = AES.new(self._key, AES.MODE_CBC)
        self.token = bytes(cipher.iv) + cipher.encrypt(pad(message, BLOCK))
        """IV and ciphertext of the message, which the attacker has picked up."""

    def accepts(self, token: bytes) -> bool:
        """Whether the padding is right. A status, an error's text or a delay can tell as much."""
        self.asked += 1
        iv, ciphertext = token[:BLOCK], token[BLOCK:]
        try:
            unpad(AES.new(self._key, AES.MODE_CBC, iv=iv).decrypt(ciphertext), BLOCK)
        except ValueError:
            return False
        return True


class SoundServer:
    """AES-256-EAX: what was changed is refused before anything of it is looked at."""

    def __init__(self, message: bytes) -> None:
        self._key = get_random_bytes(32)
        self.asked = 0
        cipher = AES.new(self._key, AES.MODE_EAX)
        ciphertext, tag = cipher.encrypt_and_digest(pad(message, BLOCK))
        self.token = bytes(cipher.nonce) + ciphertext + tag
        """Nonce, ciphertext and tag. (It needs no padding, and has it to be of CBC's form.)"""

    def accepts(self, token: bytes) -> bool:
        """Whether it is authentic, which is all that this server ever tells."""
        self.asked += 1
        nonce, ciphertext, tag = token[:BLOCK], token[BLOCK:-BLOCK], token[-BLOCK:]
        try:
            AES.new(self._key, AES.MODE_EAX, nonce=nonce).decrypt_and_verify(ciphertext, tag)
        except ValueError:
            return False
        return True


def recover(token: bytes, accepts: Callable[[bytes], bool]) -> Iterator[tuple[int, int]]:
    """Each byte of the padded message: its place and its value, as soon as it is known.

    Blocks come from first to last, the bytes of each from last to first. It takes 128 questions a
    byte on average. Raises Resisted when the oracle does not tell about padding.
    """
    blocks = [token[at : at + BLOCK] for at in range(0, len(token), BLOCK)]
    for number, (before, block) in enumerate(pairwise(blocks)):
        decrypted = bytearray(BLOCK)  # of this block alone, before CBC adds the block before it
        for place in range(BLOCK - 1, -1, -1):
            decrypted[place] = _decrypted(block, place, bytes(decrypted), accepts)
            yield BLOCK * number + place, decrypted[place] ^ before[place]


def _decrypted(block: bytes, place: int, decrypted: bytes, accepts: Callable[[bytes], bool]) -> int:
    """The byte at `place`, those behind it being known: a block before it makes them padding."""
    padding = BLOCK - place
    front = bytearray(byte ^ padding for byte in decrypted)
    for guess in range(256):
        front[place] = guess
        if accepts(bytes(front) + block) and _ends_here(front, block, place, accepts):
            return guess ^ padding
    raise Resisted(f"None of 256 values of byte {place} gives padding that is accepted.")


def _ends_here(
    front: bytearray, block: bytes, place: int, accepts: Callable[[bytes], bool]
) -> bool:
    """Whether the padding begins at `place`, and not by chance before it, as 2, 2 does."""
    if place != BLOCK - 1:
        return True
    other = bytearray(front)
    other[place - 1] ^= 1
    return accepts(bytes(other) + block)
