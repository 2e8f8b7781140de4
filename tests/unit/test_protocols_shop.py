"""The shop fails exactly as often as it is asked to, says why as a problem, and keeps its books."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import pytest
import requests
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from answerbook.protocols import shop

SECONDS = 10


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with shop.serve() as started:
        yield started.url


@given(busy=st.integers(0, 4), job=st.uuids())
@settings(max_examples=20, deadline=None)
def test_stock_is_busy_as_often_as_asked(base: str, busy: int, job: UUID) -> None:
    url = f"{base}/stock?busy={busy}&job={job}"
    with requests.Session() as session:
        statuses = [session.get(url, timeout=SECONDS).status_code for _ in range(busy + 2)]
    assert [503] * busy + [200] * 2 == statuses


def test_a_busy_shop_says_when_to_come_back(base: str) -> None:
    url = f"{base}/stock?busy=1&status=429&retry_after=3"
    refused = requests.get(url, timeout=SECONDS)
    assert (429, "3") == (refused.status_code, refused.headers["Retry-After"])
    assert "Retry-After" not in requests.get(url, timeout=SECONDS).headers


def test_a_busy_shop_that_was_not_asked_to_does_not_say_when(base: str) -> None:
    answer = requests.get(f"{base}/stock?busy=1", timeout=SECONDS)
    assert 503 == answer.status_code
    assert "Retry-After" not in answer.headers


def test_a_slow_answer_comes_no_sooner_than_was_asked(base: str) -> None:
    answer = requests.get(f"{base}/stock?seconds=0.3", timeout=SECONDS)
    assert answer.elapsed.total_seconds() >= 0.3


@pytest.mark.parametrize(
    "query",
    ["busy=-1", "busy=many", "busy=²", "busy=" + "9" * 5_000, "status=200", "status=",
     "seconds=-1", "seconds=nan", "seconds=inf", "seconds=soon"],
)  # fmt: skip
def test_a_query_that_makes_no_sense_is_refused(base: str, query: str) -> None:
    refused = requests.get(f"{base}/stock?busy=1&{query}", timeout=SECONDS)
    assert (400, "/problems/invalid-query") == (refused.status_code, problem(refused)["type"])


def test_requests_are_remembered_in_the_order_of_their_arrival() -> None:
    with shop.serve() as started:
        for _ in range(3):
            requests.get(f"{started.url}/stock", timeout=SECONDS)
        url = f"{started.url}/requests"
        arrivals = requests.get(url, params={"path": "/stock"}, timeout=SECONDS).json()
    assert 3 == len(arrivals)
    assert sorted(arrivals) == arrivals


def test_requests_on_one_connection_come_from_one_port(base: str) -> None:
    with requests.Session() as session:
        pooled = {session.get(f"{base}/caller", timeout=SECONDS).json()["port"] for _ in range(3)}
    assert 1 == len(pooled)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_not_there_is_a_problem_without_a_type_of_its_own(base: str, method: str) -> None:
    missing = requests.request(method, f"{base}/lamps", timeout=SECONDS)
    assert 404 == missing.status_code
    assert {"title": "Not Found", "status": 404} == problem(missing)


def test_a_method_that_an_address_has_not_is_answered_with_those_that_it_has(base: str) -> None:
    refused = requests.delete(f"{base}/token", timeout=SECONDS)
    assert (405, "POST") == (refused.status_code, refused.headers["Allow"])
    assert "Method Not Allowed" == problem(refused)["title"]


def test_a_problem_has_what_the_rfc_names_and_the_status_of_its_response(base: str) -> None:
    refused = requests.get(f"{base}/items/4711", timeout=SECONDS)
    assert {
        "type": "/problems/no-such-item",
        "title": "No such item",
        "status": 404,
        "detail": "There is no item 4711.",
    } == problem(refused)
    assert 404 == refused.status_code


@pytest.mark.parametrize("body", ["", "{", "item: lamp", '{"item": "lamp"'])
def test_a_body_that_is_not_json_is_malformed(base: str, body: str) -> None:
    refused = requests.post(f"{base}/orders", data=body, timeout=SECONDS)
    assert (400, "/problems/malformed-body") == (refused.status_code, problem(refused)["type"])


def test_what_is_wrong_in_a_body_is_pointed_at(base: str) -> None:
    wrong = {"quantity": -1}
    refused = requests.post(f"{base}/orders", json=wrong, timeout=SECONDS)
    assert 422 == refused.status_code
    assert ["/item", "/quantity"] == [it["pointer"] for it in problem(refused)["errors"]]


def test_a_shop_with_a_certificate_is_served_over_tls_to_who_knows_the_authority(
    tmp_path: Path,
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    with shop.serve(certificate=authority.issue_cert("127.0.0.1")) as started:
        url = f"{started.url}/stock"
        assert url.startswith("https://")
        known = str(tmp_path / "authority.pem")
        assert requests.get(url, verify=known, timeout=SECONDS).ok
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url, verify=True, timeout=SECONDS)


def test_neither_key_nor_secret_shows_in_a_list_of_processes_or_stays_in_a_file(
    temporary: Path,
) -> None:
    certificate = trustme.CA().issue_cert("127.0.0.1")
    with shop.serve(certificate=certificate, secret="open sesame") as started:
        command = " ".join(psutil.Process(started.pid).cmdline())
        assert "answerbook.protocols.shop" in command
        assert "sesame" not in command
        assert "PRIVATE KEY" not in command
        assert [] == list(temporary.iterdir())


def problem(answer: requests.Response) -> dict[str, Any]:
    assert "application/problem+json" == answer.headers["Content-Type"]
    content = answer.json()
    assert isinstance(content, dict)
    return content
