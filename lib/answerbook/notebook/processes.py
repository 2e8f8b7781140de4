"""Which processes belong to a run: its kernel, the services of its state folder, their children.

`kernel` measures them while a notebook runs and looks for those that outlive it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import psutil

from answerbook.services.native.processes import wait_gone
from answerbook.services.state import StateFolder

CREATION_TOLERANCE = 1.0
"""Seconds by which two accounts of a process's start may differ; a pid is not reused so soon."""
SECONDS_TO_END = 5.0
"""That a kernel's children have after it: those that watch for its end need a moment."""
SECONDS_TO_DIE = 10.0
"""That a killed process has: the kernel first takes back its memory, or ends a call to a disk."""

Root = tuple[int, float]
"""A pid, and when that process was created (seconds since the epoch)."""


def service_roots(state: StateFolder) -> list[Root]:
    """The processes that services in this state folder were started as, dead ones included."""
    return [
        (process.pid, process.started + psutil.boot_time())
        for record in state.recorded()
        for process in record.processes
    ]


def with_children(roots: Iterable[Root]) -> list[psutil.Process]:
    """The processes of `roots` that still live, and all under them, each once."""
    found: dict[int, psutil.Process] = {}
    for pid, created in roots:
        try:
            process = psutil.Process(pid)
            if abs(process.create_time() - created) > CREATION_TOLERANCE:
                continue
            for member in (process, *process.children(recursive=True)):
                found.setdefault(member.pid, member)
        except psutil.NoSuchProcess:
            continue
    return list(found.values())


def children_but_services(kernel: Iterable[Root], state: StateFolder) -> list[psutil.Process]:
    """What a kernel started and no service is: it has to end with the kernel."""
    services = {process.pid for process in with_children(service_roots(state))}
    kernels = {pid for pid, _ in kernel}
    return [process for process in with_children(kernel) if process.pid not in services | kernels]


def end(processes: list[psutil.Process]) -> list[str]:
    """Wait for `processes`, kill those that stay, and return the names of these.

    It returns when the killed are gone, which on a busy machine is a while after the signal; one
    that is not after SECONDS_TO_DIE is told with its pid.
    """
    names = {}
    left = wait_gone(processes, SECONDS_TO_END)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            names[process] = process.name()
            process.kill()
    for process in wait_gone(left, SECONDS_TO_DIE):
        names[process] += f" ({process.pid}, still there {SECONDS_TO_DIE:g} s after SIGKILL)"
    return list(names.values())
