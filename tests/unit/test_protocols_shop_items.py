"""Goods: pages that hold still, tags that save a body, and changes that are not lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from answerbook.protocols import shop
from answerbook.protocols.shop import cursors
from answerbook.protocols.shop.problems import Problem

SECONDS = 10
CLOCK = {"name": "clock", "cents": 100, "stock": 1}


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with shop.serve() as started:
        yield started.url


@pytest.fixture
def item(base: str) -> str:
    """The address of an item that only this test knows."""
    added = requests.post(f"{base}/items", json=CLOCK, timeout=SECONDS)
    assert 201 == added.status_code
    return base + added.headers["Location"]


# -- pages ------------------------------------------------------------------------------------


def test_pages_by_offset_and_by_cursor_are_the_same_while_nothing_moves(base: str) -> None:
    by_cursor = [row for page in pages(f"{base}/items?limit=7") for row in page]
    by_offset: list[Any] = []
    while page := get(f"{base}/items?limit=7&offset={len(by_offset)}").json():
        by_offset += page
    assert by_cursor == by_offset
    assert sorted(by_cursor, key=lambda row: (row["cents"], row["number"])) == by_cursor
    assert len(by_cursor) == len({row["number"] for row in by_cursor}) >= 40


@settings(max_examples=15, deadline=None)
@given(
    limit=st.integers(1, 9),
    moves=st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(0, 6_000)),
            st.tuples(st.just("remove"), st.integers(0, 1_000)),
        ),
        max_size=12,
    ),
)
def test_whatever_comes_and_goes_a_cursor_reads_what_stays_once_and_in_order(
    base: str, limit: int, moves: list[tuple[str, int]]
) -> None:
    there = {row["number"] for page in pages(f"{base}/items") for row in page}
    stays, read, todo = set(there), [], iter(moves)
    for page in pages(f"{base}/items?limit={limit}"):
        read += page
        kind, number = next(todo, ("", 0))
        if kind == "add":
            new = {"name": "new", "cents": number}
            requests.post(f"{base}/items", json=new, timeout=SECONDS).raise_for_status()
        if kind == "remove" and stays:
            gone = sorted(stays)[number % len(stays)]
            requests.delete(f"{base}/items/{gone}", timeout=SECONDS).raise_for_status()
            stays.remove(gone)
    numbers = [row["number"] for row in read]
    assert len(set(numbers)) == len(numbers)
    assert stays <= set(numbers)
    assert sorted(read, key=lambda row: (row["cents"], row["number"])) == read


def test_a_cursor_stays_good_when_the_row_that_it_names_is_gone(base: str) -> None:
    first, second = list(pages(f"{base}/items?limit=5"))[:2]
    after = cursors.encoded(first[-1]["cents"], first[-1]["number"])
    requests.delete(f"{base}/items/{first[-1]['number']}", timeout=SECONDS).raise_for_status()
    assert second == get(f"{base}/items?limit=5&after={after}").json()


@given(st.integers(-1, cursors.LARGEST), st.integers(0, cursors.LARGEST))
def test_a_cursor_says_what_it_was_made_of(cents: int, number: int) -> None:
    assert (cents, number) == cursors.decoded(cursors.encoded(cents, number))


@given(
    st.one_of(
        st.text(),
        st.text("ABCDWzIwMDAsIDE3XQ_-=", max_size=20),
        st.tuples(st.integers(), st.integers()).map(lambda pair: cursors.encoded(*pair)),
    )
)
def test_a_cursor_is_one_of_ours_or_refused(text: str) -> None:
    with suppress(Problem):
        cents, number = cursors.decoded(text)
        assert text == cursors.encoded(cents, number)
        assert -1 <= cents <= cursors.LARGEST
        assert 0 <= number <= cursors.LARGEST


@pytest.mark.parametrize("text", ["", "20", "W10", "e30", "WzEsIDJd=", "[1, 2]", "\x00"])
def test_a_cursor_that_is_none_of_ours_is_refused_with_400(text: str) -> None:
    with pytest.raises(Problem, match="no cursor of ours") as refused:
        cursors.decoded(text)
    assert 400 == refused.value.response.status_code


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=ten", "offset=-1", "offset=" + "9" * 30, "after=20"]
)
def test_a_page_that_cannot_be_is_refused(base: str, query: str) -> None:
    assert 400 == get(f"{base}/items?{query}").status_code


# -- tags -------------------------------------------------------------------------------------


def test_what_has_not_changed_comes_without_its_body(item: str) -> None:
    tag = get(item).headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        same = requests.get(item, headers={"If-None-Match": known}, timeout=SECONDS)
        assert (304, b"", tag) == (same.status_code, same.content, same.headers["ETag"])
    other = requests.get(item, headers={"If-None-Match": '"other"'}, timeout=SECONDS)
    assert (200, 100) == (other.status_code, other.json()["cents"])


def test_a_change_gives_another_tag(item: str) -> None:
    tag = get(item).headers["ETag"]
    changed = put(item, CLOCK | {"cents": 200})
    assert tag != changed.headers["ETag"] == get(item).headers["ETag"]
    same = requests.get(item, headers={"If-None-Match": tag}, timeout=SECONDS)
    assert 200 == same.status_code


def test_the_second_of_two_changes_to_one_version_is_refused(item: str) -> None:
    tag = get(item).headers["ETag"]
    assert 200 == put(item, CLOCK | {"cents": 200}, tag).status_code
    refused = put(item, CLOCK | {"stock": 9}, tag)
    assert (412, "/problems/changed-since") == (refused.status_code, refused.json()["type"])
    assert refused.headers["ETag"] == get(item).headers["ETag"]
    assert (200, 1) == (get(item).json()["cents"], get(item).json()["stock"])


def test_a_weak_tag_does_not_allow_a_change_and_a_star_does(item: str) -> None:
    tag = get(item).headers["ETag"]
    assert 412 == put(item, CLOCK, f"W/{tag}").status_code
    assert 200 == put(item, CLOCK, "*").status_code


def test_without_a_condition_the_last_change_wins(item: str) -> None:
    for cents in (200, 300):
        assert 200 == put(item, CLOCK | {"cents": cents}).status_code
    assert 300 == get(item).json()["cents"]


def test_the_second_version_of_the_interface_insists_on_a_condition(item: str) -> None:
    guarded = item.replace("/items/", "/v2/items/")
    refused = put(guarded, CLOCK)
    assert (428, "/problems/condition-required") == (refused.status_code, refused.json()["type"])
    assert 200 == put(guarded, CLOCK, get(guarded).headers["ETag"]).status_code


def test_no_addition_under_a_condition_is_lost_among_many_at_once(item: str) -> None:
    def add_one(_: int) -> None:
        status = None
        while status != 200:
            read = get(item)
            more = CLOCK | {"stock": read.json()["stock"] + 1}
            status = put(item, more, read.headers["ETag"]).status_code
            assert status in (200, 412)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(24)))
    assert 1 + 24 == get(item).json()["stock"]


def test_what_is_gone_is_gone(item: str) -> None:
    assert 204 == requests.delete(item, timeout=SECONDS).status_code
    assert 404 == requests.delete(item, timeout=SECONDS).status_code
    assert 404 == get(item).status_code
    assert 404 == put(item, CLOCK).status_code


@pytest.mark.parametrize("number", ["0", "99999999999999999999999"])
def test_a_number_that_no_item_has_is_not_found(base: str, number: str) -> None:
    assert 404 == get(f"{base}/items/{number}").status_code


def test_what_an_item_cannot_be_is_refused(item: str) -> None:
    for wrong in ({"cents": -1}, {"cents": 2**63}, {"name": None}):
        assert 422 == put(item, CLOCK | wrong).status_code


def pages(url: str | None) -> Iterator[list[Any]]:
    while url:
        answer = get(url)
        yield answer.json()
        url = answer.links.get("next", {}).get("url")


def get(url: str) -> requests.Response:
    return requests.get(url, timeout=SECONDS)


def put(url: str, what: dict[str, Any], tag: str | None = None) -> requests.Response:
    headers = {} if tag is None else {"If-Match": tag}
    return requests.put(url, json=what, headers=headers, timeout=SECONDS)
