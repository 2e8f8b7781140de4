"""What is published has its outputs, is its source's twin, and shows nothing of this machine."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from answerbook.config import Settings
from answerbook.notebook.anatomy import published
from answerbook.notebook.kernel import Run, run_notebook
from answerbook.notebook.publish import publish
from answerbook.notebook.source import NotebookError, Source
from answerbook.services.state import StateFolder

Write = Callable[..., Source]


def run(source: Source) -> Run:
    return run_notebook(source.notebook(), source.name)


def read(source: Source) -> NotebookNode:
    notebook: NotebookNode = nbformat.read(source.published, 4)  # type: ignore[no-untyped-call]
    return notebook


@pytest.fixture
def copied(template: Source, tmp_path: Path) -> Source:
    """The template in a folder of its own, where it may be published."""
    return Source(Path(shutil.copy(template.path, tmp_path)))


def test_published_template_has_nothing_to_complain_of(copied: Source) -> None:
    publish(copied, run(copied), "study")

    assert [] == list(published.complaints(copied))
    assert [] == [path.name for path in copied.path.parent.glob(".*")]


def test_publishing_twice_changes_only_what_was_measured(copied: Source) -> None:
    def unmeasured() -> list[object]:
        publish(copied, run(copied), "study")
        notebook = json.loads(copied.published.read_text())
        counted = [len(cell.pop("outputs", [])) for cell in notebook["cells"]]
        return [notebook, counted]

    assert unmeasured() == unmeasured()


def test_failed_run_leaves_the_published_notebook_as_it_was(written: Write) -> None:
    source = written("1 / 0")
    source.published.write_text("as it was")

    with pytest.raises(NotebookError, match="code cell 1 failed"):
        publish(source, run(source), "study")
    assert "as it was" == source.published.read_text()


def test_output_that_shows_this_machine_or_a_password_is_refused_cell_by_cell(
    written: Write,
) -> None:
    secret = StateFolder.open(Settings.load()).secret("rabbitmq").get_secret_value()
    source = written(
        "import os, sys, warnings\nfrom base64 import b64encode\nfrom pathlib import Path",
        "print(os.getcwd())",
        "Path.home() / 'notes'",
        "warnings.warn('slow')",
        "secret = Path(os.environ['ANSWERBOOK_HOME'], 'secrets', 'rabbitmq').read_text()",
        "{'Authorization': b64encode(b'guest:' + secret.encode()).decode()}",
        "sys.prefix",
    )

    with pytest.raises(NotebookError) as caught:
        publish(source, run(source), "study")
    for what in (
        "code cell 2 shows the state folder",
        "code cell 3 shows the home folder",
        "code cell 4 shows a temporary folder",
        "code cell 6 shows a password",
        "code cell 7 shows the Python installation",
    ):
        assert what in str(caught.value)
    assert "code cell 1 " not in str(caught.value)
    assert secret not in str(caught.value)
    assert not source.published.exists()


def test_notebook_over_300_kilobytes_is_refused_and_its_largest_cell_named(
    written: Write,
) -> None:
    source = written("1", "print('word ' * 70_000)")

    with pytest.raises(NotebookError, match="KB that a page may have. The largest: code cell 2"):
        publish(source, run(source), "study")


def test_bars_are_dropped_and_prints_joined(written: Write) -> None:
    source = written(
        "from tqdm import tqdm\nimport sys",
        "for n in tqdm(range(3), file=sys.stderr, mininterval=0):\n    print(n, flush=True)",
        "for n in tqdm(range(3), file=sys.stderr, leave=False):\n    pass",
    )
    publish(source, run(source), "study")
    _, counted, silent = read(source).cells

    assert [("stdout", "0\n1\n2\n")] == [(out.name, out.text) for out in counted.outputs]
    assert [] == silent.outputs


def test_traceback_into_a_package_shows_no_folder(written: Write) -> None:
    source = written(
        "import requests", '# %% tags=["raises-exception"]\nrequests.get("no address")'
    )
    publish(source, run(source), "study")
    error = read(source).cells[1].outputs[0]

    assert "requests/api.py" in "\n".join(error.traceback)


def edited(notebook: dict[str, object], path: str, value: object) -> None:
    """Set `value` at a path such as `cells/3/source`."""
    *above, last = path.split("/")
    place: object = notebook
    for part in above:
        place = place[int(part)] if isinstance(place, list) else place[part]  # type: ignore[index]
    place[last] = value  # type: ignore[index]


EDITS: dict[str, tuple[str, object, str]] = {
    "another source": ("metadata/answerbook/source_sha256", "0" * 64, "another version"),
    "widget state": ("metadata/widgets", {}, "metadata"),
    "no profile": ("metadata/answerbook/profile", "quick", "which profile"),
    "an edited cell": ("cells/0/source", ["# Another title"], "not those of"),
    "a timestamp": ("cells/1/metadata/execution", {"iopub": "now"}, "not those of"),
    "cells run out of order": ("cells/1/execution_count", 7, "top to bottom"),
    "an error": (
        "cells/1/outputs",
        [{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}],
        "not tagged",
    ),
    "an image without alt text": (
        "cells/1/outputs",
        [{"output_type": "display_data", "data": {"image/png": "aaaa"}, "metadata": {}}],
        "alt text",
    ),
    "an image without a caption": (
        "cells/1/outputs",
        [
            {
                "output_type": "display_data",
                "data": {"image/png": "aaaa"},
                "metadata": {"image/png": {"alt": "a dot"}},
            }
        ],
        "caption",
    ),
    "a wide table": (
        "cells/1/outputs",
        [
            {
                "output_type": "display_data",
                "data": {"text/html": f"<table><thead><tr>{'<th>a</th>' * 6}</tr></thead></table>"},
                "metadata": {},
            }
        ],
        "6 columns",
    ),
    "a script": (
        "cells/1/outputs",
        [
            {
                "output_type": "display_data",
                "data": {"text/html": "<script>1</script>"},
                "metadata": {},
            }
        ],
        "JavaScript",
    ),
    "a path": (
        "cells/1/outputs",
        [{"output_type": "stream", "name": "stdout", "text": "/home/reader/notes"}],
        "home folder",
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_published_notebook_that_was_touched_is_complained_of(
    edit: tuple[str, object, str], published_template: Source, tmp_path: Path
) -> None:
    touched = Source(Path(shutil.copy(published_template.path, tmp_path)))
    notebook = json.loads(published_template.published.read_text())
    path, value, complaint = edit
    edited(notebook, path, value)
    touched.published.write_text(json.dumps(notebook))

    assert any(complaint in found for found in published.complaints(touched))


@pytest.fixture(scope="module")
def published_template(notebooks_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Source:
    """The template, run and published once for the module."""
    template = Path(__file__).parent / "template" / "0_0_template.py"
    source = Source(Path(shutil.copy(template, tmp_path_factory.mktemp("published"))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANSWERBOOK_HOME", str(notebooks_home))
        publish(source, run(source), "study")
    return source
