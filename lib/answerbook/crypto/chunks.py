"""The STREAM construction: a message of any length as sealed chunks, in constant memory.

Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance", CRYPTO 2015. Each chunk's nonce says which one it is and whether it is the last,
so a chunk that was moved, dropped or repeated, and a message that was cut off or went on, do not
open. files.py alone calls this; its docstring has the layout.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from answerbook.crypto.errors import Tampered, Truncated

CHUNK_BYTES = 65_536
"""Of plaintext in every chunk but the last, which may have fewer."""
TAG_BYTES = 16
FRAME_BYTES = 4
"""Before each chunk: its length, and in the highest bit whether it is the last."""
FINAL = 1 << 31

Progress = Callable[[int], object]
"""Called with how many bytes of the source were dealt with since the last call."""


class Reader(Protocol):
    """Any binary stream: a file, a pipe, an HTTP response. It may give less than asked."""

    def read(self, size: int, /) -> bytes | None: ...


class Writer(Protocol):
    """Any binary stream. It may take less than it is given."""

    def write(self, data: bytes | memoryview, /) -> int | None: ...


def seal(
    reader: Reader,
    writer: Writer,
    cipher: AESGCM,
    prefix: bytes,
    associated: bytes,
    progress: Progress,
) -> None:
    """Write what is read, as chunks. Raises OverflowError beyond 2**32 of them (256 TiB)."""
    chunk, index, final = read_exactly(reader, CHUNK_BYTES), 0, False
    while not final:
        following = read_exactly(reader, CHUNK_BYTES) if len(chunk) == CHUNK_BYTES else b""
        final = not following
        sealed = cipher.encrypt(nonce(prefix, index, final=final), chunk, associated)
        write_all(writer, frame(len(chunk), final=final) + sealed)
        progress(len(chunk))
        chunk, index = following, index + 1


def open_all(
    reader: Reader, cipher: AESGCM, prefix: bytes, associated: bytes, progress: Progress
) -> Iterator[bytes]:
    """Each chunk's plaintext once it has verified, in order.

    Only when the iterator has ended is the message known to be whole. Raises Tampered or Truncated.
    """
    index, final = 0, False
    while not final:
        length, final = _unframe(_read_or_truncated(reader, FRAME_BYTES, index), index)
        sealed = _read_or_truncated(reader, length + TAG_BYTES, index)
        try:
            chunk = cipher.decrypt(nonce(prefix, index, final=final), sealed, associated)
        except InvalidTag:
            raise _changed(index) from None
        if final and reader.read(1):
            raise Tampered(
                "Something was added after its last chunk. Get it again from where it came from."
            )
        progress(FRAME_BYTES + len(sealed))
        yield chunk
        index += 1


def nonce(prefix: bytes, index: int, *, final: bool) -> bytes:
    """Of a chunk: 7 bytes of the file, 4 of its place, 1 that is 1 for the last, 12 in all.

    Raises OverflowError where the place has no room: never is a nonce used twice.
    """
    return prefix + index.to_bytes(4) + bytes([final])


def frame(length: int, *, final: bool) -> bytes:
    """What stands before a chunk of `length` bytes of plaintext."""
    return (length | (FINAL if final else 0)).to_bytes(FRAME_BYTES)


def read_exactly(reader: Reader, size: int) -> bytes:
    """Read `size` bytes, fewer only at the end; a pipe gives them piece by piece."""
    data = _read(reader, size)
    if not data or len(data) == size:
        return data
    pieces, missing = [data], size - len(data)
    while missing and (data := _read(reader, missing)):
        pieces.append(data)
        missing -= len(data)
    return b"".join(pieces)


def write_all(writer: Writer, data: bytes) -> None:
    """Write all of `data`; a file that is not buffered may take it piece by piece."""
    written = writer.write(data)
    if written == len(data):
        return
    rest = memoryview(data)
    while True:
        if written is None:
            raise BlockingIOError("the stream to write to does not wait until it has room")
        rest = rest[written:]
        if not rest:
            return
        written = writer.write(rest)


def _read(reader: Reader, size: int) -> bytes:
    data = reader.read(size)
    if data is None:
        raise BlockingIOError("the stream to read from does not wait until it has data")
    return data


def _read_or_truncated(reader: Reader, size: int, index: int) -> bytes:
    data = read_exactly(reader, size)
    if len(data) < size:
        raise Truncated(
            f"It ends in chunk {index + 1}, and its last chunk has not come: it was cut short. "
            "Get it again from where it came from."
        )
    return data


def _unframe(data: bytes, index: int) -> tuple[int, bool]:
    word = int.from_bytes(data)
    final, length = bool(word & FINAL), word & ~FINAL
    if length > CHUNK_BYTES or (length < CHUNK_BYTES and not final):
        raise _changed(index)
    return length, final


def _changed(index: int) -> Tampered:
    return Tampered(
        f"Chunk {index + 1} is not what was encrypted there: it was changed, moved or left out. "
        "Get the file again from where it came from."
    )
