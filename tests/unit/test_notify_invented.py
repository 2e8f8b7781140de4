"""The people that the seeder invents: who they are, and that they stay the same."""

import re
from collections import Counter
from zoneinfo import ZoneInfo

import pytest

from answerbook.notify.store.invented import CULTURES, Person, people, person
from answerbook.notify.store.texts import KINDS, TEXTS

COUNT = 20_000


@pytest.fixture(scope="module")
def some() -> list[Person]:
    return list(people(1, COUNT, KINDS))


def test_a_person_is_the_same_however_many_there_are(some: list[Person]) -> None:
    assert some[41] == person(42, KINDS)
    assert "u000042" == some[41].user_id


def test_weights_of_languages_add_up_to_a_byte() -> None:
    assert 64 == sum(culture.weight for culture in CULTURES)


def test_people_live_all_over_the_world_and_speak_several_languages(some: list[Person]) -> None:
    zones = {person.time_zone for person in some}
    assert all(ZoneInfo(zone) for zone in zones)
    assert {"America", "Europe", "Asia", "Africa", "Australia", "Pacific"} == {
        zone.partition("/")[0] for zone in zones
    }
    assert {"en", "de", "fr", "es", "pt", "ja"} == {person.language for person in some}


def test_a_third_has_quiet_hours_and_most_of_them_pass_midnight(some: list[Person]) -> None:
    quiet = [person.quiet for person in some if person.quiet]
    assert 0.31 < len(quiet) / COUNT < 0.36
    past_midnight = sum(begin > end for begin, end in quiet)
    assert 0.5 < past_midnight / len(quiet) < 0.9


def test_about_one_in_twenty_switched_a_kind_off(some: list[Person]) -> None:
    wanted = Counter(wish for person in some for wish in person.preferences)
    for kind in KINDS:
        assert 0.04 < wanted[kind, False] / COUNT < 0.06
        assert wanted[kind, True] > 0


def test_devices_look_like_those_that_fcm_knows(some: list[Person]) -> None:
    devices = [device for person in some for device in person.devices]
    assert 1.25 < len(devices) / COUNT < 1.35
    for device in devices:
        pattern = "[cdef][A-Za-z0-9_-]{21}"
        if device.address_kind == "token":
            pattern += ":APA91b[A-Za-z0-9_-]{134}"
        assert re.fullmatch(pattern, device.address)
    assert len(devices) == len({device.address for device in devices})
    assert 0.02 < sum(device.address_kind == "fid" for device in devices) / len(devices) < 0.05
    assert {"android", "ios", "web"} == {device.platform for device in devices}


def test_every_kind_has_a_text_in_every_language() -> None:
    languages = {culture.language for culture in CULTURES}
    assert dict.fromkeys(KINDS, languages) == {kind: set(TEXTS[kind]) for kind in KINDS}


def test_a_text_asks_for_the_same_words_in_every_language() -> None:
    for kind, texts in TEXTS.items():
        words = {frozenset(re.findall(r"{(\w+)}", "".join(text))) for text in texts.values()}
        assert 1 == len(words), kind
