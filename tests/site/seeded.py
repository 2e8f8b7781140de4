"""Documents of made-up words for the rankers' tests, the same for the same seed."""

import random

from search.models import Document

STOP_WORDS = {"but", "don", "for"}
WORDS = [
    word
    for word in (f"{a}{b}{c}" for a in "bdfgk" for b in "aiou" for c in "mnprt")
    if word not in STOP_WORDS
]


def seeded(count: int, seed: int = 1) -> list[Document]:
    """Documents whose words are as unevenly frequent as words are."""
    chance = random.Random(seed)
    weights = [1 / (place + 1) for place in range(len(WORDS))]

    def text(most: int) -> str:
        return " ".join(chance.choices(WORDS, weights, k=chance.randint(1, most)))

    return [
        Document(
            source="s",
            external_id=str(number),
            title=text(4),
            body=text(60),
            tags=chance.choices(WORDS, k=chance.randint(0, 2)),
        )
        for number in range(count)
    ]
