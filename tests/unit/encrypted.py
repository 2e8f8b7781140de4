"""Messages for the tests of answerbook.crypto: made, opened, and taken apart."""

import io
import os
from collections.abc import Callable

from answerbook.crypto import files
from answerbook.crypto.errors import CryptoError
from answerbook.crypto.files import CHUNK_BYTES, HEADER_BYTES, SEALED_CHUNK_BYTES

KEY = os.urandom(files.KEY_BYTES)
SIZES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 200_000)
"""Around the ends of chunks, where there is something to get wrong."""


def sealed(plaintext: bytes, key: bytes = KEY) -> bytes:
    writer = io.BytesIO()
    files.encrypt(io.BytesIO(plaintext), writer, key=key)
    return writer.getvalue()


def opened(message: bytes, key: bytes = KEY) -> bytes:
    """What `decrypt` gives, or raises, once `verify` has said the same."""
    writer = io.BytesIO()
    error = _raised(lambda: files.decrypt(io.BytesIO(message), writer, key=key))
    assert repr(error) == repr(_raised(lambda: files.verify(io.BytesIO(message), key=key)))
    if error:
        raise error
    return writer.getvalue()


def _raised(do: Callable[[], object]) -> CryptoError | None:
    try:
        do()
    except CryptoError as error:
        return error
    return None


def parts(message: bytes) -> list[bytes]:
    """The header, and each chunk as it stands in the file."""
    body = range(HEADER_BYTES, len(message), SEALED_CHUNK_BYTES)
    return [message[:HEADER_BYTES], *(message[at : at + SEALED_CHUNK_BYTES] for at in body)]
