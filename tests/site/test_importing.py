"""Anyone's documents from a file: what goes in, and what is left out and why."""

import gzip
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from search import admin_import
from search.importing import MOST_BY_TRIGGER, import_rows
from search.management.commands import prepare
from search.models import Document, Word
from search.rows import Refused, Row, UnreadableFile, read

pytestmark = pytest.mark.usefixtures("db")


def jsonl(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def row(number: int, **fields: Any) -> dict[str, Any]:
    return {"source": "s", "external_id": str(number), "title": f"Title {number}", **fields}


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", *(row(number, tags=["x"]) for number in range(5)))
    first = import_rows(read(path))
    ids = set(Document.objects.values_list("id", flat=True))
    second = import_rows(read(path))
    assert (5, 0, 0) == (first.added, first.changed, first.unchanged)
    assert (0, 0, 5) == (second.added, second.changed, second.unchanged)
    assert ids == set(Document.objects.values_list("id", flat=True))


def test_changed_row_changes_its_document_alone(tmp_path: Path) -> None:
    import_rows(read(jsonl(tmp_path / "a.jsonl", row(1), row(2))))
    done = import_rows(read(jsonl(tmp_path / "b.jsonl", row(1, body="new"), row(3), row(3))))
    assert (1, 1, 0, 1) == (done.added, done.changed, done.unchanged, done.repeated)
    assert "new" == Document.objects.get(external_id="1").body
    assert 3 == Document.objects.count()


def test_the_last_of_each_goes_in_whichever_batches_they_are_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.importing.BATCH", 2)
    numbers = (1, 2, 3, 1, 4, 1, 2)
    rows = [row(number, body=f"place {place}") for place, number in enumerate(numbers)]
    heard: list[tuple[str, int, int]] = []
    done = import_rows(
        read(jsonl(tmp_path / "a.jsonl", *rows)), doing=lambda *said: heard.append(said)
    )
    assert (4, 0, 0, 3) == (done.added, done.changed, done.unchanged, done.repeated)
    bodies = dict(Document.objects.values_list("external_id", "body"))
    assert {"1": "place 5", "2": "place 6", "3": "place 2", "4": "place 4"} == bodies
    assert [(each, 7) for each in (0, 2, 4, 6)] == [(so_far, total) for _, so_far, total in heard]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("{", "is no JSON"),
        ("[1]", "is no object"),
        ('{"external_id": "1", "title": "T"}', "has no source"),
        ('{"source": "s", "title": "T"}', "has no external_id"),
        ('{"source": "s", "external_id": "1", "title": "  "}', "has no title"),
        (json.dumps(row(1, title=7.5)), "title: float is no text"),
        (json.dumps(row(1, title="x" * 1_001)), "title: 1,001 characters, of at most 1,000"),
        (json.dumps(row(1, body="a\x00b")), "body: has a zero byte"),
        (json.dumps(row(1, body="\ud800")), "body: is not UTF-8"),
        (json.dumps(row(1, url="javascript:alert(1)")), "url: 'javascript:alert(1)' is neither"),
        (json.dumps(row(1, url="//evil.example")), "url: '//evil.example' is neither"),
        (json.dumps(row(1, tags="a,b")), "tags: has to be a list"),
        (json.dumps(row(1, tags=["x" * 101])), "tags: at most"),
        (json.dumps(row(1, date="31.1.2026")), "date: '31.1.2026' is no date"),
        ("[" * 100_000, "is no JSON"),
    ],
)
def test_bad_row_is_named_with_its_line_and_the_others_go_in(
    given: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(f"{json.dumps(row(8))}\n\n{given}\n{json.dumps(row(9))}\n")
    good, bad, other = read(path)
    assert isinstance(good, Row)
    assert isinstance(other, Row)
    assert isinstance(bad, Refused)
    assert (3, True) == (bad.line, bad.reason.startswith(reason)), bad
    done = import_rows(read(path))
    assert (2, 1) == (done.added, done.refused)


def test_csv_with_quotes_lines_and_a_mark_at_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    text = '\ufeffexternal_id,title,body,tags\r\n1,"A, b","two\r\nlines","x, y"\r\n2,B,,\r\n3,C\r\n'
    path.write_bytes(gzip.compress(text.encode()))
    one, two, three = read(path, "from.csv")
    assert isinstance(one, Row)
    assert ("from.csv", "A, b", "two\r\nlines", ["x", "y"]) == (
        one.source,
        one.title,
        one.body,
        one.tags,
    )
    assert isinstance(two, Row)
    assert Refused(5, "has fewer fields than the first line has names") == three


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.txt", b"", "is neither .csv nor .jsonl"),
        ("a.csv", b"name,text\n1,2\n", "external_id and title is not there"),
        ("a.jsonl.gz", b"no gzip", "is no gzip file"),
        ("a.jsonl.gz", gzip.compress(b'{"source": "s"}\n' * 9_000)[:-20], "ends early"),
    ],
)
def test_file_that_is_none_says_what_would_do(
    name: str, content: bytes, says: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=says):
        list(read(path))
    with pytest.raises(CommandError, match="Nothing was imported"):
        call_command("import_documents", str(path))
    assert not Document.objects.exists()


def test_command_reports_and_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", row(1), row(2, body="vocabulary " * 30_000), {"x": 1})
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError, match="1 rows were left out"):
        call_command("import_documents", str(path), "--dry-run", stdout=out, stderr=err)
    assert "Would be: 2 added, 0 changed" in out.getvalue()
    assert "line 3: has no source" in err.getvalue()
    assert "line 2: the body is longer than 200,000 characters" in err.getvalue()
    assert not Document.objects.exists()
    with pytest.raises(CommandError, match="1 rows were left out"):
        call_command("import_documents", str(path), stdout=out, stderr=err)
    assert 2 == Document.objects.count()
    assert Word.objects.filter(word="vocabulary").exists()


def test_command_tells_its_steps_and_what_each_took(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", *(row(number) for number in range(MOST_BY_TRIGGER + 1)))
    told = StringIO()
    call_command("import_documents", path, verbosity=2, stdout=told)
    steps = re.findall(r"^[0-9.]+ s (.+)$", told.getvalue(), re.MULTILINE)
    assert [
        "reading the file",
        "indexing the documents",
        "counting words",
        "listing the best documents of common words",
        "collecting words for better spellings",
    ] == steps


def test_command_says_that_documents_are_in_where_their_words_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> int:
        raise DatabaseError("no room")

    monkeypatch.setattr("search.vocabulary.refresh", fail)
    with pytest.raises(CommandError, match=r"The documents are imported.*no room"):
        call_command("import_documents", jsonl(tmp_path / "a.jsonl", row(1)), stdout=StringIO())
    assert 1 == Document.objects.count()


def test_page_of_the_admin_takes_a_few_thousand_and_names_the_command_for_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(admin_import, "MOST_ROWS", 3)
    take = admin_import.DocumentsJSONLines().create_dataset
    content = [jsonl(tmp_path / f"{number}.jsonl", *map(row, range(number))) for number in (3, 4)]
    assert 3 == len(take(content[0].read_bytes()))
    with pytest.raises(UnreadableFile, match=r"More than 3 .* `manage.py import_documents FILE"):
        take(content[1].read_bytes())


@pytest.mark.parametrize("wanted", [True, False])
def test_default_documents_come_at_a_start_unless_they_are_not_wanted(
    monkeypatch: pytest.MonkeyPatch, settings_of_site: Any, wanted: bool
) -> None:
    called: list[str] = []
    monkeypatch.setattr(prepare, "call_command", lambda name, **options: called.append(name))
    settings_of_site.DEFAULT_CORPUS = wanted
    prepare.Command().handle()
    assert wanted == ("load_default_corpus" in called)
    assert {"migrate", "collectstatic", "ensure_admin"} <= set(called)
