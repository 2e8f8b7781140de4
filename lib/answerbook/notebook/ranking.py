"""What notebook 5.2 measures rankings with: documents, judged searches, chance, typos, plans."""

import gzip
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Judgements = dict[str, dict[str, int]]
"""Search → document → how well it answers: 2, 1, or 0 for not at all."""


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
    return reached / draws


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


def _folder() -> Path:
    """Raises FileNotFoundError outside of the repository, where there are no documents."""
    from answerbook import config  # imports pydantic, which most cells do not need

    root = config.repository()
    if root is None:
        raise FileNotFoundError(
            "The documents are in the repository: run this notebook in a clone of it."
        )
    return root / "site" / "search" / "corpus"
