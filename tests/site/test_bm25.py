"""BM25, against the formula worked in Python over the same words; and the counts behind it."""

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from search import statistics
from search.importing import MOST_BY_TRIGGER, import_rows
from search.models import Document
from search.rows import Row
from tests.site.seeded import seeded

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
def _bm25(settings_of_site: Any) -> None:
    settings_of_site.RANKER = "bm25"


def score(words: list[str], document: Document, among: list[Document]) -> float:
    """Okapi BM25, k1 1.2, b 0.75; a word in the title counts as three, in the tags as two."""

    def parts(one: Document) -> tuple[list[str], list[str], list[str]]:
        return one.title.split(), list(one.tags), one.body.split()

    def length(one: Document) -> int:
        return sum(map(len, parts(one)))

    mean = sum(map(length, among)) / len(among)
    title, tags, body = map(Counter, parts(document))
    total = 0.0
    for word in words:
        having = sum(any(word in part for part in parts(one)) for one in among)
        idf = math.log(1 + (len(among) - having + 0.5) / (having + 0.5))
        often = 3 * title[word] + 2 * tags[word] + body[word]
        norm = often + 1.2 * (0.25 + 0.75 * length(document) / mean)
        total += idf * 2.2 * often / norm
    return round(total, 12)  # two documents may score the same in different floats


def counts() -> tuple[dict[str, int], dict[int, int], tuple[int, int]]:
    """All statistics as they are kept."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT term, documents FROM search_term")
        terms = dict(cursor.fetchall())
        cursor.execute("SELECT document_id, length FROM search_length")
        lengths = dict(cursor.fetchall())
        cursor.execute("SELECT documents, length FROM search_corpus")
        return terms, lengths, cursor.fetchone()


@contextmanager
def still_right() -> Iterator[None]:
    """What the triggers kept is what counting anew gives."""
    yield
    kept = counts()
    statistics.rebuild()
    assert counts() == kept


@pytest.mark.parametrize("words", [["bam"], ["bam", "ban"], ["bap", "kut"], ["bam", "ban", "bap"]])
def test_scores_are_those_of_the_formula(words: list[str]) -> None:
    documents = Document.objects.bulk_create(seeded(300))
    expected = sorted(
        (-score(words, each, documents), each.id)
        for each in documents
        if all(word in f"{each.title} {each.tags} {each.body}" for word in words)
    )
    found = Document.objects.ranking(" ".join(words), 20)
    if len(expected) >= 10:  # else any word is taken
        assert [id_ for _, id_ in expected[:20]] == [id_ for id_, _ in found]
        assert [-value for value, _ in expected[:20]] == pytest.approx([one for _, one in found])
    else:
        either = sorted(
            (-score(words, each, documents), each.id)
            for each in documents
            if any(word in f"{each.title} {each.tags} {each.body}" for word in words)
        )
        assert [id_ for _, id_ in either[:20]] == [id_ for id_, _ in found]


def test_same_score_is_ordered_by_id() -> None:
    made = Document.objects.bulk_create(
        Document(source="s", external_id=str(number), title="alike") for number in range(30)
    )
    assert [each.id for each in made] == [id_ for id_, _ in Document.objects.ranking("alike", 30)]


def test_counts_are_right_after_every_kind_of_change() -> None:
    with still_right():
        made = Document.objects.bulk_create(seeded(50))
    with still_right():
        made[0].title = "something new"
        made[0].save()
    with still_right():
        Document.objects.filter(id__in=[each.id for each in made[10:20]]).update(body="alike")
    with still_right():
        made[1].delete()
    with still_right():
        Document.objects.filter(id__lte=made[30].id).delete()
    with still_right():
        import_rows(row(number, "first time") for number in range(20))
    with still_right():
        import_rows(row(number, "second time") for number in range(10, 30))
    with still_right():
        Document.objects.all().delete()
    assert ({}, {}, (0, 0)) == counts()


def test_large_import_is_counted_once_and_right() -> None:
    with still_right():
        import_rows(row(number, f"word{number % 7}") for number in range(MOST_BY_TRIGGER + 1))
    with still_right():
        Document.objects.create(source="s", external_id="after", title="it is counted again")
    assert MOST_BY_TRIGGER + 2 == counts()[2][0]


def test_dry_run_leaves_the_counts() -> None:
    Document.objects.bulk_create(seeded(5))
    before = counts()
    import_rows((row(number, "never") for number in range(MOST_BY_TRIGGER + 1)), dry_run=True)
    assert before == counts()


def test_emptied_table_has_no_counts() -> None:
    Document.objects.bulk_create(seeded(5))
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE search_document")
    assert ({}, {}, (0, 0)) == counts()


def test_prefix_is_ranked_by_how_often_it_occurs() -> None:
    for body in ("sockets", "sockets socketpair socketserver", "unrelated"):
        Document.objects.create(source="s", external_id=body, title="T", body=body)
    ids = [id_ for id_, _ in Document.objects.ranking("socket*", 10)]
    first = Document.objects.get(id=ids[0])
    assert ("sockets socketpair socketserver", 2) == (first.body, len(ids))


def row(number: int, body: str) -> Row:
    return Row(number, "imported", str(number), f"Title {number}", body, "", [], "", None)
