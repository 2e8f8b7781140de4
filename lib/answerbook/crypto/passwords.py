"""Passwords: hashed with Argon2id, hashed again when parameters rise, wrapped, peppered.

Notebook 3.2 uses this, and so may any program that keeps passwords. What is stored is one string:

    $argon2id$v=19$m=19456,t=2,p=1$SALT$TAG    `hash_password`: argon2's own (PHC) string
    md5$argon2id$v=19$m=…                      `wrap_md5`: the same, of an old MD5 in hexadecimal
    pepper$ID$BASE64                           either of them, encrypted under the pepper ID

A bare MD5 is never compared with anything: whoever logs in by one has it wrapped first.

The pepper encrypts the finished hash with AES-256-GCM (OWASP's Password Storage Cheat Sheet names
it beside HMAC), so it can be added, and changed for another, without any password. Its id and the
owner of the hash are associated data: a hash that is copied to another owner's row is refused.
Nonces are random, which is sound for 2^32 hashes under one pepper (NIST SP 800-38D, 8.3).

Errors are `PasswordError` and those under it. A wrong password is none: `verify` says False.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from argon2 import Parameters, PasswordHasher, Type, extract_parameters
from argon2.exceptions import HashingError, VerificationError, VerifyMismatchError
from argon2.low_level import ARGON2_VERSION
from argon2.profiles import RFC_9106_LOW_MEMORY
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from answerbook.crypto.errors import CryptoError

OWASP = Parameters(
    type=Type.ID,
    version=ARGON2_VERSION,
    salt_len=16,
    hash_len=32,
    time_cost=2,
    memory_cost=19 * 1024,
    parallelism=1,
)
"""Argon2id as OWASP's Password Storage Cheat Sheet has it at least: 19 MiB, 2 passes, 1 lane."""

RFC_9106_SECOND = RFC_9106_LOW_MEMORY
"""RFC 9106's second recommended option (section 4): 64 MiB, 3 passes, 4 lanes."""

MOST_MEMORY_KIB = 2**21
"""RFC 9106's first option. A stored hash that asks for more is refused: it is not one of ours, and
whoever can write the table could otherwise take all memory of whoever verifies."""
MOST_PASSES = 64
MOST_LANES = 64

PEPPER_BYTES = 32
NONCE_BYTES = 12

_WRAPPED = "md5"
_ARGON2 = re.compile(
    r"\$argon2(id|i|d)\$(v=\d{1,3}\$)?m=\d{1,10},t=\d{1,10},p=\d{1,10}"
    r"\$[A-Za-z0-9+/]{1,1024}\$[A-Za-z0-9+/]{1,1024}",
    re.ASCII,
)
_SEALED = re.compile(r"pepper\$([A-Za-z0-9._-]{1,64})\$([A-Za-z0-9_=-]+)", re.ASCII)
_MD5 = re.compile(r"[0-9a-f]{32}", re.ASCII)


class PasswordError(CryptoError):
    """A stored hash cannot be used. It says nothing about the password."""


class UnknownHash(PasswordError):
    """What is stored is none of the three forms, or asks for more than is sane."""


class UnknownPepper(PasswordError):
    """The pepper that a hash needs is not there, or a hash has none where one is asked for."""


class TamperedHash(PasswordError):
    """A peppered hash was changed, or belongs to another owner, or its pepper is another key."""


@dataclass(frozen=True)
class Peppers:
    """Keys that stand apart from the table, by id. Raises ValueError for what cannot be one.

    Keep the old ones until `rotate_pepper` has been over every row.
    """

    keys: Mapping[str, bytes] = field(repr=False)
    """Each of 32 random bytes. An id is of letters, digits, `.`, `_` and `-`."""
    primary: str
    """The id that new hashes are encrypted under."""
    accept_bare: bool = False
    """Whether a hash without a pepper is good, too: only while a table is being peppered.
    Otherwise whoever can write the table could put a hash of his own there."""

    def __post_init__(self) -> None:
        for name, key in self.keys.items():
            if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name):
                raise ValueError(f"A pepper's id is of letters, digits, '.', '_', '-': {name!r}.")
            if len(key) != PEPPER_BYTES:
                raise ValueError(f"Pepper {name} has {len(key)} bytes: it needs {PEPPER_BYTES}.")
        if self.primary not in self.keys:
            raise ValueError(f"The primary pepper, {self.primary!r}, is not among the keys.")


def hash_password(
    password: str,
    parameters: Parameters = OWASP,
    *,
    peppers: Peppers | None = None,
    owner: str = "",
) -> str:
    """What to store for `password`: Argon2id with a new random salt; peppered if peppers are given.

    The password is brought to Unicode's form NFC first, as NIST SP 800-63B-4 (3.1.1.2) asks, so
    that an é is the same from every keyboard. `owner` is something that never changes, such as the
    user's id, and counts with peppers only. Raises ValueError for parameters beyond the bounds.
    """
    return _finished(_argon2(_encoded(password), parameters), peppers, owner)


def verify(password: str, stored: str, *, peppers: Peppers | None = None, owner: str = "") -> bool:
    """Whether `password` is what `stored` was made of; parameters and salt stand in `stored`.

    Raises UnknownHash for what no function here makes (a bare MD5, too: see `wrap_md5`),
    UnknownPepper, TamperedHash, and PasswordError when Argon2 itself fails: it gets no memory, or
    cannot decode what only looks like its string.
    """
    inner = _opened(stored, peppers, owner)
    encoded = inner.removeprefix(_WRAPPED)
    _parameters(encoded)
    secret = _encoded(password) if encoded == inner else _md5(password)
    try:
        return PasswordHasher().verify(encoded, secret)
    except VerifyMismatchError:
        return False
    except VerificationError as error:
        raise PasswordError(f"Argon2 could not compare with the stored hash: {error}.") from error


def needs_rehash(
    stored: str,
    parameters: Parameters = OWASP,
    *,
    peppers: Peppers | None = None,
    owner: str = "",
) -> bool:
    """Whether to store `hash_password` of the password anew, now that its owner has just given it.

    True when `stored` wraps an MD5, is not Argon2id, has less memory, fewer passes or a shorter
    salt or tag than `parameters`, or is not under the primary pepper. What is stronger stays: two
    servers that are configured differently do not weaken each other's hashes. Lanes are no
    strength, and do not count. Raises as `verify` does.
    """
    inner = _opened(stored, peppers, owner)
    found = _parameters(inner.removeprefix(_WRAPPED))
    return (
        inner.startswith(_WRAPPED)
        or (peppers is not None and not _is_under(peppers.primary, stored))
        or found.type is not parameters.type
        or found.version < parameters.version
        or found.memory_cost < parameters.memory_cost
        or found.time_cost < parameters.time_cost
        or found.salt_len < parameters.salt_len
        or found.hash_len < parameters.hash_len
    )


def wrap_md5(
    digest: str,
    parameters: Parameters = OWASP,
    *,
    peppers: Peppers | None = None,
    owner: str = "",
) -> str:
    """What to store in place of an unsalted MD5, in hexadecimal, whose password nobody knows.

    It is Argon2id of the 32 lower-case digits. The password's owner logs in with it, and gets a
    hash of the password itself, because `needs_rehash` is true. Raises ValueError for another text.
    """
    if not _MD5.fullmatch(digest.lower()):
        raise ValueError("An MD5 in hexadecimal has 32 digits, and this is something else.")
    wrapped = _WRAPPED + _argon2(digest.lower().encode("ascii"), parameters)
    return _finished(wrapped, peppers, owner)


def rotate_pepper(stored: str, peppers: Peppers, *, owner: str = "") -> str:
    """The same hash under the primary pepper: from another one, or from none.

    It needs no password and costs no Argon2, so it can go over a whole table. What is under the
    primary pepper already comes back as it is. Raises as `verify` does.
    """
    inner = _opened(stored, replace(peppers, accept_bare=True), owner)
    return stored if _is_under(peppers.primary, stored) else _finished(inner, peppers, owner)


# -- Argon2 -----------------------------------------------------------------------------------


def _argon2(secret: bytes, parameters: Parameters) -> str:
    if _is_beyond_bounds(parameters):
        raise ValueError(f"More than what is verified here again: {parameters}.")
    try:
        return PasswordHasher.from_parameters(parameters).hash(secret)
    except HashingError as error:
        raise PasswordError(f"Argon2 could not hash: {error}.") from error


def _parameters(encoded: str) -> Parameters:
    """Of argon2's string; raises UnknownHash for any other, and for parameters beyond bounds."""
    if not _ARGON2.fullmatch(encoded):
        raise UnknownHash(
            "This is no Argon2 hash, nor one that is wrapped or peppered. If it is a bare MD5, "
            "wrap it: wrap_md5."
        )
    found = extract_parameters(encoded)
    if _is_beyond_bounds(found):
        raise UnknownHash(
            f"This hash asks for {found.memory_cost} KiB, {found.time_cost} passes and "
            f"{found.parallelism} lanes, more than any that is made here."
        )
    return found


def _is_beyond_bounds(parameters: Parameters) -> bool:
    return (
        parameters.memory_cost > MOST_MEMORY_KIB
        or parameters.time_cost > MOST_PASSES
        or parameters.parallelism > MOST_LANES
    )


def _encoded(password: str) -> bytes:
    """The password's bytes. A lone surrogate, which JSON can hold, is as good as any character."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _md5(password: str) -> bytes:
    """As old tables have it: of the password as it came, in hexadecimal."""
    given = password.encode("utf-8", "surrogatepass")
    return hashlib.md5(given, usedforsecurity=False).hexdigest().encode("ascii")


# -- pepper -----------------------------------------------------------------------------------


def _finished(inner: str, peppers: Peppers | None, owner: str) -> str:
    if peppers is None:
        return inner
    nonce, name = os.urandom(NONCE_BYTES), peppers.primary
    sealed = AESGCM(peppers.keys[name]).encrypt(nonce, inner.encode("ascii"), _bound(name, owner))
    return f"pepper${name}${base64.urlsafe_b64encode(nonce + sealed).decode('ascii')}"


def _opened(stored: str, peppers: Peppers | None, owner: str) -> str:
    """The hash without its pepper, whatever it is then."""
    match = _SEALED.fullmatch(stored)
    if match is None:
        if peppers is not None and not peppers.accept_bare:
            raise UnknownPepper("This hash has no pepper. Add one to all rows: rotate_pepper.")
        return stored
    name, text = match.groups()
    if peppers is None or name not in peppers.keys:
        raise UnknownPepper(f"This hash is under the pepper {name}, which is not given.")
    try:
        sealed = base64.b64decode(text, altchars=b"-_", validate=True)
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        return AESGCM(peppers.keys[name]).decrypt(nonce, rest, _bound(name, owner)).decode("ascii")
    except binascii.Error:
        raise UnknownHash("What follows the pepper's id is no Base64.") from None
    except (InvalidTag, ValueError):
        raise TamperedHash(
            f"This is not what the pepper {name} sealed for this owner: it was changed, or copied "
            "from another row, or the key is another."
        ) from None


def _is_under(name: str, stored: str) -> bool:
    match = _SEALED.fullmatch(stored)
    return match is not None and match[1] == name


def _bound(name: str, owner: str) -> bytes:
    """What a peppered hash is bound to. An id has no NUL, so no two pairs give the same bytes."""
    return f"answerbook password\0{name}\0{owner}".encode("utf-8", "surrogatepass")
