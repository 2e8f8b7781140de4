"""From a key or a passphrase to the key of one file; files.py calls it.

The caller's secret never seals anything itself: HKDF-SHA-256 (RFC 5869) makes of it and the file's
random salt a key for this file, so that nonces need to be unique in one file only, and a key check,
which is in the header. The check is what a hash of the key would be: it tells a wrong key at once,
and it commits to the key, which GCM does not (one ciphertext can be made to open under two keys:
Dodis et al., CRYPTO 2018; Len et al., USENIX Security 2021).
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from hmac import compare_digest

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from answerbook.crypto.errors import UnknownFormat, WrongKey
from answerbook.crypto.header import CHECK_BYTES, PREFIX_BYTES, SALT_BYTES, Argon2Cost, Header

KEY_BYTES = 32
INFO = b"answerbook file, version 1, AES-256-GCM: key and key check"

Passphrase = str | Callable[[], str]
"""The passphrase, or what asks for it: called once, and only when it is needed."""


def new_key() -> bytes:
    """A key of 32 random bytes, from the operating system."""
    return os.urandom(KEY_BYTES)


@dataclass(frozen=True)
class Secret:
    """What a caller has: a key or a passphrase, exactly one of them."""

    key: bytes | None = field(repr=False)
    passphrase: Passphrase | None = field(repr=False)

    def __post_init__(self) -> None:
        if (self.key is None) == (self.passphrase is None):
            raise TypeError("give a key or a passphrase, and not both")
        if self.key is not None and len(self.key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, and this one has {len(self.key)}")

    def begin(self) -> tuple[Header, AESGCM]:
        """A new file's header, and the cipher with its key."""
        cost = Argon2Cost() if self.key is None else None
        salt = os.urandom(SALT_BYTES)
        key, check = _derive(self._material(cost, salt), salt)
        return Header(cost, salt, os.urandom(PREFIX_BYTES), check), AESGCM(key)

    def fit(self, header: Header) -> AESGCM:
        """The cipher with the key of the file that has this header. Raises WrongKey."""
        if header.cost and self.passphrase is None:
            raise WrongKey("It was encrypted with a passphrase, and not with a key. Give that.")
        if not header.cost and self.key is None:
            raise WrongKey("It was encrypted with a key, and not with a passphrase. Give that.")
        key, check = _derive(self._material(header.cost, header.salt), header.salt)
        if not compare_digest(check, header.key_check):
            raise WrongKey(
                f"The {'passphrase' if header.cost else 'key'} is not the one that it was "
                "encrypted with (or its header was changed, which looks the same). Try another."
            )
        return AESGCM(key)

    def _material(self, cost: Argon2Cost | None, salt: bytes) -> bytes:
        if cost is None:
            assert self.key is not None
            return self.key
        assert self.passphrase is not None
        passphrase = self.passphrase if isinstance(self.passphrase, str) else self.passphrase()
        return _argon2id(passphrase, cost, salt)


def _derive(material: bytes, salt: bytes) -> tuple[bytes, bytes]:
    """The file's key, and its key check."""
    length = KEY_BYTES + CHECK_BYTES
    both = HKDF(algorithm=SHA256(), length=length, salt=salt, info=INFO).derive(material)
    return both[:KEY_BYTES], both[KEY_BYTES:]


def _argon2id(passphrase: str, cost: Argon2Cost, salt: bytes) -> bytes:
    """RFC 9106. The passphrase is put into Unicode's form C first: keyboards differ (RFC 8265)."""
    import unicodedata

    from argon2.exceptions import HashingError
    from argon2.low_level import Type, hash_secret_raw

    try:
        return hash_secret_raw(
            unicodedata.normalize("NFC", passphrase).encode(),
            salt,
            time_cost=cost.passes,
            memory_cost=cost.memory_kib,
            parallelism=cost.lanes,
            hash_len=KEY_BYTES,
            type=Type.ID,
        )
    except HashingError as error:
        raise UnknownFormat(
            f"Its header asks for {cost.memory_kib // 1024} MiB of memory for Argon2id, and: "
            f"{error}. Open it on a machine that has as much."
        ) from None
