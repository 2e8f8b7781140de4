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


def share(frequency: str, mean: str) -> str:
    """What a lexeme gives a document of `length` words, but for its rarity; all of it SQL."""
    return f"{K1 + 1} * {frequency} / ({frequency} + {K1} * ({1 - B} + {B} * length / {mean}))"


IMPACT = share(FREQUENCY, "%(mean)s")
"""Of a lexeme of `unnest(vector)`."""
