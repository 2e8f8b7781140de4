"""Orders: each is placed once, whatever is repeated, and whenever the shop is killed."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from answerbook.notebook import wait_for
from answerbook.protocols import shop
from answerbook.protocols.peer import Peer
from answerbook.protocols.trial import wired
from tests.unit.peers import port_of

SECONDS = 10
LAMP = {"item": "lamp"}
RICE = {"name": "rice", "cents": 1, "stock": 10**9}

fresh_keys = (f"key-{number}:" for number in count())


@pytest.fixture
def peer() -> Iterator[Peer]:
    with shop.serve() as started:
        yield started


@pytest.fixture(scope="module")
def shared() -> Iterator[str]:
    """A shop that has rice, and enough of it."""
    with shop.serve() as started:
        requests.post(f"{started.url}/items", json=RICE, timeout=SECONDS).raise_for_status()
        yield started.url


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as running:
        yield running


# -- without a key ----------------------------------------------------------------------------


def test_an_order_is_placed_and_numbered_and_takes_from_the_stock(peer: Peer) -> None:
    answer = order(peer.url, {"item": "lamp", "quantity": 2})
    assert 201 == answer.status_code
    assert {"order": 1, "item": "lamp", "quantity": 2} == answer.json()
    assert [{"item": "lamp", "quantity": 2}] == orders(peer.url)
    assert {"item": "lamp", "left": 5} == get(f"{peer.url}/stock").json()


def test_the_same_order_without_a_key_is_placed_twice(peer: Peer) -> None:
    assert [1, 2] == [order(peer.url, LAMP).json()["order"] for _ in range(2)]


def test_more_than_there_is_cannot_be_ordered_and_the_problem_says_how_much_there_is(
    peer: Peer,
) -> None:
    refused = order(peer.url, {"item": "lamp", "quantity": 8})
    assert (409, "/problems/out-of-stock") == (refused.status_code, refused.json()["type"])
    assert 7 == refused.json()["left"]
    assert [] == orders(peer.url)


def test_what_the_shop_has_not_cannot_be_ordered(peer: Peer) -> None:
    refused = order(peer.url, {"item": "unicorn"})
    assert (422, "/problems/no-such-item") == (refused.status_code, refused.json()["type"])
    assert [] == orders(peer.url)


# -- with a key -------------------------------------------------------------------------------

keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255)


@settings(max_examples=25, deadline=None)
@given(
    used=st.lists(keys, min_size=1, max_size=3, unique=True),
    attempts=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 2)), max_size=8),
)
def test_a_key_stands_for_its_first_order_whatever_is_repeated(
    shared: str, used: list[str], attempts: list[tuple[int, int]]
) -> None:
    first: dict[str, tuple[int, Any]] = {}
    prefix, before = next(fresh_keys), len(orders(shared))
    for index, quantity in attempts:
        # Of at most the length that a key may have, and new to this shop.
        key = (prefix + used[index % len(used)])[:255]
        answer = order(shared, {"item": "rice", "quantity": quantity}, key)
        if key not in first:
            first[key] = quantity, answer.json()
            assert (201, None) == (answer.status_code, answer.headers.get("Idempotent-Replayed"))
        elif quantity == first[key][0]:
            assert (201, "true") == (answer.status_code, answer.headers["Idempotent-Replayed"])
            assert first[key][1] == answer.json()
        else:
            assert (422, "/problems/key-reused") == (answer.status_code, answer.json()["type"])
    assert before + len(first) == len(orders(shared))


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_that_is_none_is_refused(shared: str, key: str) -> None:
    refused = order(shared, {"item": "rice"}, key)
    assert (400, "/problems/no-key") == (refused.status_code, refused.json()["type"])


def test_a_repetition_that_comes_too_early_is_told_to_wait(
    peer: Peer, pool: ThreadPoolExecutor
) -> None:
    first = started(pool, peer, LAMP, "key", seconds=1)
    early = order(peer.url, LAMP, "key")
    assert (409, "/problems/in-progress") == (early.status_code, early.json()["type"])
    assert 201 == first.result().status_code
    assert first.result().json() == order(peer.url, LAMP, "key").json()
    assert 1 == len(orders(peer.url))


def test_of_twenty_at_once_one_places_the_order(shared: str, pool: ThreadPoolExecutor) -> None:
    key, before = next(fresh_keys), len(orders(shared))
    answers = list(pool.map(lambda _: order(shared, {"item": "rice"}, key, seconds=0.1), range(20)))
    placed = [answer for answer in answers if answer.status_code == 201]
    assert {201, 409} >= {answer.status_code for answer in answers}
    assert 1 == sum("Idempotent-Replayed" not in answer.headers for answer in placed)
    assert before + 1 == len(orders(shared))


def test_a_refused_order_leaves_its_key_free(peer: Peer) -> None:
    assert 409 == order(peer.url, {"item": "lamp", "quantity": 8}, "key").status_code
    answer = order(peer.url, LAMP, "key")
    assert (201, None) == (answer.status_code, answer.headers.get("Idempotent-Replayed"))


def test_an_order_whose_answer_is_lost_is_recognised_when_it_comes_again(peer: Peer) -> None:
    line, through = wired(peer.url)
    with line:
        line.cut_after(0, "answers")
        with pytest.raises(requests.ConnectionError):
            order(through, LAMP, "key")
        again = order(through, LAMP, "key")
    assert (201, "true") == (again.status_code, again.headers["Idempotent-Replayed"])
    assert 1 == len(orders(peer.url))


# -- killed -----------------------------------------------------------------------------------


def test_a_shop_killed_in_the_middle_of_an_order_has_not_placed_it(
    database: Path, pool: ThreadPoolExecutor
) -> None:
    with shop.serve(database=database) as first:
        lost = started(pool, first, LAMP, "key", seconds=60)
        first.kill()
        with pytest.raises(requests.ConnectionError):
            lost.result()
    with shop.serve(port_of(first), database=database) as second:
        assert [] == orders(second.url)
        answer = order(second.url, LAMP, "key")
        assert (201, None) == (answer.status_code, answer.headers.get("Idempotent-Replayed"))
        assert 1 == len(orders(second.url))


def test_a_shop_killed_after_an_order_remembers_it_and_its_key(database: Path) -> None:
    with shop.serve(database=database) as first:
        placed = order(first.url, LAMP, "key").json()
        first.kill()
    with shop.serve(port_of(first), database=database) as second:
        again = order(second.url, LAMP, "key")
        assert (placed, "true") == (again.json(), again.headers["Idempotent-Replayed"])
        assert 1 == len(orders(second.url))


def test_a_shop_without_a_database_begins_anew(peer: Peer) -> None:
    order(peer.url, LAMP, "key")
    peer.kill()
    with shop.serve(port_of(peer)) as second:
        assert [] == orders(second.url)


def started(
    pool: ThreadPoolExecutor, peer: Peer, what: dict[str, Any], key: str, seconds: float
) -> "Future[requests.Response]":
    """An order under way: its request has come."""
    running = pool.submit(order, peer.url, what, key, seconds=seconds)
    url = f"{peer.url}/requests?path=/orders"
    wait_for(lambda: get(url).json(), "the order has come")
    return running


def order(
    base: str, what: dict[str, Any], key: str | None = None, **query: float
) -> requests.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    url = f"{base}/orders"
    return requests.post(url, json=what, headers=headers, params=query, timeout=SECONDS)


def orders(base: str) -> list[Any]:
    placed = get(f"{base}/orders").json()
    assert isinstance(placed, list)
    return placed


def get(url: str) -> requests.Response:
    return requests.get(url, timeout=SECONDS)
