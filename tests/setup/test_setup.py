"""install.py installs, does nothing the second time, and mends what a kill or a reader broke."""

import csv
import fcntl
import os
import re
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.setup.trees import Tree, environment


def test_package_runs_from_the_checkout(installed: Tree) -> None:
    program = "import answerbook, tqdm; print(answerbook.__file__)"
    told = subprocess.check_output([installed.python, "-c", program], text=True)
    assert f"{installed.root}/lib/answerbook/__init__.py\n" == told


def test_second_install_does_nothing_in_an_instant(installed: Tree) -> None:
    before = installed.stamp.stat()
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = installed.install()
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    assert before == installed.stamp.stat()
    # Seconds of processor, which a busy machine does not stretch.
    assert now.ru_utime + now.ru_stime - spent.ru_utime - spent.ru_stime < 0.5


def test_development_environment_holds_the_lab(installed: Tree) -> None:
    pins = installed.pins.read_text() + "# as if for development\n"
    (installed.root / "requirements" / "dev.txt").write_text(pins)
    installed.pins.write_text(pins)
    assert "Done in" in installed.install("dev").stdout
    assert "" == installed.install("lab").stdout


def test_changed_pins_are_installed_and_what_the_reader_added_stays(installed: Tree) -> None:
    added = installed.file_of("added_by_the_reader.py")
    added.write_text("")
    pins = installed.pins.read_text()
    installed.pins.write_text(pins + "# changed\n")
    assert "Done in" in installed.install().stdout
    assert added.exists()


def test_killed_install_is_mended_by_the_next(installed: Tree) -> None:
    """Half of the packages are gone and half of the rest is incomplete when the kill comes."""
    for name in ("six.py", "tqdm/std.py", "pluggy/__init__.py", "hatchling/build.py"):
        installed.file_of(name).unlink()
    for record in installed.file_of("").glob("packaging-*.dist-info/RECORD"):
        record.unlink()
    installed.stamp.unlink()
    kill_in_the_middle(installed, when=installed.file_of("six.py"))
    assert not installed.stamp.exists()

    assert "Done in" in installed.install().stdout
    assert [] == missing_files(installed)


def test_stamp_that_cannot_be_read_is_as_none(installed: Tree) -> None:
    installed.file_of("six.py").unlink()
    installed.stamp.write_text('{"lab": "3f')
    assert "Done in" in installed.install().stdout
    assert installed.file_of("six.py").exists()
    assert "" == installed.install().stdout


def test_environment_that_was_killed_while_it_was_made_is_completed(tree: Tree) -> None:
    """A virtual environment before pip came into it, as `uv venv` makes one, too."""
    subprocess.check_call(
        [tree.command()[0], "-m", "venv", "--without-pip", tree.root / ".venv"], env=environment()
    )
    kept = tree.file_of("added_by_the_reader.py")
    kept.write_text("")
    assert "Done in" in tree.install().stdout
    assert [] == missing_files(tree)
    assert kept.exists()


def test_copied_checkout_gets_an_environment_of_its_own(installed: Tree, tmp_path: Path) -> None:
    copy = Tree(shutil.copytree(installed.root, tmp_path / "copy", symlinks=True))
    assert "Making .venv anew" in copy.install().stdout
    command = copy.root / ".venv" / "bin" / "tqdm"
    assert str(installed.root) not in command.read_text()
    assert subprocess.check_output([command, "--version"])


def test_two_installs_at_once_take_turns(installed: Tree) -> None:
    installed.stamp.unlink()
    with as_another_install(installed):
        both = [
            subprocess.Popen(
                installed.command(), stdout=subprocess.PIPE, text=True, env=environment()
            )
            for _ in range(2)
        ]
        first_lines = {process.stdout.readline() for process in both if process.stdout}
        assert {"Another install into .venv is under way; waiting for it.\n"} == first_lines
    told = [process.communicate()[0] for process in both]
    assert [0, 0] == [process.returncode for process in both]
    assert ["", "Done in"] == sorted(text and re.findall("Done in", text)[0] for text in told)


@contextmanager
def as_another_install(tree: Tree) -> Iterator[None]:
    """Hold the tree as an install does that is under way."""
    handle = os.open(tree.root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def kill_in_the_middle(tree: Tree, when: Path) -> None:
    """SIGKILL the install and all that it started as soon as the file `when` is there."""
    process = subprocess.Popen(
        tree.command(), stdout=subprocess.DEVNULL, env=environment(), start_new_session=True
    )
    while not when.exists():
        assert process.poll() is None, "the install ended before it could be killed"
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def missing_files(tree: Tree) -> list[str]:
    """What the packages in `.venv` list as theirs, and is not there."""
    packages = tree.file_of("")
    return [
        row[0]
        for record in packages.glob("*.dist-info/RECORD")
        for row in csv.reader(record.read_text().splitlines())
        if not row[0].endswith(".pyc") and not (packages / row[0]).exists()
    ]
