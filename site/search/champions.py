"""Impact-ordered lists of frequent lexemes' best documents, for rankers/champions.py.

A common word is in so many documents that to score each of them takes seconds. Nearly all of them
lose by far: what a lexeme gives a document is known before anybody asks (its share of BM25, but for
the rarity), so the documents it gives most to are kept beside it, best first. Information retrieval
calls these champion lists.

A beginning (`serial*`) has rarer endings, too, and a document that has one of those often is better
than what has a common one once. So rarer lexemes have short lists, which beginnings alone use.

They are made anew after a large import, and when many documents have changed since.
"""

from typing import Any

from django.conf import settings
from django.db import connection, transaction

from search.impact import IMPACT
from search.sampling import tablesample

STALE = 2_000
"""Documents that have changed since; with more, the lists are made anew."""
SHORT_FROM, SHORT_LENGTH = 100, 300
"""Documents from which a lexeme has a short list, and how many are in it."""
_FREQUENT = "SELECT term, documents FROM search_term WHERE documents > %s ORDER BY term"
# What a document must be given by a lexeme to be let into its list. Arrays and not a table: workers
# that read documents beside this one do not see its temporary tables.
_GIVEN = f"""
    SELECT number::integer AS number, id, impact
    FROM (
        SELECT number, least, id, ({IMPACT})::real AS impact
        FROM search_document {{sample}}
        JOIN search_length ON document_id = id
        CROSS JOIN unnest(vector)
        JOIN unnest(%(terms)s::text[], %(least)s::real[])
            WITH ORDINALITY AS frequent (term, least, number) ON lexeme = term
    ) AS given
    WHERE impact >= least
"""
_CUTS = f"""
    SELECT number, min(impact)
    FROM (
        SELECT number, impact, row_number() OVER (PARTITION BY number ORDER BY impact DESC) AS place
        FROM ({_GIVEN}) AS sampled
    ) AS ranked
    WHERE place <= (%(passing)s::int[])[number] GROUP BY number
"""
_LISTS = """
    INSERT INTO search_champion (term, documents, impacts, worst)
    SELECT term, documents[1:length], impacts[1:length],
        impacts[least(length, cardinality(impacts))]
    FROM (
        SELECT number, array_agg(id) AS documents, array_agg(impact) AS impacts
        FROM (SELECT * FROM given ORDER BY number, impact DESC, id) AS sorted
        GROUP BY number
    ) AS whole
    JOIN unnest(%(terms)s::text[], %(lengths)s::int[])
        WITH ORDINALITY AS frequent (term, length, number) USING (number)
"""
SAMPLED = 30_000
"""Documents of the sample from which it is known what is too little for a list."""
SLACK = 1.5
"""Times as many as a list takes are let through, since a sample is not exact."""


def refresh() -> None:
    """Make the lists anew. Whoever searches meanwhile uses the old ones."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM search_champion")
        cursor.execute("DELETE FROM search_recent")
        cursor.execute("SELECT documents, length FROM search_corpus")
        documents, words = cursor.fetchone() or (0, 0)
        cursor.execute(_FREQUENT, [min(SHORT_FROM, settings.CHAMPIONS_FROM)])
        frequent = cursor.fetchall()
        if not frequent:
            return
        lengths = [
            settings.CHAMPIONS_LENGTH if having > settings.CHAMPIONS_FROM else SHORT_LENGTH
            for _, having in frequent
        ]
        least = [0.0] * len(frequent)
        parameters: dict[str, Any] = {
            "mean": float(words) / documents,
            "terms": [term for term, _ in frequent],
            "least": least,
            "lengths": lengths,
        }
        share = SAMPLED / documents
        if share < 0.5:
            passing = {"passing": [round(SLACK * length * share) for length in lengths]}
            cursor.execute(_CUTS.format(sample=tablesample(share)), parameters | passing)
            for number, impact in cursor.fetchall():
                if frequent[number - 1][1] > SLACK * lengths[number - 1]:
                    least[number - 1] = impact
        cursor.execute("SET LOCAL work_mem = '256MB'")
        # The planner knows nothing of these lexemes, and would sort those of all documents; as it
        # stands, each document's length is looked up once, and not once for each of its lexemes.
        cursor.execute("SET LOCAL enable_mergejoin = off")
        cursor.execute("SET LOCAL join_collapse_limit = 1")
        cursor.execute(f"CREATE TEMPORARY TABLE given AS {_GIVEN.format(sample='')}", parameters)
        cursor.execute(_LISTS, parameters)
        cursor.execute("DROP TABLE given")


def refresh_if_stale() -> None:
    """Make them anew where STALE documents have changed since."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM (SELECT FROM search_recent LIMIT %s) s", [STALE + 1])
        (changed,) = cursor.fetchone() or (0,)
    if changed > STALE:
        refresh()
