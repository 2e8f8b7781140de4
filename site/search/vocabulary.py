"""The corpus's own words, as people write them, with how many documents have each.

spelling.py and suggestions.py look things up in it. It is made anew after an import, from a sample
where there are many documents; between two imports an edit adds its words.
"""

from collections.abc import Iterable

from django.db import connection, transaction

from search.query import pieces_of
from search.sampling import tablesample

SAMPLE = 50_000
"""Documents that it is made from, at most."""
SHORTEST, LONGEST = 2, 40
_FILL = """
    INSERT INTO search_word (word, documents)
    SELECT word, ndoc * %s
    FROM ts_stat($stat$
        SELECT to_tsvector('simple', translate(title || ' ' || left(body, 20000), './<_-', '     '))
        FROM search_document {sample}
    $stat$)
    WHERE length(word) BETWEEN %s AND %s AND ndoc >= %s AND word ~ '^[[:alpha:]][[:alnum:]]*$'
"""


def refresh() -> int:
    """Make it anew; the number of words. Whoever looks meanwhile sees the old one."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT documents FROM search_corpus")
        (documents,) = cursor.fetchone() or (0,)
        share = min(1.0, SAMPLE / max(1, documents))
        # What one document of a sample has is mostly a name or a typo, and there are many of them.
        least = 1 if share == 1 else 2
        cursor.execute("DELETE FROM search_word")
        cursor.execute(
            _FILL.format(sample=tablesample(share)), [round(1 / share), SHORTEST, LONGEST, least]
        )
        cursor.execute("SELECT count(*) FROM search_word")
        (words,) = cursor.fetchone() or (0,)
    with connection.cursor() as cursor:
        cursor.execute("SELECT gin_clean_pending_list('word_trigrams')")
        cursor.execute("ANALYZE search_word")
    return int(words)


def add(texts: Iterable[str]) -> None:
    """Words of a document that was edited; those that are known keep their counts."""
    words = {
        word.lower()
        for text in texts
        for word in pieces_of(text[:20_000])
        if SHORTEST <= len(word) <= LONGEST and word[0].isalpha()
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO search_word (word, documents) SELECT unnest(%s::text[]), 1"
            " ON CONFLICT (word) DO NOTHING",
            [sorted(words)],
        )
