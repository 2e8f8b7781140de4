"""The ingest API as a process, with real Kafka and PostgreSQL: what each request is answered."""

import json
import re
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from answerbook import services
from answerbook.notebook.waiting import wait_for
from answerbook.notify import records, topics
from answerbook.notify.api.body import MOST_BYTES
from answerbook.notify.records import Event
from answerbook.notify.store.keys import revoke_key
from answerbook.services import Kafka
from tests.services.notify_api import (
    RunningApi,
    make_topics,
    new_database,
    new_key,
    running_api,
    written,
)

EVENT = {"user_id": "u1", "kind": "order_shipped", "data": {"order": "7"}}


@pytest.fixture(scope="module")
def kafka(session_home: Path) -> Kafka:
    kafka = services.require("kafka")
    make_topics(kafka)
    return kafka


@pytest.fixture(scope="module")
def database(session_home: Path) -> str:
    return new_database(services.require("postgres"), "notify_api")


@pytest.fixture(scope="module")
def token(database: str) -> str:
    return new_key(database, "shop")


@pytest.fixture(scope="module")
def api(
    tmp_path_factory: pytest.TempPathFactory, kafka: Kafka, database: str, token: str
) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("api"), kafka, database) as api:
        api.wait_until_ready()
        yield api


@pytest.fixture
def run_id() -> str:
    return f"run-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def client(api: RunningApi, token: str, run_id: str) -> Iterator[httpx.Client]:
    with api.client(token, **{"X-Run-Id": run_id}) as client:
        yield client


def is_problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The problem details of a refusal, after a look at what all have in common."""
    assert status == answer.status_code, answer.text
    assert "application/problem+json" == answer.headers["content-type"]
    problem: dict[str, Any] = answer.json()
    assert (f"/docs#{kind}", status) == (problem["type"], problem["status"])
    return problem


# -- accepted ------------------------------------------------------------------------------------


def test_accepted_event_is_in_kafka_as_it_was_sent(
    client: httpx.Client, kafka: Kafka, run_id: str
) -> None:
    before = records.now()
    sent = {
        "event_id": "order-7",
        "user_id": "u1",
        "kind": "order_shipped",
        "priority": "high",
        "occurred_at": "2099-12-31T23:59:59Z",
        "ttl_seconds": 0,
        "data": {"order": "7", "name": "Zoë \u2603 \U0001f600"},
    }
    answer = client.post("/v1/events", json=sent)

    assert (202, {"event_id": "order-7", "status": "accepted"}) == (
        answer.status_code,
        answer.json(),
    )
    assert "/v1/events/order-7" == answer.headers["location"]
    (event,) = written(kafka, run_id)
    assert before <= event.accepted_at <= records.now()
    expected = Event(
        run_id=run_id,
        event_id="shop/order-7",
        kind="order_shipped",
        priority="high",
        accepted_at=event.accepted_at,
        occurred_at=4_102_444_799_000,
        ttl_seconds=0,
        user_id="u1",
        data={"order": "7", "name": "Zoë \u2603 \U0001f600"},
    )
    assert expected == event


def test_record_has_its_user_or_topic_as_key(
    client: httpx.Client, kafka: Kafka, run_id: str
) -> None:
    client.post("/v1/events", json=[EVENT, {"topic": "news", "kind": "headline"}])

    keys = {
        message.key()
        for message in topics.read_all(kafka.url, records.EVENTS)
        if run_id.encode() in (message.value() or b"")
    }
    assert {b"u1", b"topic:news"} == keys


def test_event_without_an_id_gets_one(client: httpx.Client, kafka: Kafka, run_id: str) -> None:
    event_id = client.post("/v1/events", json=EVENT).json()["event_id"]

    assert "7" == event_id[14]
    assert [f"shop/{event_id}"] == [event.event_id for event in written(kafka, run_id)]


@pytest.mark.parametrize("form", ["array", "lines"])
def test_batch_is_answered_event_by_event(
    client: httpx.Client, kafka: Kafka, run_id: str, form: str
) -> None:
    sent = [{**EVENT, "event_id": "a"}, {"event_id": "b", "kind": 7}, {**EVENT, "event_id": "c"}]
    if form == "array":
        answer = client.post("/v1/events", json=sent)
    else:
        lines = "\n".join(map(json.dumps, sent))
        answer = client.post(
            "/v1/events", content=lines, headers={"Content-Type": "application/x-ndjson"}
        )

    assert 202 == answer.status_code
    told = answer.json()
    assert (2, 1) == (told["accepted"], told["refused"])
    assert [(0, "a", "accepted"), (1, "b", "refused"), (2, "c", "accepted")] == [
        (item["index"], item["event_id"], item["status"]) for item in told["items"]
    ]
    assert ["/1/kind", "/1/user_id"] == [flaw["pointer"] for flaw in told["items"][1]["errors"]]
    assert {"shop/a", "shop/c"} == {event.event_id for event in written(kafka, run_id)}


def test_thousand_events_are_one_request(client: httpx.Client, kafka: Kafka, run_id: str) -> None:
    answer = client.post("/v1/events", json=[{**EVENT, "event_id": f"e{n}"} for n in range(1_000)])

    assert (1_000, 0) == (answer.json()["accepted"], answer.json()["refused"])
    assert 1_000 == len({event.event_id for event in written(kafka, run_id)})


def test_run_is_live_where_none_is_named(api: RunningApi, token: str, kafka: Kafka) -> None:
    with api.client(token) as client:
        event_id = client.post("/v1/events", json=EVENT).json()["event_id"]

    assert f"shop/{event_id}" in {event.event_id for event in written(kafka, "live")}


# -- refused -------------------------------------------------------------------------------------


def test_event_that_is_wrong_is_refused_with_its_fields(client: httpx.Client) -> None:
    answer = client.post("/v1/events", json={**EVENT, "kind": "a b", "ttl_seconds": -1})

    problem = is_problem(answer, 422, "invalid-content")
    assert ["/kind", "/ttl_seconds"] == [flaw["pointer"] for flaw in problem["errors"]]


def test_batch_of_wrong_events_alone_is_refused(client: httpx.Client) -> None:
    problem = is_problem(client.post("/v1/events", json=[{}, 1]), 422, "invalid-content")

    assert ["/0/kind", "/0/user_id", "/1"] == [flaw["pointer"] for flaw in problem["errors"]]


def test_run_id_that_is_wrong_is_named(client: httpx.Client) -> None:
    answer = client.post("/v1/events", json=EVENT, headers={"X-Run-Id": "a b"})

    (flaw,) = is_problem(answer, 422, "invalid-content")["errors"]
    assert "X-Run-Id" == flaw["header"]


def test_body_that_is_no_json_is_refused(client: httpx.Client) -> None:
    answer = client.post("/v1/events", content="{", headers={"Content-Type": "application/json"})

    is_problem(answer, 400, "malformed-body")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": ""},
    ],
)
def test_body_of_another_type_is_refused(client: httpx.Client, headers: dict[str, str]) -> None:
    answer = client.post("/v1/events", content="{}", headers=headers)

    is_problem(answer, 415, "unsupported-type")
    assert {"accept", "accept-encoding"} & set(answer.headers)


def test_more_than_a_thousand_events_are_refused(client: httpx.Client) -> None:
    is_problem(client.post("/v1/events", json=[{}] * 1_001), 413, "too-large")


def test_long_body_is_refused_whether_or_not_it_tells_its_length(client: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    long = b"x" * (MOST_BYTES + 1)

    told = client.post("/v1/events", content=long, headers=headers)
    untold = client.post("/v1/events", content=iter([long]), headers=headers)

    assert "content-length" not in untold.request.headers
    is_problem(told, 413, "too-large")
    is_problem(untold, 413, "too-large")


def test_body_that_tells_too_great_a_length_is_refused_before_it_comes(
    api: RunningApi, token: str
) -> None:
    url = httpx.URL(api.url)
    with socket.create_connection((url.host, url.port or 0), timeout=30) as connection:
        connection.sendall(
            b"POST /v1/events HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer %s\r\nContent-Length: 1000000000000\r\n\r\n" % token.encode()
        )
        assert connection.recv(1_000).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "authorization", [None, "Bearer", "Bearer ab_shop_wrong", "Bearer ab_other_x", "Basic YTpi"]
)
def test_caller_without_a_valid_key_is_refused(api: RunningApi, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for answer in (
        httpx.post(f"{api.url}/v1/events", json=EVENT, headers=headers),
        httpx.get(f"{api.url}/v1/events/a", headers=headers),
    ):
        is_problem(answer, 401, "no-key")
        assert answer.headers["www-authenticate"].startswith('Bearer realm="answerbook"')


def test_rate_that_is_passed_is_told_with_when_to_come_back(
    api: RunningApi, database: str, run_id: str
) -> None:
    """A bucket of 1,000 that fills by one a second."""
    slow = new_key(database, f"slow-{run_id[-8:]}", rate=1)
    batch = [EVENT] * 999
    with api.client(slow, **{"X-Run-Id": run_id}) as client:
        wait_for(lambda: client.get("/v1/events/a").status_code != 401, "the key is read", 30)
        taken = client.post("/v1/events", json=batch)
        refused = client.post("/v1/events", json=batch)

    assert (202, "1000", "1", "999") == (
        taken.status_code,
        *(taken.headers[f"ratelimit-{name}"] for name in ("limit", "remaining", "reset")),
    )
    is_problem(refused, 429, "rate-passed")
    assert 900 < int(refused.headers["retry-after"]) <= 999
    assert int(refused.headers["ratelimit-remaining"]) < 100


def test_revoked_key_is_refused_within_seconds(api: RunningApi, database: str) -> None:
    token = new_key(database, "leaving")
    with api.client(token) as client:
        wait_for(lambda: client.get("/v1/events/a").status_code == 404, "the key is read", 30)
        with psycopg.connect(database) as connection:
            revoke_key(connection, "leaving")
        wait_for(lambda: client.get("/v1/events/a").status_code == 401, "it is refused", 30)


def test_addresses_and_methods_that_are_not_there_are_refused(client: httpx.Client) -> None:
    is_problem(client.get("/v2/events"), 404, "not-found")
    is_problem(client.post("/v1/events/"), 404, "not-found")
    answer = client.delete("/v1/events")
    is_problem(answer, 405, "method-not-allowed")
    assert "POST" == answer.headers["allow"]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*Event.__struct_fields__, "x"]), inner | st.just("u1"), max_size=4
        )
    ),
    max_leaves=10,
)


@given(
    body=JSON_VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=100),
    kind=st.sampled_from(["application/json", "application/x-ndjson", "text/plain"]),
)
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_body_is_taken_or_refused(client: httpx.Client, body: bytes, kind: str) -> None:
    answer = client.post("/v1/events", content=body, headers={"Content-Type": kind})

    assert answer.status_code in (202, 400, 413, 415, 422), answer.text


# -- states --------------------------------------------------------------------------------------


def test_state_is_accepted_until_there_is_an_outcome(
    client: httpx.Client, database: str, run_id: str
) -> None:
    event_id = f"state-{run_id}"
    client.post("/v1/events", json={**EVENT, "event_id": event_id})

    accepted = client.get(f"/v1/events/{event_id}").json()
    assert (event_id, "accepted", run_id, []) == (
        accepted["event_id"],
        accepted["state"],
        accepted["run_id"],
        accepted["notifications"],
    )

    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO event_outcomes VALUES (%s, %s, 'expanded', '', %s,"
            " '2026-01-31T12:00:00Z', '2026-01-31T12:00:01.5Z')",
            (f"shop/{event_id}", run_id, ["n1", "n2"]),
        )
        connection.execute(
            "INSERT INTO notification_outcomes VALUES ('n1', %s, %s, 'd1', 'sent', '', 0, 0,"
            " 'projects/p/messages/1', NULL, NULL, '2026-01-31T12:00:02Z')",
            (f"shop/{event_id}", run_id),
        )
    assert {
        "event_id": event_id,
        "state": "expanded",
        "run_id": run_id,
        "accepted_at": "2026-01-31T12:00:00.000Z",
        "at": "2026-01-31T12:00:01.500Z",
        "notifications": [
            {
                "notification_id": "n1",
                "state": "sent",
                "device_id": "d1",
                "attempts": 0,
                "message_name": "projects/p/messages/1",
                "at": "2026-01-31T12:00:02.000Z",
            },
            {"notification_id": "n2", "state": "pending"},
        ],
    } == client.get(f"/v1/events/{event_id}").json()


@pytest.mark.parametrize("event_id", ["never-sent", "%00", "a%2Fb", "x" * 200])
def test_event_that_was_never_sent_is_not_found(client: httpx.Client, event_id: str) -> None:
    is_problem(client.get(f"/v1/events/{event_id}"), 404, "not-found")


def test_event_of_another_key_is_not_found(
    api: RunningApi, client: httpx.Client, database: str, run_id: str
) -> None:
    event_id = f"mine-{run_id}"
    client.post("/v1/events", json={**EVENT, "event_id": event_id})
    with api.client(new_key(database, f"other-{run_id[-8:]}")) as other:
        wait_for(lambda: other.get("/v1/events/a").status_code != 401, "the key is read", 30)

        is_problem(other.get(f"/v1/events/{event_id}"), 404, "not-found")
    assert 200 == client.get(f"/v1/events/{event_id}").status_code


# -- about the program ---------------------------------------------------------------------------


def test_metrics_are_those_of_the_contract(client: httpx.Client) -> None:
    client.post("/v1/events", json=EVENT)
    client.post("/v1/events", json={})
    text = client.get("/metrics").text

    for name, purpose in records.METRICS.items():
        if name.startswith("answerbook_api_"):
            assert f"# HELP {name} {purpose}" in text
    assert re.search(r'_events_total{outcome="accepted",status="202"} [1-9]', text)
    assert re.search(r'_events_total{outcome="refused",status="422"} [1-9]', text)
    assert "answerbook_api_buffered_events 0.0" in text


def test_page_and_document_are_served_without_a_key(api: RunningApi) -> None:
    page = httpx.get(f"{api.url}/docs")

    assert "<h1>Answerbook notifications: events</h1>" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "3.1.0" == httpx.get(f"{api.url}/openapi.json").json()["openapi"]
    assert (200, "ok\n") == api.ready()
    assert 200 == httpx.get(f"{api.url}/healthz").status_code


def test_port_that_is_taken_is_one_clear_error(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("ANSWERBOOK_NOTIFY_PORT", str(taken.getsockname()[1]))
        ended = subprocess.run(
            [sys.executable, "-m", "answerbook", "notify", "api"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert 1 == ended.returncode
    assert 1 == len(ended.stderr.splitlines())
    assert "it is taken. Choose another with ANSWERBOOK_NOTIFY_PORT" in ended.stderr
