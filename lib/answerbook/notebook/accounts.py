"""Invented users with passwords such as people choose, for notebook 3.2's login table."""

import random
from collections.abc import Iterator

SHORT_ONES = (
    "love star blue king lion rose jazz moon fire wolf gold snow luna bear duke ruby jade tide "
    "home cool duck fish bird tiny sand rain wind leaf rock lake"
)
"""Of four letters."""
WORDS = (
    "maple river candle harbour velvet copper meadow lantern saffron pebble orchard thunder "
    "walnut glacier marble juniper"
)
SHARE_OF_SHORT = 0.6


def accounts(count: int, seed: int = 1) -> Iterator[tuple[str, str]]:
    """`count` names, each with a password: of four letters for some, two words and digits else.

    As people do, several have the same short one. The same seed gives the same ones.
    """
    chance, shorts, words = random.Random(seed), SHORT_ONES.split(), WORDS.split()
    for number in range(count):
        short = chance.random() < SHARE_OF_SHORT
        first, second = chance.sample(words, 2)
        long = f"{first}-{second}-{chance.randrange(10_000):04}"
        yield f"user{number:03}", chance.choice(shorts) if short else long
