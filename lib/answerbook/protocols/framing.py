"""Messages on a stream: each with its length in two bytes, the high one first, in front of it.

Used by `card_network` and by the notebook on devices and files, whose own seven lines do the same
for input that is well formed. This one also says what is not.
"""

from collections.abc import Iterator

LENGTH_BYTES = 2
MOST_BYTES = 4_096
"""A card message has some hundreds. A longer one means that a length was read where none is."""


class FrameError(ValueError):
    """The stream is not messages with their length in front; nothing after this can be trusted."""


def framed(message: bytes) -> bytes:
    """`message` with its length in front.

    Raises FrameError when it is empty or longer than MOST_BYTES: the receiver would refuse it.
    """
    _check(len(message))
    return len(message).to_bytes(LENGTH_BYTES, "big") + message


class Frames:
    """Takes a stream in pieces of any size, and gives back the messages in it."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The messages that `piece` completes, in order.

        Raises FrameError for a length that no message has, after all that came before it; the
        connection is then to be closed.
        """
        self._buffer += piece
        return self._whole()

    def end(self) -> None:
        """To be called when the stream has ended. Raises FrameError in the middle of a message."""
        if self._buffer:
            raise FrameError(
                f"The connection ended {len(self._buffer)} bytes into a message, so that message "
                "is to be sent again on a new one."
            )

    def _whole(self) -> Iterator[bytes]:
        while (end := self._end()) is not None and len(self._buffer) >= end:
            message = bytes(self._buffer[LENGTH_BYTES:end])
            del self._buffer[:end]
            yield message

    def _end(self) -> int | None:
        """Where in the buffer the first message ends; None while its length is not all there."""
        if len(self._buffer) < LENGTH_BYTES:
            return None
        length = int.from_bytes(self._buffer[:LENGTH_BYTES], "big")
        _check(length)
        return LENGTH_BYTES + length


def _check(length: int) -> None:
    if not 1 <= length <= MOST_BYTES:
        raise FrameError(
            f"A message of {length} bytes: from 1 to {MOST_BYTES} are possible, so the two sides "
            "do not agree on how a length is written, and the connection has to be closed."
        )
