"""The site's OpenAPI document holds behind nginx: Schemathesis tries to prove the opposite."""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from answerbook.services import Site
from search.openapi import DOCUMENT

document = schemathesis.openapi.from_dict(DOCUMENT)
UNHURRIED = settings(deadline=None, suppress_health_check=list(HealthCheck))


@document.parametrize()
@settings(UNHURRIED, max_examples=100)
def test_operation_answers_as_documented(case: "schemathesis.Case[Any]", site: Site) -> None:
    case.call_and_validate(base_url=site.url)


@pytest.mark.thorough
@document.parametrize()
@settings(UNHURRIED, max_examples=1_000)
def test_operation_answers_as_documented_at_length(
    case: "schemathesis.Case[Any]", site: Site
) -> None:
    case.call_and_validate(base_url=site.url)


def test_document_is_served_as_it_is_tested(site: Site) -> None:
    assert DOCUMENT == httpx.get(f"{site.url}/api/openapi.json").json()
