"""Make or update `.venv`: `python3 requirements/install.py lab` (or `dev`). The Makefile calls it.

Whatever `python3` is on a machine reads this file, so it keeps to what Python 3.6 understands: it
finds a Python that the pins are made for and hands over to environment.py, which does the work.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
NEWEST = (3, 14)
THIS = Path(__file__).resolve()


def main() -> int:
    """The exit code of the install, or 1 where no Python is new enough."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        path = supported_python()
        if path:
            os.execv(path, [path, str(THIS), *sys.argv[1:]])
        version = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
        if sys.version_info < OLDEST:
            sys.stderr.write(too_old(version))
            return 1
        sys.stderr.write(f"{version} is newer than any that was tried; going on with it.\n")
    sys.path[0] = str(THIS.parents[1])
    from requirements import environment

    return environment.main(sys.argv[1:])


def supported_python() -> "str | None":
    """The path of the newest supported Python on PATH that runs, if there is one."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        path = shutil.which(f"python3.{minor}")
        # A version manager's shim is on PATH even where the version behind it is not chosen.
        if path and subprocess.call([path, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return path
    return None


def too_old(version: str) -> str:
    """The paragraph for a Python that is too old."""
    return (
        f"Answerbook needs Python {OLDEST[0]}.{OLDEST[1]} or later. This is {version}, and no "
        "later one is on PATH. Install one (Debian 12, Ubuntu 24.04 and later have it: "
        "`sudo apt-get install python3 python3-venv`) and run the same command again; where it is "
        "not on PATH, name it: `make lab PYTHON=/path/to/python3`.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
