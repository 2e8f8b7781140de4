"""Did you mean: a better spelling of a query, of words that the corpus has.

Candidates come from a trigram index over the vocabulary; how far each is from what was typed is
counted here, with two letters that changed places as one typo.
"""

import re
from collections.abc import Sequence
from typing import Any

from django.db import connection

from search.query import parse

ONE_TYPO_FROM, TWO_TYPOS_FROM = 5, 9
"""Letters."""
TIMES_AS_FREQUENT = 10
"""A corpus has typos of its own: a word that is there gives way to one as much more frequent."""
NO_TYPO = 20
NO_TYPO_SHARE = 1 / 5_000
"""A word in so many documents, and in such a share of all, is right as it stands."""
MOST_CANDIDATES = 60
SIMILAR = 0.25
_THRESHOLD = "SELECT set_config('pg_trgm.similarity_threshold', %s, false)"
_CANDIDATES = """
    WITH doubted AS (
        SELECT typed FROM unnest(%s::text[]) AS typed WHERE NOT EXISTS (
            SELECT FROM search_word, search_corpus AS corpus WHERE word = typed
            AND search_word.documents >= greatest(%s, %s * corpus.documents)
        )
    )
    SELECT typed, word, documents FROM doubted, LATERAL (
        SELECT word, documents FROM search_word
        WHERE word %% typed AND length(word) BETWEEN length(typed) - 2 AND length(typed) + 2
        ORDER BY similarity(word, typed) DESC, documents DESC, word
        LIMIT %s
    ) AS near
    UNION
    -- Two letters that changed places leave a short word hardly a trigram in common.
    SELECT typed, word, documents
    FROM unnest(%s::text[], %s::text[]) AS swapped (typed, variant)
    JOIN doubted USING (typed) JOIN search_word ON word = variant
"""


def did_you_mean(text: str) -> str:
    """The query with better words in their places; nothing where there is none."""
    words = sorted({word for word in parse(text).words if typos_allowed(word)})
    if not words:
        return ""
    with connection.cursor() as cursor:
        cursor.execute(_THRESHOLD, [str(SIMILAR)])
        swapped = [(word, variant) for word in words for variant in _swapped(word)]
        typed_of, variants = [one for one, _ in swapped], [variant for _, variant in swapped]
        given: list[Any] = [words, NO_TYPO, NO_TYPO_SHARE, MOST_CANDIDATES, typed_of, variants]
        cursor.execute(_CANDIDATES, given)
        near: dict[str, list[tuple[str, int]]] = {word: [] for word in words}
        for typed, word, documents in cursor.fetchall():
            near[typed].append((word, documents))
    better = {word: best for word in words if (best := _best(word, near[word])) is not None}
    if not better:
        return ""
    wrong = re.compile(rf"(?<![^\W_])({'|'.join(map(re.escape, better))})(?![^\W_])", re.IGNORECASE)
    return wrong.sub(lambda match: better[match[0].lower()], parse(text).text)


def typos_allowed(word: str) -> int:
    """In a word of that length."""
    if not word.isalpha():
        return 0
    return (len(word) >= ONE_TYPO_FROM) + (len(word) >= TWO_TYPOS_FROM)


def distance(one: str, other: str) -> int:
    """Letters to put in, take out, change, or swap with the next: optimal string alignment."""
    before: list[int] = []
    previous = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        current = [i]
        for j, its in enumerate(other, 1):
            cost = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        before, previous = previous, current
    return previous[-1]


def _swapped(word: str) -> list[str]:
    """With each two neighbours in each other's place."""
    return [
        word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        for place in range(len(word) - 1)
    ]


def _best(typed: str, near: Sequence[tuple[str, int]]) -> str | None:
    own = next((documents for word, documents in near if word == typed), 0)
    allowed = typos_allowed(typed)
    ranked = [
        (away, -documents, word)
        for word, documents in near
        if 0 < (away := distance(typed, word)) <= allowed
        and documents >= max(1, own * TIMES_AS_FREQUENT)
    ]
    return min(ranked)[2] if ranked else None
