"""What a call to the desk costs: bytes that pass, and lines that its caller wrote.

Used by the notebook on RPC, for a comparison of the four protocols.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from answerbook.protocols.peer import Peer
from answerbook.protocols.wire import Wire

CALLS = 20
"""Enough for what passes now and then (a ping, a window that grows) to average out."""


@dataclass(frozen=True)
class Traffic:
    """Bytes of one call, headers and framing included, as TCP carries them."""

    sent: float
    received: float


def of_a_call(
    desk: Peer, connect: Callable[[str], Any], call: Callable[..., object], *arguments: object
) -> Traffic:
    """The mean of CALLS calls on a connection that is open already.

    `connect` makes a client of an address such as `127.0.0.1:5000`; `call` gets it, and
    `arguments`. The first call, which opens the connection, is not counted.
    """
    with Wire(int(desk.url.rpartition(":")[2])) as wire:
        client = connect(f"127.0.0.1:{wire.port}")
        call(client, *arguments)
        before = wire.passed("requests"), wire.passed("answers")
        for _ in range(CALLS):
            call(client, *arguments)
        sent = wire.passed("requests") - before[0]
        received = wire.passed("answers") - before[1]
    return Traffic(sent / CALLS, received / CALLS)


def lines(*functions: Callable[..., Any]) -> int:
    """Lines of these functions' source, their signatures included."""
    return sum(len(inspect.getsource(function).splitlines()) for function in functions)
