"""The programs folder, and how a program gets into it: whole, or not at all.

    programs/
        kafka-4.4.0/  postgresql-18.6.0/  rabbitmq-3.10.8/  jre-25.0.2.1/
        logs/kafka.log               what the client that fetched it had to say
        .fetching-kafka-…/           a fetch that is under way, or that was killed
        .locks/kafka.lock            held by whoever fetches; the kernel frees it at death

A program is put together in a `.fetching-…` folder and renamed to its own name as the last step.
Each program's module uses this one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from answerbook.config import Settings
from answerbook.services import progress
from answerbook.services.errors import FetchFailed, StateFolderError

SERVICE_OF = {"java": "kafka", "nginx": "site"}
"""Whom to name in a command, where a program is not a service itself."""


class Fetch:
    """The right to fetch one program, and the folder to do it in."""

    def __init__(self, programs: Path, program: str) -> None:
        self.programs = programs
        self.program = program
        self.work = Path(tempfile.mkdtemp(dir=programs, prefix=f".fetching-{program}-"))
        self.log = programs / "logs" / f"{program}.log"
        """What the downloading clients print."""
        self.log.parent.mkdir(exist_ok=True)
        self.log.write_text("")

    def install(self, made: Path, final: Path) -> None:
        """Give the finished folder `made` its name, in place of an older one if there is any."""
        make_readable(made)
        if final.exists():
            # What runs from the old folder keeps its open files.
            final.rename(self.work / "replaced")
        made.rename(final)

    def add(self, made: Path, final: Path) -> None:
        """Put the finished files of `made` into a folder that others may be reading."""
        make_readable(made)
        for path in made.iterdir():
            path.replace(final / path.name)


@contextmanager
def fetching(program: str, settings: Settings, room: int) -> Iterator[Fetch]:
    """Hold the right to fetch `program`, with `room` bytes free; afterwards only the result stays.

    Another process may have fetched it while this one waited: look again inside the block.
    Raises StateFolderError where the folder cannot be written or is too full.
    """
    programs = settings.programs_folder
    try:
        if not programs.exists():
            programs.mkdir(parents=True)
            programs.chmod(0o755)
        (programs / ".locks").mkdir(exist_ok=True)
        with _locked(programs / ".locks" / f"{program}.lock", program):
            for leftover in programs.glob(f".fetching-{program}-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            _check_room(programs, program, room)
            fetch = Fetch(programs, program)
            try:
                yield fetch
            finally:
                shutil.rmtree(fetch.work, ignore_errors=True)
    except OSError as error:
        raise StateFolderError(
            f"{program} could not be put into the programs folder {programs} "
            f"({error.strerror or error}). Make the folder writable and give it "
            f"{room / 1e6:.0f} MB, or choose another with "
            "`export ANSWERBOOK_PROGRAMS=/a/folder/of/yours`."
        ) from error


def failed(program: str, why: str, log: Path | None = None) -> FetchFailed:
    """The error for a download that did not succeed, with the last lines of the client's log."""
    service = SERVICE_OF.get(program, program)
    message = (
        f"{program} could not be fetched: {why}. When that is mended, run the same command again, "
        f"or `answerbook up {service}`."
    )
    last_lines = log.read_text(errors="replace").splitlines()[-8:] if log else []
    if last_lines:
        message += f" The last lines of {log}:\n" + "\n".join(last_lines)
    return FetchFailed(message)


def make_readable(folder: Path) -> None:
    """Let every user read what is in `folder`, and run what its owner may run.

    The umask of whoever fetches may forbid it, and PostgreSQL runs as another user than root.
    """
    for parent, _, names in os.walk(folder):
        Path(parent).chmod(0o755)
        for path in (Path(parent, name) for name in names):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


@contextmanager
def _locked(path: Path, program: str) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=1)
    except Timeout:
        with progress.waiting(f"{program}: another process is fetching it"):
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _check_room(programs: Path, program: str, room: int) -> None:
    free = shutil.disk_usage(programs).free
    if free < room:
        raise StateFolderError(
            f"The disk of the programs folder {programs} has {free / 1e6:.0f} MB free, and "
            f"fetching {program} takes {room / 1e6:.0f} MB. Free some, or choose another disk with "
            "`export ANSWERBOOK_PROGRAMS=/a/folder/with/room`."
        )
