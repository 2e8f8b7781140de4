"""What notebook 5.2 measures rankings with: documents, judged searches, chance, typos, plans."""

from __future__ import annotations

import gzip
import json
import math
import random
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from answerbook.services.site import root

if TYPE_CHECKING:
    import psycopg

Judgements = dict[str, dict[str, int]]
"""Search → document → how well it answers: 2, 1, or 0 for not at all."""
Rankings = Mapping[str, Sequence[str]]
"""Search → documents, best first."""
DEPTH = 10
"""Documents of a ranking that people look at."""
_WORD = re.compile(r"[a-z]+")


def corpus() -> Iterator[tuple[str, str, str]]:
    """Name, title and text of each document that the search site ships."""
    with gzip.open(_folder() / "default.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            document = json.loads(line)
            yield document["external_id"], document["title"], document["body"]


def judged() -> tuple[dict[str, str], Judgements]:
    """The searches over these documents (id → text), and the judgements of each."""
    lines = (_folder() / "judged" / "queries.tsv").read_text(encoding="utf-8").splitlines()
    queries = dict(line.split("\t", 1) for line in lines)
    grades: Judgements = {query: {} for query in queries}
    for line in (_folder() / "judged" / "qrels.txt").read_text(encoding="utf-8").splitlines():
        query, _, document, grade = line.split()
        grades[query][document] = int(grade)
    return queries, grades


def ndcg(ranking: Sequence[str], judged: Mapping[str, int]) -> float:
    """Normalised discounted cumulative gain of the first ten, 0 to 1.

    The gain is the grade itself, and what nobody judged has none. At least one grade is positive.
    """
    best = sorted(judged.values(), reverse=True)[:DEPTH]
    return _discounted([judged.get(name, 0) for name in ranking[:DEPTH]]) / _discounted(best)


def average_precision(ranking: Sequence[str], judged: Mapping[str, int]) -> float:
    """The mean, over all relevant documents, of the precision at each one's place; 0 if unfound."""
    relevant = {name for name, grade in judged.items() if grade}
    places = [place for place, name in enumerate(ranking, 1) if name in relevant]
    return sum(found / place for found, place in enumerate(places, 1)) / len(relevant)


def shared(ours: Rankings, theirs: Rankings) -> float:
    """Of our first ten, the share that is among theirs; the mean over searches, 0 to 1."""
    return statistics.mean(
        len({*ranking[:DEPTH]} & {*theirs[search][:DEPTH]}) / len(ranking[:DEPTH])
        for search, ranking in ours.items()
    )


def compared(ours: Rankings, theirs: Rankings, grades: Judgements) -> tuple[float, int, int, float]:
    """By nDCG@10: how much better ours is, in how many searches, in how many worse; and p."""
    gains = [
        ndcg(ours[search], judged) - ndcg(theirs[search], judged)
        for search, judged in grades.items()
    ]
    won, lost = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    return statistics.mean(gains), won, lost, by_chance(gains)


def by_chance(differences: Sequence[float], draws: int = 10_000, seed: int = 0) -> float:
    """How often luck alone gives a mean difference as great as this: a paired randomisation test.

    `differences` are those of two rankings, a number for each search. If the two were equally good,
    each could as well have the other sign; the share of `draws` random signs whose sum is as far
    from zero is the p-value.
    """
    chance = random.Random(seed)
    seen = abs(sum(differences))
    # Sums of the same numbers in another order differ in their last digits.
    reached = sum(
        abs(sum(chance.choice((-each, each)) for each in differences)) >= seen - 1e-9
        for _ in range(draws)
    )
    return (reached + 1) / (draws + 1)  # what was seen is one of them


def seen(
    connection: psycopg.Connection[tuple[Any, ...]], name: str, text: str
) -> tuple[str, str, int]:
    """What a ranking sees of a document: its title, how often it has each lexeme, its length.

    The tables are those of the notebook: `document`, and `length`.
    """
    row = connection.execute(
        """
        SELECT title, string_agg(times || ' × ' || lexeme, ', ' ORDER BY lexeme), words
        FROM document JOIN length USING (id), unnest(search), cardinality(positions) AS times
        WHERE name = %s AND lexeme = ANY (tsvector_to_array(to_tsvector('english', %s)))
        GROUP BY title, words
        """,
        (name, text),
    ).fetchone()
    if row is None:
        raise LookupError(f"No document {name} has a word of: {text}.")
    title, often, words = row
    return title, often, int(words)


def typos(words: Sequence[str], count: int, seed: int = 0) -> list[tuple[str, str]]:
    """`count` of `words` as somebody mistypes them: typed, meant.

    A letter is left out, comes twice, changes places with the next, or is another one. What happens
    to be one of `words` is no typo. The first letter is right, as it mostly is.
    """
    chance, known = random.Random(seed), set(words)
    found: list[tuple[str, str]] = []
    while len(found) < count:
        meant = chance.choice(words)
        place = chance.randrange(1, len(meant) - 1)
        before, letter, after = meant[:place], meant[place], meant[place + 1 :]
        slips = (
            before + after,
            before + 2 * letter + after,
            before + after[0] + letter + after[1:],
            before + chance.choice("aeiourst") + after,
        )
        typed = chance.choice(slips)
        if typed not in known:
            found.append((typed, meant))
    return found


def corrected(
    speller: Callable[[str], Sequence[str]], mistyped: Sequence[tuple[str, str]]
) -> tuple[int, float]:
    """Of how many words an answer has the one that was meant, and the median milliseconds."""
    right, took = 0, []
    for typed, meant in mistyped:
        began = time.perf_counter()
        answers = speller(typed)
        took.append(1000 * (time.perf_counter() - began))
        right += any(meant in _WORD.findall(answer) for answer in answers)
    return right, statistics.median(took)


def rows_read(plan: Mapping[str, Any]) -> int:
    """Rows that the scans of a plan read, also those that a filter dropped.

    `plan` is the node `Plan` of EXPLAIN (ANALYZE, FORMAT JSON).
    """
    below = plan.get("Plans", [])
    if below:
        return sum(map(rows_read, below))
    dropped = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    each: float = plan["Actual Rows"] + sum(plan.get(name, 0) for name in dropped)
    loops: int = plan["Actual Loops"]
    return round(each * loops)


def buffers(plan: Mapping[str, Any]) -> int:
    """Pages of 8 KiB that a plan touched, in memory or not; of EXPLAIN (ANALYZE, BUFFERS, …)."""
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


def _discounted(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(place + 1) for place, grade in enumerate(grades, 1))


def _folder() -> Path:
    """Raises MissingProgram outside of the repository, where there are no documents."""
    return root() / "search" / "corpus"
