"""What people type becomes a query, whatever it is."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.query import MOST_TERMS, Analysis, parse

pytestmark = pytest.mark.usefixtures("db")

TYPED = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="ab \"'-*|&!():<>\\or\x00é.", max_size=60),
)


def analysed(text: str) -> Analysis:
    return parse(text).analyse()


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("sockets", "'socket'"),
        ("parsing json", "'pars' & 'json'"),
        ('"event loop"', "'event' <-> 'loop'"),
        ('"event loop', "'event' <-> 'loop'"),
        ("json -xml", "'json' & !'xml'"),
        ('json -"event loop"', "'json' & !( 'event' <-> 'loop' )"),
        ("json or xml parser", "'json' | 'xml' & 'parser'"),
        ("json OR xml", "'json' | 'xml'"),
        ("json.dumps", "'json' <-> 'dump'"),
        ("full-text", "'full' <-> 'text'"),
        ("café", "'cafe'"),
        ("the json", "'json'"),
        ("json or", "'json'"),
        ("or json", "'json'"),
        ("json or -xml", "'json'"),
    ],
)
def test_typed_text_is_read_as_a_search_engine_reads_it(typed: str, query: str) -> None:
    assert query == analysed(typed).all_words


@pytest.mark.parametrize(
    "typed", ["", " ", '"', '""', "-", "*", "or", "-json", "the", "!?&|", "\x00"]
)
def test_text_without_a_word_to_look_for_is_an_empty_query(typed: str) -> None:
    assert not analysed(typed)


def test_prefix_finds_what_begins_so_and_what_was_cut_to_less() -> None:
    assert "'socket':*" in analysed("sockets*").all_words
    assert "'sockets':*" in analysed("sockets*").all_words
    assert ("sockets",) == analysed("sockets*").prefixes


def test_words_that_the_index_leaves_out_are_named() -> None:
    assert ("the",) == analysed("the json").ignored


def test_any_word_keeps_out_what_was_excluded() -> None:
    assert "( 'json' | 'xml' ) & !'yaml'" == analysed("json xml -yaml").any_word
    assert "" == analysed("json").any_word, "it makes no difference"


def test_synonym_is_searched_as_well() -> None:
    synonyms = {"fts": ["full text search"], "full text search": ["fts"]}
    one = parse("fts index").with_synonyms(synonyms).analyse()
    assert "( 'fts' | 'full' <-> 'text' <-> 'search' ) & 'index'" == one.all_words
    many = parse("full text search index").with_synonyms(synonyms).analyse()
    assert "( 'full' & 'text' & 'search' | 'fts' ) & 'index'" == many.all_words
    negated = parse("index -fts").with_synonyms(synonyms).analyse()
    assert "'index' & !'fts'" == negated.all_words


def test_very_long_query_is_cut() -> None:
    assert MOST_TERMS == len(parse(" ".join(f"w{number}" for number in range(1_000))).terms)
    assert len(parse("x" * 100_000).text) == 200


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(TYPED)
def test_no_text_is_an_error(text: str) -> None:
    analysis = analysed(text)
    assert bool(analysis) == bool(analysis.lexemes or analysis.prefixes)
