"""How much memory a container uses. The engine's `memory` calls `used`."""

from __future__ import annotations

import re
from pathlib import Path

from answerbook.services.compose.commands import docker
from answerbook.services.compose.containers import Container

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def used(container: Container) -> int:
    """Bytes, without the page cache that the kernel can take back: what `docker stats` shows.

    Read from the container's control group, at once, where Docker runs on this very system; asked
    of Docker, which takes 2 s, where it runs in a virtual machine of its own.
    """
    from_kernel = _from_control_group(container)
    return from_kernel if from_kernel is not None else _from_docker(container)


def parse(printed: str) -> int:
    """Bytes, from the `123.4MiB / 768MiB` of `docker stats`."""
    match = re.match(r"([\d.]+)([A-Za-z]+)", printed.strip())
    if match is None or match[2] not in UNITS:
        return 0
    return round(float(match[1]) * UNITS[match[2]])


def _from_docker(container: Container) -> int:
    words = ("stats", "--no-stream", "--format", "{{.MemUsage}}", container.id)
    return parse(docker(*words))


def _from_control_group(container: Container) -> int | None:
    try:
        lines = (PROC / str(container.pid) / "cgroup").read_text().splitlines()
        for line in lines:
            _, controllers, path = line.split(":", 2)
            # A pid of a virtual machine's is somebody else's here, and in another group.
            if container.id not in path:
                continue
            if controllers == "":
                return _read(CGROUPS / path[1:], "memory.current", "inactive_file")
            if "memory" in controllers.split(","):
                folder = CGROUPS / "memory" / path[1:]
                return _read(folder, "memory.usage_in_bytes", "total_inactive_file")
    except (OSError, ValueError):
        return None
    return None


def _read(folder: Path, usage: str, cache: str) -> int:
    statistics = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    return int((folder / usage).read_text()) - int(statistics[cache])
