"""Lays out copies of the notebooks for a reader to run and scribble in, in `work/`.

    python -m answerbook.notebook.work

`make lab` calls this before it opens JupyterLab there. Git ignores the folder. What the reader
wrote is never overwritten: a copy is brought up to date only while its cells are as they were laid
out, and otherwise the newer notebook is put beside it, once. Having run a copy is no change.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from answerbook.notebook.files import write_whole
from answerbook.notebook.source import NotebookError, Source, find, notebooks_folder

LAID_OUT = ".laid_out.json"
"""In the work folder: name of each copy → hash of the cells that were last put there or beside."""

Outcome = Literal["new", "updated", "unchanged", "kept", "kept beside a newer one"]


@dataclass(frozen=True)
class Copy:
    """What became of one copy."""

    path: Path
    outcome: Outcome

    @property
    def newer(self) -> Path:
        """Where the newer version is when the reader's own was kept."""
        return self.path.with_suffix(".newer.ipynb")


def fill_work_folder(work: Path, notebooks: Path | None = None) -> list[Copy]:
    """Bring `work` up to date with the notebooks of the collection, one `Copy` for each.

    A notebook that is not published yet is made from its source, without outputs.
    """
    sources = find(folder=notebooks)
    work.mkdir(parents=True, exist_ok=True)
    laid_out = _read(work / LAID_OUT)
    copies = []
    for source in sources:
        path, content = work / source.published.name, _content(source)
        copies.append(_lay_out(path, content, laid_out.get(path.name)))
        laid_out[path.name] = _hash_of_cells(content)
    write_whole(work / LAID_OUT, json.dumps(laid_out, indent=1, sort_keys=True))
    return copies


def main() -> None:
    """Fill `work/` at the repository's root and say where the reader's own version was kept."""
    try:
        copies = fill_work_folder(notebooks_folder().parent / "work")
    except NotebookError as error:
        sys.exit(str(error))
    for copy in copies:
        if copy.outcome == "kept beside a newer one":
            print(
                f"work/{copy.path.name} has changes of yours and stays as it is; the newer "
                f"notebook is work/{copy.newer.name}."
            )


def _lay_out(path: Path, content: str, laid_out: str | None) -> Copy:
    if not path.exists():
        write_whole(path, content)
        return Copy(path, "new")
    theirs = _hash_of_cells(path.read_text(encoding="utf-8", errors="replace"))
    ours = _hash_of_cells(content)
    if theirs == laid_out and ours != laid_out:
        write_whole(path, content)
        return Copy(path, "updated")
    if theirs in (ours, laid_out):
        return Copy(path, "unchanged")
    copy = Copy(path, "kept" if ours == laid_out else "kept beside a newer one")
    if copy.outcome == "kept beside a newer one":
        write_whole(copy.newer, content)
    return copy


def _content(source: Source) -> str:
    if source.published.exists():
        return source.published.read_text(encoding="utf-8")
    import nbformat

    return nbformat.writes(source.notebook())  # type: ignore[no-any-return, no-untyped-call]


def _read(path: Path) -> dict[str, str]:
    """What was laid out; nothing where that cannot be read: then every copy counts as changed."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _hash_of_cells(content: str) -> str:
    """A hash of what is written in a notebook's cells, or of the file where it is no notebook."""
    try:
        cells = [
            [cell["cell_type"], "".join(cell["source"])] for cell in json.loads(content)["cells"]
        ]
        content = json.dumps(cells)
    except (ValueError, TypeError, KeyError):
        pass
    return hashlib.sha256(content.encode()).hexdigest()


if __name__ == "__main__":
    main()
