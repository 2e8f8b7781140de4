"""A million documents to search: real paragraphs mixed anew, with names that nobody else has.

For benchmarks/search.py. The paragraphs are those of the site's default corpus, so words stand
beside each other as they do in text, and are as frequent. What a larger corpus has more of is rare
words: each document gets a few made-up names, drawn so that most are in few documents.
"""

import gzip
import json
import random
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

BLANK_LINES = re.compile(r"\n\s*\n")
NAMES = 400_000
KINDS = ("guide", "reference", "note", "report", "recipe", "log")
SOURCES = ("alpha", "beta", "gamma")
FIRST_DAY = date(2015, 1, 1)
DAYS = 4_000
RUNS = (2, 3)
"""Of paragraphs that follow one another, in a document; and paragraphs in each."""


def corpus(path: Path) -> list[dict[str, Any]]:
    """The default corpus's documents."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def documents(real: list[dict[str, Any]], count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """`count` documents, the same for the same seed."""
    chance = random.Random(seed)
    parts = paragraphs(real)
    tags = sorted({tag for each in real for tag in each["tags"]})
    for number in range(count):
        starts = [chance.randrange(len(parts) - max(RUNS)) for _ in range(chance.choice(RUNS))]
        chosen = [part for start in starts for part in parts[start : start + chance.choice(RUNS)]]
        names = [name(int(NAMES * chance.random() ** 3)) for _ in range(chance.randint(1, 6))]
        yield {
            "source": SOURCES[min(2, int(chance.expovariate(1)))],
            "external_id": f"seeded-{number}",
            "title": f"{chosen[0][0]} {names[0]}",
            "body": "\n\n".join([*(text for _, text in chosen), " ".join(names)]),
            "kind": KINDS[min(len(KINDS) - 1, int(chance.expovariate(0.8)))],
            "tags": [tags[min(len(tags) - 1, int(chance.expovariate(0.05)))]],
            "url": f"https://example.com/{number}",
            "date": str(FIRST_DAY + timedelta(days=chance.randrange(DAYS))),
        }


def paragraphs(real: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Title and text of each, in their order."""
    return [
        (each["title"], paragraph)
        for each in real
        for paragraph in BLANK_LINES.split(each["body"])
        if paragraph.strip()
    ]


def consecutive(real: list[dict[str, Any]]) -> list[str]:
    """The real text as it stands, cut to documents of as many paragraphs as the made-up ones."""
    parts = [text for _, text in paragraphs(real)]
    size = round((sum(RUNS) / len(RUNS)) ** 2)
    return ["\n\n".join(parts[start : start + size]) for start in range(0, len(parts), size)]


def name(number: int) -> str:
    """A word that is no word: `zu` and its number in letters."""
    letters = ""
    while True:
        number, rest = divmod(number, 20)
        letters += "bcdfghjklmnpqrstvwxz"[rest] + "aeiou"[(number + rest) % 5]
        if not number:
            return f"zu{letters}"


def write(path: Path, count: int, real: list[dict[str, Any]]) -> int:
    """Write them as JSON Lines; bytes of their text."""
    size = 0
    with path.open("w", encoding="utf-8") as file:
        for document in documents(real, count):
            file.write(json.dumps(document) + "\n")
            size += len(document["title"]) + len(document["body"])
    return size
