"""The emulator takes what FCM's reference allows, and names the field that it does not."""

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from answerbook.notify.emulator import conditions, schema
from answerbook.notify.emulator.conditions import NoCondition, topics_of
from answerbook.notify.emulator.validation import Invalid, read_request

TO = {"token": "t"}


def read(message: Any, **more: Any) -> tuple[str, str]:
    _, _, kind, target = read_request(json.dumps({"message": message, **more}).encode())
    return kind, target


@pytest.mark.parametrize(
    ("message", "target"),
    [
        ({"token": "d:APA91b_-x"}, ("token", "d:APA91b_-x")),
        ({"fid": "cIyW0"}, ("fid", "cIyW0")),
        ({"topic": "news-1_~.%"}, ("topic", "news-1_~.%")),
        ({"condition": "'a' in topics"}, ("condition", "'a' in topics")),
        ({**TO, "topic": None}, ("token", "t")),
        ({**TO, "name": "projects/p/messages/1"}, ("token", "t")),
        ({**TO, "data": {}}, ("token", "t")),
        ({**TO, "data": {"any": "text", "gcm": "x", "google": "y", "fromage": "z"}}, None),
        ({**TO, "data": {"big": "x" * 4_093}}, None),
        ({"topic": "t", "data": {"big": "x" * 2_045}}, None),
        ({**TO, "notification": {"title": "t", "body": "b", "image": "https://i"}}, None),
        ({**TO, "android": {"ttl": "0s"}}, None),
        ({**TO, "android": {"ttl": "2419200s"}}, None),
        ({**TO, "android": {"ttl": "3.000000001s"}}, None),
        ({**TO, "android": {"priority": "high", "collapse_key": "k"}}, None),
        ({**TO, "android": {"priority": "HIGH", "collapseKey": "k"}}, None),
        ({**TO, "android": {"priority": "Normal", "directBootOk": True}}, None),
        (
            {**TO, "android": {"notification": {"color": "#a0B1c2", "vibrate_timings": ["1s"]}}},
            None,
        ),
        ({**TO, "android": {"notification": {"notificationCount": "3", "sticky": False}}}, None),
        ({**TO, "android": {"notification": {"event_time": "2026-11-25T00:00:00.5Z"}}}, None),
        ({**TO, "android": {"notification": {"body_loc_key": "k", "body_loc_args": ["a"]}}}, None),
        ({**TO, "webpush": {"headers": {"TTL": "60", "Urgency": "high"}}}, None),
        ({**TO, "webpush": {"notification": {"any": [1, {"thing": None}]}}}, None),
        ({**TO, "webpush": {"fcm_options": {"link": "https://example.com"}}}, None),
        ({**TO, "apns": {"payload": {"aps": {"badge": 0, "alert": "a"}, "mine": 1}}}, None),
        ({**TO, "apns": {"headers": {"apns-priority": "5"}, "liveActivityToken": "x"}}, None),
        ({**TO, "fcm_options": {"analytics_label": "spring-2026"}}, None),
    ],
)
def test_documented_message_is_taken(
    message: dict[str, Any], target: tuple[str, str] | None
) -> None:
    assert (target or ("token" if "token" in message else "topic", "t")) == read(message)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({}, "message"),
        ({"data": {"a": "b"}}, "message"),
        ({**TO, "topic": "x"}, "message"),
        ({"fid": "a", "condition": "'a' in topics"}, "message"),
        ({"token": ""}, "message.token"),
        ({"token": "two words"}, "message.token"),
        ({"token": "t" * 4_097}, "message.token"),
        ({"fid": "\n"}, "message.fid"),
        ({"topic": "/topics/news"}, "message.topic"),
        ({"topic": "a b"}, "message.topic"),
        ({"topic": ""}, "message.topic"),
        ({"condition": "'a' in topic"}, "message.condition"),
        ({**TO, "data": {"from": "x"}}, "message.data[0].key"),
        ({**TO, "data": {"a": "b", "message_type": "x"}}, "message.data[1].key"),
        ({**TO, "data": {"google.x": "x"}}, "message.data[0].key"),
        ({**TO, "data": {"gcm.notification.x": "x"}}, "message.data[0].key"),
        ({**TO, "android": {"data": {"from": "x"}}}, "message.android.data[0].key"),
        ({**TO, "data": {"big": "x" * 4_094}}, "message"),
        ({**TO, "data": {"big": "é" * 2_047}}, "message"),
        ({**TO, "notification": {"body": "x" * 4_097}}, "message"),
        ({**TO, "android": {"data": {"big": "x" * 4_094}}}, "message"),
        ({**TO, "apns": {"payload": {"big": "x" * 4_094}}}, "message"),
        ({**TO, "webpush": {"notification": {"big": "x" * 4_094}}}, "message"),
        ({"topic": "t", "data": {"big": "x" * 2_046}}, "message"),
        ({"condition": "'t' in topics", "data": {"big": "x" * 2_046}}, "message"),
        ({**TO, "android": {"ttl": "-1s"}}, "message.android.ttl"),
        ({**TO, "android": {"ttl": "2419200.1s"}}, "message.android.ttl"),
        ({**TO, "android": {"ttl": "60"}}, "message.android.ttl"),
        ({**TO, "android": {"ttl": "1.0000000001s"}}, "message.android.ttl"),
        (
            {**TO, "android": {"notification": {"color": "red"}}},
            "message.android.notification.color",
        ),
        (
            {**TO, "android": {"notification": {"title_loc_args": ["a"]}}},
            "message.android.notification.title_loc_args",
        ),
        (
            {**TO, "android": {"notification": {"event_time": "2026-13-01T00:00:00Z"}}},
            "message.android.notification.event_time",
        ),
        (
            {**TO, "android": {"notification": {"vibrate_timings": ["1s", "2"]}}},
            "message.android.notification.vibrate_timings[1]",
        ),
        (
            {**TO, "android": {"notification": {"light_settings": {"color": {"red": 1}}}}},
            "message.android.notification.light_settings.light_on_duration",
        ),
        ({**TO, "webpush": {"headers": {"TTL": "soon"}}}, "message.webpush.headers"),
        (
            {**TO, "webpush": {"fcm_options": {"link": "http://x"}}},
            "message.webpush.fcm_options.link",
        ),
        ({**TO, "apns": {"headers": {"apns-priority": "7"}}}, "message.apns.headers"),
        ({**TO, "apns": {"payload": {"aps": {}}}}, "message.apns.payload.aps"),
        ({**TO, "apns": {"payload": {"aps": {"badge": "1"}}}}, "message.apns.payload.aps.badge"),
        ({**TO, "fcm_options": {"analytics_label": "a b"}}, "message.fcm_options.analytics_label"),
    ],
)
def test_what_fcm_refuses_is_refused_with_its_field(message: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(message)
    assert field == refused.value.violation.field


@pytest.mark.parametrize(
    ("message", "field", "said"),
    [
        (
            {**TO, "colour": 1},
            "message",
            "Unknown name \"colour\" at 'message': Cannot find field.",
        ),
        ({**TO, "android": {"TTL": "1s"}}, "message.android", 'Unknown name "TTL"'),
        (
            {**TO, "android": {"collapse-key": "k"}},
            "message.android",
            'Unknown name "collapse-key"',
        ),
        ({**TO, "data": {"a": "b", "n": 1}}, "message.data[1].value", "(TYPE_STRING), 1"),
        ({**TO, "data": {"n": {"a": {}}}}, "message.data[0].value", '(TYPE_STRING), {"a":{}}'),
        ({**TO, "data": ["a"]}, "message.data", "Struct"),
        ({"token": 7}, "message.token", "(TYPE_STRING), 7"),
        ({**TO, "notification": "hi"}, "message.notification", "fcm.v1.Notification"),
        ({**TO, "android": {"priority": "urgent"}}, "message.android.priority", "(TYPE_ENUM)"),
        ({**TO, "android": {"direct_boot_ok": "x"}}, "message.android.direct_boot_ok", "TYPE_BOOL"),
        (
            {**TO, "android": {"notification": {"notification_count": 2**31}}},
            "message.android.notification.notification_count",
            "(TYPE_INT32)",
        ),
        ([], "message", "fcm.v1.Message"),
    ],
)
def test_json_that_is_no_message_is_refused_as_the_front_end_does(
    message: Any, field: str, said: str
) -> None:
    with pytest.raises(Invalid) as refused:
        read(message)
    assert (field, True) == (refused.value.violation.field, refused.value.schema)
    assert said in refused.value.violation.description


def test_unknown_field_beside_the_message_is_refused() -> None:
    with pytest.raises(Invalid, match='Unknown name "dry_run"'):
        read(TO, dry_run=True)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"message":"\xed\xa0\x80"}']
)
def test_any_bytes_are_a_request_or_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        read_request(body)


NAMES = [
    field
    for part in vars(schema).values()
    if isinstance(part, type) and issubclass(part, msgspec.Struct)
    for field in part.__struct_fields__
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=9), inner, max_size=6)
    ),
    max_leaves=30,
)


@settings(deadline=None)
@given(DOCUMENTS | st.fixed_dictionaries({"message": DOCUMENTS}))
def test_any_json_is_a_request_or_refused_with_a_description(document: Any) -> None:
    with suppress(Invalid):
        read_request(json.dumps(document).encode())


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(schema.Message.__struct_fields__), DOCUMENTS, max_size=5))
def test_any_parts_of_a_message_are_taken_or_refused(parts: dict[str, Any]) -> None:
    with suppress(Invalid):
        read({**parts, "token": "t"})


def test_request_is_validated_only_on_demand() -> None:
    for key in ("validate_only", "validateOnly"):
        request, *_ = read_request(json.dumps({"message": TO, key: True}).encode())
        assert request.validate_only
    assert not read_request(json.dumps({"message": TO}).encode())[0].validate_only


@pytest.mark.parametrize(
    ("condition", "topics"),
    [
        ("'a' in topics", ["a"]),
        ("'a' in topics && ('b' in topics || !('c' in topics))", ["a", "b", "c"]),
        ("('a' in topics)&&!'b'  in  topics", ["a", "b"]),
    ],
)
def test_condition_names_its_topics(condition: str, topics: list[str]) -> None:
    assert topics == topics_of(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "a in topics",
        "'a' in topics &&",
        "('a' in topics",
        "'a' in topics)",
        "'a' in topics 'b' in topics",
        "'a b' in topics",
        " || ".join(f"'t{number}' in topics" for number in range(conditions.MOST_TOPICS + 1)),
        "(" * 200,
        "!" * 100_000,
    ],
)
def test_condition_that_cannot_be_read_is_refused(condition: str) -> None:
    with pytest.raises(NoCondition):
        topics_of(condition)
