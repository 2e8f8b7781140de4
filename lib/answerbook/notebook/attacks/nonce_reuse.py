"""One nonce for two messages: what CTR, GCM, EAX and ChaCha20 give away then.

All four XOR the message with a key stream that key and nonce determine. The same nonce again is the
same key stream again, and it drops out: ciphertext ⊕ ciphertext = message ⊕ message. Notebook
3_3_aes reads a message with the help of one that is known (`with_known`), and then with nothing but
a word that may stand in one of them (`drag`). Nothing here needs a key.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from Crypto.Util.strxor import strxor

PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,:-#")
"""What a message is thought to be written with."""


def with_known(known: bytes, its_ciphertext: bytes, other: bytes) -> bytes:
    """The message of `other`, as far as `known` reaches, sent with the same key and nonce."""
    length = min(len(known), len(its_ciphertext), len(other))
    stream = strxor(known[:length], its_ciphertext[:length])
    return strxor(stream, other[:length])


@dataclass(frozen=True)
class Hit:
    """A place where the word may stand in one of the messages, and what the other has there."""

    place: int
    other: str


def drag(word: bytes, first: bytes, second: bytes) -> Iterator[Hit]:
    """Try `word` at every place of two ciphertexts of one nonce; yield where text comes out.

    It may stand in either message: the difference of the two does not tell in which. A short word
    gives false hits, a long one hardly any: each byte that is wrong has to come out as text.
    """
    length = min(len(first), len(second))
    difference = strxor(first[:length], second[:length])
    for place in range(length - len(word) + 1):
        other = strxor(difference[place : place + len(word)], word)
        if PLAIN.issuperset(other):
            yield Hit(place, other.decode("ascii"))
