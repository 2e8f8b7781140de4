"""The packages of question 2 (PySpark, Kafka's fast client, …), installed when they are needed.

`make lab` leaves them out: they are three times the size of all else. `provide` is called before
the notification system starts, `lacking` also by `answerbook doctor`.
"""

import importlib
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from answerbook.config import repository
from answerbook.services import progress
from answerbook.services.errors import MissingProgram

WHAT = "PySpark and question 2's other packages"
DOWNLOAD = 487_000_000
"""Bytes that requirements/q2.txt has beyond lab.txt; a test compares."""
CACHE_LOOK_SECONDS = 1.0
"""uv's cache has some ten thousand files, all of which are looked at for the bar."""


def provide() -> None:
    """Have them installed; quick when they are. Raises MissingProgram with what mends it."""
    names = lacking()
    if not names:
        return
    root = repository()
    if root is None or not _is_in(root / ".venv"):
        raise MissingProgram(_by_hand(names, root))
    install(root)


def install(root: Path) -> None:
    """Bring the checkout's `.venv` to requirements/q2.txt. Raises MissingProgram."""
    with progress.download(WHAT, DOWNLOAD, _cache(), every=CACHE_LOOK_SECONDS):
        done = subprocess.run(
            [sys.executable, root / "requirements" / "install.py", "q2"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise MissingProgram(done.stderr.strip() or f"{WHAT}: could not be installed.")
    importlib.invalidate_caches()  # this process may look for them, too


def lacking() -> list[str]:
    """Packages of question 2 that are not installed here, or not in the pinned version."""
    pinned = _pins()
    return [name for name in _wanted() if not _is_there(name, pinned.get(name.lower(), set()))]


def _wanted() -> list[str]:
    """What this package's extra `q2` names, by its own metadata."""
    try:
        lines = requires("answerbook") or []
    except PackageNotFoundError:  # on PYTHONPATH, not installed: somebody knows what he does
        return []
    of_extra = [line for line in lines if re.search(r"""extra == ["']q2["']""", line)]
    return [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in of_extra]


def _pins() -> dict[str, set[str]]:
    """Name → its version, or those for several versions of Python."""
    root = repository()
    pins: dict[str, set[str]] = {}
    if root is not None:
        text = (root / "requirements" / "q2.txt").read_text()
        for name, pinned in re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE):
            pins.setdefault(name, set()).add(pinned)
    return pins


def _is_there(name: str, pinned: set[str]) -> bool:
    try:
        return version(name) in pinned or not pinned
    except PackageNotFoundError:
        return False


def _is_in(environment: Path) -> bool:
    return Path(sys.prefix).resolve() == environment.resolve()


def _cache() -> Path:
    """Where uv puts what it downloads."""
    told = subprocess.run(
        [sys.executable, "-m", "uv", "cache", "dir"], capture_output=True, text=True, check=False
    )
    return Path(told.stdout.strip() or sys.prefix)


def _by_hand(names: list[str], root: Path | None) -> str:
    few = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    command = (
        "python -m pip install 'answerbook[q2]'"
        if root is None
        else f"{sys.executable} -m pip install --require-hashes -r requirements/q2.txt"
    )
    return (
        f"The notification system needs packages that this Python ({sys.prefix}) does not have in "
        f"the version that is wanted: {few}. It is not the checkout's own `.venv`, so nothing is "
        f"installed into it unasked ({DOWNLOAD / 1e6:.0f} MB). Install them: `{command}`."
    )
