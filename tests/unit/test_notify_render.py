"""What the query makes of single events: rows in, records out, in a Spark without Kafka."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from answerbook.notify import records
from answerbook.notify.records import (
    DeadLetter,
    Event,
    EventReceipt,
    Notification,
    NotificationReceipt,
    decode,
    encode,
)
from answerbook.notify.render.job import rendered
from answerbook.notify.render.people import jdbc_options, people_of, templates_of
from answerbook.notify.render.session import spark as spark_session

NOON = int(datetime(2026, 1, 15, 12, 0, tzinfo=UTC).timestamp() * 1000)
MIDNIGHT = int(datetime(2026, 1, 15, 23, 30, tzinfo=UTC).timestamp() * 1000)
SUMMER = NOON + 180 * 86_400_000
DEVICES = "device_ids array<string>, addresses array<string>, address_kinds array<string>"
TEMPLATES = "kind string, language string, title string, body string"
USERS = (
    "user_id string, name string, language string, time_zone string,"
    f" quiet_from smallint, quiet_until smallint, off array<string>, {DEVICES}"
)


@dataclass
class User:
    user_id: str = "u1"
    name: str = "Ada"
    language: str = "en"
    time_zone: str = "UTC"
    quiet: tuple[int, int] | tuple[None, None] = (None, None)
    off: list[str] | None = None
    devices: list[tuple[str, str, str]] = field(default_factory=lambda: [("d1", "t1", "token")])

    def row(self) -> tuple[Any, ...]:
        columns: list[Any] = [list(each) for each in zip(*self.devices, strict=True)] or [None] * 3
        return (
            self.user_id,
            self.name,
            self.language,
            self.time_zone,
            *self.quiet,
            self.off,
            *columns,
        )


@dataclass
class Written:
    """Records by what they are, in the order in which they were written."""

    notifications: list[Notification] = field(default_factory=list)
    receipts: list[EventReceipt] = field(default_factory=list)
    notification_receipts: list[NotificationReceipt] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    keys: list[tuple[str, str | None]] = field(default_factory=list)

    @property
    def message(self) -> dict[str, Any]:
        assert 1 == len(self.notifications), self
        message: dict[str, Any] = json.loads(bytes(self.notifications[0].message))
        return message

    @property
    def outcome(self) -> tuple[str, str]:
        assert 1 == len(self.receipts), self
        return self.receipts[0].outcome, self.receipts[0].reason


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    with spark_session(master="local[1]", heap="512m") as (session, _):
        yield session


class Bench:
    """Renders events for the users and templates that a test names."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self.templates: list[tuple[Any, ...]] = [
            ("shipped", "en", "Hello {name}", "Order {order} is on its way"),
            ("shipped", "de", "Hallo {name}", "Bestellung {order} ist unterwegs"),
        ]

    def table(self, schema: str, rows: list[tuple[Any, ...]]) -> DataFrame:
        """Rows without a worker in Python, which would take seconds of each test."""
        names = [column.split()[0] for column in schema.split(", ")]
        content = json.dumps([dict(zip(names, row, strict=True)) for row in rows])
        return self._spark.sql(
            f"SELECT inline(from_json(:content, 'array<struct<{schema}>>'))",
            {"content": content},
        )

    def write(
        self, *contents: bytes | Event, users: list[User] | None = None, now: int = NOON
    ) -> Written:
        rows: list[tuple[Any, ...]] = [
            (
                base64.b64encode(encode(each) if isinstance(each, Event) else each).decode(),
                3,
                offset,
            )
            for offset, each in enumerate(contents)
        ]
        events = self.table("value string, partition int, offset bigint", rows).selectExpr(
            "unbase64(value) AS value", "partition", "offset"
        )
        templates = self.table(TEMPLATES, self.templates)
        people = people_of(
            self.table(USERS, [user.row() for user in ([User()] if users is None else users)])
        )
        written = Written()
        for row in rendered(events, people, templates_of(templates), f"{now}L").collect():
            content = row.value.encode()
            written.keys.append((row.topic, row.key))
            if row.topic in records.NOTIFICATIONS:
                notification = decode(content, Notification)
                assert f"notifications.{notification.priority}" == row.topic
                written.notifications.append(notification)
            elif row.topic == records.RECEIPTS_EVENTS:
                written.receipts.append(decode(content, EventReceipt))
            elif row.topic == records.RECEIPTS_NOTIFICATIONS:
                written.notification_receipts.append(decode(content, NotificationReceipt))
            else:
                assert records.DEAD_LETTERS == row.topic
                written.dead.append(decode(content, DeadLetter))
        return written


@pytest.fixture
def bench(spark: SparkSession) -> Bench:
    return Bench(spark)


def event(**fields: Any) -> Event:
    usual: dict[str, Any] = {
        "run_id": "r",
        "event_id": "key/1",
        "kind": "shipped",
        "priority": "normal",
        "accepted_at": NOON - 1_000,
        "occurred_at": NOON - 2_000,
        "ttl_seconds": 60,
        "data": {"order": "1042"},
    }
    if "topic" not in fields:
        usual["user_id"] = "u1"
    return Event(**(usual | fields))


# -- expanded ------------------------------------------------------------------------------------


def test_event_becomes_a_message_for_each_device_and_one_receipt(bench: Bench) -> None:
    user = User(devices=[("d1", "t1", "token"), ("d2", "f2", "fid")])
    written = bench.write(event(), users=[user])
    assert [
        ("notifications.normal", "d1"),
        ("notifications.normal", "d2"),
        ("receipts.events", "key/1"),
    ] == written.keys
    first, second = written.notifications
    assert {
        "token": "t1",
        "notification": {"title": "Hello Ada", "body": "Order 1042 is on its way"},
        "data": {
            "order": "1042",
            "notification_id": first.notification_id,
            "event_id": "key/1",
            "run_id": "r",
        },
        "android": {"priority": "NORMAL", "ttl": "60s", "collapse_key": "shipped"},
        "apns": {"headers": {"apns-priority": "5", "apns-expiration": str(NOON // 1000 + 59)}},
    } == json.loads(bytes(first.message))
    assert "f2" == json.loads(bytes(second.message))["fid"]
    assert (NOON - 1_000, NOON, NOON + 59_000) == (
        first.accepted_at,
        first.rendered_at,
        first.expires_at,
    )
    assert [
        EventReceipt(
            run_id="r",
            event_id="key/1",
            outcome="expanded",
            at=NOON,
            accepted_at=NOON - 1_000,
            notifications=[first.notification_id, second.notification_id],
            user_id="u1",
        )
    ] == written.receipts


def test_identity_is_the_one_of_the_contract(bench: Bench) -> None:
    users = [User(user_id="ü|1", devices=[("dé|😀", "t", "token")])]
    written = bench.write(event(event_id="k/é|1", user_id="ü|1"), event(topic="news"), users=users)
    assert {
        records.notification_id("k/é|1", "ü|1", "dé|😀"),
        records.notification_id("key/1", "", "topic:news"),
    } == {each.notification_id for each in written.notifications}


def test_high_priority_goes_to_its_own_topic_and_does_not_collapse(bench: Bench) -> None:
    message = bench.write(event(priority="high")).message
    assert {"priority": "HIGH", "ttl": "60s"} == message["android"]
    assert "10" == message["apns"]["headers"]["apns-priority"]


def test_topic_bypasses_what_persons_prefer(bench: Bench) -> None:
    written = bench.write(event(topic="news"), users=[])
    assert "news" == written.message["topic"]
    assert {"title": "Hello ", "body": "Order 1042 is on its way"} == written.message[
        "notification"
    ]
    assert ("notifications.normal", "topic:news") == written.keys[0]
    assert ("news", None) == (written.receipts[0].topic, written.receipts[0].user_id)


# -- suppressed and expired ----------------------------------------------------------------------


def test_kind_that_is_switched_off_is_suppressed_even_in_high_priority(bench: Bench) -> None:
    users = [User(off=["shipped", "other"])]
    assert ("suppressed", "preference") == bench.write(event(priority="high"), users=users).outcome
    assert ("expanded", "") == bench.write(event(), users=[User(off=["other"])]).outcome


QUIET = [
    ("UTC", (660, 780), NOON, True),
    ("UTC", (720, 721), NOON, True),  # from the minute on
    ("UTC", (660, 720), NOON, False),  # until before the minute
    ("UTC", (1320, 420), MIDNIGHT, True),  # past midnight, before it
    ("UTC", (1320, 420), NOON, False),
    ("Europe/Berlin", (0, 60), MIDNIGHT, True),  # 00:30 there, tomorrow
    ("Asia/Tokyo", (1320, 420), NOON, False),  # 21:00
    ("Asia/Tokyo", (1260, 420), NOON, True),
    ("Asia/Kolkata", (1050, 1051), NOON, True),  # 17:30
    ("America/New_York", (1320, 420), NOON, False),  # 07:00
    ("Europe/Berlin", (840, 841), SUMMER, True),  # 14:00
    ("Europe/Berlin", (840, 841), NOON, False),  # 13:00
    ("No/Where", (720, 721), NOON, True),  # counts as UTC
    ("UTC", (600, 600), NOON, False),  # no time at all
]


@pytest.mark.parametrize("now", [NOON, MIDNIGHT, SUMMER], ids=["noon", "midnight", "summer"])
def test_quiet_hours_are_those_of_the_users_own_clock(bench: Bench, now: int) -> None:
    users, expected = [], {}
    for zone, quiet, at, is_quiet in QUIET:
        if at == now:
            user = User(user_id=f"{zone} {quiet}", time_zone=zone, quiet=quiet)
            users.append(user)
            expected[user.user_id] = "quiet_hours" if is_quiet else ""
    events = [event(user_id=user.user_id, accepted_at=now) for user in users]
    written = bench.write(*events, users=users, now=now)
    assert expected == {receipt.user_id: receipt.reason for receipt in written.receipts}


def test_high_priority_passes_quiet_hours(bench: Bench) -> None:
    users = [User(quiet=(0, 1439))]
    assert ("expanded", "") == bench.write(event(priority="high"), users=users).outcome


def test_user_without_a_device_is_suppressed(bench: Bench) -> None:
    written = bench.write(event(), users=[User(devices=[])])
    assert ("suppressed", "no_device") == written.outcome
    assert [] == written.dead


def test_event_whose_time_is_over_expires_whoever_it_is_for(bench: Bench) -> None:
    late = event(accepted_at=NOON - 60_001, user_id="nobody")
    assert ("expired", "expired") == bench.write(late).outcome
    assert ("expanded", "") == bench.write(event(accepted_at=NOON - 60_000)).outcome


def test_event_for_now_or_never_has_a_minute_to_reach_fcm(bench: Bench) -> None:
    in_time = bench.write(event(ttl_seconds=0, accepted_at=NOON - 60_000))
    assert ("expanded", "") == in_time.outcome
    assert "0s" == in_time.message["android"]["ttl"]
    assert "0" == in_time.message["apns"]["headers"]["apns-expiration"]
    late = event(ttl_seconds=0, accepted_at=NOON - 60_001)
    assert ("expired", "expired") == bench.write(late).outcome


def test_event_is_rendered_whenever_it_occurred(bench: Bench) -> None:
    times = [0, -1, NOON - 86_400_000, 4_075_000_000_000]
    written = bench.write(*(event(occurred_at=time) for time in times))
    assert ["expanded"] * len(times) == [receipt.outcome for receipt in written.receipts]


# -- templates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "title"), [("de", "Hallo Ada"), ("fr", "Hello Ada")])
def test_text_is_in_the_users_language_or_else_english(
    bench: Bench, language: str, title: str
) -> None:
    message = bench.write(event(), users=[User(language=language)]).message
    assert title == message["notification"]["title"]


TEMPLATES_AND_TEXTS = [
    ("{order}{order}", "10421042"),
    ("a {nothing} b", "a  b"),
    ("{ no placeholder } {} {", "{ no placeholder } {} {"),
    ("{a-b.c} {näme} } {name", "dotted ümlaut } {name"),
    ("{injected}", "{name} {order}"),
    ('"quoted" \\ {quoted}', '"quoted" \\ "\\\'\n\t\x01'),
    ("👋\n{emoji}", "👋\n😀👨‍👩‍👧"),
    ("", ""),
]


def test_placeholders_take_what_the_event_says_and_nothing_else(bench: Bench) -> None:
    bench.templates = [
        (f"kind{number}", "en", template, f"b {template}")
        for number, (template, _) in enumerate(TEMPLATES_AND_TEXTS)
    ]
    data = {
        "order": "1042",
        "a-b.c": "dotted",
        "näme": "ümlaut",
        "injected": "{name} {order}",
        "quoted": "\"\\'\n\t\x01",
        "emoji": "😀👨‍👩‍👧",
        "name": "not the user's",
    }
    written = bench.write(*(event(kind=kind, data=data) for kind, *_ in bench.templates))
    texts = {}
    for each in written.notifications:
        message = json.loads(bytes(each.message))
        texts[each.kind] = message["notification"]
        assert data == {key: value for key, value in message["data"].items() if key in data}
    assert {
        f"kind{number}": {"title": text, "body": f"b {text}"}
        for number, (_, text) in enumerate(TEMPLATES_AND_TEXTS)
    } == texts


def test_kind_without_a_template_is_dead(bench: Bench) -> None:
    written = bench.write(event(kind="new"))
    assert ("dead", "no_template") == written.outcome
    assert event(kind="new") == decode(written.dead[0].payload.encode(), Event)


def test_kind_without_a_template_that_is_understood_is_dead(bench: Bench) -> None:
    bench.templates = [("shipped", "de", "Hallo", "Welt")]
    assert ("dead", "no_template") == bench.write(event()).outcome
    assert ("expanded", "") == bench.write(event(), users=[User(language="de")]).outcome


# -- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("to", "limit"), [({}, 4_096), ({"topic": "news"}, 2_048)])
def test_message_is_measured_in_bytes_and_may_just_reach_the_limit(
    bench: Bench, to: dict[str, str], limit: int
) -> None:
    bench.templates = [("shipped", "en", "t", "b")]
    empty = len(bytes(bench.write(event(data={"text": ""}, **to)).notifications[0].message))
    text = "é" * ((limit - empty) // 2) + "x" * ((limit - empty) % 2)
    assert ("expanded", "") == bench.write(event(data={"text": text}, **to)).outcome
    written = bench.write(event(data={"text": text + "x"}, **to))
    assert [] == written.notifications
    assert ("expanded", "") == written.outcome
    (ended,) = written.notification_receipts
    assert ("dead", "too_large") == (ended.outcome, ended.reason)
    assert [ended.notification_id] == written.receipts[0].notifications
    (letter,) = written.dead
    assert (ended.notification_id, "too_large") == (letter.notification_id, letter.reason)
    assert f"the message has {limit + 1} bytes" == letter.detail


# -- dead ----------------------------------------------------------------------------------------


def test_unknown_user_is_dead_with_the_event_kept(bench: Bench) -> None:
    written = bench.write(event(user_id="nobody"))
    assert ("dead", "unknown_user") == written.outcome
    (letter,) = written.dead
    assert ("render", "key/1", "events", 3, 0) == (
        letter.stage,
        letter.event_id,
        letter.source_topic,
        letter.source_partition,
        letter.source_offset,
    )


MALFORMED = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"7",
    b"{}",
    b"\xff\xfe\x00",
    b"[" * 50_000,
    b"{'run_id':'r'}",
    b'{"run_id":"r","event_id":{"a":1}}',
]


def test_what_is_no_event_goes_to_the_dead_letters_as_it_came(bench: Bench) -> None:
    written = bench.write(*MALFORMED)
    assert [] == written.notifications
    assert {"malformed"} == {letter.reason for letter in written.dead}
    payloads = {
        letter.source_offset: base64.b64decode(letter.payload)
        if letter.encoding == "base64"
        else letter.payload.encode()
        for letter in written.dead
    }
    assert dict(enumerate(MALFORMED)) == payloads


WRONG_TYPE = "no JSON object, or a field of the wrong type"
CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"priority": "urgent"}, "priority"),
    ({"priority": None}, "priority"),
    ({"ttl_seconds": "soon"}, WRONG_TYPE),
    ({"ttl_seconds": -1}, "ttl_seconds"),
    ({"ttl_seconds": 2_419_201}, "ttl_seconds"),
    ({"accepted_at": 10**30}, WRONG_TYPE),
    ({"occurred_at": None}, "occurred_at"),
    ({"kind": ""}, "kind"),
    ({"kind": "k" * 2_000}, "kind"),
    ({"user_id": None}, "exactly one of user_id and topic"),
    ({"topic": "news"}, "exactly one of user_id and topic"),
    ({"data": {"a": None}}, "data"),
    ({"data": [1]}, WRONG_TYPE),
]


def test_malformed_event_that_tells_its_id_has_a_receipt_too(bench: Bench) -> None:
    usual = json.loads(encode(event()))
    contents = [
        json.dumps(usual | {"event_id": f"key/{number}"} | change).encode()
        for number, (change, _) in enumerate(CHANGES)
    ]
    written = bench.write(*contents)
    ids = {f"key/{number}" for number in range(len(CHANGES))}
    assert ids == {receipt.event_id for receipt in written.receipts}
    assert {("dead", "malformed", "r")} == {
        (receipt.outcome, receipt.reason, receipt.run_id) for receipt in written.receipts
    }
    for number, (_, told) in enumerate(CHANGES):
        (letter,) = [each for each in written.dead if each.event_id == f"key/{number}"]
        assert told in letter.detail


def test_newer_version_is_refused_whatever_else_it_holds(bench: Bench) -> None:
    written = bench.write(
        encode(event())[:-1] + b',"version":2}', b'{"version":3,"all":"else changed"}'
    )
    assert ["unsupported_version"] * 2 == [letter.reason for letter in written.dead]
    assert [] == written.notifications


def test_field_that_is_not_known_is_ignored(bench: Bench) -> None:
    content = encode(event())[:-1] + b',"colour":{"name":"red"},"version":1}'
    assert ("expanded", "") == bench.write(content).outcome


def test_dead_letter_of_a_huge_record_still_fits_into_kafka(bench: Bench) -> None:
    for letter in bench.write(b"\x00" * 900_000, b"\xff" * 900_000, b"x" * 900_000).dead:
        assert len(encode(letter)) < 1_000_000
        assert "of 900000 bytes the first 600000" in letter.detail


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = list(json.loads(encode(event(topic="news"))))
anything = st.binary(max_size=200) | st.one_of(
    st.dictionaries(st.sampled_from([*FIELDS, "user_id", "version"]), json_values),
    st.dictionaries(st.sampled_from(FIELDS), json_values).map(
        lambda change: json.loads(encode(event())) | change
    ),
).map(lambda content: json.dumps(content, ensure_ascii=False).encode(errors="replace"))


@hypothesis_settings(
    max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
@given(contents=st.lists(anything, min_size=100, max_size=100))
def test_nothing_that_arrives_ends_the_query_or_is_dropped(
    spark: SparkSession, contents: list[bytes]
) -> None:
    written = Bench(spark).write(*contents)
    ended = len({letter.source_offset for letter in written.dead if letter.reason != "too_large"})
    others = [receipt for receipt in written.receipts if receipt.outcome != "dead"]
    assert len(contents) == ended + len(others)


# -- where PostgreSQL is -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("database", "url", "user", "password"),
    [
        ("postgresql://a:p%40s@h:5433/d", "jdbc:postgresql://h:5433/d", "a", "p@s"),
        ("postgresql://a@h1,h2/d?sslmode=require", "jdbc:postgresql://h1:5432,h2:5432/d", "a", ""),
        ("host=h dbname=d user=a password='p s'", "jdbc:postgresql://h:5432/d", "a", "p s"),
    ],
)
def test_address_of_the_store_is_put_as_java_wants_it(
    database: str, url: str, user: str, password: str
) -> None:
    options = jdbc_options(database)
    assert (url, user, password) == (options["url"], options["user"], options["password"])
