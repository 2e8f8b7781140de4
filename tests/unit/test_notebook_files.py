"""Sources, tidied outputs, leaks, and the reader's copies."""

import base64
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tqdm import tqdm

from answerbook.notebook.leaks import leaks_in
from answerbook.notebook.outputs import without_bars
from answerbook.notebook.source import Source, checked_exercise
from answerbook.notebook.work import LAID_OUT, Copy, fill_work_folder

# -- sources ----------------------------------------------------------------------------------


def source(folder: Path, *cells: str, name: str = "9_1_trial") -> Source:
    path = folder / f"{name}.py"
    path.write_text("\n\n".join(f"# %%\n{cell}" for cell in cells) + "\n")
    return Source(path)


def test_cell_ids_are_unique_and_an_edit_changes_one(tmp_path: Path) -> None:
    before = [cell.id for cell in source(tmp_path, "1", "2", "2", "3").notebook().cells]
    after = [cell.id for cell in source(tmp_path, "1", "2", "2", "4").notebook().cells]

    assert 4 == len(set(before))
    assert (before[:3], True) == (after[:3], before[3] != after[3])


def test_tags_are_all_that_a_cell_keeps_of_its_metadata(tmp_path: Path) -> None:
    path = tmp_path / "9_1_trial.py"
    path.write_text('# %% tags=["raises-exception"] slideshow={"a": 1}\n1 / 0\n\n# %%\n1\n')

    cells = Source(path).notebook().cells
    assert [{"tags": ["raises-exception"]}, {}] == [cell.metadata for cell in cells]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("exercises.status.check(answer)", "status"),
        ("exercises.status.check(answer, url)", "status"),
        ("exercises.status.check(42)", None),
        ("status.check(answer)", None),
        ("answer = 1\nexercises.status.check(answer)", None),
        ("!ls", None),
    ],
)
def test_cell_that_checks_an_exercise_is_known_by_its_form(code: str, name: str | None) -> None:
    assert name == checked_exercise(code)


# -- outputs ----------------------------------------------------------------------------------


states = st.text(st.characters(exclude_characters="\r\n"), min_size=1)


@given(st.lists(states, min_size=1))
def test_of_a_line_that_was_written_over_the_last_state_is_left(states: list[str]) -> None:
    assert f"{states[-1]}\nend" == without_bars("\r".join(states) + "\nend")


@pytest.mark.parametrize("options", [{}, {"total": 3}, {"total": 3, "leave": False}])
def test_bars_of_tqdm_go_and_what_was_written_between_them_stays(options: dict[str, Any]) -> None:
    stream = io.StringIO()
    for number in tqdm(range(3), "counting", file=stream, mininterval=0, **options):
        tqdm.write(f"number {number}", file=stream)
    print("warning: 3 of 7", file=stream)

    left = [line for line in without_bars(stream.getvalue()).splitlines() if line.strip()]
    assert ["number 0", "number 1", "number 2", "warning: 3 of 7"] == left


@pytest.mark.parametrize("what", ["starting", "migrations, documents and static files"])
def test_bars_that_stood_under_each_other_leave_nothing(what: str) -> None:
    stream = io.StringIO()
    bars = [tqdm(bar_format="{desc}", position=row, leave=False, file=stream) for row in range(3)]
    for second in range(3):
        for name, bar in zip("abc", bars, strict=True):
            bar.set_description_str(f"{name}: {what} … {second} s")
    for bar in reversed(bars):
        bar.close()
    print("warning", file=stream)

    assert "warning" == without_bars(stream.getvalue()).strip()
    assert "\n" not in without_bars(stream.getvalue()).strip("\n")


FORBIDDEN = [("the home folder", "/srv/reader"), ("the name of this machine", "host-7")]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("in /srv/reader/notes", ["the home folder, /srv/reader"]),
        ("file:///srv/reader.", ["the home folder, /srv/reader"]),
        ("/srv/readers/notes or /mnt/srv/reader", []),
        ("at host-7:5672", ["the name of this machine, host-7"]),
        ("at host-77 or ghost-7", []),
        ("/home/someone/x", ["a home folder"]),
        ("http://host/home/page and /rootless", []),
        ("/root/x", ["a home folder"]),
        ("amqp://guest:guest@127.0.0.1 and amqp://guest:***@127.0.0.1", []),
        ("amqp://guest:Zm9vYmFy@127.0.0.1", ["an address with a password"]),
    ],
)
def test_what_belongs_to_one_machine_is_found_and_nothing_else(text: str, what: list[str]) -> None:
    assert what == list(leaks_in(text, FORBIDDEN, []))


@given(
    secret=st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=24, max_size=24),
    user=st.text("abcdefgh", max_size=9),
    around=st.text(" .:;\n", max_size=5),
)
def test_password_is_found_plain_and_in_a_basic_authorization_header(
    secret: str, user: str, around: str
) -> None:
    header = base64.b64encode(f"{user}:{secret}".encode()).decode()

    for text in (secret, f"Basic {header}"):
        found = list(leaks_in(f"{around}{text}{around}", [], [secret]))
        assert ["a password of the state folder"] == found
        assert secret not in found[0]


# -- the reader's copies ----------------------------------------------------------------------


def outcome(copies: list[Copy]) -> str:
    (copy,) = copies
    return copy.outcome


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


def written_in(copy: Path, text: str) -> None:
    """Do what a reader does: change a cell and save."""
    notebook = json.loads(copy.read_text())
    notebook["cells"][0]["source"] = [text]
    copy.write_text(json.dumps(notebook))


def first_cell(copy: Path) -> str:
    return "".join(json.loads(copy.read_text())["cells"][0]["source"])


def test_copy_is_laid_out_once_and_brought_up_to_date(tmp_path: Path, work: Path) -> None:
    source(tmp_path, "first")
    assert "new" == outcome(fill_work_folder(work, tmp_path))
    assert "unchanged" == outcome(fill_work_folder(work, tmp_path))

    source(tmp_path, "second")
    assert "updated" == outcome(fill_work_folder(work, tmp_path))
    assert "second" == first_cell(work / "9_1_trial.ipynb")


def test_what_the_reader_wrote_is_kept_and_the_newer_put_beside_it_once(
    tmp_path: Path, work: Path
) -> None:
    copy, newer = work / "9_1_trial.ipynb", work / "9_1_trial.newer.ipynb"
    source(tmp_path, "first")
    fill_work_folder(work, tmp_path)
    written_in(copy, "mine")
    assert "kept" == outcome(fill_work_folder(work, tmp_path))
    assert not newer.exists()

    source(tmp_path, "second")
    assert "kept beside a newer one" == outcome(fill_work_folder(work, tmp_path))
    assert ("mine", "second") == (first_cell(copy), first_cell(newer))
    newer.unlink()
    assert "kept" == outcome(fill_work_folder(work, tmp_path))
    assert not newer.exists()


def test_reader_who_takes_the_newer_one_gets_updates_again(tmp_path: Path, work: Path) -> None:
    copy = work / "9_1_trial.ipynb"
    source(tmp_path, "first")
    fill_work_folder(work, tmp_path)
    written_in(copy, "mine")
    source(tmp_path, "second")
    fill_work_folder(work, tmp_path)
    (work / "9_1_trial.newer.ipynb").replace(copy)

    source(tmp_path, "third")
    assert "updated" == outcome(fill_work_folder(work, tmp_path))


def test_having_run_a_copy_is_no_change(tmp_path: Path, work: Path) -> None:
    copy = work / "9_1_trial.ipynb"
    source(tmp_path, "first")
    fill_work_folder(work, tmp_path)
    notebook = json.loads(copy.read_text())
    notebook["cells"][0]["execution_count"] = 1
    copy.write_text(json.dumps(notebook))

    source(tmp_path, "second")
    assert "updated" == outcome(fill_work_folder(work, tmp_path))


@pytest.mark.parametrize("broken", ["", "[]", "{", '{"9_1_trial.ipynb": 1}'])
def test_without_a_memory_of_what_was_laid_out_nothing_is_overwritten(
    broken: str, tmp_path: Path, work: Path
) -> None:
    source(tmp_path, "first")
    fill_work_folder(work, tmp_path)
    written_in(work / "9_1_trial.ipynb", "mine")
    (work / LAID_OUT).write_text(broken)

    assert "kept beside a newer one" == outcome(fill_work_folder(work, tmp_path))
    assert "mine" == first_cell(work / "9_1_trial.ipynb")


@pytest.mark.parametrize("saved", ["", "no notebook", '{"cells": 3}', "[]"])
def test_copy_that_is_no_notebook_any_more_is_kept(saved: str, tmp_path: Path, work: Path) -> None:
    source(tmp_path, "first")
    fill_work_folder(work, tmp_path)
    (work / "9_1_trial.ipynb").write_text(saved)
    source(tmp_path, "second")

    assert "kept beside a newer one" == outcome(fill_work_folder(work, tmp_path))
    assert saved == (work / "9_1_trial.ipynb").read_text()


def test_published_notebook_is_laid_out_with_its_outputs(tmp_path: Path, work: Path) -> None:
    published = source(tmp_path, "first").published
    published.write_text('{"cells": [], "published": true}')
    fill_work_folder(work, tmp_path)
    assert published.read_text() == (work / published.name).read_text()


def test_unpublished_notebook_without_jupytext_is_told_in_one_paragraph(tmp_path: Path) -> None:
    source(tmp_path, "first")
    program = (
        "import sys; sys.modules['jupytext'] = None\n"
        "from pathlib import Path\n"
        "from answerbook.notebook.source import NotebookError\n"
        "from answerbook.notebook.work import fill_work_folder\n"
        "try:\n"
        f"    fill_work_folder(Path({str(tmp_path / 'work')!r}), Path({str(tmp_path)!r}))\n"
        "except NotebookError as error:\n"
        "    print(error)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "takes jupytext" in done.stdout


def test_services_that_start_side_by_side_leave_nothing_of_their_bars() -> None:
    states = [
        f"\n\r{name}: starting … {second} s\x1b[A"
        for second in range(3)
        for name in ("kafka", "notify-render")
    ]
    left = without_bars("".join(states) + "\n\n\x1b[A\x1b[A")
    assert "" == left.strip()
    assert "it: was starting …" == without_bars("it: was starting …")
