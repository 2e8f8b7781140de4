"""Each notebook's source has the anatomy, and its published .ipynb is its twin, fit to be shown."""

from answerbook.notebook import anatomy
from answerbook.notebook.anatomy import published
from answerbook.notebook.source import Source, notebooks_folder


def test_source_has_the_anatomy_of_a_notebook(source: Source) -> None:
    complaints = list(anatomy.complaints(source))
    assert [] == complaints, "\n".join(complaints)


def test_published_notebook_is_its_sources_twin_and_fit_to_be_shown(own: Source) -> None:
    complaints = list(published.complaints(own))
    assert [] == complaints, "\n".join(complaints)


def test_every_published_notebook_has_a_source() -> None:
    folder = notebooks_folder()
    sources = {path.stem for path in folder.glob("*.py")}
    assert {path.stem for path in folder.glob("*.ipynb")} <= sources
