"""Which of FCM's answers is what, how long a retry waits, and that the document says the same."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from answerbook.notify.deliver.fcm.http import Answer
from answerbook.notify.deliver.policy import (
    BY_STATUS,
    LONGEST_BACKOFF,
    POLICY,
    Rule,
    delay,
    read,
    retry_topic,
    seconds,
)

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/delivery.md"


def error(status: int, name: str, *details: object) -> Answer:
    said = {"code": status, "message": "words", "status": name, "details": list(details)}
    return Answer(status, json.dumps({"error": said}).encode())


def fcm(code: str) -> dict[str, str]:
    return {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}


def test_accepted_message_has_the_name_that_fcm_gave_it() -> None:
    assert ("OK", "projects/p/messages/7") == read(
        Answer(200, b'{"name": "projects/p/messages/7"}')
    )


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b"\xff", b'{"name": 7}'])
def test_acceptance_without_a_name_is_none(body: bytes) -> None:
    assert "BAD_ANSWER" == read(Answer(200, body))[0]


def test_the_code_of_fcm_goes_before_the_status() -> None:
    violations = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{}]}

    assert ("UNREGISTERED", "words") == read(error(404, "NOT_FOUND", fcm("UNREGISTERED")))
    assert (
        "SENDER_ID_MISMATCH"
        == read(error(403, "PERMISSION_DENIED", violations, fcm("SENDER_ID_MISMATCH")))[0]
    )
    assert "QUOTA_EXCEEDED" == read(error(429, "RESOURCE_EXHAUSTED", fcm("QUOTA_EXCEEDED")))[0]
    assert "THIRD_PARTY_AUTH_ERROR" == read(error(401, "X", fcm("APNS_AUTH_ERROR")))[0]


def test_an_unknown_code_leaves_the_status_to_decide() -> None:
    assert "RESOURCE_EXHAUSTED" == read(error(429, "RESOURCE_EXHAUSTED", fcm("NEW_ONE")))[0]
    assert "UNAVAILABLE" == read(error(503, "NEW_ONE"))[0]
    assert "INTERNAL" == read(error(500, "OK", fcm("OK")))[0]


@pytest.mark.parametrize(("status", "code"), BY_STATUS.items())
def test_answer_that_is_no_json_is_told_by_its_status(status: int, code: str) -> None:
    assert (code, "<html>") == read(Answer(status, b"<html>"))


def test_other_statuses_are_dead_below_500_and_tried_again_above() -> None:
    assert ("OTHER_4XX", "OTHER_5XX", "BAD_ANSWER") == (
        read(Answer(418))[0],
        read(Answer(599))[0],
        read(Answer(302))[0],
    )


@pytest.mark.parametrize("failure", ["TIMEOUT", "CUT", "BAD_ANSWER"])
def test_failure_of_the_connection_is_its_own_code(failure: str) -> None:
    assert (failure, "") == read(Answer(0, failure=failure))


def test_backoff_has_full_jitter_and_a_longest_wait() -> None:
    rule = POLICY["UNAVAILABLE"]
    first = [delay(rule, 1, "") for _ in range(500)]
    late = [delay(rule, 50, "") for _ in range(500)]

    assert 0 <= min(first) < 0.1
    assert 0.9 < max(first) <= 1
    assert 0.9 * LONGEST_BACKOFF < max(late) <= LONGEST_BACKOFF


def test_quota_waits_a_minute_at_least_and_retry_after_is_obeyed() -> None:
    assert min(delay(POLICY["QUOTA_EXCEEDED"], 1, "") for _ in range(100)) >= 60
    assert 90 == delay(POLICY["UNAVAILABLE"], 1, "90")
    assert 90 == delay(POLICY["QUOTA_EXCEEDED"], 1, "90")


def test_retry_after_is_seconds_or_a_date() -> None:
    now = datetime.now(UTC)

    assert 120 == seconds(" 120 ")
    assert 58 < seconds(format_datetime(now + timedelta(minutes=1), usegmt=True)) <= 60
    assert 58 < seconds((now + timedelta(minutes=1)).strftime("%a, %d %b %Y %H:%M:%S -0000")) <= 60
    assert 0 == seconds(format_datetime(now - timedelta(minutes=1), usegmt=True))


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "٣", "Wed, 99 Foo 2026", "\x00"])
def test_nonsense_asks_for_no_wait(text: str) -> None:
    assert 0 == seconds(text)


def test_endless_wait_is_cut_to_a_day() -> None:
    assert 86_400 == seconds("9" * 400)


@pytest.mark.parametrize(
    ("wait", "topic"),
    [(0.2, "5s"), (5, "5s"), (5.1, "30s"), (90, "120s"), (600, "600s"), (86_400, "600s")],
)
def test_retry_goes_to_the_shortest_topic_that_is_long_enough(wait: float, topic: str) -> None:
    assert f"retries.{topic}" == retry_topic(wait)


def test_document_shows_the_table_of_the_code() -> None:
    lines = DOCUMENT.read_text().splitlines()
    assert [row(code, rule) for code, rule in POLICY.items()] == [
        line for line in lines if line.startswith("| `")
    ]


def row(code: str, rule: Rule) -> str:
    also = {
        "a dead letter": rule.letter,
        f"waits {rule.least:.0f} s at least": rule.least,
        "slows the bucket": rule.slow,
        "counts as an outage": rule.outage,
        "renews the access token": rule.renew,
    }
    said = ", ".join(text for text, does in also.items() if does)
    return f"| `{code}` | {rule.then} | {said or '–'} | {rule.why} |"
