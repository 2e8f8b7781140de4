"""Titles and snippets with the words marked that were found, made safe for a page.

The database puts in marks that no document can contain, since they are taken out of it first; then
all is escaped, and only then the marks become HTML.
"""

from django.contrib.postgres.search import SearchHeadline
from django.db.models import Func, TextField, Value
from django.db.models.functions import Left, Replace
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from search.lexemes import CONFIG, SEPARATORS
from search.tsquery import TsQuery

READ_CHARACTERS = 20_000
"""Of a body, for its snippet: to parse all of a long one would take longer than the search."""
START, STOP, PART = "\ue001", "\ue002", "\ue000"
"""Of Unicode's private use. PART follows each separator and is no letter, so that the parser sees
two words in `json.dumps`, as the index does; it is gone again on the page."""


def title(query: TsQuery) -> SearchHeadline:
    return SearchHeadline(
        _parted("title"),
        query,
        config=CONFIG,
        start_sel=START,
        stop_sel=STOP,
        highlight_all=True,
    )


def snippet(query: TsQuery) -> SearchHeadline:
    return SearchHeadline(
        _parted(Left("body", READ_CHARACTERS)),
        query,
        config=CONFIG,
        start_sel=START,
        stop_sel=STOP,
        max_words=30,
        min_words=15,
        max_fragments=2,
        fragment_delimiter=" … ",
    )


def as_html(text: str) -> SafeString:
    """What the database marked, escaped, with `<mark>` in it, in pairs."""
    escaped = escape(text.replace(PART, ""))
    return mark_safe(escaped.replace(START, "<mark>").replace(STOP, "</mark>"))


def _parted(text: Left | str) -> Func:
    clean: Func = Func(
        text,
        Value(START + STOP + PART),
        Value(""),
        function="translate",
        output_field=TextField(),
    )
    for separator in SEPARATORS:
        clean = Replace(clean, Value(separator), Value(separator + PART))
    return clean
