"""The packages of questions 2 and 5, which are installed when they are first asked for."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from answerbook.services import MissingProgram
from answerbook.services.packages import Q2, Q5, Packages
from requirements.environment import DOWNLOAD, Environment
from tests.setup.trees import Tree, copy_tree

ON_DEMAND = """
from answerbook.services.packages import {question}
assert "{package}" in {question}.lacking()
{question}.provide()
assert [] == {question}.lacking()
"""
FOR_DJANGO = """
from answerbook import services
from answerbook.services.packages import Q5
assert "Django" in Q5.lacking()
services.fetch_packages("site")
from django.contrib.postgres.search import SearchVector
"""


@pytest.fixture
def pins(installed: Tree) -> Iterator[Path]:
    """The pins of question 2 in a tree that has the lab; put right after the test."""
    path = installed.root / "requirements" / "q2.txt"
    before = path.read_text()
    yield path
    path.write_text(before)


def test_packages_are_installed_beside_the_lab_with_their_size_announced(
    installed: Tree, pins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pins.write_text(installed.pins.read_text() + "# and of question 2\n")
    Q2.install(installed.root)
    assert Environment(installed.root).holds("q2")
    assert "488 MB, once." in capsys.readouterr().out


@pytest.mark.parametrize("packages", [Q2, Q5], ids=lambda packages: packages.name)
def test_announced_size_is_what_a_question_adds_to_the_lab(packages: Packages) -> None:
    assert DOWNLOAD[packages.name] - DOWNLOAD["lab"] == packages.download / 1e6


def test_packages_that_cannot_be_had_are_told_in_one_paragraph(
    installed: Tree, pins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins.write_text("uv==0.0.1 --hash=sha256:00\n")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(MissingProgram, match="cannot be reached") as caught:
        Q2.install(installed.root)
    assert "\n" not in str(caught.value)


@pytest.mark.thorough
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("question", "package", "imported"),
    [
        ("Q2", "pyspark", "pyspark, confluent_kafka, msgspec"),
        ("Q5", "locust", "locust, django, pyuwsgi"),
    ],
)
def test_environment_of_the_lab_gets_all_that_a_question_needs(
    question: str, package: str, imported: str, tmp_path: Path
) -> None:
    tree = copy_tree(tmp_path / "tree")
    done = tree.install("lab")
    assert done.returncode == 0, done.stderr
    subprocess.check_call([tree.python, "-m", "answerbook", "--help"])
    provide = ON_DEMAND.format(question=question, package=package)
    subprocess.check_call([tree.python, "-c", provide])
    subprocess.check_call([tree.python, "-c", f"import {imported}"])


@pytest.mark.thorough
@pytest.mark.timeout(1800)
def test_environment_of_the_lab_gets_what_a_notebook_on_django_imports(tmp_path: Path) -> None:
    tree = copy_tree(tmp_path / "tree")
    done = tree.install("lab")
    assert done.returncode == 0, done.stderr
    subprocess.check_call([tree.python, "-c", FOR_DJANGO])
