"""The part of Python that Debian and Ubuntu keep in a package of its own: ensurepip.

environment.py calls `provide_ensurepip` before it makes a virtual environment.
"""

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from requirements.commands import CommandFailed, run, say

PACKAGE = f"python3.{sys.version_info.minor}-venv"


class EnsurepipMissing(Exception):
    """Python cannot make a virtual environment; the message says what mends it."""


def provide_ensurepip(root: Path) -> None:
    """Install Debian's package where ensurepip is missing and we may. Raises EnsurepipMissing."""
    if _is_there():
        return
    if not _is_debians_python():
        raise EnsurepipMissing(
            f"The Python at {sys.executable} was built without ensurepip, so it cannot make a "
            "virtual environment. Use another one: `make lab PYTHON=/path/to/python3`."
        )
    rights = _rights()
    if rights is not None:
        say(f"Installing {PACKAGE} with apt: this Python cannot make a virtual environment.")
        _install(rights, root)
    if not _is_there():
        raise EnsurepipMissing(
            f"This Python cannot make a virtual environment: the package {PACKAGE} is missing. "
            f"Install it: `sudo apt-get update && sudo apt-get install {PACKAGE}`, then run the "
            "same command again."
        )


def _is_there() -> bool:
    importlib.invalidate_caches()
    return importlib.util.find_spec("ensurepip") is not None


def _is_debians_python() -> bool:
    return sys.base_prefix == "/usr" and shutil.which("apt-get") is not None


def _rights() -> list[str] | None:
    """What to put before apt-get: nothing as root, sudo where it asks nothing; None if neither."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if (
        sudo
        and subprocess.run([sudo, "-n", "true"], check=False, capture_output=True).returncode == 0
    ):
        return [sudo, "-n"]
    return None


def _install(rights: list[str], root: Path) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = [*rights, "apt-get", "--yes", "--no-install-recommends"]
    try:
        run([*apt, "update"], environment, root)
        run([*apt, "install", PACKAGE], environment, root)
    except CommandFailed as failure:
        why = failure.output.strip().splitlines()[-1] if failure.output.strip() else "no output"
        raise EnsurepipMissing(
            f"This Python cannot make a virtual environment, and apt could not install {PACKAGE} "
            f"({why}). Find out with `sudo apt-get update && sudo apt-get install {PACKAGE}`, or "
            "use another Python: `make lab PYTHON=/path/to/python3`."
        ) from failure
