"""Trees in which requirements/install.py really installs: from the package index, into `.venv`.

What is tried is the installer, so all trees but one pin a few small packages instead of all.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FEW = ("uv", "hatchling", "packaging", "pathspec", "pluggy", "trove-classifiers", "six", "tqdm")
"""uv, what builds the package, and two small ones to break."""

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Tree:
    """A copy of the parts of the repository that an install reads."""

    root: Path

    @property
    def python(self) -> Path:
        return self.root / ".venv" / "bin" / "python"

    @property
    def stamp(self) -> Path:
        return self.root / ".venv" / "installed.json"

    @property
    def pins(self) -> Path:
        return self.root / "requirements" / "lab.txt"

    def file_of(self, name: str) -> Path:
        """A file in the site-packages of `.venv`."""
        return next(self.root.glob(".venv/lib/python3*/site-packages")) / name

    def command(self, wanted: str = "lab", python: Path | str = sys.executable) -> list[str]:
        return [str(python), str(self.root / "requirements" / "install.py"), wanted]

    def install(
        self,
        wanted: str = "lab",
        *,
        python: Path | str = sys.executable,
        wrapper: tuple[str, ...] = (),
        **variables: str,
    ) -> Done:
        """Run install.py as the Makefile does."""
        return subprocess.run(
            [*wrapper, *self.command(wanted, python)],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.root,
            env={**environment(), **variables},
        )


def environment() -> dict[str, str]:
    """That of a reader's shell: without the virtual environment that the tests run in."""
    return {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}


def copy_tree(root: Path) -> Tree:
    root.mkdir(parents=True, exist_ok=True)
    for name in ("pyproject.toml", "README.md", "LICENSE", "Makefile"):
        shutil.copy(ROOT / name, root)
    for name in ("requirements", "lib"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    return Tree(root)


def pin_few(tree: Tree) -> None:
    """Leave only a few of the pins, with their versions and hashes."""
    pins = tree.pins.read_text()
    blocks = [re.search(rf"^{name}==(?:.*\\\n)*.*\n", pins, re.MULTILINE) for name in FEW]
    tree.pins.write_text("".join(block[0] for block in blocks if block))


def assert_one_paragraph(done: Done, *parts: str) -> None:
    """It failed with exit code 1 and one paragraph on standard error that has all `parts`."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    for part in parts:
        assert part in done.stderr, done.stderr
