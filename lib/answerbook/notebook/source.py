"""A notebook's source, NAME.py in jupytext's percent format, and what it becomes as NAME.ipynb.

Used by whatever runs, publishes, lays out or checks notebooks.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from answerbook.config import repository

# nbformat takes a second to import, and who only lays notebooks out has no need of it.
if TYPE_CHECKING:
    from nbformat import NotebookNode

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python"}


class NotebookError(Exception):
    """A notebook cannot be found, read, run or published; the message says what to do."""


@dataclass(frozen=True)
class Source:
    """One notebook of the collection, by its NAME.py."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def question(self) -> str:
        """The number of the question it belongs to, such as `1`; `00` for the start."""
        return self.name.partition("_")[0]

    @property
    def published(self) -> Path:
        """NAME.ipynb beside it, which may not be there."""
        return self.path.with_suffix(".ipynb")

    @property
    def sha256(self) -> str:
        """What the published notebook is stamped with."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def notebook(self) -> NotebookNode:
        """The source as a notebook without outputs, with cell ids that depend on content only."""
        from nbformat import NotebookNode

        converted = _jupytext().reads(self.path.read_text(encoding="utf-8"), fmt="py:percent")
        notebook = NotebookNode(  # type: ignore[no-untyped-call]
            nbformat=4,
            nbformat_minor=5,
            metadata={"kernelspec": KERNELSPEC, "language_info": LANGUAGE},
            cells=converted.cells,
        )
        for cell, identity in zip(notebook.cells, _identities(notebook.cells), strict=True):
            cell.id = identity
            tags = cell.metadata.get("tags")
            cell.metadata = {"tags": tags} if tags else {}
        return notebook


def find(
    names: Sequence[str] = (), question: str | None = None, folder: Path | None = None
) -> list[Source]:
    """The sources of these names (all, when there are none) and of this question, in order.

    `folder` is the repository's `notebooks/` by default; a name may also be a notebook's number
    (1_1), or a path to a source elsewhere. Raises NotebookError for a name that is not there and
    when nothing is left.
    """
    paths = [Path(name) for name in names]
    if paths and all(path.suffix == ".py" and path.is_file() for path in paths):
        return [Source(path.absolute()) for path in paths]
    folder = folder or notebooks_folder()
    there = {path.stem: Source(path) for path in sorted(folder.glob("*.py"))}
    wanted = [_full_name(path.name, there) for path in paths]
    unknown = [name for name in wanted if name not in there]
    if unknown:
        raise NotebookError(
            f"There is no notebook {', '.join(unknown)}. There are: {', '.join(there) or 'none'}."
        )
    found = [
        source
        for name, source in there.items()
        if (not wanted or name in wanted) and question in (None, source.question)
    ]
    if not found:
        questions = sorted({source.question for source in there.values()})
        raise NotebookError(
            f"No notebook of question {question} is here. Questions: {', '.join(questions)}."
            if there
            else "There are no notebooks here yet: notebooks/NAME.py is where one begins."
        )
    return found


def _full_name(name: str, there: Iterable[str]) -> str:
    """Of a notebook that is called so, or is the only one with this number; else as it came."""
    stem = name.removesuffix(".py").removesuffix(".ipynb")
    numbered = [full for full in there if full.startswith(f"{stem}_")]
    return numbered[0] if len(numbered) == 1 else stem


def notebooks_folder() -> Path:
    """`notebooks/` of the checkout that this package is part of."""
    root = repository()
    if root is None:
        raise NotebookError(
            "The notebooks are not here: answerbook was installed without its repository. "
            "Clone the repository and run this from there."
        )
    return root / "notebooks"


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def is_tagged(cell: NotebookNode, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])


def parsed(code: str) -> ast.Module:
    """A cell's syntax tree; top-level `await` is allowed, as it is in a kernel."""
    return compile(  # type: ignore[no-any-return]
        code, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    )


def checked_exercise(code: str) -> str | None:
    """The name of the exercise that a cell checks (`exercises.NAME.check(answer)`), or None."""
    try:
        body = parsed(code).body
    except SyntaxError:
        return None
    match body:
        case [
            ast.Expr(
                ast.Call(
                    func=ast.Attribute(
                        value=ast.Attribute(value=ast.Name(id="exercises"), attr=name),
                        attr="check",
                    ),
                    args=[ast.Name(id="answer"), *_],
                )
            )
        ]:
            return name
    return None


def _identities(cells: Iterable[NotebookNode]) -> list[str]:
    """An id for each cell, from its content: an edit changes one, a move none."""
    seen: set[str] = set()
    identities = []
    for cell in cells:
        content = f"{cell.cell_type}\n{cell.source}".encode()
        copies = 0
        while (identity := hashlib.sha256(content + b"\0" * copies).hexdigest()[:8]) in seen:
            copies += 1
        seen.add(identity)
        identities.append(identity)
    return identities


def _jupytext() -> Any:
    try:
        import jupytext  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        raise NotebookError(
            "Reading a notebook's .py source takes jupytext, which comes with the development "
            "packages: `pip install -e '.[dev]'`."
        ) from None
    return jupytext
