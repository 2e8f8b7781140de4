"""Frames come out as they went in, however cut; anything else is one named error."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answerbook.protocols.framing import MOST_BYTES, FrameError, Frames, framed

messages = st.lists(st.binary(min_size=1, max_size=300), max_size=8)


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """`stream` in pieces, cut at `places` (taken modulo its length), some of them empty."""
    ends = sorted(place % (len(stream) + 1) for place in places)
    return [stream[begin:end] for begin, end in zip([0, *ends], [*ends, len(stream)], strict=True)]


@given(sent=messages, places=st.lists(st.integers(0, 5_000), max_size=30))
def test_any_messages_cut_anywhere_come_out_the_same(sent: list[bytes], places: list[int]) -> None:
    frames = Frames()
    stream = b"".join(map(framed, sent))
    read = [message for piece in cut(stream, places) for message in frames.feed(piece)]
    frames.end()
    assert sent == read


@given(sent=messages)
def test_any_messages_byte_by_byte_come_out_the_same(sent: list[bytes]) -> None:
    frames = Frames()
    stream = b"".join(map(framed, sent))
    assert sent == [message for byte in stream for message in frames.feed(bytes([byte]))]


@given(pieces=st.lists(st.binary(max_size=200), max_size=20))
def test_garbage_raises_only_the_named_error(pieces: list[bytes]) -> None:
    frames, read = Frames(), list[bytes]()
    try:
        for piece in pieces:
            read += frames.feed(piece)
        frames.end()
    except FrameError:
        return
    # What passed for messages accounts for every byte, so it was none.
    assert b"".join(pieces) == b"".join(map(framed, read))


@given(sent=messages.filter(bool), missing=st.integers(1, 5))
def test_a_stream_that_ends_within_a_message_is_an_error(sent: list[bytes], missing: int) -> None:
    frames = Frames()
    last = framed(sent[-1])
    rest = last[: -min(missing, len(last) - 1)]
    assert sent[:-1] == list(frames.feed(b"".join(map(framed, sent[:-1])) + rest))
    with pytest.raises(FrameError, match=f"{len(rest)} bytes into a message"):
        frames.end()


@pytest.mark.parametrize("length", [0, MOST_BYTES + 1, 0xFFFF])
def test_a_length_that_no_message_has_is_refused_at_once(length: int) -> None:
    with pytest.raises(FrameError, match=f"A message of {length} bytes"):
        list(Frames().feed(length.to_bytes(2, "big")))


@given(sent=messages, garbage=st.binary(max_size=20), places=st.lists(st.integers(0, 5_000)))
def test_what_came_before_a_length_that_no_message_has_is_given_all_the_same(
    sent: list[bytes], garbage: bytes, places: list[int]
) -> None:
    frames = Frames()
    pieces = cut(b"".join(map(framed, sent)) + b"\0\0" + garbage, places)
    came = (message for piece in pieces for message in frames.feed(piece))
    assert sent == list(islice(came, len(sent)))
    with pytest.raises(FrameError):
        next(came)


@pytest.mark.parametrize("length", [0, MOST_BYTES + 1])
def test_what_the_receiver_would_refuse_is_not_framed(length: int) -> None:
    with pytest.raises(FrameError):
        framed(bytes(length))


def test_the_longest_message_passes() -> None:
    longest = bytes(MOST_BYTES)
    assert [longest] == list(Frames().feed(framed(longest)))


def test_a_length_in_digits_is_recognised_as_an_error() -> None:
    with pytest.raises(FrameError, match="do not agree on how a length is written"):
        list(Frames().feed(b"0082" + bytes(82)))
