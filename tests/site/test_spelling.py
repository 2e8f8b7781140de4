"""Better spellings, and endings while one types, from the corpus's own words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import vocabulary
from search.models import Document, Word
from search.spelling import did_you_mean, distance
from search.suggestions import suggest

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def _words(db: None) -> None:
    Word.objects.bulk_create(
        Word(word=word, documents=documents)
        for word, documents in {
            "event": 900,
            "events": 300,
            "connection": 400,
            "receive": 200,
            "recieve": 3,
            "asynchronous": 50,
            "json": 80,
            "socket": 70,
            "rocket": 2,
        }.items()
    )


@pytest.mark.parametrize(
    ("typed", "better"),
    [
        ("evnet", "event"),
        ("Soket", "socket"),
        ("conection -evnet", "connection -evnet"),
        ('"evnet conection"', '"event connection"'),
        ("asynchornus", "asynchronous"),
        ("asyncrounus", ""),
        ("recieve", "receive"),
        ("rocket", "socket"),
        ("jsno", ""),
        ("event", ""),
        ("socket", ""),
        ("evnet*", ""),
        ("", ""),
    ],
)
@pytest.mark.usefixtures("_words")
def test_better_spelling(typed: str, better: str) -> None:
    assert better == did_you_mean(typed)


@pytest.mark.parametrize(
    ("one", "other", "typos"),
    [("", "", 0), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("abc", "xbcd", 2)],
)
def test_typos_are_counted(one: str, other: str, typos: int) -> None:
    assert typos == distance(one, other) == distance(other, one)


@given(st.text(max_size=12), st.text(max_size=12))
def test_distance_is_at_most_the_longer_word(one: str, other: str) -> None:
    assert abs(len(one) - len(other)) <= distance(one, other) <= max(len(one), len(other))


@pytest.mark.usefixtures("_words")
def test_last_word_is_ended_and_titles_come_first() -> None:
    Document.objects.create(source="s", external_id="1", title="Events of a kind")
    assert ["Events of a kind", "event", "events"] == suggest("even")
    assert ["json event", "json events"] == suggest("json even")
    assert ['"event', '"events'] == suggest('"even')
    assert [] == suggest("")
    assert [] == suggest("%")
    assert [] == suggest("\x00\ud800")


def test_vocabulary_has_words_as_they_are_written_and_counts_documents() -> None:
    Document.objects.create(source="s", external_id="1", title="json.dumps", body="Sockets sockets")
    Document.objects.create(source="s", external_id="2", title="Sockets", body="x1 1x naïve_name")
    vocabulary.refresh()
    found = dict(Word.objects.values_list("word", "documents"))
    assert {"json": 1, "dumps": 1, "sockets": 2, "x1": 1, "naïve": 1, "name": 1} == found
    vocabulary.add(["Sockets and a Novelty"])
    assert 2 == Word.objects.get(word="sockets").documents
    assert 1 == Word.objects.get(word="novelty").documents
