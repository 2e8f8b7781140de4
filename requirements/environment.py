"""The virtual environment `.venv`: made, filled with the pinned packages, and else left alone.

install.py calls `main`. Nothing is ever taken out of `.venv`, so what a reader added stays. The
stamp in it says what was installed whole; it is deleted first and written last, so that an install
that was killed is gone through again.
"""

import csv
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from requirements.commands import Argument, CommandFailed, run, say
from requirements.debian import EnsurepipMissing, provide_ensurepip
from requirements.explain import explain
from requirements.index import cache_folder, installers_environment

HOLDS = {
    "lab": ("lab",),
    "q2": ("q2", "lab"),
    "q5": ("q5", "lab"),
    "dev": ("dev", "q5", "q2", "lab"),
}
"""What can be asked for, and which of it is there once it is installed."""
DOWNLOAD = {"lab": 150, "q2": 638, "q5": 167, "dev": 845}
"""Megabytes of all packages for CPython on Linux, x86_64; a test compares. PySpark has 450."""
LEAST_FREE = {
    "lab": 1_500_000_000,
    "q2": 3_300_000_000,
    "q5": 1_600_000_000,
    "dev": 4_100_000_000,
}
"""Bytes: `dev` takes 1.9 GB, and as much again where the package cache is on another disk."""


class CannotInstall(Exception):
    """The message says, in one paragraph, what is missing and what mends it."""


def main(arguments: list[str]) -> int:
    """The exit code; an expected failure is one paragraph on standard error."""
    if len(arguments) != 1 or arguments[0] not in HOLDS:
        sys.stderr.write(f"Usage: python3 requirements/install.py {'|'.join(HOLDS)}\n")
        return 2
    try:
        Environment(Path(__file__).resolve().parents[1]).install(arguments[0])
    except (CannotInstall, EnsurepipMissing) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. The same command goes on from here.\n")
        return 130
    return 0


class Environment:
    """`.venv` of the checkout at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        self.uv = self.folder / "bin" / "uv"
        self.stamp = self.folder / "installed.json"
        self.log = self.folder / "install.log"

    def install(self, wanted: str) -> None:
        """Bring `.venv` to what `wanted` pins. Raises CannotInstall and EnsurepipMissing."""
        if self.holds(wanted):
            return
        if not os.access(self.root, os.W_OK):
            raise CannotInstall(
                f"The folder {self.root} cannot be written to, and `.venv` has to stand in it. Run "
                f"the command as its owner, or get the right to write: `chmod u+w {self.root}`."
            )
        with _one_at_a_time(self.root):
            if self.holds(wanted):
                return
            began = time.monotonic()
            self._make(wanted)
            held = {name for name in HOLDS if self.holds(name)}
            self.stamp.unlink(missing_ok=True)
            say(f"Installing {wanted}.txt into .venv (up to {DOWNLOAD[wanted]} MB to download).")
            self._install_uv(wanted)
            self._install_pins(wanted)
            self._install_answerbook()
            self._write_stamp(held | set(HOLDS[wanted]))
            say(f"Done in {time.monotonic() - began:.0f} s.")

    # -- what is there ------------------------------------------------------------------------

    def holds(self, wanted: str) -> bool:
        """Whether all that `wanted` pins was installed, here, by the Python that is still there."""
        stamp = self._read_stamp()
        return (
            self.python.exists()
            and stamp.get("place") == self._place()
            and stamp.get(wanted) == self._digest(wanted)
        )

    def pins(self, wanted: str) -> Path:
        return self.root / "requirements" / f"{wanted}.txt"

    def _place(self) -> str:
        """Scripts in `.venv` hold its path, and packages are for one release of Python."""
        return f"{self.folder} {self.python.resolve()}"

    def _digest(self, wanted: str) -> str:
        files = (self.pins(wanted), self.root / "pyproject.toml")
        return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()

    def _read_stamp(self) -> dict[str, str]:
        try:
            stamp = json.loads(self.stamp.read_bytes())
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}

    def _write_stamp(self, installed: Collection[str]) -> None:
        stamp = {name: self._digest(name) for name in sorted(installed)} | {"place": self._place()}
        beside = self.stamp.with_suffix(".new")
        beside.write_text(json.dumps(stamp, indent=1) + "\n")
        beside.replace(self.stamp)

    # -- the steps ----------------------------------------------------------------------------

    def _make(self, wanted: str) -> None:
        """Make `.venv` where there is none, or none that works any more."""
        if self._works():
            return
        provide_ensurepip(self.root)
        for folder in (self.folder, cache_folder(os.environ)):
            _check_room(folder, LEAST_FREE[wanted])
        anew = "Making .venv anew" if self.folder.exists() else "Making .venv"
        say(f"{anew} with Python {'.'.join(map(str, sys.version_info[:3]))}.")
        # A `python3` that is the broken environment's own would end up linked to itself.
        base = getattr(sys, "_base_executable", sys.executable)
        self._run([base, "-m", "venv", "--clear", self.folder], "make a virtual environment")

    def _works(self) -> bool:
        moved = self._read_stamp().get("place", self._place()) != self._place()
        too_old = "import sys; sys.exit(sys.version_info < (3, 11))"
        return not moved and _succeeds([self.python, "-c", too_old])

    def _install_uv(self, wanted: str) -> None:
        """uv installs the rest in a tenth of pip's time; pip brings uv itself."""
        pin = pinned("uv", self.pins(wanted).read_text())
        if _output([self.uv, "--version"]).split()[1:2] == re.findall(r"==(\S+)", pin):
            return
        pip: list[Argument] = [self.python, "-m", "pip"]
        if not _succeeds([*pip, "--version"]):
            provide_ensurepip(self.root)
            self._run([self.python, "-m", "ensurepip"], "put pip into .venv")
        only_uv = self.folder / "uv.txt"
        only_uv.write_text(pin)
        # What is there of it may be half an install, which pip would take for a whole one.
        install = [*pip, "install", "--ignore-installed", "--no-deps", "--require-hashes"]
        self._run([*install, "--requirement", only_uv], "install uv with pip")

    def _install_pins(self, wanted: str) -> None:
        packages = next(self.folder.glob("lib/python3*/site-packages"))
        again = [f"--reinstall-package={name}" for name in incomplete(packages)]
        what = f"install the packages of requirements/{wanted}.txt"
        options = ["--compile-bytecode", "--require-hashes", "--no-deps", *again]
        self._run([*self._uv_install(), *options, "--requirements", self.pins(wanted)], what)

    def _install_answerbook(self) -> None:
        options = ["--no-deps", "--no-build-isolation", "--editable", "."]
        self._run([*self._uv_install(), *options], "install the package `answerbook`")

    def _uv_install(self) -> list[Argument]:
        return [self.uv, "pip", "install", "--python", self.python]

    def _run(self, argv: list[Argument], what: str) -> None:
        pip_config = _output([self.python, "-m", "pip", "config", "list"])
        try:
            run(argv, installers_environment(os.environ, pip_config), self.root)
        except CommandFailed as failure:
            raise CannotInstall(self._explained(failure.output, what)) from failure

    def _explained(self, output: str, what: str) -> str:
        paragraph = explain(output)
        if paragraph:
            return f"Could not {what}. {paragraph}"
        last = (output.strip().splitlines() or ["It printed nothing."])[-1].strip()
        self.folder.mkdir(exist_ok=True)
        self.log.write_text(output)
        return (
            f"Could not {what}: {last} (all of its output is in {self.log}). Run the same "
            "command again; if it ends here once more, make .venv anew: `rm -rf .venv`."
        )


def pinned(name: str, pins: str) -> str:
    """The lines of a requirements file that pin one package, with its hashes."""
    found = re.search(rf"^{name}==(?:.*\\\n)*.*\n", pins, re.MULTILINE)
    if found is None:
        raise CannotInstall(f"The pins do not name {name}. Make them again: `make requirements`.")
    return found[0]


def incomplete(packages: Path) -> list[str]:
    """Names of packages of which a file is missing, as when an install was killed."""
    return sorted(
        info.name.partition("-")[0]
        for info in packages.glob("*.dist-info")
        if not _is_whole(info / "RECORD")
    )


def _is_whole(record: Path) -> bool:
    if not record.exists():
        return False
    with record.open(newline="") as lines:
        files = [row[0] for row in csv.reader(lines) if row]
    packages = record.parents[1]
    return all((packages / name).exists() for name in files if not name.endswith(".pyc"))


def _check_room(folder: Path, needed: int) -> None:
    """Raise CannotInstall when the disk of a folder, which may not be there yet, is too full."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise CannotInstall(
            f"The disk of {folder} has {free / 1e9:.1f} GB free, and the packages need up to "
            f"{needed / 1e9:.1f} GB. Free some (`du -xsh ~/.cache/*` shows what caches take), "
            "or, where only the package cache is too large for its disk, "
            "`export UV_CACHE_DIR=/a/folder/with/room`; then run the same command again."
        )


@contextmanager
def _one_at_a_time(root: Path) -> Iterator[None]:
    """Hold the checkout against another install; the kernel frees it when we end."""
    handle = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another install into .venv is under way; waiting for it.")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _succeeds(argv: list[Argument]) -> bool:
    try:
        return subprocess.run(argv, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def _output(argv: list[Argument]) -> str:
    """What a command prints; nothing where it is not there or fails."""
    try:
        return subprocess.run(argv, check=False, capture_output=True, text=True).stdout
    except OSError:
        return ""
