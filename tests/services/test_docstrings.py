"""The documents that notebooks search, in a table of PostgreSQL."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from answerbook import services
from answerbook.notebook.docstrings import documents, load

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def connection() -> Iterator[Connection]:
    address = services.require("postgres").create_database("docstrings")
    with psycopg.connect(address, autocommit=True) as opened:
        opened.execute("""
            CREATE TABLE documents (
                id integer GENERATED ALWAYS AS IDENTITY, title text, body text,
                search tsvector GENERATED ALWAYS AS (to_tsvector('english', body)) STORED
            )""")
        opened.execute("CREATE INDEX by_lexeme ON documents USING gin (search)")
        yield opened


def test_table_holds_what_was_asked_for_and_nothing_of_before(connection: Connection) -> None:
    load(connection, 50)
    load(connection, 20)
    rows = connection.execute("SELECT id, title, body FROM documents ORDER BY id").fetchall()
    expected = [(number, *document) for number, document in enumerate(documents(20), start=1)]
    assert expected == rows


def test_planner_knows_the_rows_and_nothing_waits_to_be_merged(connection: Connection) -> None:
    connection.execute("CREATE EXTENSION pageinspect")
    load(connection, 500)
    known = "SELECT reltuples FROM pg_class WHERE relname = 'documents'"
    pending = "SELECT n_pending_tuples FROM gin_metapage_info(get_raw_page('by_lexeme', 0))"
    assert (500,) == connection.execute(known).fetchone()
    assert (0,) == connection.execute(pending).fetchone()
