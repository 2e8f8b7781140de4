"""How many megabytes a second a file goes through, for notebook 3_6: the parts, and any whole.

`read`, `seal` and `write` are what an encrypted copy cannot do without, each on its own. `make`
makes the file.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from answerbook.notebook.waiting import progress, stopwatch

CHUNK_BYTES = 65_536


def best_rates(
    ways: Mapping[str, Callable[[], object]], size: int, rounds: int = 3
) -> dict[str, float]:
    """Megabytes (10**6 bytes) a second of each way to deal with `size` bytes, the best of `rounds`.

    The ways take turns, so that what else the machine does meets all of them.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in progress(range(rounds), "rounds"):
        for name, work in ways.items():
            with stopwatch() as watch:
                work()
            seconds[name].append(watch.seconds)
    return {name: size / 1e6 / min(taken) for name, taken in seconds.items()}


def make(path: Path, size: int) -> Path:
    """A file of `size` random bytes, made in constant memory."""
    with path.open("wb") as file:
        for start in range(0, size, 2**20):
            file.write(os.urandom(min(2**20, size - start)))
    return path


def read(source: Path) -> None:
    """Read a file in chunks; what was just written comes from memory."""
    with source.open("rb", buffering=0) as reader:
        while reader.read(CHUNK_BYTES):
            pass


def seal(size: int, chunk_bytes: int = CHUNK_BYTES) -> None:
    """Seal `size` bytes with AES-256-GCM in chunks, without any file."""
    cipher, chunk = AESGCM(os.urandom(32)), bytes(chunk_bytes)
    for place in range(max(1, size // chunk_bytes)):
        cipher.encrypt(place.to_bytes(12), chunk, None)


def write(target: Path, size: int) -> None:
    """Write `size` bytes in chunks, and wait until they are on the disk (fsync)."""
    chunk = os.urandom(CHUNK_BYTES)
    with target.open("wb", buffering=0) as writer:
        for _ in range(size // CHUNK_BYTES):
            writer.write(chunk)
        os.fsync(writer.fileno())
