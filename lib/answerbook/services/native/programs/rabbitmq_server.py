"""RabbitMQ: the machine's own, the conda environment's, or one unpacked from the system's packages.

Erlang is no single file that could be pinned as a jar is: where none is installed, apt's signed
lists vouch for what is fetched (`debian`).
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from answerbook.config import Settings
from answerbook.services import progress
from answerbook.services.errors import MissingProgram
from answerbook.services.native.programs import debian, erlang
from answerbook.services.native.programs.folder import Fetch, fetching

OLDEST = (3, 10)
"""Quorum queues with all that the notebooks show of them."""
SIZE = 34_000_000
"""Bytes of the packages in Debian 12; each release differs a little."""
ROOM = 250_000_000
"""Bytes that fetching takes on disk: lists, packages, and what is in them."""
INSTALL = (
    "Install it with the machine's package manager (package rabbitmq-server), or with "
    "`conda install -c conda-forge rabbitmq-server`, or use Docker: "
    "`export ANSWERBOOK_ENGINE=compose`."
)


@dataclass(frozen=True)
class RabbitmqProgram:
    """A RabbitMQ that runs without root, with its Erlang."""

    version: str
    server: Path
    """The script rabbitmq-server; rabbitmqctl and the others are beside it."""
    path: str
    """What PATH has to be for it: its own Erlang first."""


def rabbitmq(settings: Settings) -> RabbitmqProgram:
    """RabbitMQ 3.10 or later, as it is found, or fetched.

    Raises MissingProgram where there is none and no apt to fetch it with, or apt's is too old;
    FetchFailed and StateFolderError.
    """
    return _found(settings) or _fetched(settings)


def is_fetched(settings: Settings) -> bool:
    return _found(settings) is not None


def to_fetch() -> tuple[str, int]:
    """What, and about its bytes to download. Raises MissingProgram where there is no apt."""
    _check_apt()
    return "RabbitMQ, from this system's packages,", debian.LISTS_SIZE + SIZE


def _found(settings: Settings) -> RabbitmqProgram | None:
    programs = (_program_in(prefix) for prefix in _prefixes(settings))
    return next((program for program in programs if program), None)


def _prefixes(settings: Settings) -> Iterator[Path]:
    """Where RabbitMQ may be installed: PATH's, the system's, conda's, ours."""
    on_path = shutil.which("rabbitmq-server")
    if on_path:
        yield Path(on_path).parent.parent
        yield Path(on_path).resolve().parent.parent
    yield Path("/usr")  # A user's PATH has no /usr/sbin.
    yield Path(sys.prefix)
    if conda := os.environ.get("CONDA_PREFIX"):
        yield Path(conda)
    yield from settings.programs_folder.glob("rabbitmq-*/usr")


def _program_in(prefix: Path) -> RabbitmqProgram | None:
    """RabbitMQ under `prefix`, unless it is too old."""
    # What packages put into bin/ or sbin/ is a wrapper that wants to be root or `rabbitmq` (Debian,
    # rabbitmq.com) or changes to a folder of its own (conda-forge). The script itself is in lib/.
    servers = (
        prefix / folder / "rabbitmq-server"
        for folder in ("lib/rabbitmq/bin", "lib/rabbitmq/sbin", "sbin")
    )
    for server in servers:
        version = _version(server)
        if version and _numbers(version) >= OLDEST:
            own = [prefix / "lib/erlang/bin", prefix / "bin"]
            path = [*map(str, filter(Path.is_dir, own)), os.environ.get("PATH") or os.defpath]
            return RabbitmqProgram(version, server, os.pathsep.join(path))
    return None


def _version(server: Path) -> str | None:
    """As the folder of the broker's own plugin has it: asking rabbitmqctl takes a second."""
    if not os.access(server, os.X_OK):
        return None
    plugins = server.resolve().parent.parent / "plugins"
    names = [path.name.removesuffix(".ez") for path in plugins.glob("rabbit-[0-9]*")]
    return names[0].removeprefix("rabbit-") if names else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _check_apt() -> None:
    if not debian.is_here():
        raise MissingProgram(f"RabbitMQ is not on this machine. {INSTALL}")


def _fetched(settings: Settings) -> RabbitmqProgram:
    _check_apt()
    if any(character.isspace() for character in str(settings.programs_folder)):
        raise MissingProgram(
            f"RabbitMQ's scripts do not run from a folder with a space in its path, as "
            f"{settings.programs_folder} has. Choose another with "
            "`export ANSWERBOOK_PROGRAMS=/a/folder/of/yours`."
        )
    with fetching("rabbitmq", settings, room=ROOM) as fetch:
        return _found(settings) or from_packages(fetch, settings)


def from_packages(fetch: Fetch, settings: Settings) -> RabbitmqProgram:
    """Unpack RabbitMQ and Erlang from the system's packages, whatever else is installed."""
    packages = debian.Packages(fetch)
    with progress.download("this system's package lists", debian.LISTS_SIZE, packages.lists):
        packages.update()
    candidate = packages.candidate("rabbitmq-server")
    if _numbers(candidate) < OLDEST:
        raise MissingProgram(
            f"RabbitMQ is not on this machine, and {candidate}, which its package lists have, is "
            f"too old: 3.10 is needed. {INSTALL}"
        )
    made = fetch.work / "rabbitmq"
    names = packages.dependencies("rabbitmq-server", "rabbitmq-server|erlang-[a-z0-9.+-]+")
    with progress.download(
        f"RabbitMQ {candidate} and Erlang", packages.size(names), packages.archives
    ):
        packages.download(names)
    with progress.waiting(f"RabbitMQ {candidate}: unpacking"):
        packages.unpack(made)
        root = made / "usr/lib/erlang"
        erlang.make_relocatable(root)
        erlang.add_missing_libraries(root, names, packages, fetch)
        erlang.prove(root, fetch)
    program = _program_in(made / "usr")
    assert program, "the package rabbitmq-server holds no RabbitMQ where it used to be"
    final = settings.programs_folder / f"rabbitmq-{program.version}"
    fetch.install(made, final)
    installed = _program_in(final / "usr")
    assert installed
    return installed
