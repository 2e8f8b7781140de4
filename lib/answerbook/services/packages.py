"""Packages that one question alone needs, installed when it is first run.

`make lab` leaves them out: PySpark is three times the size of all else. `provide` is called before
the notification system or the search site starts and by `services.fetch_packages`, `lacking` also
by `answerbook doctor`.
"""

import importlib
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from answerbook.config import repository
from answerbook.services import progress
from answerbook.services.errors import MissingProgram

CACHE_LOOK_SECONDS = 1.0
"""uv's cache has some ten thousand files, all of which are looked at for the bar."""


@dataclass(frozen=True)
class Packages:
    """What `requirements/<name>.txt` has beyond lab.txt."""

    name: str
    what: str
    whose: str
    """Who needs them, to begin a sentence with."""
    download: int
    """Bytes; a test compares."""
    group: str = ""
    """A dependency group of pyproject.toml that is needed beside the extra; a checkout has it."""

    def provide(self) -> None:
        """Have them installed; quick when they are. Raises MissingProgram with what mends it."""
        names = self.lacking()
        if not names:
            return
        root = repository()
        if root is None or not _is_in(root / ".venv"):
            raise MissingProgram(self._by_hand(names, root))
        self.install(root)

    def install(self, root: Path) -> None:
        """Bring the checkout's `.venv` to the pins. Raises MissingProgram."""
        with progress.download(self.what, self.download, _cache(), every=CACHE_LOOK_SECONDS):
            done = subprocess.run(
                [sys.executable, root / "requirements" / "install.py", self.name],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode != 0:
            raise MissingProgram(done.stderr.strip() or f"{self.what}: could not be installed.")
        importlib.invalidate_caches()  # this process may look for them, too

    def lacking(self) -> list[str]:
        """Those that are not installed here, or not in the pinned version."""
        pinned = self._pins()
        return [
            name
            for name in self._wanted()
            if not _is_there(name, pinned.get(_canonical(name), set()))
        ]

    def _wanted(self) -> list[str]:
        """What the extra names, by this package's own metadata, and what the group does."""
        try:
            lines = requires("answerbook") or []
        except PackageNotFoundError:  # on PYTHONPATH, not installed: somebody knows what he does
            lines = []
        of_extra = rf"""extra == ["']{self.name}["']"""
        extra = [line for line in lines if re.search(of_extra, line)]
        return [_name(line) for line in (*self._of_group(), *extra)]

    def _of_group(self) -> list[str]:
        if not self.group:
            return []
        root = repository()
        assert root is not None, "who asks runs a program of the checkout"
        project = tomllib.loads((root / "pyproject.toml").read_text())
        lines: list[str] = project["dependency-groups"][self.group]
        return lines

    def _pins(self) -> dict[str, set[str]]:
        """Name → its version, or those for several versions of Python."""
        root = repository()
        pins: dict[str, set[str]] = {}
        if root is not None:
            text = (root / "requirements" / f"{self.name}.txt").read_text()
            for name, pinned in re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE):
                pins.setdefault(name, set()).add(pinned)
        return pins

    def _by_hand(self, names: list[str], root: Path | None) -> str:
        few = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        command = (
            f"python -m pip install 'answerbook[{self.name}]'"
            if root is None
            else f"{sys.executable} -m pip install --require-hashes -r requirements/{self.name}.txt"
        )
        return (
            f"{self.whose} needs packages that this Python ({sys.prefix}) does not have in the "
            f"version that is wanted: {few}. It is not the checkout's own `.venv`, so nothing is "
            f"installed into it unasked ({self.download / 1e6:.0f} MB). Install them: `{command}`."
        )


Q2 = Packages(
    name="q2",
    what="PySpark and question 2's other packages",
    whose="The notification system",
    download=488_000_000,
)
Q5 = Packages(
    name="q5",
    what="Django, uWSGI, Locust and question 5's other packages",
    whose="Question 5",
    download=17_000_000,
    group="site",
)
OF = {"notify": Q2, "site": Q5}
"""By the service that cannot do without them."""


def _is_there(name: str, pinned: set[str]) -> bool:
    try:
        return version(name) in pinned or not pinned
    except PackageNotFoundError:
        return False


def _name(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0]


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_in(environment: Path) -> bool:
    return Path(sys.prefix).resolve() == environment.resolve()


def _cache() -> Path:
    """Where uv puts what it downloads."""
    told = subprocess.run(
        [sys.executable, "-m", "uv", "cache", "dir"], capture_output=True, text=True, check=False
    )
    return Path(told.stdout.strip() or sys.prefix)
