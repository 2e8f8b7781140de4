"""What the API makes of a body: records, or what is wrong with each event, and never a crash."""

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from answerbook.notify.api import incoming
from answerbook.notify.api.incoming import Door, Form, Incoming, Refused, read
from answerbook.notify.api.problems import Problem
from answerbook.notify.api.schemas import SCHEMAS
from answerbook.notify.records import Event, decode, encode

DOOR = Door("shop", "run-1", 1_700_000_000_000)
EVENT = {
    "event_id": "order-7",
    "user_id": "u1",
    "kind": "order_shipped",
    "priority": "high",
    "occurred_at": "2026-01-31T12:00:00.5+01:00",
    "ttl_seconds": 60,
    "data": {"order": "7"},
}


def events(content: Any, form: Form = "json") -> list[Event | Refused]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return read(body, form, DOOR).events


def flaws(content: Any) -> list[tuple[str | None, str]]:
    """Pointers and details of all that is wrong."""
    return [
        (flaw.pointer, flaw.detail)
        for event in events(content)
        if isinstance(event, Refused)
        for flaw in event.flaws
    ]


def pointers(content: Any) -> list[str | None]:
    return [pointer for pointer, _ in flaws(content)]


def refusal(body: bytes, form: Form = "json") -> tuple[int, str]:
    with pytest.raises(Problem) as caught:
        read(body, form, DOOR)
    return caught.value.answer.status, json.loads(caught.value.answer.body)["detail"]


# -- what is taken -------------------------------------------------------------------------------


def test_event_becomes_a_record_named_after_its_key() -> None:
    expected = Event(
        run_id="run-1",
        event_id="shop/order-7",
        kind="order_shipped",
        priority="high",
        accepted_at=1_700_000_000_000,
        occurred_at=1_769_857_200_500,
        ttl_seconds=60,
        user_id="u1",
        data={"order": "7"},
    )
    assert [expected] == events(EVENT)


def test_what_is_left_out_has_its_default() -> None:
    (event,) = events({"topic": "news", "kind": "headline"})

    assert isinstance(event, Event)
    assert ("normal", 86_400, DOOR.accepted_at) == (
        event.priority,
        event.ttl_seconds,
        event.occurred_at,
    )
    assert ("news", None, {}) == (event.topic, event.user_id, event.data)
    assert re.fullmatch(
        r"shop/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", event.event_id
    )


def test_array_and_lines_hold_the_same_events_in_order() -> None:
    several = [{**EVENT, "event_id": f"e{number}"} for number in range(3)]
    lines = b"\n\r\n".join(json.dumps(event).encode() for event in several) + b"\n"

    assert events(several) == events(lines, "ndjson")
    assert ["shop/e0", "shop/e1", "shop/e2"] == [event.event_id for event in events(several)]


def test_single_event_is_no_batch_and_a_batch_of_one_is() -> None:
    assert [False, True, True] == [
        read(json.dumps(EVENT).encode(), "json", DOOR).is_batch,
        read(b" \n" + json.dumps([EVENT]).encode(), "json", DOOR).is_batch,
        read(json.dumps(EVENT).encode(), "ndjson", DOOR).is_batch,
    ]


def test_whole_number_written_as_a_float_is_taken() -> None:
    (event,) = events(json.dumps({**EVENT, "ttl_seconds": 60.0}).encode())

    assert isinstance(event, Event)
    assert 60 == event.ttl_seconds


# -- what is refused, and the words for it -------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": None}, "/kind"),
        ({"kind": "two words"}, "/kind"),
        ({"kind": "line\n"}, "/kind"),
        ({"event_id": ""}, "/event_id"),
        ({"event_id": ".."}, "/event_id"),
        ({"event_id": "a/b"}, "/event_id"),
        ({"event_id": "x" * 129}, "/event_id"),
        ({"user_id": "no space"}, "/user_id"),
        ({"user_id": 7}, "/user_id"),
        ({"topic": "news"}, "/user_id"),
        ({"priority": "urgent"}, "/priority"),
        ({"occurred_at": "2026-01-31"}, "/occurred_at"),
        ({"occurred_at": "2026-02-30T12:00:00Z"}, "/occurred_at"),
        ({"occurred_at": "2026-01-31T12:00:00"}, "/occurred_at"),
        ({"occurred_at": "2026-01-01T24:00:00Z"}, "/occurred_at"),
        ({"occurred_at": "2026-01-01T00:00:61Z"}, "/occurred_at"),
        ({"occurred_at": "2026-01-01T00:00:00+24:00"}, "/occurred_at"),
        ({"occurred_at": 1_700_000_000}, "/occurred_at"),
        ({"ttl_seconds": -1}, "/ttl_seconds"),
        ({"ttl_seconds": 2_419_201}, "/ttl_seconds"),
        ({"ttl_seconds": 1.5}, "/ttl_seconds"),
        ({"ttl_seconds": True}, "/ttl_seconds"),
        ({"data": []}, "/data"),
        ({"data": {"order": 7}}, "/data/order"),
        ({"data": {"from": "us"}}, "/data/from"),
        ({"data": {"google_thing": "x"}}, "/data/google_thing"),
        ({"data": {"a/b~c": "x"}}, "/data/a~1b~0c"),
        ({"data": {"order": "x" * 1_025}}, "/data/order"),
        ({"data": {f"n{number}": "" for number in range(33)}}, "/data"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_field_that_is_wrong_is_named(change: dict[str, Any], pointer: str) -> None:
    assert [pointer] == pointers({**EVENT, **change})


def test_all_that_is_wrong_with_an_event_is_told_at_once() -> None:
    assert ["/0/priority", "/0/kind", "/0/user_id"] == pointers([{"priority": 1}])


def test_good_event_beside_a_bad_one_is_taken() -> None:
    good, bad, id_twice = events([EVENT, {"event_id": "b", "kind": "k"}, EVENT])

    assert isinstance(good, Event)
    assert isinstance(bad, Refused)
    assert ("b", "/1/user_id") == (bad.event_id, bad.flaws[0].pointer)
    assert isinstance(id_twice, Refused)
    assert ("order-7", "/2/event_id") == (id_twice.event_id, id_twice.flaws[0].pointer)


def test_number_that_no_computer_holds_is_a_flaw_of_its_event_alone() -> None:
    body = b'[%s, {"kind": "k", "user_id": "u", "ttl_seconds": 1e999}]' % json.dumps(EVENT).encode()

    good, bad = events(body)

    assert isinstance(good, Event)
    assert isinstance(bad, Refused)
    assert "/1" == bad.flaws[0].pointer


def test_endless_name_of_a_field_is_not_repeated() -> None:
    assert [("", "There is no such field.")] == flaws({**EVENT, "x" * 10_000: 1})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[1,",
        b"{}}",
        b"\xff",
        b'{"kind":"\\ud800"}',
        b"nul",
        b"[" * 100_000,
        b"[" + b'{"x":' * 100_000,
        b"{} {}",
    ],
)
def test_what_is_no_json_is_told_so(body: bytes) -> None:
    assert 400 == refusal(body)[0]


def test_line_that_is_no_json_is_pointed_at() -> None:
    status, detail = refusal(json.dumps(EVENT).encode() + b"\n{\n", "ndjson")

    assert 400 == status
    assert "At /1:" in detail


@pytest.mark.parametrize(("body", "form"), [(b"[]", "json"), (b"\n \n", "ndjson")])
def test_batch_of_nothing_is_refused(body: bytes, form: Form) -> None:
    assert 422 == refusal(body, form)[0]


@pytest.mark.parametrize("item", [json.dumps(EVENT).encode(), b"1"])
@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_more_than_a_thousand_events_are_too_many(item: bytes, form: Form) -> None:
    body = (
        b"\n".join([item] * 1_001) if form == "ndjson" else b"[" + b",".join([item] * 1_001) + b"]"
    )

    assert 413 == refusal(body, form)[0]


@pytest.mark.parametrize("value", [1, "x", None, True, [[]]])
def test_value_that_is_no_object_is_no_event(value: object) -> None:
    expected = "/0" if isinstance(value, list) else ""
    assert [(expected, "An event is a JSON object.")] == flaws(value)


def test_every_field_is_in_the_document_and_has_its_words() -> None:
    fields = set(msgspec.structs.asdict(Incoming(kind="k")))

    assert fields == set(incoming.EXPECTED)
    documented = [SCHEMAS[name]["properties"] for name in ("UserEvent", "TopicEvent")]
    assert fields == set(documented[0]) | set(documented[1])


# -- anything at all -----------------------------------------------------------------------------

TEXTS = st.text(max_size=20) | st.sampled_from(
    ["u1", "high", "normal", "2016-12-31T23:59:60Z", "0000-01-01T00:00:00Z", "a~b/c", "\x00", "x\n"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from([*incoming.EXPECTED, "colour"])
ALMOST = st.dictionaries(FIELDS, VALUES | TEXTS, max_size=6) | st.builds(
    lambda change: {**EVENT, **change}, st.dictionaries(FIELDS, VALUES, max_size=2)
)


def outcome(body: bytes, form: Form) -> int:
    """The status of a body; every record of it comes back from its bytes."""
    try:
        content = read(body, form, DOOR)
    except Problem as problem:
        return problem.answer.status
    assert content.events
    accepted = [event for event in content.events if isinstance(event, Event)]
    for event in accepted:
        assert event == decode(encode(event), Event)
        assert (event.user_id is None) != (event.topic is None)
    refused = [event for event in content.events if isinstance(event, Refused)]
    assert all(event.flaws for event in refused)
    return 202 if accepted else 422


@given(st.lists(ALMOST | VALUES, max_size=4) | ALMOST | VALUES)
@example([{"kind": "k", "user_id": "u", "occurred_at": "2016-12-31T23:59:60Z"}])
@settings(max_examples=500, deadline=None)
def test_any_json_is_taken_or_refused_and_never_a_fault(value: object) -> None:
    assert outcome(json.dumps(value).encode(), "json") in (202, 422)
    assert outcome(json.dumps(value).encode(), "ndjson") in (202, 422)


@given(st.binary(max_size=200), st.sampled_from(["json", "ndjson"]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_taken_or_refused_and_never_a_fault(body: bytes, form: Form) -> None:
    assert outcome(body, form) in (202, 400, 422)


@given(ALMOST)
@settings(max_examples=500, deadline=None)
def test_event_is_judged_the_same_beside_a_bad_one_as_alone(value: dict[str, Any]) -> None:
    """Alone it is decoded in one go when it is right; beside a bad one, field by field."""
    value.setdefault("event_id", "given")
    (alone,) = events([value])
    beside, _ = events([value, {}])

    assert alone == beside
