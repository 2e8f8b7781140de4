"""How a text becomes what the index holds, in SQL: the same for documents, queries and headlines.

The configuration `site` is PostgreSQL's `english` with accents taken off. Its parser takes
`json.dumps` for the name of a host and `a/b` for a file, one lexeme each, and leaves out `<int>` as
a tag of HTML; here all of these are words.
"""

from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db.models import (
    Case,
    F,
    Func,
    GeneratedField,
    IntegerField,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Left, Replace
from django.db.models.lookups import LessThanOrEqual

CONFIG = "site"
INDEXED_CHARACTERS = 200_000
"""Of a body. A tsvector has at most 1,048,575 bytes, and this many characters never reach them:
at worst each second one is a lexeme of four bytes, with four of its position."""
SEPARATORS = "./<"


def words(text: Combinable | str) -> Replace:
    """`text` with its separators made spaces."""
    # translate() would do it in one call, and take four times as long.
    parted = _spaced(text, SEPARATORS[0])
    for separator in SEPARATORS[1:]:
        parted = _spaced(parted, separator)
    return parted


def _spaced(text: Combinable | str, separator: str) -> Replace:
    return Replace(text, Value(separator), Value(" "), output_field=TextField())


def vector_field() -> GeneratedField:
    """The stored column: title A, tags B, body D."""
    tags = Func(F("tags"), function="search_tags_text", output_field=TextField())
    return GeneratedField(
        expression=SearchVector(words("title"), weight="A", config=CONFIG)
        + SearchVector(words(tags), weight="B", config=CONFIG)
        + SearchVector(words(_indexed("body")), weight="D", config=CONFIG),
        output_field=SearchVectorField(),
        db_persist=True,
        editable=False,
    )


def _indexed(name: str) -> Combinable:
    """As much of a column as the index takes."""
    # Bytes are known, where characters would have to be counted.
    size = Func(F(name), function="octet_length", output_field=IntegerField())
    return Case(
        When(LessThanOrEqual(size, INDEXED_CHARACTERS), then=F(name)),
        default=Left(name, INDEXED_CHARACTERS),
        output_field=TextField(),
    )
