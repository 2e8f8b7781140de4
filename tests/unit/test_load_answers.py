import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from answerbook.load.answers import NotAllowed, Outcome, read, retry_after


def answered(status: int, content: Any, count: int = 1, **headers: str) -> Outcome:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read(status, named, json.dumps(content).encode(), count)


def test_one_event_is_accepted() -> None:
    outcome = answered(202, {"event_id": "r1-1", "status": "accepted"})
    assert outcome == Outcome(accepted=["r1-1"])


def test_each_event_of_a_batch_has_its_own_outcome() -> None:
    flaw = {"detail": "Expected a kind.", "pointer": "/1/kind"}
    items = [
        {"index": 0, "event_id": "r1-1", "status": "accepted"},
        {"index": 1, "event_id": None, "status": "refused", "errors": [flaw]},
    ]
    content = {"accepted": 1, "refused": 1, "items": items}
    outcome = answered(202, content, count=3, Retry_After="3")
    assert outcome.accepted == ["r1-1"]
    assert outcome.refused == {1: "kind: Expected a kind."}
    assert outcome.again == [2], "the third was not spoken of"
    assert outcome.pause == 3


def test_each_event_of_a_batch_that_is_refused_whole_has_its_reason() -> None:
    flaws = [
        {"detail": "Expected a kind.", "pointer": "/0/kind"},
        {"detail": "Expected texts.", "pointer": "/0/data/n"},
        {"detail": "An event is a JSON object.", "pointer": "/2"},
    ]
    content = {"status": 422, "title": "Invalid", "detail": "See errors.", "errors": flaws}
    assert answered(422, content, count=3).refused == {
        0: "kind: Expected a kind.",
        1: "422: See errors.",
        2: "An event is a JSON object.",
    }


def test_one_event_that_is_refused_has_its_reason() -> None:
    flaws = [{"detail": "Expected a kind.", "pointer": "/kind"}]
    outcome = answered(422, {"status": 422, "errors": flaws})
    assert outcome.refused == {0: "kind: Expected a kind."}


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_request_that_may_be_repeated_is_sent_again_whole(status: int) -> None:
    outcome = answered(status, {"title": "Not now"}, count=3, Retry_After="2")
    assert outcome == Outcome(again=[0, 1, 2], pause=2)


def test_a_request_that_is_wrong_is_refused_whole() -> None:
    outcome = answered(413, {"title": "Too large", "detail": "at most 1,000"}, count=2)
    assert outcome.refused == {0: "413: at most 1,000", 1: "413: at most 1,000"}
    assert outcome.again == []


@pytest.mark.parametrize("status", [401, 404])
def test_a_sender_without_a_place_here_is_told_so(status: int) -> None:
    with pytest.raises(NotAllowed, match=f"{status}: no such key"):
        answered(status, {"detail": "no such key"})


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>"), (202, b"{}"), (202, b'{"items":[{"ind'), (202, b"\xff")]
)
def test_an_answer_that_says_nothing_counts_as_none(status: int, body: bytes) -> None:
    assert read(status, {}, body, 2).again == [0, 1]


def test_retry_after_is_read_as_seconds_or_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(seconds=30), usegmt=True)
    assert retry_after({"Retry-After": "7"}) == 7
    assert 20 < retry_after({"Retry-After": soon}) <= 30
    assert retry_after({"Retry-After": past}) == 0
    assert retry_after({"Retry-After": "soon"}) == retry_after({}) == 1
    assert retry_after({"Retry-After": "86400"}) == 60
