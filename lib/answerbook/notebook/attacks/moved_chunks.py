"""What somebody who can write to the disk, and has no key, may do to an encrypted file.

Notebook 3_6 tries each on the format of `answerbook.crypto.files`, which refuses all.
"""

from answerbook.crypto.files import HEADER_BYTES, SEALED_CHUNK_BYTES


def changes(blob: bytes, other: bytes) -> dict[str, bytes]:
    """What was done → the file after it, for a file of three chunks and another like it.

    `other` is a file of the same content under the same key.
    """
    head, first, second, last = parts(blob)
    return {
        "two chunks swapped": head + second + first + last,
        "one left out": head + first + last,
        "one repeated": head + first + first + second + last,
        "the last one removed": head + first + second,
        "cut inside a chunk": blob[:-9],
        "one byte added": blob + b"!",
        "one bit changed": blob[:999] + bytes([blob[999] ^ 1]) + blob[1000:],
        "a chunk of another file": head + parts(other)[1] + second + last,
        "header of another file": parts(other)[0] + first + second + last,
        "sent as text": blob.replace(b"\r\n", b"\n"),
        "nothing at all": b"",
    }


def parts(blob: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Header and three chunks, of which the last may be short."""
    ends = [HEADER_BYTES + n * SEALED_CHUNK_BYTES for n in range(3)]
    return blob[: ends[0]], blob[ends[0] : ends[1]], blob[ends[1] : ends[2]], blob[ends[2] :]
