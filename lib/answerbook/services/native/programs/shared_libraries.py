"""Shared libraries that an unpacked program needs and this machine lacks: most often, none.

Used for what is fetched from the system's packages: Erlang and nginx.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Collection
from pathlib import Path

from answerbook.services.native.programs.debian import Packages
from answerbook.services.native.programs.folder import Fetch, failed


def add_missing(
    binaries: Collection[Path],
    tree: Path,
    unpacked: Collection[str],
    packages: Packages,
    fetch: Fetch,
) -> set[Path]:
    """Unpack what `binaries` lack into `tree`; folders that the loader then has to look into.

    The libraries are looked for in what the packages that are `unpacked` depend on, and what those
    do. Raises FetchFailed where that does not hold them.
    """
    folders: set[Path] = set()
    looked_in = set(unpacked)
    while missing := _missing(binaries, folders):
        looked_in = {
            name
            for name in packages.direct_dependencies(looked_in, "lib.+|zlib.+")
            if not packages.is_installed(name)
        }
        packages.download(looked_in)
        packages.unpack(tree)
        found = {path.parent for name in missing for path in tree.rglob(name)}
        if not found - folders:
            names = ", ".join(sorted(missing))
            raise failed(
                fetch.program, f"no package has the {names} that {fetch.program} needs", fetch.log
            )
        folders |= found
    return folders


def _missing(binaries: Collection[Path], folders: Collection[Path]) -> set[str]:
    """Names of shared libraries that the loader does not find, looking in `folders` first."""
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, folders)), "LC_ALL": "C"}
    told = subprocess.run(
        ["ldd", *binaries],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    return set(re.findall(r"^\s*(\S+) => not found", told.stdout, re.MULTILINE))
