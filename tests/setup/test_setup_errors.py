"""When an install cannot go on, one paragraph says what is missing and what mends it."""

import ast
import os
import pty
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.setup.trees import Tree, assert_one_paragraph, environment


@pytest.fixture
def closed_index() -> Iterator[str]:
    """The address of an index at a port that is kept from everyone, and where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/simple"


# -- Python --------------------------------------------------------------------------------------


def test_old_python_without_a_newer_one_is_named(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for python in (as_python_3_6(tmp_path), *old_pythons()):
        done = tree.install(python=python, PATH=str(tmp_path / "empty"))
        assert_one_paragraph(
            done, "needs Python 3.11 or later", "sudo apt-get install", "make lab PYTHON="
        )


def test_what_an_old_python_reads_has_the_syntax_of_3_6(tree: Tree) -> None:
    ast.parse((tree.root / "requirements" / "install.py").read_text(), feature_version=(3, 6))


def test_old_python_hands_over_to_a_newer_one_on_path(tree: Tree, tmp_path: Path) -> None:
    newer = tmp_path / f"python3.{min(sys.version_info.minor, 14)}"
    newer.symlink_to(sys.executable)
    done = tree.install("nothing", python=as_python_3_6(tmp_path), PATH=str(tmp_path))
    assert (2, "Usage: python3 requirements/install.py lab|q2|q5|dev\n") == (
        done.returncode,
        done.stderr,
    )


def test_python_that_is_on_path_and_does_not_run_is_passed_over(tree: Tree, tmp_path: Path) -> None:
    shim = tmp_path / "python3.14"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    done = tree.install(python=as_python_3_6(tmp_path), PATH=str(tmp_path))
    assert_one_paragraph(done, "needs Python 3.11 or later")


def test_python_without_ensurepip_is_named(tree: Tree, tmp_path: Path) -> None:
    done = tree.install(python=without_ensurepip(tmp_path / "python"))
    assert_one_paragraph(done, "without ensurepip", "make lab PYTHON=")
    assert not (tree.root / ".venv").exists()


# -- network and packages ------------------------------------------------------------------------


def test_index_out_of_reach_of_pip(without_uv: Tree, closed_index: str) -> None:
    done = without_uv.install(PIP_INDEX_URL=closed_index, PIP_FIND_LINKS="", PIP_NO_CACHE_DIR="1")
    assert_one_paragraph(done, "index cannot be reached", "Connection refused", "HTTPS_PROXY=")


def test_index_that_pip_was_told_of_out_of_reach_of_uv(
    installed: Tree, closed_index: str, tmp_path: Path
) -> None:
    change_pin(installed, "six", r"==\S+", "==1.0")
    cache = str(tmp_path / "cache")
    done = installed.install(PIP_INDEX_URL=closed_index, UV_CACHE_DIR=cache, UV_HTTP_RETRIES="0")
    assert_one_paragraph(done, "index cannot be reached", "Connection refused", "PIP_INDEX_URL=")


def test_package_with_another_hash_is_refused(installed: Tree) -> None:
    installed.file_of("six.py").unlink()
    change_pin(installed, "six", r"sha256:\w{32}", "sha256:" + "0" * 32)
    done = installed.install()
    assert_one_paragraph(done, "its hash differs", "UV_NO_CACHE=1")
    assert not installed.file_of("six.py").exists()


def test_uv_with_another_hash_is_refused(without_uv: Tree) -> None:
    change_pin(without_uv, "uv", r"sha256:\w{32}", "sha256:" + "0" * 32)
    assert_one_paragraph(without_uv.install(), "its hash differs", "PIP_NO_CACHE_DIR=1")


def test_unforeseen_failure_names_the_log(installed: Tree) -> None:
    installed.pins.write_text(installed.pins.read_text() + "not a requirement\n")
    done = installed.install()
    assert_one_paragraph(done, "install.log", "rm -rf .venv")
    assert "not a requirement" in (installed.root / ".venv" / "install.log").read_text()


def test_terminal_shows_the_paragraph_and_not_what_uv_said(installed: Tree) -> None:
    installed.file_of("six.py").unlink()
    change_pin(installed, "six", r"sha256:\w{32}", "sha256:" + "0" * 32)
    shown = on_terminal(installed)
    assert "its hash differs" in shown
    assert "Computed:" not in shown
    assert "mismatch" not in shown


# -- disk ----------------------------------------------------------------------------------------


def test_disk_with_too_little_room_is_told_before_anything_is_fetched(tree: Tree) -> None:
    (tree.root / ".venv").mkdir()
    mounted = with_mount("-t tmpfs -o size=40m none", tree.root / ".venv")
    assert_one_paragraph(tree.install(wrapper=mounted), "0.0 GB free", "1.5 GB", "UV_CACHE_DIR=")


def test_disk_that_fills_up_is_told(without_uv: Tree, tmp_path: Path) -> None:
    mounted = with_mount("-t tmpfs -o size=100k none", tmp_path)
    done = without_uv.install(wrapper=mounted, TMPDIR=str(tmp_path), PIP_NO_CACHE_DIR="1")
    assert_one_paragraph(done, "The disk is full", "TMPDIR")


def test_folder_that_cannot_be_written_to_is_named(tree: Tree) -> None:
    done = tree.install(wrapper=with_mount(f"-o bind,ro {tree.root}", tree.root))
    assert_one_paragraph(done, f"{tree.root} cannot be written to", "chmod u+w")


# -- how it is done ------------------------------------------------------------------------------


def as_python_3_6(folder: Path) -> Path:
    """This Python, under the version of another."""
    script = folder / "old_python"
    script.write_text(
        f"#!{sys.executable}\n"
        "import runpy, sys\n"
        "sys.version_info = (3, 6, 15)\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    script.chmod(0o755)
    return script


def old_pythons() -> list[Path]:
    """Interpreters from 3.6 to 3.10 on this machine; often there is none."""
    on_path = (shutil.which(f"python3.{minor}") for minor in range(6, 11))
    managed = Path.home().glob(".pyenv/versions/3.*/bin/python3")
    is_old = "import sys; sys.exit(not (3, 6) <= sys.version_info < (3, 11))"
    return [
        path
        for path in (*(Path(found) for found in on_path if found), *managed)
        if subprocess.call([path, "-c", is_old], stderr=subprocess.DEVNULL) == 0
    ]


def without_ensurepip(folder: Path) -> Path:
    """A copy of this Python, with all of its standard library but one package."""
    library = Path(sysconfig.get_path("stdlib"))
    copy = folder / "lib" / library.name
    copy.mkdir(parents=True)
    for path in library.iterdir():
        if path.name not in ("ensurepip", "site-packages"):
            (copy / path.name).symlink_to(path)
    (folder / "bin").mkdir()
    python = folder / "bin" / library.name
    shutil.copy(os.path.realpath(sys.executable), python)
    return python


def change_pin(tree: Tree, name: str, pattern: str, replacement: str) -> None:
    """Change what a package's pin says: its version, or its hashes."""
    pins = tree.pins.read_text()
    found = re.search(rf"^{name}==(?:.*\\\n)*.*\n", pins, re.MULTILINE)
    assert found is not None
    tree.pins.write_text(pins.replace(found[0], re.sub(pattern, replacement, found[0])))


def with_mount(what: str, where: Path) -> tuple[str, ...]:
    """A command to put before another, which then finds something else mounted at `where`."""
    script = f'mount {what} "$0" && exec "$@"'
    return ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(where))


def on_terminal(tree: Tree) -> str:
    """What a reader sees of an install on a terminal."""
    reader, writer = pty.openpty()
    with subprocess.Popen(
        tree.command(), stdin=subprocess.DEVNULL, stdout=writer, stderr=writer, env=environment()
    ):
        os.close(writer)
        shown = b""
        try:
            while chunk := os.read(reader, 65_536):
                shown += chunk
        except OSError:
            os.close(reader)
    return shown.decode()
