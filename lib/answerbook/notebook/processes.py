"""Which processes belong to a run: its kernel, the services of its state folder, their children.

`kernel` measures them while a notebook runs and looks for those that outlive it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress

import psutil

from answerbook.services.state import StateFolder

CREATION_TOLERANCE = 1.0
"""Seconds by which two accounts of a process's start may differ; a pid is not reused so soon."""
SECONDS_TO_END = 5.0
"""That a kernel's children have after it: those that watch for its end need a moment."""
POLL_SECONDS = 0.1

Root = tuple[int, float]
"""A pid, and when that process was created (seconds since the epoch)."""


def service_roots(state: StateFolder) -> list[Root]:
    """The processes that services in this state folder were started as, dead ones included."""
    return [
        (process.pid, process.created)
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
    """Wait for `processes`, kill those that stay, and return the names of these."""
    deadline = time.monotonic() + SECONDS_TO_END
    alive = [process for process in processes if lives(process)]
    while alive and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        alive = [process for process in alive if lives(process)]
    names = []
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            names.append(process.name())
            process.kill()
    return names


def lives(process: psutil.Process) -> bool:
    """Whether it runs; a zombie, which only waits for its parent to look, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
