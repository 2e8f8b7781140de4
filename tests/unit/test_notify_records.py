"""The contract: what a reader of records accepts, ignores and refuses."""

import re

import pytest

from answerbook.notify import records
from answerbook.notify.records import Event, Malformed, UnsupportedVersion, decode, encode

EVENT = Event(
    run_id="r",
    event_id="key/1",
    kind="order_shipped",
    priority="high",
    accepted_at=1_700_000_000_000,
    occurred_at=1_700_000_000_000,
    ttl_seconds=60,
    user_id="u1",
    data={"order": "7"},
)


def test_record_comes_back_as_it_was_written() -> None:
    assert EVENT == decode(encode(EVENT), Event)


def test_added_field_is_ignored() -> None:
    assert EVENT == decode(encode(EVENT)[:-1] + b',"colour":{"name":"red"}}', Event)


@pytest.mark.parametrize(
    "content", [encode(EVENT)[:-1] + b',"version":2}', b'{"version":3,"all":"else changed"}']
)
def test_newer_version_is_refused_whatever_else_it_holds(content: bytes) -> None:
    with pytest.raises(UnsupportedVersion, match="this program knows 1"):
        decode(content, Event)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b"{}", b"[" * 100_000, encode(EVENT).replace(b'"high"', b"3")],
)
def test_anything_else_is_malformed(content: bytes) -> None:
    with pytest.raises(Malformed):
        decode(content, Event)


def test_identity_is_the_same_for_each_replay_and_another_for_each_device() -> None:
    ids = [
        records.notification_id("key/1", "u1", "d1"),
        records.notification_id("key/1", "u1", "d1"),
        records.notification_id("key/1", "u1", "d2"),
        records.notification_id("key/1", "", "topic:news"),
    ]
    assert (ids[0], 3) == (ids[1], len(set(ids)))
    assert all(len(name) == 32 and set(name) <= set("0123456789abcdef") for name in ids)


def test_metric_names_are_prometheus_names_of_ours() -> None:
    for name, said in records.METRICS.items():
        assert re.fullmatch("answerbook(_[a-z]+)+", name)
        assert said
