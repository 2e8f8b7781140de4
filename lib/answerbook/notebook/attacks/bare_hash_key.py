"""A key that is the bare hash of a password: the file itself says which guess is right.

Notebook 3_3_aes seals a file with `SHA-256(password)` as the key, and finds the password in a list
(`guess`). An authenticated file answers each guess with yes or no, offline, as often as one likes;
all that makes a guess dear is how the key is derived. The list is made here (`word_list`): what a
policy of capital letter, digits and special character leads people to.
"""

import hashlib
from collections.abc import Callable, Iterable

from Crypto.Cipher import AES

from answerbook.notebook.attacks.sealed import Sealed

Derive = Callable[[bytes], bytes]

SEASONS = ("Spring", "Summer", "Autumn", "Winter", "Welcome", "Password")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
YEARS = range(1950, 2030)
ENDS = ("!", "?", ".", "#", "1!")


def broken_key(password: bytes) -> bytes:
    """SHA-256 of the password, 32 bytes: no salt, and made to be quick."""
    return hashlib.sha256(password).digest()


def word_list() -> list[str]:
    """Passwords such as `Summer2024!`, some thousands, always the same ones in the same order."""
    words = (*SEASONS, *MONTHS)
    return [f"{word}{year}{end}" for word in words for year in YEARS for end in ENDS]


def opens(sealed: Sealed, key: bytes) -> bool:
    """Whether `key` opens what AES-GCM sealed: the answer that an attacker needs."""
    try:
        cipher = AES.new(key, AES.MODE_GCM, nonce=sealed.nonce)
        cipher.decrypt_and_verify(sealed.ciphertext, sealed.tag)
    except ValueError:
        return False
    return True


def guess(sealed: Sealed, words: Iterable[str], derive: Derive = broken_key) -> str | None:
    """The first of `words` whose derived key opens what is sealed, or None."""
    return next((word for word in words if opens(sealed, derive(word.encode()))), None)
