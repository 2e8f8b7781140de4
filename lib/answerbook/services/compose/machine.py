"""What this machine has of Docker, and whether the compose engine can work with it."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from urllib.parse import urlsplit

from answerbook.config import repository
from answerbook.services.compose.commands import INSTEAD, attempt, docker, one_line
from answerbook.services.errors import MissingProgram, ServiceError

ANSWER_SECONDS = 2.0
LEAST_COMPOSE = (2, 23, 1)
"""The first that takes a container's configuration file from compose.yaml itself."""
COMPOSE_PROGRAMS = (["docker", "compose"], ["docker-compose"])


def docker_answers() -> bool:
    """Whether a Docker engine on this machine answers and compose is there; within 2 s."""
    return why_not() is None


def why_not() -> str | None:
    """Why the compose engine cannot be used here, in a sentence; None where it can. Within 2 s.

    An engine elsewhere (DOCKER_HOST, a context) does not count: it would publish the ports on a
    loopback that is not ours.
    """
    if shutil.which("docker") is None:
        return "there is no `docker` command"
    if compose_file() is None:
        return "docker/compose.yaml is in a checkout only"
    deadline = time.monotonic() + ANSWER_SECONDS

    def left() -> float:
        return max(0.05, deadline - time.monotonic())

    try:
        where = docker(
            *("context", "inspect", "--format", "{{.Endpoints.docker.Host}}"), timeout=left()
        ).strip()
        if not is_here(where):
            return f"its Docker engine is not on this machine, but at {where}"
        docker("version", "--format", "{{.Server.Version}}", timeout=left())
        if compose_program(left()) is None:
            least = ".".join(str(number) for number in LEAST_COMPOSE)
            return f"a Docker engine answers, without compose {least} or later"
    except ServiceError as error:
        return re.split(r" \(|\. ", one_line(str(error)))[
            0
        ]  # what mends it is said when it is used
    return None


def is_here(endpoint: str) -> bool:
    """Whether an endpoint such as `unix:///var/run/docker.sock` is on this machine."""
    address = urlsplit(endpoint)
    return address.scheme in ("unix", "npipe", "fd") or (
        address.hostname in ("localhost", "127.0.0.1", "::1")
    )


def compose_program(timeout: float | None = None) -> list[str] | None:
    """The words that run compose: Docker's plugin, or else the program of its own; None if neither.

    Version 1, which is a different program, does not know half of what compose.yaml says.
    """
    for words in COMPOSE_PROGRAMS:
        if shutil.which(words[0]) is None:
            continue
        finished = attempt([*words, "version", "--short"], timeout)
        if finished.code == 0 and version_of(finished.printed) >= LEAST_COMPOSE:
            return words
    return None


def needed_compose_program() -> list[str]:
    """The same for whoever cannot do without. Raises MissingProgram."""
    words = compose_program()
    if words is None:
        least = ".".join(str(number) for number in LEAST_COMPOSE)
        raise MissingProgram(
            f"Docker is here without compose {least} or later. Install the plugin (Docker's own "
            f"packages: `docker-compose-plugin`; Ubuntu: `docker-compose-v2`), {INSTEAD}"
        )
    return words


def version_of(text: str) -> tuple[int, ...]:
    """Numbers of a version such as `2.40.3`, `v2.24.5-desktop.1`; of anything else none."""
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text.strip())
    return tuple(int(number) for number in match.groups()) if match else ()


def compose_file() -> Path | None:
    """docker/compose.yaml of the checkout; None where the package was installed without one."""
    root = repository()
    return root / "docker" / "compose.yaml" if root else None


def needed_compose_file() -> Path:
    """The same for whoever cannot do without. Raises MissingProgram."""
    path = compose_file()
    if path is None:
        raise MissingProgram(
            "The compose engine reads docker/compose.yaml, which is in a checkout of Answerbook "
            f"and not in an installed package. Work in a checkout, {INSTEAD}"
        )
    return path
