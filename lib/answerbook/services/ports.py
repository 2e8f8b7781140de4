"""Choosing port numbers on loopback: the usual one where it is free, any other where not."""

import random
import socket
from collections.abc import Mapping

from answerbook.services.errors import ServiceError

OTHERS = range(20_000, 32_000)
"""Under the range that the system takes outgoing connections' ports from (32,768 on, by default):
one of those could take a port at any moment."""


def choose(usual: int, taken: set[int]) -> int:
    """A port that is free now: `usual` if it can be had (0: any), not one of `taken`.

    Between this look and the service's own bind another program may take it; then the service's
    start fails, says so in its log, and the next start chooses anew.
    """
    others = random.sample(OTHERS, 50)
    for port in (usual or others[0], *others):
        if port not in taken and is_free(port):
            return port
    raise ServiceError(
        "No free port was found on 127.0.0.1. Something holds nearly all of them; "
        "`ss -ltn` shows what listens."
    )


def choose_each(
    wanted: Mapping[int, Mapping[str, int]], taken: set[int]
) -> dict[int, dict[str, int]]:
    """A free port for every name of every node, as `choose` does it; none of them twice."""
    taken = set(taken)
    chosen: dict[int, dict[str, int]] = {}
    for node, names in wanted.items():
        chosen[node] = {}
        for name, number in names.items():
            chosen[node][name] = choose(number, taken)
            taken.add(chosen[node][name])
    return chosen


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
