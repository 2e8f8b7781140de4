"""The fast ranker against the one that scores everything, on seeded text with low thresholds."""

import random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from search import champions, facets, manager, statistics
from search.models import Document
from search.rankers.bm25 import Exact
from search.rankers.champions import Champions
from search.results import COUNT_CAP, Count, Filters
from tests.site.seeded import seeded

pytestmark = pytest.mark.usefixtures("db")

DOCUMENTS = 4_000
QUERIES = {
    "a common word": ["bam", "ban", "bap"],
    "two common words": ["bam ban", "ban bap", "bam bar"],
    "either of two": ["bam or ban", "bap or bar"],
    "without a word": ["bam -ban", "ban -bar"],
    "a phrase": ['"bam ban"', '"ban bam"'],
    "a beginning": ["ba*", "bi*"],
    "common and rare": ["bam kut", "ban kot"],
}


@pytest.fixture(autouse=True)
def _few_are_enough(settings_of_site: Any) -> None:
    settings_of_site.RANKER = "bm25"
    settings_of_site.CHAMPIONS_FROM = 100
    settings_of_site.CHAMPIONS_LENGTH = 800


@pytest.fixture
def corpus() -> list[Document]:
    with statistics.bulk():
        return Document.objects.bulk_create(seeded(DOCUMENTS))


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ids of a page by scoring everything."""

    def ids(text: str, filters: Filters | None = None, page: int = 1) -> list[int]:
        with monkeypatch.context() as patch:
            patch.setattr(Champions, "best", Exact.best)
            return found(text, filters, page)

    return ids


def found(text: str, filters: Filters | None = None, page: int = 1) -> list[int]:
    return [hit.id for hit in Document.objects.search(text, filters, page=page).hits]


def test_frequent_lexemes_have_lists_and_rare_ones_none(corpus: list[Document]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE documents > 100), count(champion) FROM search_term AS t"
            " LEFT JOIN (SELECT term AS champion FROM search_champion) AS c ON champion = t.term"
        )
        (frequent, lists) = cursor.fetchone() or (0, 0)
        cursor.execute("SELECT max(cardinality(documents)) FROM search_champion")
        (longest,) = cursor.fetchone() or (0,)
    assert 5 < lists == frequent
    assert 800 == longest


@pytest.mark.parametrize("kind", QUERIES)
def test_first_pages_are_those_of_the_exact_ranker(
    corpus: list[Document], exact: Any, kind: str
) -> None:
    for text in QUERIES[kind]:
        fast = found(text)
        assert len(fast) == 10
        common = set(fast) & set(exact(text))
        assert len(common) >= 9, f"{text}: {len(common)} of ten"


def test_a_beginning_finds_what_has_one_of_its_rarer_endings_often(
    corpus: list[Document], exact: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(champions, "SHORT_FROM", 10)
    monkeypatch.setattr(champions, "SHORT_LENGTH", 20)
    with statistics.bulk():
        Document.objects.bulk_create(
            Document(source="new", external_id=f"{number}", title=" ".join(["bamu"] * 6))
            for number in range(30)
        )
    fast, right = found("ba*"), exact("ba*")
    assert {"new"} == set(Document.objects.filter(id__in=right).values_list("source", flat=True))
    assert 9 <= len(set(fast) & set(right))
    with connection.cursor() as cursor:
        cursor.execute("SELECT length FROM search_champion WHERE term = 'bamu'")
        assert (20,) == cursor.fetchone()


def test_a_short_list_does_not_speak_for_its_word(
    corpus: list[Document], exact: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(champions, "SHORT_FROM", 10)
    monkeypatch.setattr(champions, "SHORT_LENGTH", 5)
    champions.refresh()
    for text in QUERIES["common and rare"]:
        assert 9 <= len(set(found(text)) & set(exact(text)))


def test_one_words_pages_are_exact_to_the_place(corpus: list[Document], exact: Any) -> None:
    for page in (1, 2, 9):
        assert found("bam", page=page) == exact("bam", page=page)


def test_pages_of_a_search_do_not_overlap(corpus: list[Document]) -> None:
    seen = [id_ for page in range(1, 12) for id_ in found("bam ban", page=page)]
    assert len(seen) == len(set(seen)) == 110


def test_filter_that_lets_few_through_fills_its_page(corpus: list[Document], exact: Any) -> None:
    chosen = random.Random(3).sample(corpus, 1_400)
    Document.objects.filter(id__in=[document.id for document in chosen]).update(kind="chosen")
    for text in ("bam", "bam ban"):
        fast = found(text, Filters(kind="chosen"))
        assert len(set(fast) & set(exact(text, Filters(kind="chosen")))) >= 9
    few = [document.id for document in chosen[:4]]
    Document.objects.filter(id__in=few).update(kind="few", title="bam")
    assert set(few) == set(found("bam", Filters(kind="few")))


def test_document_that_is_added_or_edited_takes_its_place_at_once(
    corpus: list[Document],
) -> None:
    best = Document.objects.create(source="new", external_id="1", title="bam bam bam bam")
    assert best.id == found("bam")[0]
    edited = corpus[17]
    edited.title, edited.body, edited.tags = "bam bam bam bam bam", "", []
    edited.save()
    assert {best.id, edited.id} == set(found("bam")[:2])
    edited.title = "bokum"
    edited.save()
    assert edited.id not in found("bam")
    best.delete()
    assert best.id not in found("bam")


def test_lists_are_made_anew_when_much_has_changed(
    corpus: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(champions, "STALE", 5)
    for number in range(6):
        Document.objects.create(source="new", external_id=f"{number}", title="bam")
    champions.refresh_if_stale()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM search_recent")
        assert (0,) == cursor.fetchone()
    assert 10 == len(found("bam"))


@pytest.fixture
def _large_from_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager, "LARGE", 500)
    monkeypatch.setattr(manager, "ENOUGH", 20)


@pytest.mark.usefixtures("_large_from_few")
@pytest.mark.parametrize("text", ["bam", "bam ban", "bam or ban", "ba*", "bam -ban", '"bam ban"'])
def test_what_is_counted_in_a_part_is_a_lower_bound(corpus: list[Document], text: str) -> None:
    page = Document.objects.search(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manager, "LARGE", 10**9)
        patch.setattr(facets, "COUNT_CAP", DOCUMENTS)
        everything = Document.objects.search(text)
    assert page.count.capped
    assert not everything.count.capped
    assert 20 <= page.count.number < everything.count.number
    for facet, values in page.facets.items():
        most = {value.value: value.count.number for value in everything.facets[facet]}
        assert all(value.count.capped for value in values)
        assert all(
            value.count.number <= most[value.value] for value in values if value.value in most
        )


@pytest.mark.usefixtures("_large_from_few")
def test_word_in_many_documents_is_looked_at_in_the_best_of_them(corpus: list[Document]) -> None:
    with CaptureQueriesContext(connection) as asked:
        Document.objects.search("bam")
        Document.objects.search("bam ban")
    looks = [
        query["sql"] for query in asked if "AS seen" in query["sql"] or "WITH seen" in query["sql"]
    ]
    assert 2 == len(looks)
    assert "= ANY" in looks[0]
    assert "MOD(" not in looks[0]
    assert "MOD(" in looks[1]


@pytest.mark.usefixtures("_large_from_few")
def test_what_a_part_has_too_little_of_is_counted_in_all(corpus: list[Document]) -> None:
    Document.objects.filter(id__lte=corpus[30].id).update(kind="few")
    page = Document.objects.search("bam or ban", Filters(kind="few"))
    matching = Document.objects.matching("'bam' | 'ban'").filter(kind="few").count()
    assert 10 < matching == page.count.number
    assert not page.count.capped


def test_one_words_count_comes_from_the_statistics(corpus: list[Document]) -> None:
    page = Document.objects.search("bam")
    assert page.count == counted("'bam'")
    Document.objects.filter(id__gt=corpus[500].id).delete()
    assert Document.objects.search("bam").count == counted("'bam'")


def counted(query: str) -> Count:
    number = Document.objects.matching(query).count()
    return Count(min(number, COUNT_CAP), number > COUNT_CAP)
