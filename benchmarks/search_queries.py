"""What benchmarks/search.py asks: words of each class, drawn by how many documents have them."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from search.results import Filters, Order


@dataclass(frozen=True)
class Asked:
    """One search."""

    text: str
    filters: Filters = field(default_factory=Filters)
    order: Order = "relevance"
    page: int = 1


GOALS = {
    "rare word": 10,
    "word in 1–5 %": 50,
    "two words": 50,
    "word in a third": 20,
    "word in most": 20,
    "two common words": 60,
    "phrase": 100,
    "prefix": 50,
    "common word, filter": 100,
    "common word, by date": 100,
    "common word, page 10": 100,
}
"""Milliseconds for 95 of 100, from query to ten rows with headlines and a capped count."""
_WORD = re.compile(r"[a-z]{3,15}")
STOPPED = "SELECT tsvector_to_array(to_tsvector('site', %s))"


def drawn(count: int, seed: int = 1) -> dict[str, list[Asked]]:
    """`count` searches of each class, the same on the same documents."""
    chance = random.Random(seed)
    documents, words = _frequencies()

    def between(least: float, most: float) -> list[str]:
        found = [word for word, share in words.items() if least <= share <= most]
        assert len(found) >= 3, f"no words are in {least:.2%} to {most:.2%} of documents"
        return found

    def some(pool: list[str]) -> list[str]:
        return [chance.choice(pool) for _ in range(count)]

    def pairs(pool: list[str]) -> list[Asked]:
        return [Asked(" ".join(chance.sample(pool, 2))) for _ in range(count)]

    rare = between(20 / documents, max(200, 0.0005 * documents) / documents)
    middle, common = between(0.01, 0.05), between(0.15, 1)
    third = between(0.2, 0.45)
    most = sorted(words, key=words.__getitem__)[-3:]
    each: dict[str, Callable[[str], Asked]] = {
        "rare word": Asked,
        "word in 1–5 %": Asked,
        "word in a third": Asked,
        "word in most": Asked,
        "common word, filter": lambda word: Asked(word, Filters(kind="report")),
        "common word, by date": lambda word: Asked(word, order="date"),
        "common word, page 10": lambda word: Asked(word, page=10),
    }
    pools = {
        "rare word": rare,
        "word in 1–5 %": middle,
        "word in a third": third,
        "word in most": most,
    }
    asked = {
        kind: [make(word) for word in some(pools.get(kind, common))] for kind, make in each.items()
    }
    asked["two words"] = pairs(middle)
    asked["two common words"] = pairs(common)
    asked["phrase"] = [Asked(f'"{phrase}"') for phrase in _phrases(count, chance)]
    asked["prefix"] = [Asked(f"{word[:4]}*") for word in some([w for w in middle if len(w) > 5])]
    return {kind: asked[kind] for kind in GOALS}


def typos(count: int, seed: int = 1) -> list[str]:
    """Words with a letter too few."""
    chance = random.Random(seed)
    _, words = _frequencies()
    pool = [word for word, share in words.items() if share > 0.002 and len(word) >= 6]
    chosen = [chance.choice(pool) for _ in range(count)]
    return [word[:3] + word[4:] for word in chosen]


def beginnings(count: int, seed: int = 1) -> list[str]:
    chance = random.Random(seed)
    _, words = _frequencies()
    pool = [word for word, share in words.items() if share > 0.001 and len(word) >= 5]
    return [chance.choice(pool)[: chance.randint(2, 5)] for _ in range(count)]


def _frequencies() -> tuple[int, dict[str, float]]:
    """Documents, and each lexeme that is a word by itself with the share that has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT documents FROM search_corpus")
        (documents,) = cursor.fetchone() or (0,)
        cursor.execute(
            "SELECT term, documents FROM search_term WHERE documents >= 20 AND term ~ '^[a-z]{3,}$'"
            " AND tsvector_to_array(to_tsvector('site', term)) = ARRAY[term::text] ORDER BY term"
        )
        return documents, {term: found / documents for term, found in cursor.fetchall()}


def _phrases(count: int, chance: random.Random) -> list[str]:
    """Two words that stand beside each other in some document, neither of them a stop word."""
    found: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM search_document")
        (last,) = cursor.fetchone() or (1,)
        while len(found) < count:
            cursor.execute(
                "SELECT body FROM search_document WHERE id >= %s ORDER BY id LIMIT 1",
                [chance.randrange(last)],
            )
            row: Any = cursor.fetchone()
            lines = [line for line in row[0].splitlines() if len(line.split()) > 4]
            if not lines:
                continue
            words = chance.choice(lines).lower().split()
            place = chance.randrange(len(words) - 1)
            pair = words[place : place + 2]
            if all(_WORD.fullmatch(word) for word in pair):
                cursor.execute(STOPPED, [" ".join(pair)])
                if len((cursor.fetchone() or ([],))[0]) == 2:
                    found.append(" ".join(pair))
    return found
