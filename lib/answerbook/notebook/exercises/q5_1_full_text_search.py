"""Exercises of notebook 5_1_full_text_search."""

from typing import Any

import psycopg

from answerbook.notebook.exercises import Exercise

EXPRESSION = "to_tsvector('english', coalesce(title, ''))"


def _hamlet(answer: object) -> str | None:
    if answer == 0:
        return None
    if answer == 4:
        return "Four different words it has. Which of them does the configuration english keep?"
    return "Ask the database: SELECT to_tsvector('english', 'To be or not to be')."


hamlet = Exercise(
    solution=0,
    wrong=(4, 6, 2, "none"),
    test=_hamlet,
    because="Every word of it is a stop word. Where titles are searched, the configuration simple "
    "keeps them.",
)


def _typed(answer: str, connection: "psycopg.Connection[tuple[Any, ...]]") -> str | None:
    row = connection.execute("SELECT websearch_to_tsquery('english', %s)", (answer,)).fetchone()
    query = row[0] if row else ""
    if "'event' <-> 'loop'" not in query:
        return f"PostgreSQL reads it as {query}: the two words need not stand together."
    if "!'thread'" not in query:
        return f"PostgreSQL reads it as {query}: documents about threads are found too."
    return None if query == "'event' <-> 'loop' & !'thread'" else f"It is read as {query}."


typed = Exercise(
    solution='"event loop" -thread',
    wrong=("event loop -thread", '"event loop" thread', '"event loop"', "'event' <-> 'loop'", 3),
    test=_typed,
    because="Quotes keep words together and in order, and a minus shuts documents out.",
)


def _same_expression(answer: str, connection: "psycopg.Connection[tuple[Any, ...]]") -> str | None:
    with connection.transaction(force_rollback=True):
        connection.execute(answer.encode())
        # A table as small as this one's titles might be read from end to end all the same.
        connection.execute("SET LOCAL enable_seqscan = off")
        plan = connection.execute(
            f"EXPLAIN SELECT id FROM documents WHERE {EXPRESSION} @@ 'deadlock'::tsquery"
        ).fetchall()
    if any("Bitmap Index Scan" in line for (line,) in plan):
        return None
    return "The index was made, and the plan is still a Seq Scan: compare the two expressions."


same_expression = Exercise(
    solution=f"CREATE INDEX ON documents USING gin ({EXPRESSION})",
    wrong=(
        "CREATE INDEX ON documents USING gin (to_tsvector('english', title))",
        "CREATE INDEX ON documents (title)",
        "CREATE INDEX ON documents USING gin (title)",
        "coalesce(title, '')",
    ),
    test=_same_expression,
    because="The planner compares expressions by their form, not by what they mean.",
)


def _token(answer: str) -> str | None:
    if answer.strip().lower() == "host":
        return None
    return "The statement in the question shows one row for each token: look at the column alias."


token = Exercise(
    solution="host",
    wrong=("word", "asciiword", "file", 2),
    test=_token,
    because="What looks like a host name stays whole, so its parts are no lexemes.",
)
