"""A part of the documents, where all of them would take long."""


def tablesample(share: float) -> str:
    """Behind a table's name in SQL: about that share of its rows, the same each time.

    Nothing, which is all of them, from 1 on.
    """
    return "" if share >= 1 else f"TABLESAMPLE SYSTEM ({100 * share:.6f}) REPEATABLE (1)"
