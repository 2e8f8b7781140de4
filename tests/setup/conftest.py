"""Trees to install in; see trees.py."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.setup.trees import Tree, copy_tree, pin_few


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A tree with few pins, where nothing is installed yet."""
    tree = copy_tree(tmp_path / "tree")
    pin_few(tree)
    return tree


@pytest.fixture(scope="session")
def shared_tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    """A tree with few pins, installed once."""
    tree = copy_tree(tmp_path_factory.mktemp("set-up") / "tree")
    pin_few(tree)
    done = tree.install()
    assert done.returncode == 0, done.stderr
    yield tree
    shutil.rmtree(tree.root)


@pytest.fixture
def installed(shared_tree: Tree) -> Iterator[Tree]:
    """A tree where all is installed; what the test changes in it is put right by an install."""
    pins = shared_tree.pins.read_text()
    yield shared_tree
    shared_tree.pins.write_text(pins)
    done = shared_tree.install()
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def tree_without_uv(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    """A tree with few pins, where the environment is made and nothing is installed into it yet."""
    tree = copy_tree(tmp_path_factory.mktemp("set-up") / "tree")
    pin_few(tree)
    subprocess.check_call([sys.executable, "-m", "venv", tree.root / ".venv"])
    yield tree
    shutil.rmtree(tree.root)


@pytest.fixture
def without_uv(tree_without_uv: Tree) -> Iterator[Tree]:
    """A tree for an install that fails in its first step and so leaves nothing."""
    pins = tree_without_uv.pins.read_text()
    yield tree_without_uv
    tree_without_uv.pins.write_text(pins)
    assert not (tree_without_uv.root / ".venv" / "bin" / "uv").exists()
