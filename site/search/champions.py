"""Impact-ordered lists of frequent lexemes' best documents, for rankers/champions.py.

A common word is in so many documents that to score each of them takes seconds. Nearly all of them
lose by far: what a lexeme gives a document is known before anybody asks (its share of BM25, but for
the rarity), so the documents it gives most to are kept beside it, best first. Information retrieval
calls these champion lists.

They are made anew after a large import, and when many documents have changed since.
"""

from django.conf import settings
from django.db import connection, transaction

from search.impact import IMPACT

STALE = 2_000
"""Documents that have changed since; with more, the lists are made anew."""
# From a sample, for each frequent lexeme, the impact that about as many documents pass as the list
# takes: the rest need not be sorted. Twice as many are let through, for a sample may err.
_CUTS = """
    CREATE TEMPORARY TABLE cut ON COMMIT DROP AS
    SELECT term, CASE WHEN documents <= %(length)s THEN 0 ELSE coalesce((
        SELECT percentile_disc(greatest(0, 1 - 2.0 * %(length)s / documents))
            WITHIN GROUP (ORDER BY impact)
        FROM sampled WHERE lexeme = term
    ), 0) END AS least
    FROM search_term WHERE documents > %(frequent)s
"""
_SAMPLE = f"""
    CREATE TEMPORARY TABLE sampled ON COMMIT DROP AS
    SELECT lexeme COLLATE "C" AS lexeme, {IMPACT} AS impact
    FROM (SELECT * FROM search_document TABLESAMPLE SYSTEM (%(percent)s) REPEATABLE (1)) AS document
    JOIN search_length ON document_id = id, unnest(vector)
    WHERE lexeme IN (SELECT term FROM search_term WHERE documents > %(frequent)s)
"""
_FILL = f"""
    INSERT INTO search_champion (term, documents, impacts, worst)
    WITH given AS (
        SELECT lexeme COLLATE "C" AS lexeme, id, ({IMPACT})::real AS impact
        FROM search_document JOIN search_length ON document_id = id, unnest(vector)
    ), list AS (
        SELECT lexeme AS term,
            (array_agg(id ORDER BY impact DESC, id))[1:%(length)s] AS documents,
            (array_agg(impact ORDER BY impact DESC, id))[1:%(length)s] AS impacts
        FROM given JOIN cut ON term = lexeme AND impact >= least
        GROUP BY lexeme
    )
    SELECT term, documents, impacts, impacts[cardinality(impacts)] FROM list
"""
SAMPLED = 20_000
"""Documents of the sample."""


def refresh() -> None:
    """Make the lists anew. Whoever searches meanwhile uses the old ones."""
    frequent, length = settings.CHAMPIONS_FROM, settings.CHAMPIONS_LENGTH
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT documents, length FROM search_corpus")
        documents, words = cursor.fetchone() or (0, 0)
        cursor.execute("DELETE FROM search_champion")
        cursor.execute("DELETE FROM search_recent")
        if not documents:
            return
        parameters = {
            "frequent": frequent,
            "length": length,
            "mean": float(words) / documents or 1.0,
            "percent": min(100.0, 100.0 * SAMPLED / documents),
        }
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute(_SAMPLE, parameters)
        cursor.execute("CREATE INDEX ON sampled (lexeme)")
        cursor.execute(_CUTS, parameters)
        cursor.execute("ANALYZE cut")
        cursor.execute(_FILL, parameters)
        cursor.execute("DROP TABLE sampled, cut")


def refresh_if_stale() -> None:
    """Make them anew where STALE documents have changed since."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM (SELECT FROM search_recent LIMIT %s) s", [STALE + 1])
        (changed,) = cursor.fetchone() or (0,)
    if changed > STALE:
        refresh()
