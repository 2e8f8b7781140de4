"""Exercises of notebook 5_2_ranking."""

import math
from collections.abc import Callable
from typing import Any

import psycopg

from answerbook.notebook.exercises import Exercise

NDCG = (2 / math.log2(3) + 1 / math.log2(4)) / (2 / math.log2(2) + 1 / math.log2(3))


def _second_place(answer: float) -> str | None:
    if abs(answer - NDCG) < 0.006:
        return None
    if abs(answer - NDCG * (2 + 1 / math.log2(3))) < 0.006:
        return "That is what was gained. Divide it by what the best order would have gained."
    return "Places 2 and 3 count 1 / log2(3) and 1 / log2(4); the best order has 2, then 1."


second_place = Exercise(
    solution=0.67,
    wrong=(1.0, 0.58, 1.76, 0.5, "0.67"),
    test=_second_place,
    because="The best document in the second place costs a third of the measure.",
)

Rarity = Callable[[int, int], float]


def _rarity(answer: Rarity) -> str | None:
    for documents, having in ((4_000, 1), (4_000, 40), (4_000, 2_000), (4_000, 4_000)):
        found = answer(documents, having)
        if found < 0:
            return (
                f"A word in {having} of {documents} documents makes a document worse: "
                f"{found:.2f}. Add 1 inside the logarithm."
            )
        if not math.isclose(found, math.log(1 + (documents - having + 0.5) / (having + 0.5))):
            return f"For a word in {having} of {documents} documents it is not {found:.3f}."
    return None


def _inverse(documents: int, having: int) -> float:
    return math.log(1 + (documents - having + 0.5) / (having + 0.5))


def _can_be_negative(documents: int, having: int) -> float:
    return math.log((documents - having + 0.5) / (having + 0.5))


def _plain(documents: int, having: int) -> float:
    return math.log(documents / having)


def _share(documents: int, having: int) -> float:
    return having / documents


rarity = Exercise(
    solution=_inverse,
    wrong=(_can_be_negative, _plain, _share, 8.3),
    test=_rarity,
    because="A word in all documents gives next to nothing, and never takes anything away.",
)

PAGE = 2
HITS = ((5, 1), (5, 2), (5, 4), (3, 3), (3, 7), (1, 5), (1, 6))
"""Score and id of each, in their order; a page ends between two of the same score."""


def _next_page(answer: str, connection: "psycopg.Connection[tuple[Any, ...]]") -> str | None:
    with connection.transaction(force_rollback=True):
        connection.execute(
            "CREATE TEMPORARY TABLE hit ON COMMIT DROP AS"
            " SELECT * FROM unnest(%s::int[], %s::int[]) AS one (score, id)",
            [list(part) for part in zip(*HITS, strict=True)],
        )
        seen = connection.execute(f"SELECT * FROM hit ORDER BY score DESC, id LIMIT {PAGE}")
        found = seen.fetchall()
        while len(found) <= len(HITS):
            score, id_ = found[-1]
            page = connection.execute(
                f"SELECT * FROM hit WHERE {answer} ORDER BY score DESC, id LIMIT {PAGE}".encode(),
                {"score": score, "id": id_},
            ).fetchall()
            if not page:
                break
            found += page
    if len(set(found)) < len(found):
        return "Page by page, some hit comes twice."
    missing = len(HITS) - len(found)
    if missing:
        return f"Page by page, {missing} of {len(HITS)} hits are never shown: look at equal scores."
    return None if tuple(found) == HITS else "All hits come, and not in their order."


next_page = Exercise(
    solution="score < %(score)s OR score = %(score)s AND id > %(id)s",
    wrong=(
        "score < %(score)s",
        "score <= %(score)s",
        "(score, id) < (%(score)s, %(id)s)",
        "id > %(id)s",
        "(score, id) > (%(score)s, %(id)s)",
        3,
    ),
    test=_next_page,
    because="A comparison of rows needs every column in the same direction; here one falls and "
    "the other rises.",
)
