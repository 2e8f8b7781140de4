"""How good a ranking is, on judged queries: nDCG, MAP and recall, as TREC has them.

`manage.py evaluate` and the tests call this. A judgement is a number: 0 is not relevant, higher is
more so; what nobody judged counts as not relevant.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Judgements = Mapping[str, int]
"""Of one query: document → relevance."""


class UnreadableCollection(Exception):
    """A file of a collection is not what it should be; the message names line and reason."""


@dataclass(frozen=True)
class Scores:
    """Of one query, or the mean of several. Each from 0 to 1."""

    ndcg: float
    average_precision: float
    recall: float


def ndcg(ranking: Sequence[str], judged: Judgements, depth: int = 10) -> float:
    """Normalised discounted cumulative gain: each gain divided by log2(place + 1).

    The gain is the relevance itself, as trec_eval has it. 0 where nothing is relevant.
    """
    ideal = sorted((gain for gain in judged.values() if gain > 0), reverse=True)[:depth]
    best = _discounted(ideal)
    gains = [max(0, judged.get(document, 0)) for document in ranking[:depth]]
    return _discounted(gains) / best if best else 0.0


def average_precision(ranking: Sequence[str], judged: Judgements) -> float:
    """The mean, over all relevant documents, of the precision at each one's place; 0 if unfound."""
    relevant = {document for document, gain in judged.items() if gain > 0}
    found, total = 0, 0.0
    for place, document in enumerate(ranking, 1):
        if document in relevant:
            found += 1
            total += found / place
    return total / len(relevant) if relevant else 0.0


def recall(ranking: Sequence[str], judged: Judgements, depth: int = 100) -> float:
    """The share of relevant documents among the first `depth`."""
    relevant = {document for document, gain in judged.items() if gain > 0}
    return len(relevant.intersection(ranking[:depth])) / len(relevant) if relevant else 0.0


def scores(ranking: Sequence[str], judged: Judgements) -> Scores:
    return Scores(
        ndcg(ranking, judged), average_precision(ranking, judged), recall(ranking, judged)
    )


def mean(each: Sequence[Scores]) -> Scores:
    """Over queries. Raises ValueError for none."""
    if not each:
        raise ValueError("there is no query with a judgement")
    count = len(each)
    return Scores(
        sum(one.ndcg for one in each) / count,
        sum(one.average_precision for one in each) / count,
        sum(one.recall for one in each) / count,
    )


def read_queries(path: Path) -> dict[str, str]:
    """Id → text, of lines `id <tab> text`. Raises UnreadableCollection, OSError."""
    queries: dict[str, str] = {}
    for number, line in _lines(path):
        name, tab, text = line.partition("\t")
        if not tab or not name.strip() or not text.strip():
            raise UnreadableCollection(f"{path.name}, line {number}: is not `id<tab>text`.")
        if name.strip() in queries:
            raise UnreadableCollection(
                f"{path.name}, line {number}: {name.strip()} is there twice."
            )
        queries[name.strip()] = text.strip()
    return queries


def read_judgements(path: Path) -> dict[str, dict[str, int]]:
    """Query → document → relevance, of TREC's lines `query 0 document relevance`.

    Raises UnreadableCollection, OSError.
    """
    judged: dict[str, dict[str, int]] = {}
    for number, line in _lines(path):
        parts = line.split()
        try:
            query, _, document, relevance = parts
            judged.setdefault(query, {})[document] = int(relevance)
        except ValueError:
            raise UnreadableCollection(
                f"{path.name}, line {number}: is not `query 0 document relevance`."
            ) from None
    return judged


def _lines(path: Path) -> list[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableCollection(f"{path.name} is not UTF-8: {error}") from error
    lines = enumerate(text.splitlines(), 1)
    return [(number, line) for number, line in lines if line.strip()]


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1))
