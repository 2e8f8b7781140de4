"""The shop fails exactly as often as it is asked to, and remembers what it did."""

from collections.abc import Iterator
from uuid import UUID

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from answerbook.protocols import shop

SECONDS = 10


@pytest.fixture
def base() -> Iterator[str]:
    with shop.serve() as started:
        yield started.url


@pytest.fixture(scope="module")
def shared_base() -> Iterator[str]:
    with shop.serve() as started:
        yield started.url


@given(busy=st.integers(0, 4), job=st.uuids())
@settings(max_examples=20, deadline=None)
def test_stock_is_busy_as_often_as_asked(shared_base: str, busy: int, job: UUID) -> None:
    url = f"{shared_base}/stock?busy={busy}&job={job}"
    with requests.Session() as session:
        statuses = [session.get(url, timeout=SECONDS).status_code for _ in range(busy + 2)]
    assert [503] * busy + [200] * 2 == statuses


def test_a_busy_shop_says_when_to_come_back(base: str) -> None:
    url = f"{base}/stock?busy=1&retry_after=3"
    assert "3" == requests.get(url, timeout=SECONDS).headers["Retry-After"]
    assert "Retry-After" not in requests.get(url, timeout=SECONDS).headers


def test_a_busy_shop_that_was_not_asked_to_does_not_say_when(base: str) -> None:
    answer = requests.get(f"{base}/stock?busy=1", timeout=SECONDS)
    assert 503 == answer.status_code
    assert "Retry-After" not in answer.headers


def test_an_order_is_placed_and_numbered(base: str) -> None:
    answer = requests.post(f"{base}/orders", json={"item": "lamp"}, timeout=SECONDS)
    assert (201, {"order": 1}) == (answer.status_code, answer.json())
    assert [{"item": "lamp"}] == requests.get(f"{base}/orders", timeout=SECONDS).json()


def test_an_order_whose_answer_is_lost_is_placed_all_the_same(base: str) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{base}/orders?lose=1", json={"item": "lamp"}, timeout=SECONDS)
    assert 1 == len(requests.get(f"{base}/orders", timeout=SECONDS).json())
    again = requests.post(f"{base}/orders?lose=1", json={"item": "lamp"}, timeout=SECONDS)
    assert {"order": 2} == again.json()


def test_requests_are_remembered_in_the_order_of_their_arrival(base: str) -> None:
    for _ in range(3):
        requests.get(f"{base}/stock", timeout=SECONDS)
    arrivals = requests.get(f"{base}/requests", params={"path": "/stock"}, timeout=SECONDS).json()
    assert 3 == len(arrivals)
    assert sorted(arrivals) == arrivals


def test_requests_on_one_connection_come_from_one_port(base: str) -> None:
    with requests.Session() as session:
        pooled = {session.get(f"{base}/caller", timeout=SECONDS).json()["port"] for _ in range(3)}
    assert 1 == len(pooled)


def test_what_is_not_there_is_not_found(base: str) -> None:
    assert 404 == requests.get(f"{base}/lamps", timeout=SECONDS).status_code
    assert 404 == requests.post(f"{base}/lamps", json={}, timeout=SECONDS).status_code
