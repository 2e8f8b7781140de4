"""Packages of Debian and its kin, downloaded and unpacked without root and without installing.

apt gets a private state in the fetch's folder: the system's sources, keys and proxies, but lists
and archives of its own. Its signed lists carry each package's SHA-256, which it checks. Used for
RabbitMQ and nginx.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path

from answerbook.services.errors import FetchFailed
from answerbook.services.native.programs.commands import run
from answerbook.services.native.programs.folder import Fetch, failed

LISTS_SIZE = 10_000_000
"""Bytes that Debian 12's lists are to download; Ubuntu's are twice that."""
PROGRAMS = ("apt-get", "apt-cache", "dpkg-deb", "dpkg-query")
ONLY_DEPENDS = [
    f"--no-{kind}"
    for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
]


def is_here() -> bool:
    """Whether the machine has apt."""
    return all(shutil.which(program) for program in PROGRAMS)


class Packages:
    """What this machine's package sources offer."""

    def __init__(self, fetch: Fetch) -> None:
        self.fetch = fetch
        self.lists = fetch.work / "lists"
        self.archives = fetch.work / "archives"
        self._configuration = fetch.work / "apt.conf"
        caches = fetch.work / "cache"
        for folder in (self.lists / "partial", self.archives / "partial", caches):
            folder.mkdir(parents=True)
        # Read after the system's own: `#clear` takes away what that runs after an update, which
        # would clean the system's caches as root and fail as a user.
        self._configuration.write_text(f"""\
Dir::State "{fetch.work}/state/";
Dir::State::lists "{self.lists}/";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "{caches}/";
Dir::Cache::archives "{self.archives}/";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Debug::NoLocking "true";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
Acquire::Retries "2";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
""")

    def update(self) -> None:
        """Get the lists. One source of several that fails is no error: see `candidate`."""
        try:
            self._apt("apt-get", "update")
        except FetchFailed:
            return

    def candidate(self, package: str) -> str:
        """The upstream version that would be installed. Raises FetchFailed where there is none."""
        told = self._apt("apt-cache", "policy", package)
        match = re.search(r"Candidate: (?:\d+:)?(\d[\w.]*)", told)
        if not match:
            raise failed(
                self.fetch.program,
                f"this system's package sources, asked just now, offer no {package}",
                self.fetch.log,
            )
        return match[1]

    def dependencies(self, package: str, pattern: str) -> set[str]:
        """Names that match `pattern` among all that `package` depends on, itself included."""
        return self._depends(["--recurse", package], pattern)

    def direct_dependencies(self, packages: Collection[str], pattern: str) -> set[str]:
        """Names that match `pattern` among what any of `packages` names as a dependency."""
        return self._depends(packages, pattern) - set(packages)

    def _depends(self, arguments: Collection[str], pattern: str) -> set[str]:
        told = self._apt("apt-cache", "depends", *ONLY_DEPENDS, *arguments)
        # Virtual packages stand in `<>`.
        names = {line.split()[-1] for line in told.splitlines() if line.strip()}
        return {name for name in names if re.fullmatch(pattern, name)}

    def size(self, names: Collection[str]) -> int:
        """Bytes to download."""
        told = self._apt("apt-get", "download", "--print-uris", *sorted(names))
        return sum(int(line.split()[2]) for line in told.splitlines() if line.startswith("'"))

    def download(self, names: Collection[str]) -> None:
        self._apt("apt-get", "download", *sorted(names), folder=self.archives)

    def is_installed(self, name: str) -> bool:
        """Whether the system has the package."""
        told = subprocess.run(
            ["dpkg-query", "--show", "--showformat", "${db:Status-Status}", name],
            capture_output=True,
            text=True,
            check=False,
        )
        return told.stdout == "installed"

    def unpack(self, into: Path) -> None:
        """Unpack what was downloaded; nothing of a package is run."""
        for archive in sorted(self.archives.glob("*.deb")):
            run(["dpkg-deb", "-x", archive, into], self.fetch, f"{archive.name} is broken")
            archive.unlink()

    def _apt(self, program: str, *arguments: str, folder: Path | None = None) -> str:
        return run(
            [program, "--config-file", self._configuration, *arguments],
            self.fetch,
            f"`{program} {arguments[0]}` failed on the system's package sources",
            environment={"LC_ALL": "C"},
            folder=folder,
        )
