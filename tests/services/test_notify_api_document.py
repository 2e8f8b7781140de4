"""The OpenAPI document holds for the running program: Schemathesis tries to prove the opposite."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection

from answerbook import services
from answerbook.notify.api import openapi
from tests.services.notify_api import (
    make_topics,
    new_database,
    new_key,
    running_api,
)

REFUSALS = ["400", "401", "404", "405", "413", "415", "422"]
"""For what the document does not allow; Schemathesis does not count 413 among them by itself."""

document = schemathesis.openapi.from_dict(
    openapi.document(),
    config=schemathesis.Config.from_dict(
        {"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}}
    ),
)
"""The same as the program serves, which a test holds; here it is known before the program runs."""

Call = dict[str, Any]


@schemathesis.serializer("application/x-ndjson")
def as_lines(_: object, value: Any) -> bytes:
    """A batch as NDJSON; what is none, as a line."""
    return "\n".join(map(json.dumps, value if isinstance(value, list) else [value])).encode()


@pytest.fixture(scope="module")
def database(session_home: Path) -> str:
    return new_database(services.require("postgres"), "notify_api_document")


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory, database: str) -> Iterator[Call]:
    """Where the program is, and what opens it."""
    kafka = services.require("kafka")
    make_topics(kafka)
    token = new_key(database, "schemathesis")
    with running_api(tmp_path_factory.mktemp("api"), kafka, database) as api:
        api.wait_until_ready()
        yield {"base_url": api.url, "headers": {"Authorization": f"Bearer {token}"}}


UNHURRIED = settings(deadline=None, suppress_health_check=list(HealthCheck))


def try_case(case: "schemathesis.Case[Any]", call: Call) -> None:
    """Every check of Schemathesis, with one thing more allowed.

    A batch in which some events are wrong is accepted, and tells which were refused.
    """
    response = case.call(**call)
    told = response.json() if response.status_code == 202 else {}
    case.validate_response(
        response,
        excluded_checks=[negative_data_rejection] if told.get("refused") else [],
        headers=call["headers"],
        transport_kwargs=call,
    )


@document.parametrize()
@settings(UNHURRIED, max_examples=200)
def test_operation_answers_as_documented(case: "schemathesis.Case[Any]", call: Call) -> None:
    try_case(case, call)


@pytest.mark.thorough
@document.parametrize()
@settings(UNHURRIED, max_examples=2_000)
def test_operation_answers_as_documented_at_length(
    case: "schemathesis.Case[Any]", call: Call
) -> None:
    try_case(case, call)


def test_document_is_served_as_it_is_tested(call: Call) -> None:
    assert openapi.document() == httpx.get(f"{call['base_url']}/openapi.json").json()
