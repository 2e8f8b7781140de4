"""What a published notebook has to be: its source's twin, run in order, fit to be shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import nbformat
from nbformat import NotebookNode

from answerbook.config import Settings
from answerbook.notebook.leaks import find_leaks
from answerbook.notebook.publish import MOST_BYTES
from answerbook.notebook.source import Source, code_cells, is_tagged
from answerbook.notebook.tables import MOST_COLUMNS

ALLOWED_METADATA = {"kernelspec", "language_info", "answerbook"}
SCRIPTED = ("application/javascript", "application/vnd.", "text/javascript")
TABLE_HEAD = re.compile(r"<tr[^>]*>(?:(?!</tr>).)*<th.*?</tr>", re.DOTALL)


def complaints(source: Source) -> Iterator[str]:
    """What is wrong with the published notebook, a sentence each."""
    if not source.published.exists():
        yield f"It is not published: `make publish NB={source.name}`."
        return
    size = source.published.stat().st_size
    if size > MOST_BYTES:
        yield f"It has {size / 1e3:.0f} KB; {MOST_BYTES / 1e3:.0f} KB fit a page."
    notebook = nbformat.read(source.published, as_version=4)  # type: ignore[no-untyped-call]
    yield from _stamp(source, notebook)
    yield from _twin(source, notebook)
    yield from _order(notebook)
    yield from _errors(notebook)
    yield from _images(notebook)
    yield from _formats(notebook)
    for leak in find_leaks(notebook, Settings.load()):
        yield f"Code cell {leak.cell} shows {leak.what}."


def _stamp(source: Source, notebook: NotebookNode) -> Iterator[str]:
    stamp = notebook.metadata.get("answerbook", {})
    if stamp.get("source_sha256") != source.sha256:
        yield (
            "Its outputs are of another version of the source: "
            f"`make publish NB={source.name}` makes them anew."
        )
    if stamp.get("profile") not in ("study", "full"):
        yield f"It does not say in which profile it ran: {json.dumps(stamp)}."
    if set(notebook.metadata) - ALLOWED_METADATA:
        yield f"Its metadata has more than {sorted(ALLOWED_METADATA)}: {sorted(notebook.metadata)}."


def _twin(source: Source, notebook: NotebookNode) -> Iterator[str]:
    def described(cell: NotebookNode) -> tuple[str, str, str, list[str], dict[str, object]]:
        tags = cell.metadata.get("tags", [])
        rest = {key: value for key, value in cell.metadata.items() if key != "tags"}
        return cell.id, cell.cell_type, cell.source, tags, rest

    expected = [described(cell) for cell in source.notebook().cells]
    actual = [described(cell) for cell in notebook.cells]
    if expected != actual:
        differing = [
            position
            for position, (ours, theirs) in enumerate(zip(expected, actual, strict=False), start=1)
            if ours != theirs
        ]
        yield (
            f"Its cells are not those of {source.path.name} ({len(actual)} to {len(expected)}, "
            f"differing from cell {differing[0] if differing else min(len(actual), len(expected))})"
        )


def _order(notebook: NotebookNode) -> Iterator[str]:
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"Its cells were not run once each from top to bottom: {counts}."


def _errors(notebook: NotebookNode) -> Iterator[str]:
    for number, cell in enumerate(code_cells(notebook), start=1):
        if is_tagged(cell, "raises-exception"):
            continue
        if any(output.output_type == "error" for output in cell.outputs):
            yield f"Code cell {number} shows an error and is not tagged raises-exception."


def _images(notebook: NotebookNode) -> Iterator[str]:
    for number, cell in enumerate(code_cells(notebook), start=1):
        following = [*cell.outputs[1:], None]
        for output, after in zip(cell.outputs, following, strict=False):
            images = [key for key in output.get("data", {}) if key.startswith("image/")]
            if not images:
                continue
            if not output.metadata.get(images[0], {}).get("alt", "").strip():
                yield f"An image in code cell {number} has no alt text: use `show`."
            role = after.get("metadata", {}).get("answerbook", {}).get("role") if after else None
            if role != "caption":
                yield f"An image in code cell {number} has no caption under it: use `show`."


def _formats(notebook: NotebookNode) -> Iterator[str]:
    for number, cell in enumerate(code_cells(notebook), start=1):
        for output in cell.outputs:
            data = output.get("data", {})
            html = data.get("text/html", "")
            if "<script" in html or any(key.startswith(SCRIPTED) for key in data):
                yield f"Code cell {number} shows something that needs JavaScript."
            widest = max(
                (len(re.findall("<th[ >]", row)) for row in TABLE_HEAD.findall(html)), default=0
            )
            if widest > MOST_COLUMNS:
                yield f"A table in code cell {number} has {widest} columns; {MOST_COLUMNS} fit."
