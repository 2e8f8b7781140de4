"""The ingest API while Kafka stands still, PostgreSQL is away, or it is told to end."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from answerbook import services
from answerbook.notebook.waiting import wait_for
from answerbook.services import Kafka, Postgres
from tests.services.notify_api import (
    SECONDS,
    RunningApi,
    make_topics,
    new_database,
    new_key,
    running_api,
    written,
)

EVENT = {"user_id": "u1", "kind": "order_shipped", "data": {"order": "7" * 1_000}}
MOST_BUFFERED = 3_000
ACK_SECONDS = 2


@pytest.fixture
def kafka() -> Kafka:
    kafka = services.require("kafka")
    make_topics(kafka)
    return kafka


@pytest.fixture
def postgres() -> Postgres:
    return services.require("postgres")


@pytest.fixture
def database(postgres: Postgres) -> str:
    return new_database(postgres, "notify_api_faults")


@pytest.fixture
def token(database: str) -> str:
    return new_key(database, "shop")


@pytest.fixture
def api(tmp_path: Path, kafka: Kafka, database: str, token: str) -> Iterator[RunningApi]:
    with running_api(
        tmp_path,
        kafka,
        database,
        api_ack_seconds=ACK_SECONDS,
        api_most_buffered=MOST_BUFFERED,
    ) as api:
        api.wait_until_ready()
        yield api


@pytest.fixture
def paused(kafka: Kafka, api: RunningApi) -> Iterator[Kafka]:
    """Kafka, standing still, and going on again after the test at the latest."""
    kafka.pause()
    try:
        yield kafka
    finally:
        kafka.resume()


def batch(name: str, size: int = 1_000) -> list[dict[str, object]]:
    return [{**EVENT, "event_id": f"{name}-{number}"} for number in range(size)]


# -- Kafka ---------------------------------------------------------------------------------------


def test_event_that_kafka_does_not_acknowledge_is_not_accepted_and_may_be_sent_again(
    api: RunningApi, token: str, paused: Kafka
) -> None:
    event = {**EVENT, "event_id": "order-7"}
    with api.client(token, **{"X-Run-Id": "again"}) as client:
        refused = client.post("/v1/events", json=event)

        assert 503 == refused.status_code
        assert "/docs#not-written" == refused.json()["type"]
        assert int(refused.headers["retry-after"]) >= 1
        assert 503 == api.ready()[0]
        assert 404 == client.get("/v1/events/order-7").status_code

        paused.resume()
        wait_for(
            lambda: client.post("/v1/events", json=event).status_code == 202,
            "the event is accepted",
            SECONDS,
        )
    api.wait_until_ready()
    assert {"shop/order-7"} == {event.event_id for event in written(paused, "again")}


def test_no_more_is_held_for_a_kafka_that_stands_still_than_was_set(
    api: RunningApi, token: str, paused: Kafka
) -> None:
    """Of 24 requests with 1,000 events each, three are held until their time is over."""
    answers: list[httpx.Response] = []

    def send(number: int) -> None:
        with api.client(token, **{"X-Run-Id": "flood"}) as client:
            answers.append(client.post("/v1/events", json=batch(f"f{number}")))

    before = psutil.Process(api.process.pid).memory_info().rss
    for _ in range(3):
        threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    grown = psutil.Process(api.process.pid).memory_info().rss - before

    assert {503} == {answer.status_code for answer in answers}
    assert 200 == httpx.get(f"{api.url}/healthz").status_code
    assert "wait for Kafka's acknowledgement" in api.log.read_text()  # BufferFull
    assert grown < 60_000_000  # eight bodies of 1 MB, decoded, and 3,000 records

    paused.resume()
    with api.client(token, **{"X-Run-Id": "after-flood"}) as client:
        wait_for(
            lambda: client.post("/v1/events", json=batch("a", 10)).status_code == 202,
            "events are accepted",
            SECONDS,
        )


# -- PostgreSQL ----------------------------------------------------------------------------------


def test_events_are_accepted_while_postgresql_is_away(
    api: RunningApi, token: str, kafka: Kafka, postgres: Postgres
) -> None:
    with api.client(token, **{"X-Run-Id": "no-postgres"}) as client:
        client.post("/v1/events", json={**EVENT, "event_id": "before"})
        postgres.stop()
        try:
            wait_for(
                lambda: "keys cannot be read" in api.log.read_text(), "the API notices", SECONDS
            )
            accepted = client.post("/v1/events", json={**EVENT, "event_id": "meanwhile"})
            unknown = client.get("/v1/events/before")
            refused = httpx.post(f"{api.url}/v1/events", json=EVENT)
        finally:
            postgres.start()

        assert (202, 503, 401) == (
            accepted.status_code,
            unknown.status_code,
            refused.status_code,
        )
        assert int(unknown.headers["retry-after"]) >= 1
        wait_for(
            lambda: client.get("/v1/events/meanwhile").status_code == 200,
            "states are told again",
            SECONDS,
        )
    wait_for(lambda: "keys are read again" in api.log.read_text(), "keys are read", SECONDS)
    assert {"shop/before", "shop/meanwhile"} == {
        event.event_id for event in written(kafka, "no-postgres")
    }


def test_program_that_is_started_first_waits_for_the_others(
    tmp_path: Path, kafka: Kafka, database: str, token: str, postgres: Postgres
) -> None:
    postgres.stop()
    try:
        with running_api(tmp_path, kafka, database) as api, api.client(token) as client:
            early = client.post("/v1/events", json=EVENT)
            status, why = api.ready()
            postgres.start()
            api.wait_until_ready()
            later = client.post("/v1/events", json=EVENT)
    finally:
        postgres.start()

    assert (503, 202) == (early.status_code, later.status_code)
    assert (503, "the keys have not been read from PostgreSQL yet\n") == (status, why)


# -- the end -------------------------------------------------------------------------------------


def test_nothing_that_was_answered_202_is_lost_when_the_program_ends_under_load(
    api: RunningApi, token: str, kafka: Kafka
) -> None:
    accepted: list[str] = []
    others: list[int] = []

    def send(sender: int) -> None:
        with api.client(token, **{"X-Run-Id": "ending"}) as client:
            for number in range(100_000):
                events = batch(f"s{sender}.{number}", 1 + number % 20)
                try:
                    answer = client.post("/v1/events", json=events)
                except httpx.TransportError:
                    return  # it has ended
                if answer.status_code == 202:
                    accepted.extend(f"shop/{event['event_id']}" for event in events)
                else:
                    others.append(answer.status_code)

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(6)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(accepted) > 2_000, "it is under load", SECONDS)
    status = api.end()
    for thread in threads:
        thread.join()

    assert 0 == status, api.log.read_text()
    assert [] == others
    assert set() == set(accepted) - {event.event_id for event in written(kafka, "ending")}
    assert '"unacknowledged": 0' in api.log.read_text()


def test_request_under_way_is_answered_before_the_program_ends(
    api: RunningApi, token: str, paused: Kafka
) -> None:
    """Kafka stands still, so that the request is under way when the signal comes."""
    answers: list[int] = []

    def send() -> None:
        with api.client(token, **{"X-Run-Id": "drained"}) as client:
            answers.append(client.post("/v1/events", json=EVENT).status_code)

    thread = threading.Thread(target=send)
    thread.start()
    wait_for(lambda: "buffered_events 1.0" in metrics(api), "the event waits", SECONDS)
    api.process.terminate()
    wait_for(lambda: refuses_connections(api), "it accepts no more", SECONDS)
    paused.resume()
    thread.join()

    assert 0 == api.process.wait(SECONDS)
    assert [202] == answers
    assert 1 == len(written(paused, "drained"))


def metrics(api: RunningApi) -> str:
    return httpx.get(f"{api.url}/metrics").text


def refuses_connections(api: RunningApi) -> bool:
    try:
        httpx.get(f"{api.url}/healthz")
    except httpx.TransportError:
        return True
    return False
