"""What a query may become while it is typed: its last word ended, from the corpus's own words."""

from django.db import connection

LONGEST = 100
TITLES = 200
"""That are looked at, in the index's order: two letters begin thousands."""
_LIKE = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
_TITLES = """
    SELECT title FROM (
        SELECT title FROM search_document WHERE lower(title) LIKE %s
        ORDER BY lower(title) USING ~<~ LIMIT %s
    ) AS begun
    GROUP BY title ORDER BY length(title), title LIMIT %s
"""


def suggest(prefix: str, limit: int = 8) -> list[str]:
    """Whole queries, the most frequent ending first; titles that begin so come before them."""
    typed = " ".join(prefix.encode("utf-8", "ignore").decode().replace("\x00", " ").split())
    if not typed or len(typed) > LONGEST:
        return []
    last = typed.rpartition(" ")[2]
    word = last.lstrip('-"(').lower()
    head = typed[: len(typed) - len(word)]
    with connection.cursor() as cursor:
        cursor.execute(_TITLES, [typed.lower().translate(_LIKE) + "%", TITLES, limit // 2])
        titles = [title for (title,) in cursor.fetchall()]
        words = []
        if word and word.isalnum():
            cursor.execute(
                "SELECT word FROM search_word WHERE word LIKE %s"
                " ORDER BY documents DESC, word LIMIT %s",
                [word.translate(_LIKE) + "%", limit],
            )
            words = [head + found for (found,) in cursor.fetchall()]
    known = {title.lower() for title in titles}
    return [*titles, *(found for found in words if found.lower() not in known)][:limit]
