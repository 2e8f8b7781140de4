"""Run `docker` and read what it complains of. All other modules of the compose engine use it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from answerbook.services.errors import MissingProgram, ServiceError

UNREACHABLE = re.compile(
    r"cannot connect to the docker daemon|failed to connect to the docker api|"
    r"error during connect|permission denied while trying to connect|docker endpoint",
    re.IGNORECASE,
)
INSTEAD = "or run the services without Docker: `export ANSWERBOOK_ENGINE=native`."


class DockerFailed(ServiceError):
    """`docker` ended with an error; `complaint` is what it wrote on standard error."""

    def __init__(self, words: Sequence[str], complaint: str) -> None:
        self.complaint = complaint.strip()
        super().__init__(
            f"`{' '.join(words[:2])}` failed: {one_line(complaint)}. Run the same command again; "
            f"if that does not help, restart Docker, {INSTEAD}"
        )


class DockerUnreachable(MissingProgram):
    """There is no `docker` command, no engine behind it, or none that this user may talk to."""


@dataclass(frozen=True)
class Finished:
    """What a command left."""

    code: int
    printed: str
    complaint: str


def docker(*words: str, timeout: float | None = None) -> str:
    """Standard output of `docker words…`. Raises DockerFailed and DockerUnreachable."""
    return succeed(["docker", *words], timeout)


def succeed(words: Sequence[str], timeout: float | None = None) -> str:
    """Standard output of a command that has to succeed."""
    finished = attempt(words, timeout)
    if finished.code != 0:
        raise failure(words, finished.complaint)
    return finished.printed


def attempt(words: Sequence[str], timeout: float | None = None) -> Finished:
    """Run a command to its end, whatever it is; `timeout` is in seconds."""
    with running(words) as process:
        try:
            printed, complaint = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise DockerFailed(words, f"no answer within {timeout:.1f} s") from error
    return Finished(process.returncode, printed, complaint)


def together(words: Sequence[str]) -> str:
    """Both outputs of a command that has to succeed, as they were mixed."""
    with running(words, stderr=subprocess.STDOUT) as process:
        printed, _ = process.communicate()
    if process.returncode != 0:
        raise failure(words, printed)
    return printed


@contextmanager
def running(words: Sequence[str], stderr: int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """A command in a process group of its own, which is killed when the block is left early."""
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            errors="replace",
            env=_environment(),
            start_new_session=True,
        )
    except OSError as error:
        raise DockerUnreachable(
            f"There is no `{words[0]}` command that can be run ({error.strerror}). Install Docker "
            f"with its compose plugin, {INSTEAD}"
        ) from error
    with process:
        try:
            yield process
        except BaseException:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            raise


def failure(words: Sequence[str], complaint: str) -> ServiceError:
    """The error for a command that failed and said `complaint`."""
    if not UNREACHABLE.search(complaint):
        return DockerFailed(words, complaint)
    if "permission denied" in complaint.lower():
        return DockerUnreachable(
            "Docker is here, and this user may not talk to it. Join its group with "
            f"`sudo usermod -aG docker $USER` and log in again, {INSTEAD}"
        )
    return DockerUnreachable(
        f"The Docker engine does not answer ({one_line(complaint)}). Start it, on most systems "
        f"with `sudo systemctl start docker`, {INSTEAD}"
    )


def one_line(text: str) -> str:
    """The last lines of a text in one, without a full stop at the end."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[-5:]).rstrip(".") or "it did not say why"


def _environment() -> dict[str, str]:
    """Ours, without what would win over the file of variables that compose is given."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSWERBOOK_", "COMPOSE_"))
    }
