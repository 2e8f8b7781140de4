"""Notebooks run in a state folder of the tests' own; fetched programs are shared with the checkout.

Nothing here writes into the tree.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from answerbook.config import Settings
from answerbook.notebook.source import Source, notebooks_folder

TEMPLATE = Path(__file__).parent / "template" / "0_0_template.py"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a notebook: `source` is each of the collection and the template, `own` not that."""
    collection = [Source(path) for path in sorted(notebooks_folder().glob("*.py"))]
    for name, sources in (("own", collection), ("source", [Source(TEMPLATE), *collection])):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, sources, ids=[source.name for source in sources])


@pytest.fixture(scope="session")
def notebooks_home() -> Iterator[Path]:
    """A folder that PostgreSQL's user can reach when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="answerbook-notebooks-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def home(notebooks_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of every test here."""
    programs = Settings.load().programs_folder
    monkeypatch.setenv("ANSWERBOOK_HOME", str(notebooks_home))
    monkeypatch.setenv("ANSWERBOOK_PROGRAMS", str(programs))
    monkeypatch.setenv("ANSWERBOOK_ENGINE", "native")
    monkeypatch.setenv("ANSWERBOOK_PROFILE", "study")
    return notebooks_home


@pytest.fixture
def template() -> Source:
    """The notebook that shows each part at its shortest; it needs no service."""
    return Source(TEMPLATE)


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Source]:
    """Makes a source of the cells given, each code unless it begins with `# %%`."""

    def write(*cells: str, name: str = "9_1_trial") -> Source:
        path = tmp_path / f"{name}.py"
        marked = (cell if cell.startswith("# %%") else f"# %%\n{cell}" for cell in cells)
        path.write_text("\n\n".join(marked) + "\n")
        return Source(path)

    return write
