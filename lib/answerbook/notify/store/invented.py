"""The people that the seeder invents: the same ones each time, from a hash of their number.

Nothing here depends on how many there are, on Python's version or on its random numbers, so that
`u000042` is the same person in every store. Used by seed.py and by tests.
"""

import base64
import hashlib
from collections.abc import Iterator
from typing import Final, NamedTuple

EPOCH: Final = 1_780_272_000
"""Seconds since 1970 of 2026-06-01 00:00 UTC, before which every device was seen last."""


class Culture(NamedTuple):
    """Where a language is spoken, and what people are called there."""

    language: str
    weight: int
    """How many of 64 people."""
    zones: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]


CULTURES: Final = (
    Culture(
        "en",
        26,
        (
            "America/New_York",
            "America/Chicago",
            "America/Los_Angeles",
            "Europe/London",
            "Asia/Kolkata",
            "Australia/Sydney",
            "Africa/Lagos",
            "Pacific/Auckland",
        ),
        ("Ada", "Grace", "Alan", "Priya", "Olu", "Emma", "Noah", "Isla", "Arjun", "Ruby"),
        ("Smith", "Okafor", "Sharma", "Brown", "Walker", "Singh", "Lee", "O'Neill"),
    ),
    Culture(
        "de",
        10,
        ("Europe/Berlin", "Europe/Vienna", "Europe/Zurich"),
        ("Jörg", "Anna", "Lukas", "Käthe", "Emmy", "Felix", "Mia", "Konrad"),
        ("Müller", "Schmidt", "Weiß", "Noether", "Huber", "Keller"),
    ),
    Culture(
        "fr",
        9,
        ("Europe/Paris", "Africa/Dakar", "America/Toronto", "Africa/Casablanca"),
        ("Zoé", "Louis", "Chloé", "François", "Aminata", "Hugo", "Inès", "Sophie"),
        ("Martin", "Lefèvre", "Diop", "Tremblay", "Moreau", "Benali"),
    ),
    Culture(
        "es",
        10,
        (
            "Europe/Madrid",
            "America/Mexico_City",
            "America/Bogota",
            "America/Argentina/Buenos_Aires",
            "America/Lima",
        ),
        ("Lucía", "Mateo", "Sofía", "Iñaki", "Valentina", "Diego", "Nuria", "José"),
        ("García", "Muñoz", "Fernández", "Quispe", "Rojas", "Núñez"),
    ),
    Culture(
        "pt",
        5,
        ("America/Sao_Paulo", "Europe/Lisbon", "Africa/Luanda"),
        ("João", "Inês", "Beatriz", "Tiago", "Conceição", "Davi"),
        ("Silva", "Araújo", "Gonçalves", "Costa", "Simões"),
    ),
    Culture(
        "ja",
        4,
        ("Asia/Tokyo",),
        ("陽葵", "蓮", "結菜", "湊", "紬", "悠真"),
        ("佐藤", "鈴木", "高橋", "田中", "渡辺"),
    ),
)
_BY_BYTE: Final = tuple(culture for culture in CULTURES for _ in range(culture.weight * 4))

QUIET: Final = ((1320, 420), (1380, 480), (1260, 360), (0, 420), (780, 900), (1410, 390))
"""Quiet hours, in minutes of the local day: most pass midnight."""
TOPICS: Final = {"news": 13, "offers": 8, "releases": 5}
"""Topic → how many of 256 people subscribe to it."""
SWITCHED_OFF: Final = 13
"""Of 256 people, how many switched a kind off: 5 %. As many have a row that says it is on."""
PLATFORMS: Final = ("android",) * 9 + ("ios",) * 5 + ("web",) * 2


class Device(NamedTuple):
    """One installation of the app."""

    device_id: str
    address: str
    address_kind: str
    platform: str
    last_seen: int
    """Seconds since 1970."""


class Person(NamedTuple):
    """One user with all that is theirs."""

    user_id: str
    name: str
    language: str
    time_zone: str
    quiet: tuple[int, int] | None
    devices: tuple[Device, ...]
    preferences: tuple[tuple[str, bool], ...]
    topics: tuple[str, ...]


def people(first: int, last: int, kinds: tuple[str, ...]) -> Iterator[Person]:
    """Persons `first` to `last`, both included; the first of all is 1."""
    return (person(number, kinds) for number in range(first, last + 1))


def person(number: int, kinds: tuple[str, ...]) -> Person:
    """One person, who may have an opinion on each of `kinds`."""
    user_id = f"u{number:06d}"
    dice = hashlib.blake2b(user_id.encode(), person=b"answerbook/users").digest()
    culture = _BY_BYTE[dice[0]]
    given = culture.given[dice[1] % len(culture.given)]
    family = culture.family[dice[2] % len(culture.family)]
    # 192, 48 and 16 of 256 have one, two and three devices: 1.31 each.
    count = 1 if dice[3] < 192 else 2 if dice[3] < 240 else 3
    return Person(
        user_id,
        f"{given} {family}",
        culture.language,
        culture.zones[dice[4] % len(culture.zones)],
        QUIET[dice[6] % len(QUIET)] if dice[5] < 85 else None,
        tuple(_device(user_id, part) for part in range(1, count + 1)),
        tuple(
            (kind, dice[16 + place] < SWITCHED_OFF)
            for place, kind in enumerate(kinds)
            if dice[16 + place] < 2 * SWITCHED_OFF
        ),
        tuple(topic for place, topic in enumerate(TOPICS) if dice[8 + place] < TOPICS[topic]),
    )


def _device(user_id: str, part: int) -> Device:
    device_id = f"{user_id}-{part}"
    dice = hashlib.shake_256(device_id.encode()).digest(128)
    # An installation's id is 17 bytes that begin with 0111, in base64 without the last digits; a
    # token is that id, a colon, and 140 characters that begin with APA91b.
    installation = _base64(bytes([0x70 | dice[0] & 0x0F]) + dice[1:17])[:22]
    is_fid = dice[17] < 8  # 3 of 100
    return Device(
        device_id,
        installation if is_fid else f"{installation}:APA91b{_base64(dice[26:128])[:134]}",
        "fid" if is_fid else "token",
        PLATFORMS[dice[18] % len(PLATFORMS)],
        EPOCH - int.from_bytes(dice[19:23]) % (60 * 86_400),
    )


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
