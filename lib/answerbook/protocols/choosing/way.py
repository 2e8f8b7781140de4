"""One protocol, ready to carry payloads: what sends is here, and a receiver runs elsewhere.

Used by the contestants, each of which opens a `Way`, and by whoever measures or breaks it. Each
receiver is a process of its own, as it would be in production, and as every other here: none shares
the interpreter lock of its sender.
"""

import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from answerbook.protocols.choosing.line import Line, port_of
from answerbook.protocols.peer import Peer, start
from answerbook.protocols.stopping import Stopping

Send = Callable[[Iterator[str]], Coroutine[Any, Any, None] | None]
"""Sends payloads; returns once all are acknowledged in its protocol's way, or raises. A coroutine
function where the library is asynchronous."""


class Way(Stopping):
    """A sender's function, and its receiver with the folder that has the receiver's ledger."""

    def __init__(
        self, send: Send, start: Callable[[], Peer], folder: Path, receiver: Peer | None = None
    ) -> None:
        """`start` starts a receiver: the first one, unless there is one, and each after a kill."""
        self.send = send
        self.folder = folder
        self.receiver = receiver or start()
        self._start = start

    def kill(self) -> None:
        """SIGKILL to the receiver; return when it is gone."""
        os.kill(self.receiver.pid, signal.SIGKILL)
        self.receiver.stop()

    def restart(self) -> None:
        """A new receiver in the place of one that was killed, with the same ledger."""
        self.receiver = self._start()

    def stop(self) -> None:
        """End the receiver."""
        self.receiver.stop()


@contextmanager
def direct(
    module: str, send: Callable[..., Any], folder: Path, line: Line, *more: object
) -> Iterator[Way]:
    """A way to a receiver that listens itself: `python -m module port folder`.

    `send` gets the receiver's address, `more`, and the payloads.
    """
    first = start(module, "0", str(folder))
    again = partial(start, module, str(port_of(first.url)), str(folder))
    with Way(partial(send, line.to(first.url), *more), again, folder, first) as way:
        yield way
