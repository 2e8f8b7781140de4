"""A part of the documents, where all of them would take long."""

from django.db.models import F, Q
from django.db.models.functions import Mod
from django.db.models.lookups import Exact

EVERY = 16
"""Each sixteenth document is in the sample that has a small index of its own."""
IN_SAMPLE = Q(Exact(Mod(F("id"), EVERY), 0))
"""Ids are given in order and mean nothing, so that these are as good as drawn by lot."""


def tablesample(share: float) -> str:
    """Behind a table's name in SQL: about that share of its rows, the same each time.

    Nothing, which is all of them, from 1 on.
    """
    return "" if share >= 1 else f"TABLESAMPLE SYSTEM ({100 * share:.6f}) REPEATABLE (1)"
