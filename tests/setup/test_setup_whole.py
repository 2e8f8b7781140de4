"""The pins as they are, installed whole into a fresh environment."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.setup.trees import copy_tree

NEW_ENOUGH = "import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))"


@pytest.mark.thorough
@pytest.mark.timeout(1800)
def test_all_pins_install_on_every_supported_python_here(tmp_path: Path) -> None:
    for python in supported_pythons():
        tree = copy_tree(tmp_path / python.parents[1].name)
        done = tree.install("dev", python=python)
        assert done.returncode == 0, done.stderr
        subprocess.check_call([tree.python, "-m", "uv", "pip", "check", "--python", tree.python])
        subprocess.check_call([tree.python, "-m", "jupyterlab", "--version"])
        subprocess.check_call([tree.python, "-m", "answerbook", "--help"])
        shutil.rmtree(tree.root)


def supported_pythons() -> list[Path]:
    """The one that runs this, and those of other versions that a version manager keeps."""
    managed = sorted(Path.home().glob(".pyenv/versions/3.*/bin/python3"))
    return [
        Path(sys.executable),
        *(path for path in managed if subprocess.call([path, "-c", NEW_ENOUGH]) == 0),
    ]
