"""Documents as they stand in a file: CSV with a header, or JSON Lines, either also as .gz.

importing.py reads them. A row that cannot become a document says why, with its line, and does not
keep the others out.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, cast

from search.links import is_link

FIELDS = ("source", "external_id", "title", "body", "kind", "tags", "url", "date")
REQUIRED = ("source", "external_id", "title")
LONGEST = {"source": 100, "external_id": 300, "title": 1_000, "kind": 100, "url": 2_000}
LONGEST_TAG = 100
MOST_TAGS = 100
csv.field_size_limit(256 * 1024 * 1024)


class UnreadableFile(Exception):
    """The file as a whole cannot be read as documents; the message says what would do."""


class BadRow(Exception):
    """A row that is no document; the message is the reason."""


@dataclass(frozen=True)
class Row:
    """A document that may go in."""

    line: int
    source: str
    external_id: str
    title: str
    body: str
    kind: str
    tags: list[str]
    url: str
    date: date | None


@dataclass(frozen=True)
class Refused:
    """What is left out, and why."""

    line: int
    reason: str


def read(
    path: Path, source: str = "", moved: Callable[[int], object] = lambda _: None
) -> Iterator[Row | Refused]:
    """Each row of a file. `source` is that of rows that name none; `moved` hears of bytes read.

    Raises UnreadableFile, OSError.
    """
    with path.open("rb") as raw:
        yield from read_open(cast(BinaryIO, _Counted(raw, moved)), path.name, source)


def read_open(file: BinaryIO, name: str, source: str = "") -> Iterator[Row | Refused]:
    """Each row of an open file, whose name says what is in it. Raises UnreadableFile."""
    lower = name.lower()
    kind = lower.removesuffix(".gz").rpartition(".")[2]
    readers = {"csv": _csv, "jsonl": _jsonl, "ndjson": _jsonl}
    if kind not in readers:
        raise UnreadableFile(
            f"{name} is neither .csv nor .jsonl (or .ndjson), with or without .gz."
        )
    opened = gzip.GzipFile(fileobj=file) if lower.endswith(".gz") else file
    # A byte that is no UTF-8 becomes half a character, by which its row is known.
    text = io.TextIOWrapper(
        cast(BinaryIO, opened), encoding="utf-8-sig", errors="surrogateescape", newline=""
    )
    try:
        for line, given in readers[kind](text):
            yield _row(line, given, source)
    except (EOFError, gzip.BadGzipFile) as error:
        raise UnreadableFile(f"{name} ends early or is no gzip file: {error}") from error


def _csv(text: io.TextIOWrapper) -> Iterator[tuple[int, Any]]:
    reader = csv.DictReader(text, restkey="", strict=True)
    names = [name.strip() for name in reader.fieldnames or []]
    missing = [name for name in REQUIRED if name not in names and name != "source"]
    if missing:
        raise UnreadableFile(
            f"The first line has to name the columns, and {' and '.join(missing)} is not there. "
            f"The columns are {', '.join(FIELDS)}; {', '.join(REQUIRED)} are needed, and the "
            "source may come from --source."
        )
    reader.fieldnames = names
    while True:
        line = reader.line_num + 1
        try:
            given: Any = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, BadRow(f"is no CSV: {error}")
            continue
        if "" in given:
            yield line, BadRow("has more fields than the first line has names")
        elif any(value is None for value in given.values()):
            yield line, BadRow("has fewer fields than the first line has names")
        else:
            tags = given.get("tags") or ""
            yield line, {**given, "tags": [tag for tag in tags.split(",") if tag.strip()]}


def _jsonl(text: io.TextIOWrapper) -> Iterator[tuple[int, Any]]:
    for line, content in enumerate(text, 1):
        if not content.strip():
            continue
        try:
            yield line, json.loads(content)
        except (ValueError, RecursionError) as error:
            yield line, BadRow(f"is no JSON: {error}")


def _row(line: int, given: Any, source: str) -> Row | Refused:
    try:
        if isinstance(given, BadRow):
            raise given
        if not isinstance(given, dict):
            raise BadRow("is no object with fields")
        texts = {
            name: _text(name, given.get(name))
            for name in ("source", "external_id", "title", "body", "kind", "url")
        }
        texts["source"] = texts["source"] or source
        for name in REQUIRED:
            if not texts[name]:
                raise BadRow(f"has no {name}")
        if texts["url"] and not is_link(texts["url"]):
            raise BadRow(f"url: {texts['url'][:80]!r} is neither http(s)://… nor /…")
        return Row(line, **texts, tags=_tags(given.get("tags")), date=_date(given.get("date")))
    except BadRow as bad:
        return Refused(line, str(bad))


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # an id, mostly
    if not isinstance(value, str):
        raise BadRow(f"{name}: {type(value).__name__} is no text")
    if "\x00" in value:
        raise BadRow(f"{name}: has a zero byte, which PostgreSQL cannot store")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadRow(f"{name}: is not UTF-8") from None
    value = value if name == "body" else value.strip()
    if len(value) > LONGEST.get(name, len(value)):
        raise BadRow(f"{name}: {len(value):,} characters, of at most {LONGEST[name]:,}")
    return value


def _tags(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRow("tags: has to be a list of texts")
    tags = list(dict.fromkeys(filter(None, (_text("tags", tag).strip() for tag in value))))
    if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        raise BadRow(f"tags: at most {MOST_TAGS}, each of at most {LONGEST_TAG} characters")
    return tags


def _date(value: Any) -> date | None:
    if value in (None, ""):
        return None
    try:
        return date.fromisoformat(_text("date", value)[:10])
    except ValueError:
        raise BadRow(f"date: {value!r} is no date as 2026-01-31") from None


class _Counted(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, file: BinaryIO, moved: Callable[[int], object]) -> None:
        self._file, self._moved = file, moved

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._moved(len(data))
        return len(data)
