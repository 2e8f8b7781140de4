"""A tsquery that was made before, as a value; and `@@` with it."""

from django.contrib.postgres.search import SearchQueryField
from django.db.models import BooleanField, F, Func, Value
from django.db.models.expressions import Combinable


class TsQuery(Func):
    """Of text, as PostgreSQL prints it: `'event' <-> 'loop'`.

    A value that the planner sees: with a call of websearch_to_tsquery in its place, it would not
    know how many rows to expect.
    """

    template = "%(expressions)s::tsquery"
    output_field = SearchQueryField()

    def __init__(self, query: str) -> None:
        super().__init__(Value(query))


class IsOneOf(Func):
    """`id = ANY(…)` of an array: one parameter, where `IN` has as many as there are ids."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()

    def __init__(self, ids: Combinable) -> None:
        super().__init__(F("id"), ids)


class Matches(Func):
    """`vector @@ query`."""

    template = "%(expressions)s"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def __init__(self, vector: Combinable, query: TsQuery) -> None:
        super().__init__(vector, query)


def as_query(lexeme: str) -> str:
    """A tsquery's text that matches this lexeme."""
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def as_prefix(beginning: str) -> str:
    """One that matches every lexeme that begins so."""
    return f"{as_query(beginning)}:*"
