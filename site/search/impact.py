"""What an occurrence of a word says for a document: BM25's parts that do not depend on a query.

rankers/bm25.py scores with it, champions.py orders documents by it.
"""

K1 = 1.2
"""How soon another occurrence stops to matter."""
B = 0.75
"""How much a document's length matters."""
TITLE, TAGS = 3, 2
"""What an occurrence counts there; 1 in the body."""

FREQUENCY = f"""
    (cardinality(weights) + CASE WHEN weights && ARRAY['A', 'B']
        THEN {TITLE - 1} * cardinality(array_positions(weights, 'A'))
            + {TAGS - 1} * cardinality(array_positions(weights, 'B'))
        ELSE 0 END)
"""
"""Of a lexeme of `unnest(vector)`."""


def half(mean: str) -> str:
    """The frequency at which a document of `length` words has half of what it can get; in SQL.

    As float8: what begins as an integer or a decimal would be counted in numeric, and slowly.
    """
    return f"({K1}::float8 * ({1 - B}::float8 + {B}::float8 * length::float8 / {mean}))"


def share(frequency: str, half: str) -> str:
    """What a lexeme gives a document, but for its rarity: (k1 + 1) f / (f + half); in SQL."""
    return f"({K1 + 1}::float8 * (1 - {half} / ({frequency} + {half})))"


IMPACT = share(FREQUENCY, half("%(mean)s"))
"""Of a lexeme of `unnest(vector)`."""
