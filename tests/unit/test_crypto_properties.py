"""Encrypted messages under any content and any change: 500 examples, 10,000 in `make thorough`."""

import io
import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from answerbook.crypto import files
from answerbook.crypto.envelope import FORMAT, WrappedKey
from answerbook.crypto.errors import CryptoError, Tampered, Truncated, UnknownFormat
from answerbook.crypto.files import CHUNK_BYTES, HEADER_BYTES, SEALED_CHUNK_BYTES
from answerbook.crypto.header import LAYOUT, MAGIC
from tests.unit.encrypted import KEY, opened, parts, sealed

MESSAGE = sealed(os.urandom(4 * CHUNK_BYTES + 1_000))
"""Five chunks, which the tests change and nobody else."""
HEADER, *CHUNKS = parts(MESSAGE)

often = pytest.mark.parametrize(
    "examples",
    [500, pytest.param(10_000, marks=[pytest.mark.thorough, pytest.mark.timeout(3_000)])],
)


def holds(examples: int, *strategies: st.SearchStrategy[Any], **named: Any) -> Callable[..., Any]:
    """The function under it, run with so many examples."""

    def run(function: Callable[..., None]) -> None:
        settings(max_examples=examples, deadline=None)(given(*strategies, **named)(function))()

    return run


around_chunks = st.builds(
    lambda chunks, more: max(0, chunks * CHUNK_BYTES + more),
    st.integers(0, 3),
    st.integers(-20, 20),
)
contents = st.binary(max_size=2_000) | st.builds(
    lambda size, content: (content * (size // len(content) + 1))[:size],
    around_chunks,
    st.binary(min_size=1, max_size=100),
)


@often
def test_any_bytes_come_back_through_streams_of_any_pace(examples: int) -> None:
    @holds(examples, contents, st.integers(1, 2 * CHUNK_BYTES))
    def test(plaintext: bytes, pace: int) -> None:
        class Paced(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                return super().read(min(size or 0, max(pace, len(plaintext) // 50)))

        writer = io.BytesIO()
        files.encrypt(Paced(plaintext), writer, key=KEY)
        assert files.encrypted_size(len(plaintext)) == len(writer.getvalue())
        again = io.BytesIO()
        files.decrypt(Paced(writer.getvalue()), again, key=KEY)
        assert plaintext == again.getvalue()


@often
def test_any_flipped_bit_is_refused(examples: int) -> None:
    @holds(examples, st.integers(0, len(MESSAGE) - 1) | st.integers(0, 200), st.integers(0, 7))
    def test(at: int, bit: int) -> None:
        changed = bytearray(MESSAGE)
        changed[at] ^= 1 << bit
        with pytest.raises(CryptoError):
            opened(bytes(changed))


@often
def test_any_flipped_bit_of_a_chunk_is_no_truncation_and_names_the_chunk(examples: int) -> None:
    @holds(examples, st.integers(0, 4), st.integers(4, len(CHUNKS[-1]) - 1), st.integers(0, 7))
    def test(chunk: int, at: int, bit: int) -> None:
        changed = bytearray(MESSAGE)
        changed[HEADER_BYTES + chunk * SEALED_CHUNK_BYTES + at] ^= 1 << bit
        with pytest.raises(Tampered, match=f"Chunk {chunk + 1} is not what") as caught:
            opened(bytes(changed))
        assert not isinstance(caught.value, Truncated)


@often
def test_any_removed_repeated_or_reordered_chunk_is_refused(examples: int) -> None:
    places = st.lists(st.integers(0, 4), max_size=8).filter(lambda order: order != [0, 1, 2, 3, 4])

    @holds(examples, places)
    @example([])
    @example([0, 1, 2, 3])
    @example([1, 2, 3, 4])
    @example([0, 2, 1, 3, 4])
    @example([0, 1, 1, 2, 3, 4])
    @example([4])
    @example([0, 1, 2, 3, 4, 4])
    def test(order: list[int]) -> None:
        with pytest.raises(Tampered):
            opened(b"".join([HEADER, *(CHUNKS[place] for place in order)]))


@often
def test_any_beginning_is_refused_as_truncated(examples: int) -> None:
    @holds(examples, st.integers(len(MAGIC), len(MESSAGE) - 1))
    def test(length: int) -> None:
        with pytest.raises(Truncated):
            opened(MESSAGE[:length])


@often
def test_any_insertion_is_refused(examples: int) -> None:
    @holds(examples, st.integers(0, len(MESSAGE)), st.binary(min_size=1, max_size=100))
    def test(at: int, more: bytes) -> None:
        with pytest.raises(CryptoError):
            opened(MESSAGE[:at] + more + MESSAGE[at:])


anything = st.binary(max_size=300)
headers = st.builds(
    LAYOUT.pack,
    st.just(MAGIC),
    st.sampled_from([0, 1, 2]),
    st.sampled_from([0, 1, 2]),
    st.sampled_from([0, 1, 2]),
    st.integers(0, 255),
    st.integers(0, 2**32 - 1) | st.just(0),
    st.integers(0, 2**32 - 1) | st.just(0),
    st.binary(max_size=16),
    st.binary(max_size=7),
    st.binary(max_size=32),
)
garbage = (
    anything
    | anything.map(lambda more: MAGIC + more)
    | st.builds(bytes.__add__, headers, anything)
    | anything.map(lambda more: HEADER + more)
    | anything.map(lambda more: HEADER + CHUNKS[0] + more)
    | st.builds(
        lambda word, more: HEADER + word.to_bytes(4) + more, st.integers(0, 2**32 - 1), anything
    )
)


@often
def test_arbitrary_garbage_raises_the_named_exceptions_alone(examples: int) -> None:
    @holds(examples, garbage)
    @example(b"")
    @example(HEADER)
    @example(HEADER + b"\xff\xff\xff\xff")
    def test(message: bytes) -> None:
        with pytest.raises(CryptoError):
            opened(message)


@often
def test_arbitrary_garbage_is_no_wrapped_key(examples: int) -> None:
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    records = st.fixed_dictionaries(
        {"format": st.just(FORMAT), "kek": leaves},
        optional=dict.fromkeys(("check", "nonce", "sealed", "other"), leaves),
    )

    @holds(examples, st.binary() | (leaves | records).map(json.dumps).map(str.encode))
    @example(b"[" * 100_000)
    @example(b"1" * 5_000)
    @example(b"\xff\xfe")
    def test(text: bytes) -> None:
        with pytest.raises(UnknownFormat):
            WrappedKey.from_json(text)
