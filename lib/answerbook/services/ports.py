"""Choosing port numbers on loopback: the usual one where it is free, any other where not.

A broker binds its port seconds after the choice. Until then the port is reserved, so that nobody
who starts a service from another state folder chooses it too.
"""

import random
import socket
import time
from collections.abc import Collection, Mapping
from contextlib import ExitStack

from answerbook.services.errors import ServiceError

OTHERS = range(20_000, 32_000)
"""Under the range that the system takes outgoing connections' ports from (32,768 on, by default):
one of those could take a port at any moment."""

RELEASE_SECONDS = 3.0
"""What the children of a killed process may take to notice, on a busy machine, and to end."""


class Reservation:
    """Holds ports against whoever chooses by this module, in any process and for any user.

    For TCP port n it takes UDP port n of loopback, which no service of ours uses: it is in no
    service's way, needs no file, and the system gives it back when we die.
    """

    def __init__(self) -> None:
        self._held = ExitStack()

    def take(self, port: int) -> bool:
        """Reserve `port`; False where somebody else has it."""
        held = socket.socket(type=socket.SOCK_DGRAM)
        try:
            held.bind(("127.0.0.1", port))
        except OSError:
            held.close()
            return False
        self._held.enter_context(held)
        return True

    def close(self) -> None:
        """Give all back: whoever they were for listens on them, or will not any more."""
        self._held.close()


def choose(usual: int, taken: set[int], reservation: Reservation) -> int:
    """A port that is free now, and reserved: `usual` if it can be had (0: any), not of `taken`.

    Between this and the service's own bind another program may take it; then the service's start
    fails, says so in its log, and the next start chooses anew.
    """
    others = random.sample(OTHERS, 50)
    for port in (usual or others[0], *others):
        # In this order: what another start had reserved may listen by now.
        if port not in taken and reservation.take(port) and is_free(port):
            return port
    raise ServiceError(
        "No free port was found on 127.0.0.1. Something holds nearly all of them; "
        "`ss -ltn` shows what listens."
    )


def choose_each(
    wanted: Mapping[int, Mapping[str, int]], taken: set[int], reservation: Reservation
) -> dict[int, dict[str, int]]:
    """A free port for every name of every node, as `choose` does it; none of them twice."""
    taken = set(taken)
    chosen: dict[int, dict[str, int]] = {}
    for node, names in wanted.items():
        chosen[node] = {}
        for name, number in names.items():
            chosen[node][name] = choose(number, taken, reservation)
            taken.add(chosen[node][name])
    return chosen


def wait_until_free(numbers: Collection[int], seconds: float = RELEASE_SECONDS) -> None:
    """Return once all are free, or after `seconds`: what was killed holds its port for a moment."""
    deadline = time.monotonic() + seconds
    while not all(map(is_free, numbers)) and time.monotonic() < deadline:
        time.sleep(0.02)


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        # As the services' own sockets do: connections in TIME_WAIT do not hold a port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
