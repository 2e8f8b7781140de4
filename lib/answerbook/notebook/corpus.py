"""The search site's default corpus: this collection's sections and Python's documentation strings.

    python -m answerbook.notebook.corpus        # or `make corpus`

writes site/search/corpus/default.jsonl.gz, which the site ships and `manage.py
load_default_corpus` loads. The same sources make the same bytes. Python's documentation strings are
the Python Software Foundation's, under its licence.
"""

import gzip
import io
import json
import re
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

from answerbook.config import repository
from answerbook.notebook import docstrings
from answerbook.notebook.anatomy.prose import cost, sections
from answerbook.notebook.source import NotebookError, Source, find

SHORTEST = 40
"""Characters of a documentation string that is worth finding."""
QUESTIONS = {
    "00": "start",
    "1": "integration protocols",
    "2": "a million notifications",
    "3": "encryption",
    "5": "search",
}
_TAG = re.compile(r"</?[a-z][^>]*>")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_MARKUP = re.compile(r"(?<!\w)[*_`]+|[*_`]+(?!\w)|^#+ |^\|?[-| :]+\|$|^> ", re.MULTILINE)


def documents() -> Iterator[dict[str, Any]]:
    """As `manage.py import_documents` takes them. Raises NotebookError outside of a checkout."""
    for source in find():
        yield from _of_notebook(source)
    yield from _of_library()


def build(path: Path) -> int:
    """Write them, and say how many."""
    buffer = io.BytesIO()
    count = 0
    # A name or a time in the file would make each build another.
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", mtime=0) as packed:
        for document in documents():
            packed.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")
            count += 1
    path.parent.mkdir(exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(buffer.getvalue())
    new.replace(path)
    return count


def _of_notebook(source: Source) -> Iterator[dict[str, Any]]:
    notebook = source.notebook()
    found = sections(notebook)
    whole = found[0].title
    price = cost(notebook)
    services = [name for name in price.services if name != "none"] if price else []
    for section in found:
        if section.level > 2 or section.title in ("Exercises", "Next, and further reading"):
            continue
        title = whole if section.level == 1 else f"{whole.split(':')[0]}: {section.title}"
        text = _plain(section.markdown) if section.level > 1 else _plain(_first(section.markdown))
        code = "\n".join(section.code) if section.level > 1 else ""
        yield {
            "source": "answerbook",
            "external_id": f"{source.name}#{_anchor(section.title)}",
            "title": title.replace("`", ""),
            "body": f"{text}\n\n{code}".strip(),
            "kind": "notebook" if section.level == 1 else "section",
            "tags": [QUESTIONS[source.question], *services],
            "url": f"/notebooks/{source.name}.html#{_anchor(section.title)}",
        }


def _of_library() -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for module, kind, document in docstrings.described():
        # What C has is described in a twin of it: `_pydecimal` for `decimal`.
        public = module.removeprefix("_py")
        title = public + document.title.removeprefix(module)
        if len(document.body) < SHORTEST or title in seen or _is_private(title):
            continue
        seen.add(title)
        package = public.split(".")[0]
        yield {
            "source": "python",
            "external_id": title,
            "title": title,
            "body": document.body,
            "kind": kind,
            "tags": [package],
            "url": f"https://docs.python.org/3/library/{package}.html",
        }


def _is_private(name: str) -> bool:
    return any(re.match(r"_(?!_\w+__$)", part) for part in name.split("."))


def _first(markdown: str) -> str:
    """What stands before the first H2: of a notebook, little else than its title."""
    return markdown.split("\n## ", 1)[0]


def _plain(markdown: str) -> str:
    """What a reader sees, without marks."""
    return _MARKUP.sub("", _LINK.sub(r"\1", unescape(_TAG.sub("", markdown)))).strip()


def _anchor(title: str) -> str:
    """As Jupyter and nbconvert name a heading."""
    return title.replace("`", "").replace(" ", "-")


def main() -> int:
    """0, or 1 where there is no checkout."""
    root = repository()
    path = root / "site" / "search" / "corpus" / "default.jsonl.gz" if root else None
    try:
        if path is None:
            raise NotebookError("The corpus is made from a checkout, and this is none.")
        count = build(path)
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{count:,} documents, {path.stat().st_size / 1e6:.1f} MB: {path.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
