"""From a typed text to a page of results, on documents of a few words."""

import html
import re
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.lexemes import INDEXED_CHARACTERS
from search.models import Document, Synonym
from search.results import COUNT_CAP, PAGE_SIZE, Count, Filters, Page
from search.snippets import START, STOP

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
def _orm(settings_of_site: Any) -> None:
    settings_of_site.RANKER = "orm"


def add(title: str, body: str = "", **fields: Any) -> Document:
    fields.setdefault("source", "test")
    fields.setdefault("external_id", f"{Document.objects.count()}")
    return Document.objects.create(title=title, body=body, **fields)


def titles(page: Page) -> list[str]:
    return [re.sub("</?mark>", "", html.unescape(hit.title)) for hit in page.hits]


def test_title_counts_more_than_tags_and_tags_more_than_body() -> None:
    add("Third", "about sockets")
    add("Second", tags=["sockets"])
    add("Sockets first")
    assert ["Sockets first", "Second", "Third"] == titles(Document.objects.search("socket"))


def test_edit_is_found_by_the_next_search() -> None:
    document = add("Old words")
    document.title = "New words"
    document.save()
    assert [] == titles(Document.objects.search("old"))
    assert ["New words"] == titles(Document.objects.search("new"))


def test_every_word_is_wanted_first_and_any_word_where_that_finds_too_little() -> None:
    for number in range(PAGE_SIZE):
        add(f"json text {number}")
    add("json alone")
    every = Document.objects.search("json text")
    assert (False, Count(PAGE_SIZE)) == (every.any_word, every.count)
    some = Document.objects.search("json alone")
    assert (True, Count(PAGE_SIZE + 1)) == (some.any_word, some.count)
    assert "json alone" == titles(some)[0]


def test_pages_hold_each_document_once() -> None:
    for number in range(25):
        add("the very same words", external_id=str(number))
    pages = [Document.objects.search("same words", page=number) for number in (1, 2, 3, 4)]
    assert [10, 10, 5, 0] == [len(page.hits) for page in pages]
    assert [True, True, False, False] == [page.has_next for page in pages]
    assert 25 == len({hit.id for page in pages for hit in page.hits})


def test_newest_first_and_those_without_a_date_last() -> None:
    add("json undated")
    add("json old", date=date(2001, 1, 1))
    add("json new", date=date(2025, 1, 1))
    found = Document.objects.search("json", order="date")
    assert ["json new", "json old", "json undated"] == titles(found)


def test_filters_narrow_and_are_counted() -> None:
    add("json one", kind="module", tags=["a", "b"], date=date(2024, 5, 1))
    add("json two", kind="module", tags=["b"], date=date(2025, 5, 1), source="other")
    add("json three", kind="page")
    page = Document.objects.search("json", Filters(kind="module", tag="b", year=2024))
    assert ["json one"] == titles(page)
    assert [(value.value, value.count.number) for value in page.facets["tag"]] == [
        ("a", 1),
        ("b", 1),
    ]
    kinds = Document.objects.search("json").facets["kind"]
    assert [("module", 2, False), ("page", 1, False)] == [
        (kind.value, kind.count.number, kind.selected) for kind in kinds
    ]
    assert page.facets["year"][0].selected


def test_more_than_the_cap_is_counted_up_to_it() -> None:
    Document.objects.bulk_create(
        Document(source="many", external_id=str(number), title="alike", kind="page")
        for number in range(COUNT_CAP + 5)
    )
    page = Document.objects.search("alike")
    assert Count(COUNT_CAP, capped=True) == page.count == page.facets["kind"][0].count


def test_synonym_of_the_admin_is_searched_while_it_is_enabled() -> None:
    add("Full text search")
    synonym = Synonym.objects.create(term="fts", equivalents=["full text search"])
    assert ["Full text search"] == titles(Document.objects.search("fts"))
    synonym.enabled = False
    synonym.save()
    assert [] == titles(Document.objects.search("fts"))


def test_body_of_any_length_and_any_script_is_kept() -> None:
    worst = "".join(f"{chr(0x20000 + number % 40_000)} " for number in range(300_000))
    add("Worst", worst)
    add("Long", "alpha " * INDEXED_CHARACTERS + "omega")
    assert ["Long"] == titles(Document.objects.search("alpha"))
    assert [] == titles(Document.objects.search("omega"))
    assert Document.objects.get(title="Long").body.endswith("omega")


def test_page_takes_four_queries_whatever_it_shows() -> None:
    for number in range(30):
        add(f"json {number}", "text", tags=[f"tag{number}"])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert 10 == len(Document.objects.search("json text").hits)
    assert 4 == len(queries), [query["sql"][:80] for query in queries]


def test_marked_words_stand_in_the_snippet_of_code_too() -> None:
    add("json.dumps", "Call json.dumps(vector<int>) & see <b>bold</b>.")
    (hit,) = Document.objects.search("dumps int").hits
    assert "json.<mark>dumps</mark>" == hit.title
    assert (
        "Call json.<mark>dumps</mark>(vector&lt;<mark>int</mark>&gt;) &amp; see &lt;b&gt;bold"
    ) == hit.snippet


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.text(
        alphabet=st.one_of(
            st.sampled_from(f"<>&\"'/.!- {START}{STOP}word"),
            st.characters(exclude_categories=["Cs"]),
        ),
        max_size=80,
    )
)
def test_nothing_of_a_document_becomes_html(text: str) -> None:
    text = text.replace("\x00", "")
    Document.objects.all().delete()
    add(f"word {text}"[:1_000], f"{text} word {text}")
    (hit,) = Document.objects.search("word").hits
    for shown in (hit.title, hit.snippet):
        bare = shown.replace("<mark>", "").replace("</mark>", "")
        assert not set("<>\"'") & set(bare)
        assert re.fullmatch(r"[^<]*(<mark>[^<]*</mark>[^<]*)*", shown)
