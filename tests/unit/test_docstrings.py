"""The documents that notebooks search: as many as asked for, the same each time, and real text."""

import json
from collections import Counter
from collections.abc import Iterable
from itertools import islice

import pytest

from answerbook.notebook.docstrings import Document, documents

COUNT = 12_000


@pytest.fixture(scope="module")
def collection() -> list[Document]:
    return list(documents(COUNT))


def test_as_many_documents_come_as_are_asked_for(collection: list[Document]) -> None:
    assert COUNT == len(collection)
    assert 10 == len(list(documents(10)))


def test_documents_are_the_same_each_time(collection: list[Document]) -> None:
    assert collection == list(documents(COUNT))


def test_another_seed_mixes_other_documents(collection: list[Document]) -> None:
    others = list(documents(COUNT, seed=1))
    assert collection[:1000] == others[:1000]
    assert collection[-1000:] != others[-1000:]


def test_docstrings_stand_under_the_full_name_of_what_they_describe(
    collection: list[Document],
) -> None:
    by_title = dict(collection)
    assert json.loads.__doc__ is not None
    assert json.loads.__doc__.split() == by_title["json.loads"].split()
    assert "json.decoder.JSONDecoder" in by_title


def test_no_docstring_comes_twice(collection: list[Document]) -> None:
    originals = [found.body for found in collection if not found.title.endswith(" and others")]
    assert 3_000 < len(originals) < COUNT
    assert len(originals) == len(set(originals))


def test_mixtures_have_words_as_often_as_docstrings_have_them(collection: list[Document]) -> None:
    mixtures = Counter(words(found for found in collection if found.title.endswith(" and others")))
    originals = Counter(
        words(found for found in collection if not found.title.endswith(" and others"))
    )
    for word in ("the", "return", "file"):
        share, expected = mixtures[word] / mixtures.total(), originals[word] / originals.total()
        assert 0.8 * expected < share < 1.25 * expected, word


def test_documents_can_be_stored_in_postgresql(collection: list[Document]) -> None:
    assert not [found.title for found in collection if "\x00" in found.title + found.body]


def test_documents_come_one_by_one() -> None:
    assert 3 == len(list(islice(documents(1_000_000_000), 3)))


def words(some: Iterable[Document]) -> list[str]:
    return [word for found in some for word in found.body.split()]
