"""Envelope encryption: a data key for each file, wrapped by a key-encryption key (KEK).

Notebook 3_6 calls this. The data key encrypts the file once; what changes is the KEK, and then only
the wrapped keys are written again, a line of some 200 bytes each. In production the keyring is a
key management service, which wraps and unwraps and never gives a KEK out.

    wrap, unwrap, rotate                      on keys
    encrypt_file, decrypt_file, rotate_file   on a file and its sidecar, FILE.key, which has the key
    shred_file, Keyring.destroy               without its key, a file is noise in every copy of it

A key is wrapped with AES-256-GCM under a random nonce; the KEK's id and a context (whose data it
is) are its associated data. NIST SP 800-38D allows a KEK 2**32 such nonces. A check of the KEK
stands with it, so that a wrong KEK is told from a changed key, and GCM's lack of commitment is
mended.
"""

import base64
import binascii
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hmac import compare_digest, digest
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from answerbook.crypto import files
from answerbook.crypto.chunks import Progress, write_all
from answerbook.crypto.errors import Tampered, UnknownFormat, WrongKey
from answerbook.crypto.keys import KEY_BYTES, new_key
from answerbook.crypto.replacing import replacing

FORMAT = "answerbook wrapped key 1"
NONCE_BYTES, TAG_BYTES, CHECK_BYTES = 12, 16, 16
MOST_SIDECAR_BYTES = 4_096


@dataclass(frozen=True)
class WrappedKey:
    """A data key that only the holder of a KEK can read. None of its fields is secret."""

    kek: str
    """The id of the KEK."""
    check: bytes
    """Of the KEK, 16 bytes."""
    nonce: bytes
    sealed: bytes
    """The data key and its tag."""

    def to_json(self) -> str:
        """One line, as it stands in a sidecar."""
        fields = {
            name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
            for name, value in asdict(self).items()
        }
        return json.dumps({"format": FORMAT, **fields})

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote. Raises UnknownFormat."""
        try:
            fields = json.loads(text)
            if fields.pop("format") != FORMAT or not isinstance(kek := fields.pop("kek"), str):
                raise ValueError
            found = {name: base64.b64decode(value, validate=True) for name, value in fields.items()}
            wrapped = cls(kek, **found)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
            raise UnknownFormat(_NO_WRAPPED_KEY) from None
        lengths = len(wrapped.check), len(wrapped.nonce), len(wrapped.sealed)
        if lengths != (CHECK_BYTES, NONCE_BYTES, KEY_BYTES + TAG_BYTES):
            raise UnknownFormat(_NO_WRAPPED_KEY)
        return wrapped


class Keyring:
    """KEKs by id. New keys are wrapped under the primary; the others still unwrap."""

    def __init__(self, keks: Mapping[str, bytes], primary: str) -> None:
        """Raise ValueError unless every KEK has 32 bytes and the primary is one of them."""
        for name, kek in keks.items():
            if len(kek) != KEY_BYTES:
                raise ValueError(f"a KEK has {KEY_BYTES} bytes, and {name!r} has {len(kek)}")
        if primary not in keks:
            raise ValueError(f"there is no KEK {primary!r} to be the primary")
        self._keks = dict(keks)
        self.primary = primary

    @classmethod
    def new(cls, primary: str) -> Self:
        """A keyring with one new, random KEK."""
        return cls({primary: new_key()}, primary)

    @property
    def ids(self) -> list[str]:
        """Of all its KEKs, oldest first."""
        return list(self._keks)

    def add(self, name: str, kek: bytes | None = None) -> None:
        """Add a KEK, a new one by default, and make it the primary. Raises ValueError."""
        if name in self._keks:
            raise ValueError(f"there is a KEK {name!r} already, and keys may be wrapped under it")
        self._keks = Keyring({**self._keks, name: kek or new_key()}, name)._keks
        self.primary = name

    def destroy(self, name: str) -> None:
        """Forget a KEK: what is still wrapped under it is lost for good, in every backup.

        Raises ValueError for the primary, KeyError where there is none.
        """
        if name == self.primary:
            raise ValueError(f"{name!r} is the primary; add another KEK first")
        del self._keks[name]

    def __getitem__(self, name: str) -> bytes:
        """Raise WrongKey where there is no such KEK."""
        try:
            return self._keks[name]
        except KeyError:
            raise WrongKey(
                f"The key is wrapped under the KEK {name!r}, and the keyring has only "
                f"{', '.join(map(repr, self._keks))}. Add that KEK, if it was not destroyed."
            ) from None

    def __repr__(self) -> str:
        return f"<Keyring of {', '.join(self._keks)}; primary: {self.primary}>"


# -- keys --------------------------------------------------------------------------------------


def wrap(data_key: bytes, keyring: Keyring, context: bytes = b"") -> WrappedKey:
    """Wrap 32 bytes under the keyring's primary KEK; only the same `context` unwraps them."""
    if len(data_key) != KEY_BYTES:
        raise ValueError(f"a data key has {KEY_BYTES} bytes, and this one has {len(data_key)}")
    kek, nonce = keyring[keyring.primary], os.urandom(NONCE_BYTES)
    sealed = AESGCM(kek).encrypt(nonce, data_key, _associated(keyring.primary, context))
    return WrappedKey(keyring.primary, _check(kek), nonce, sealed)


def unwrap(wrapped: WrappedKey, keyring: Keyring, context: bytes = b"") -> bytes:
    """The data key. Raises WrongKey without the right KEK, Tampered for another context."""
    kek = keyring[wrapped.kek]
    if not compare_digest(_check(kek), wrapped.check):
        raise WrongKey(
            f"The key was wrapped under another KEK that was called {wrapped.kek!r}, too (or its "
            "record was changed, which looks the same). Give the KEK that it was wrapped under."
        )
    try:
        return AESGCM(kek).decrypt(wrapped.nonce, wrapped.sealed, _associated(wrapped.kek, context))
    except InvalidTag:
        raise Tampered(
            "The wrapped key was changed, or was wrapped for another context. Give the context "
            "that it was wrapped for, or get its record again from a backup."
        ) from None


def rotate(wrapped: WrappedKey, keyring: Keyring, context: bytes = b"") -> WrappedKey:
    """The same data key under the primary KEK; `wrapped` itself where it is under it already."""
    data_key = unwrap(wrapped, keyring, context)
    return wrapped if wrapped.kek == keyring.primary else wrap(data_key, keyring, context)


def _associated(name: str, context: bytes) -> bytes:
    """Id and context, so that no other pair reads the same."""
    encoded = name.encode()
    return FORMAT.encode() + len(encoded).to_bytes(4) + encoded + context


def _check(kek: bytes) -> bytes:
    return digest(kek, f"{FORMAT}: check".encode(), "sha256")[:CHECK_BYTES]


# -- files -------------------------------------------------------------------------------------


def sidecar(target: files.Name) -> Path:
    """Where the wrapped key of a file stands."""
    path = Path(target)
    return path.with_name(f"{path.name}.key")


def encrypt_file(
    source: files.Name,
    target: files.Name,
    keyring: Keyring,
    context: bytes = b"",
    *,
    progress: Progress | None = None,
) -> WrappedKey:
    """Encrypt under a new data key, and write that, wrapped, beside the target.

    Raises FileExistsError where the target is there: two files cannot be replaced at once, and a
    file with another's key would be lost. The sidecar is written first, for the same reason, and
    one that is there is never replaced: it may hold the only key of a file that was moved away. Two
    processes may not write the same target at once.
    """
    for path in (Path(target), sidecar(target)):
        if path.exists():
            raise FileExistsError(f"{path} is there already; encrypt to a new name")
    data_key = new_key()
    wrapped = wrap(data_key, keyring, context)
    _write(wrapped, target)
    try:
        files.encrypt_file(source, target, key=data_key, progress=progress)
    except BaseException:
        sidecar(target).unlink(missing_ok=True)
        raise
    return wrapped


def decrypt_file(
    source: files.Name,
    target: files.Name,
    keyring: Keyring,
    context: bytes = b"",
    *,
    progress: Progress | None = None,
) -> None:
    """Unwrap the key that stands beside `source`, and decrypt it. Raises as the two do."""
    data_key = unwrap(read_wrapped(source), keyring, context)
    files.decrypt_file(source, target, key=data_key, progress=progress)


def rotate_file(target: files.Name, keyring: Keyring, context: bytes = b"") -> bool:
    """Wrap the file's key under the primary KEK; the file itself is not touched.

    False where that was done already, so a rotation of many that was interrupted is simply begun
    again.
    """
    before = read_wrapped(target)
    after = rotate(before, keyring, context)
    if after is before:
        return False
    _write(after, target)
    return True


def shred_file(target: files.Name) -> None:
    """Delete the file's key, then the file.

    A copy of the file anywhere is noise now; a copy of the sidecar is not, as long as its KEK
    lives. Where there are backups of sidecars, destroy the KEK.
    """
    sidecar(target).unlink(missing_ok=True)
    Path(target).unlink(missing_ok=True)


def read_wrapped(target: files.Name) -> WrappedKey:
    """The wrapped key beside a file. Raises FileNotFoundError, UnknownFormat."""
    with sidecar(target).open("rb") as file:
        return WrappedKey.from_json(file.read(MOST_SIDECAR_BYTES))


def _write(wrapped: WrappedKey, target: files.Name) -> None:
    with replacing(sidecar(target)) as file:
        write_all(file, (wrapped.to_json() + "\n").encode())


_NO_WRAPPED_KEY = (
    "It is no wrapped key, or was cut short or written by another program. Get it again from a "
    "backup: without it, the file cannot be decrypted."
)
