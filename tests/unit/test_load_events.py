import json
import re
from collections import Counter
from typing import Any

import pytest

from answerbook.load.events import DATA, KINDS, TOPICS, Events, stamp
from tests.unit.notify_api import why_not

AT = "2026-01-31T12:00:00.000Z"


def sent(events: Events, count: int) -> list[Any]:
    content: list[Any] = json.loads(events.batch(range(1, count + 1), AT))
    return content


def test_an_event_is_what_the_api_takes() -> None:
    event = json.loads(Events("r1").json(7, AT))
    assert event["event_id"] == Events("r1").event_id(7) == "r1-7"
    assert event["occurred_at"] == AT
    assert event["kind"] in KINDS
    assert event["user_id"][0] == "u"
    assert len(event["user_id"]) == 7
    assert why_not(event) == ""


def test_an_event_is_the_same_however_it_is_asked_for() -> None:
    events = Events("r1", malformed=0.1, poison=0.1)
    whole = sent(events, 300)
    assert whole == [json.loads(events.json(number, AT)) for number in range(1, 301)]
    assert whole[100:] == json.loads(
        Events("r1", malformed=0.1, poison=0.1).batch(range(101, 301), AT)
    )


def test_data_holds_the_words_of_the_kinds_templates() -> None:
    for event in sent(Events("r1"), 100):
        words = re.findall(r'"(\w+)":', DATA[event["kind"]])
        assert list(event["data"]) == words
        assert all(isinstance(value, str) and value for value in event["data"].values())


def test_another_seed_makes_another_run() -> None:
    users = [[event.get("user_id") for event in sent(Events("r", seed=n), 50)] for n in (0, 1)]
    assert users[0] != users[1]


def test_shares_are_met() -> None:
    events = sent(Events("r1", users=50, to_topics=0.05), 20_000)
    assert {event["kind"] for event in events} == set(KINDS)
    urgent = sum(event["priority"] == "high" for event in events)
    topics = Counter(event["topic"] for event in events if "topic" in event)
    users = {event["user_id"] for event in events if "user_id" in event}
    assert 1_800 < urgent < 2_200
    assert 900 < topics.total() < 1_100
    assert set(topics) == set(TOPICS)
    assert users == {f"u{number:06d}" for number in range(1, 51)}
    assert all(why_not(event) == "" for event in events)


def test_users_are_spread_evenly() -> None:
    counts = Counter(event["user_id"] for event in sent(Events("r1", users=10, to_topics=0), 9_000))
    assert len(counts) == 10
    assert max(counts.values()) < 1.2 * min(counts.values())


def test_malformed_events_are_refused_for_every_kind_of_reason() -> None:
    events = sent(Events("r1", malformed=1.0), 14)
    assert all(why_not(event) for event in events)
    assert len({why_not(event) for event in events}) == 6


def test_poison_passes_the_door() -> None:
    events = sent(Events("r1", poison=1.0), 6)
    assert all(why_not(event) == "" for event in events)
    assert max(len(json.dumps(event["data"])) for event in events) > 4_096
    assert {event["kind"] for event in events} > {"no-such-kind"}
    assert {event["user_id"] for event in events} == {"u000001", "nobody"}


def test_shares_of_odd_events_are_met() -> None:
    events = sent(Events("r1", malformed=0.2, poison=0.1), 10_000)
    assert 1_800 < sum(why_not(event) != "" for event in events) < 2_200
    poison = [event for event in events if why_not(event) == "" and is_poison(event)]
    assert 800 < len(poison) < 1_200


def is_poison(event: Any) -> bool:
    return "part1" in event["data"] or event["data"] == {}


def test_a_time_is_written_as_the_api_reads_it() -> None:
    assert stamp(1_769_860_800_007) == "2026-01-31T12:00:00.007Z"


@pytest.mark.parametrize(
    "wrong",
    [{"high": 1.1}, {"malformed": -0.1}, {"malformed": 0.6, "poison": 0.6}, {"users": 0}],
)
def test_impossible_shares_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="share|user"):
        Events("r1", **wrong)
