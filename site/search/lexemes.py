"""How a text becomes what the index holds, in SQL: the same for documents, queries and headlines.

The configuration `site` is PostgreSQL's `english` with accents taken off. Its parser takes
`json.dumps` for the name of a host and `a/b` for a file, one lexeme each, and leaves out `<int>` as
a tag of HTML; here all of these are words.
"""

from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db.models import F, Func, GeneratedField, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Left

CONFIG = "site"
INDEXED_CHARACTERS = 200_000
"""Of a body. A tsvector has at most 1,048,575 bytes, and this many characters never reach them:
at worst each second one is a lexeme of four bytes, with four of its position."""
SEPARATORS = "./<"


def words(text: Combinable | str) -> Func:
    """`text` with its separators made spaces."""
    return Func(
        text,
        Value(SEPARATORS),
        Value(" " * len(SEPARATORS)),
        function="translate",
        output_field=TextField(),
    )


def vector_field() -> GeneratedField:
    """The stored column: title A, tags B, body D."""
    tags = Func(F("tags"), function="search_tags_text", output_field=TextField())
    return GeneratedField(
        expression=SearchVector(words("title"), weight="A", config=CONFIG)
        + SearchVector(words(tags), weight="B", config=CONFIG)
        + SearchVector(words(Left("body", INDEXED_CHARACTERS)), weight="D", config=CONFIG),
        output_field=SearchVectorField(),
        db_persist=True,
        editable=False,
    )
