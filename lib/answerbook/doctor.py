"""What `answerbook doctor` checks: everything that the services need of this machine.

Each check answers with a finding; none changes anything, and none needs the network.
"""

import os
import platform
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from answerbook import services
from answerbook.config import Settings, reachable_by_others
from answerbook.services import ServiceError, StateFolderError, packages
from answerbook.services.compose import images, why_not
from answerbook.services.native import programs
from answerbook.services.ports import is_free
from answerbook.services.state import StateFolder

FETCHED = ("java", "kafka", "nginx", "postgres", "rabbitmq", "spark")
FETCHED_BESIDE_CONTAINERS = ("java", "nginx", "spark")
"""What the notification system and the site run natively, whatever engine runs the rest."""
IMAGES = ("rabbitmq", "kafka", "postgres")
LEAST_FOR_PROGRAMS = 700_000_000
"""Bytes that fetching all programs asks for."""
PORTS = (
    ("rabbitmq", "rabbitmq_port"),
    ("kafka", "kafka_port"),
    ("postgres", "postgres_port"),
    ("notify", "notify_api_port"),
    ("site", "site_port"),
)
LEAST_MEMORY = 2_000_000_000
"""Bytes available that the study profile wants with room for the notebook itself."""
MEMORY_OF_QUESTION_2 = {"study": 1_800_000_000, "full": 5_000_000_000}
"""Bytes of all that the notification system starts, Kafka and PostgreSQL included."""


@dataclass(frozen=True)
class Finding:
    """`ok`; a `note` that stops nothing; or `missing`, with what mends it."""

    state: Literal["ok", "note", "missing"]
    what: str
    result: str
    mend: str = ""


def examine() -> list[Finding]:
    """All checks, in the order in which a reader would mend what they find."""
    settings = Settings.load()
    findings = [_platform(), _python(), _memory()]
    try:
        state = StateFolder.open(settings)
        state.check_room()
    except StateFolderError as error:
        return [*findings, Finding("missing", "state folder", "unusable", str(error))]
    no_docker = why_not()
    engine = settings.engine or ("native" if no_docker else "compose")
    findings += [_state_folder(settings), _engine(settings, no_docker)]
    if engine == "compose":
        findings += [] if no_docker else _images(settings)
        findings += _programs(settings, FETCHED_BESIDE_CONTAINERS)
    else:
        findings += _programs(settings, FETCHED)
    return [*findings, *_ports(settings), *_question_2(settings), *_running()]


def _platform() -> Finding:
    system = platform.system()
    if system == "Linux":
        return Finding("ok", "system", f"Linux, {platform.machine()}")
    return Finding("note", "system", system, "untried here; on Windows use WSL2")


def _python() -> Finding:
    where = "in a virtual environment" if sys.prefix != sys.base_prefix else "on its own"
    return Finding("ok", "Python", f"{platform.python_version()}, {where}")


def _memory() -> Finding:
    available = psutil.virtual_memory().available
    result = f"{available / 1e9:.1f} GB available, {os.cpu_count()} cores"
    if available >= LEAST_MEMORY:
        return Finding("ok", "memory", result)
    return Finding("note", "memory", result, "run one service at a time: `answerbook down kafka`")


def _state_folder(settings: Settings) -> Finding:
    folder = settings.state_folder
    free = shutil.disk_usage(folder).free
    result = f"{folder}, {free / 1e9:.0f} GB free"
    if os.geteuid() == 0 and not reachable_by_others(folder):
        return Finding(
            "missing",
            "state folder",
            f"{result}, but only root can reach it, and PostgreSQL does not run as root",
            "export ANSWERBOOK_HOME=/var/lib/answerbook",
        )
    return Finding("ok", "state folder", result)


def _engine(settings: Settings, no_docker: str | None) -> Finding:
    if settings.engine == "compose" and no_docker:
        return Finding(
            "missing",
            "engine",
            f"ANSWERBOOK_ENGINE is compose, and {no_docker}",
            "mend that, or `unset ANSWERBOOK_ENGINE`",
        )
    name = settings.engine or ("native" if no_docker else "compose")
    return Finding("ok", "engine", f"{name} ({no_docker or 'a Docker engine answers'})")


def _images(settings: Settings) -> Iterator[Finding]:
    for name in IMAGES:
        image = getattr(settings, f"{name}_image")
        if images.is_here(image):
            yield Finding("ok", name, f"{image} is here")
        else:
            yield Finding("note", name, f"{image} is not here", "pulled when it is first required")


def _programs(settings: Settings, names: Iterable[str]) -> Iterator[Finding]:
    some_to_fetch = False
    for name in names:
        try:
            to_fetch = programs.missing(name, settings)
        except ServiceError as error:
            yield Finding("missing", name, "cannot be had", str(error))
            continue
        if to_fetch is None:
            yield Finding("ok", name, "here")
        else:
            some_to_fetch = True
            yield Finding("note", name, to_fetch, "fetched when it is first required")
    if some_to_fetch:
        yield from _room_for_programs(settings.programs_folder)


def _room_for_programs(folder: Path) -> Iterator[Finding]:
    """It may be on another disk than the state folder, and need not be there yet."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < LEAST_FOR_PROGRAMS:
        yield Finding(
            "missing",
            "programs folder",
            f"{folder}, {free / 1e6:.0f} MB free, and what is to be fetched asks for up to "
            f"{LEAST_FOR_PROGRAMS / 1e6:.0f} MB",
            "export ANSWERBOOK_PROGRAMS=/a/folder/with/room",
        )


def _ports(settings: Settings) -> Iterator[Finding]:
    ours = {
        number
        for service in services.running()
        for node in range(1, service.node_count + 1)
        for number in service.ports(node).values()
    }
    for service, setting in PORTS:
        port = getattr(settings, setting)
        if port in ours:
            yield Finding("ok", f"port {port}", f"ours ({service})")
        elif is_free(port):
            yield Finding("ok", f"port {port}", f"free ({service})")
        else:
            yield Finding("note", f"port {port}", "taken by another", f"{service} takes a free one")


def _question_2(settings: Settings) -> Iterator[Finding]:
    """What the notification system wants beyond the services."""
    lacking = packages.Q2.lacking()
    if not lacking:
        yield Finding("ok", "question 2", "its packages are here")
    else:
        size = f"{packages.Q2.download / 1e6:.0f} MB"
        yield Finding(
            "note",
            "question 2",
            f"{packages.Q2.what} would be fetched, {size}",
            "fetched when the notification system is first required",
        )
    wanted = MEMORY_OF_QUESTION_2[settings.profile]
    available = psutil.virtual_memory().available
    if available < wanted:
        yield Finding(
            "note",
            "question 2",
            f"takes {wanted / 1e9:.1f} GB of memory in the {settings.profile} profile",
            "end other programs first"
            if settings.profile == "study"
            else "unset ANSWERBOOK_PROFILE",
        )


def _running() -> Iterator[Finding]:
    for service in services.running():
        stopped = [status.node for status in service.nodes() if status.condition == "stopped"]
        again = f"answerbook up {service.name}"
        record = service.state.read_record(service.name)
        if stopped:
            yield Finding("note", service.name, "started here, and dead", again)
        elif record is not None and record.phase == "starting":
            yield Finding("note", service.name, "has never been ready since it was started", again)
        else:
            yield Finding("ok", service.name, f"running at {service.host}:{service.port}")
