"""Each notebook's source has the anatomy, and its published .ipynb is its twin, fit to be shown."""

import re
from pathlib import Path

import pytest

from answerbook.notebook import anatomy
from answerbook.notebook.anatomy import published
from answerbook.notebook.source import Source, notebooks_folder


def test_source_has_the_anatomy_of_a_notebook(source: Source) -> None:
    complaints = list(anatomy.complaints(source))
    assert [] == complaints, "\n".join(complaints)


def test_published_notebook_is_its_sources_twin_and_fit_to_be_shown(own: Source) -> None:
    complaints = list(published.complaints(own))
    assert [] == complaints, "\n".join(complaints)


@pytest.mark.parametrize("page", ["README.md", "notebooks/00_start_here.py"])
def test_every_notebook_stands_in_the_maps(page: str) -> None:
    folder = notebooks_folder()
    linked = re.findall(r"\((?:notebooks/)?(\w+)\.ipynb\)", (folder.parent / page).read_text())
    names = {path.stem for path in folder.glob("*.py")} - {Path(page).stem}
    assert set() == names - set(linked)


def test_every_published_notebook_has_a_source() -> None:
    folder = notebooks_folder()
    sources = {path.stem for path in folder.glob("*.py")}
    assert {path.stem for path in folder.glob("*.ipynb")} <= sources
