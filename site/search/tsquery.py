"""A tsquery that was made before, as a value; and `@@` with it."""

from django.contrib.postgres.search import SearchQueryField
from django.db.models import BooleanField, Func, Value
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


class Matches(Func):
    """`vector @@ query`."""

    template = "%(expressions)s"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def __init__(self, vector: Combinable, query: TsQuery) -> None:
        super().__init__(vector, query)
