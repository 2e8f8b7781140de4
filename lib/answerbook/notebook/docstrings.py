"""As many documents to search as one likes, made from what every Python brings along.

Used by the notebooks on full-text search. The text is real, so its words are as frequent as words
are; it needs no download; and the same Python makes the same documents each time.
"""

import ast
import random
import re
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from answerbook.notebook.waiting import progress

PACKAGES = (
    "asyncio",
    "collections",
    "concurrent/futures",
    "email",
    "http",
    "importlib",
    "json",
    "logging",
    "multiprocessing",
    "sqlite3",
    "unittest",
    "urllib",
    "xml/dom",
    "xml/etree",
    "xml/sax",
)
"""Beside the modules at the top: those with much documentation, and no tests or data."""
DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
BLANK_LINES = re.compile(r"\n\s*\n")
PARAGRAPHS = 4
"""In a mixed document."""


class Document(NamedTuple):
    """One row: what it is called, and its text."""

    title: str
    body: str


def documents(count: int, seed: int = 0) -> Iterator[Document]:
    """Yield `count` documents: the standard library's docstrings, and then mixtures of them.

    There are about six thousand docstrings. A mixture is four paragraphs, each taken at random from
    one of them, so that it has their words as often as they have them.
    """
    originals = _docstrings()[:count]
    yield from originals
    paragraphs = [
        (original.title, paragraph)
        for original in originals
        for paragraph in BLANK_LINES.split(original.body)
    ]
    chance = random.Random(seed)
    for _ in range(count - len(originals)):
        titles, texts = zip(*chance.choices(paragraphs, k=PARAGRAPHS), strict=True)
        yield Document(f"{titles[0]} and others", "\n\n".join(texts))


def load(connection: "psycopg.Connection[Any]", count: int) -> None:
    """Fill the table `documents` (title, body, and what has a default) in place of what is there.

    With statistics for the planner and every index merged. `connection` is in autocommit: VACUUM
    runs in no transaction.
    """
    connection.execute("TRUNCATE documents RESTART IDENTITY")
    rows = progress(documents(count), f"loading {count:,}", total=count)
    copying = "COPY documents (title, body) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(copying) as copy:
        for document in rows:
            copy.write_row(document)
    connection.execute("VACUUM ANALYZE documents")


def described() -> Iterator[tuple[str, str, Document]]:
    """Every docstring once, in the order of the files: its module, its kind, and the document.

    A document is called by the full name of what it describes: a module, class, function or method.
    """
    library = Path(sysconfig.get_path("stdlib"))
    seen: set[str] = set()
    folders = [library, *(library / package for package in PACKAGES)]
    for path in sorted(path for folder in folders for path in folder.glob("*.py")):
        module = ".".join(path.relative_to(library).with_suffix("").parts)
        module = module.removesuffix(".__init__")
        for kind, document in _described(ast.parse(path.read_bytes()), module, "module"):
            if document.body not in seen:
                seen.add(document.body)
                yield module, kind, document


@cache
def _docstrings() -> tuple[Document, ...]:
    """A few MB, and kept: to parse the library takes seconds, and a notebook loads repeatedly."""
    return tuple(document for _, _, document in described())


def _described(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, name: str, kind: str
) -> Iterator[tuple[str, Document]]:
    text = ast.get_docstring(node)
    if text:
        # PostgreSQL stores no zero bytes.
        yield kind, Document(name, text.replace("\x00", ""))
    for child in node.body:
        if isinstance(child, ast.ClassDef):
            yield from _described(child, f"{name}.{child.name}", "class")
        elif isinstance(child, DEFINITIONS):
            its = "method" if kind == "class" else "function"
            yield from _described(child, f"{name}.{child.name}", its)
