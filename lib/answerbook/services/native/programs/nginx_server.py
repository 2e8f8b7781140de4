"""nginx: the machine's own, the conda environment's, or one unpacked from the system's packages.

The same apt whose signed lists vouch for RabbitMQ (`debian`) vouches for this.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from answerbook.config import Settings
from answerbook.services import progress
from answerbook.services.errors import MissingProgram
from answerbook.services.native.programs import debian, shared_libraries
from answerbook.services.native.programs.folder import Fetch, fetching

SIZE = 1_500_000
"""Bytes of the packages in Debian 12; each release differs a little."""
ROOM = 80_000_000
"""Bytes that fetching takes on disk: most of it package lists."""
MODULES = ("http_gzip", "http_uwsgi", "http_limit_req", "http_geo")
"""What docker/nginx/nginx.conf.template uses that a build can leave out."""
INSTALL = (
    "Install it with the machine's package manager (package nginx), or with "
    "`conda install -c conda-forge nginx`."
)


@dataclass(frozen=True)
class NginxProgram:
    """An nginx that runs without root and reads no configuration of the system's."""

    version: str
    binary: Path
    mime_types: Path
    libraries: str = ""
    """What LD_LIBRARY_PATH has to be for it; empty for nothing."""


def nginx(settings: Settings) -> NginxProgram:
    """nginx as it is found, or fetched.

    Raises MissingProgram where there is none and no apt to fetch it with; FetchFailed and
    StateFolderError.
    """
    return _found(settings) or _fetched(settings)


def is_fetched(settings: Settings) -> bool:
    return _found(settings) is not None


def to_fetch() -> tuple[str, int]:
    """What, and about its bytes to download. Raises MissingProgram where there is no apt."""
    _check_apt()
    return "nginx, from this system's packages,", debian.LISTS_SIZE + SIZE


def _found(settings: Settings) -> NginxProgram | None:
    programs = (_program_in(*place) for place in _places(settings))
    return next((program for program in programs if program), None)


def _places(settings: Settings) -> Iterator[tuple[Path, Path]]:
    """Binary and configuration folder, wherever nginx may be installed: PATH's, conda's, ours."""
    on_path = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    if on_path:
        binary = Path(on_path)
        yield binary, Path("/etc/nginx")
        yield binary, binary.resolve().parent.parent / "etc/nginx"
    for prefix in filter(None, (sys.prefix, os.environ.get("CONDA_PREFIX"))):
        yield Path(prefix, "bin/nginx"), Path(prefix, "etc/nginx")
    for tree in settings.programs_folder.glob("nginx-*"):
        yield tree / "usr/sbin/nginx", tree / "etc/nginx"


def _program_in(binary: Path, configuration: Path) -> NginxProgram | None:
    mime_types = configuration / "mime.types"
    if not os.access(binary, os.X_OK) or not mime_types.is_file():
        return None
    libraries = _libraries_beside(binary)
    version = _version(binary, libraries)
    return NginxProgram(version, binary, mime_types, libraries) if version else None


def _libraries_beside(binary: Path) -> str:
    """The folders with libraries that were unpacked with it: ours only."""
    tree = binary.parents[2]
    if not tree.name.startswith("nginx-") and tree.name != "nginx":
        return ""
    return ":".join(sorted({str(path.parent) for path in tree.rglob("lib*.so*")}))


def _version(binary: Path, libraries: str) -> str | None:
    """Its version, if it runs here and has all that our configuration uses."""
    try:
        told = subprocess.run(
            [binary, "-V"],
            env={**os.environ, "LD_LIBRARY_PATH": libraries} if libraries else None,
            capture_output=True,
            text=True,
            check=False,
        ).stderr
    except OSError:
        return None
    version = re.search(r"nginx/(\d[\d.]*)", told)
    left_out = any(f"--without-{module}_module" in told for module in MODULES)
    has_real_ip = "--with-http_realip_module" in told
    return version[1] if version and has_real_ip and not left_out else None


def _check_apt() -> None:
    if not debian.is_here():
        raise MissingProgram(f"nginx is not on this machine. {INSTALL}")


def _fetched(settings: Settings) -> NginxProgram:
    _check_apt()
    with fetching("nginx", settings, room=ROOM) as fetch:
        return _found(settings) or from_packages(fetch, settings)


def from_packages(fetch: Fetch, settings: Settings) -> NginxProgram:
    """Unpack nginx from the system's packages, whatever else is installed."""
    packages = debian.Packages(fetch)
    with progress.download("this system's package lists", debian.LISTS_SIZE, packages.lists):
        packages.update()
    candidate = packages.candidate("nginx")
    # Ubuntu's `nginx` is empty and names nginx-core, as Debian's did until 11.
    names = packages.dependencies("nginx", "nginx|nginx-core|nginx-common")
    made = fetch.work / "nginx"
    with progress.download(f"nginx {candidate}", packages.size(names), packages.archives):
        packages.download(names)
    packages.unpack(made)
    binary = made / "usr/sbin/nginx"
    shared_libraries.add_missing([binary], made, names, packages, fetch)
    program = _program_in(binary, made / "etc/nginx")
    assert program, "the package nginx holds no nginx where it used to be"
    final = settings.programs_folder / f"nginx-{program.version}"
    fetch.install(made, final)
    installed = _program_in(final / "usr/sbin/nginx", final / "etc/nginx")
    assert installed
    return installed
