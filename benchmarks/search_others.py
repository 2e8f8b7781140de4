"""Other ways to search the same documents, for benchmarks/search.py."""

import json
from pathlib import Path
from typing import Any

import tantivy
from django.db import connection

PAGE = 10
# What most descriptions of full-text search in PostgreSQL end with.
_OBVIOUS = """
    SELECT title, ts_headline('site', body, query), score FROM (
        SELECT title, body, query, ts_rank_cd(vector, query) AS score
        FROM search_document, websearch_to_tsquery('site', %s) AS query
        WHERE vector @@ query {filters}
        ORDER BY {order} LIMIT 10 OFFSET %s
    ) AS best
"""
# And with what they begin: nothing is stored, so every text is parsed again.
_NAIVE = """
    SELECT title FROM search_document
    WHERE to_tsvector('english', title || ' ' || body) @@ websearch_to_tsquery('english', %s)
    ORDER BY ts_rank(
        to_tsvector('english', title || ' ' || body), websearch_to_tsquery('english', %s)
    ) DESC LIMIT 10
"""


def obvious_way(asked: Any) -> list[Any]:
    """A stored tsvector under GIN, ranked by ts_rank_cd, headlines after the limit; no count."""
    query = _OBVIOUS.format(
        filters="AND kind = %s" if asked.filters.kind else "",
        order="date DESC NULLS LAST" if asked.order == "date" else "score DESC",
    )
    filters = [asked.filters.kind] if asked.filters.kind else []
    with connection.cursor() as cursor:
        if asked.text.endswith("*"):
            query = query.replace("websearch_to_tsquery('site', %s)", "to_tsquery('site', %s)")
        text = asked.text.replace("*", ":*")
        cursor.execute(query, [text, *filters, PAGE * (asked.page - 1)])
        return list(cursor.fetchall())


def naive_way(asked: Any) -> list[Any]:
    """SearchVector at query time."""
    with connection.cursor() as cursor:
        cursor.execute(_NAIVE, [asked.text, asked.text])
        return list(cursor.fetchall())


class Tantivy:
    """The same documents in a search library's own index, on the same disk."""

    def __init__(self, folder: Path, documents: Path) -> None:
        builder = tantivy.SchemaBuilder()
        for name in ("title", "body"):
            builder.add_text_field(name, stored=True, tokenizer_name="en_stem")
        builder.add_text_field("kind", tokenizer_name="raw")
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema, path=str(folder))
        writer = self._index.writer(heap_size=300_000_000, num_threads=2)
        with documents.open(encoding="utf-8") as lines:
            for line in lines:
                writer.add_document(self._document(json.loads(line)))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()

    def _document(self, given: dict[str, Any]) -> tantivy.Document:
        document = tantivy.Document()
        for name in ("title", "body", "kind"):
            document.add_text(name, given[name])
        return document

    def search(self, asked: Any) -> None:
        """Ten rows with snippets, and the count."""
        text = asked.text
        if text.endswith("*"):
            query = tantivy.Query.regex_query(self._schema, "body", f"{text[:-1]}.*")
        else:
            if asked.filters.kind:
                text = f'+({text}) +kind:"{asked.filters.kind}"'
            query = self._index.parse_query(text, ["title", "body"], conjunction_by_default=True)
        found = self._searcher.search(query, PAGE, count=True, offset=PAGE * (asked.page - 1))
        snippets = tantivy.SnippetGenerator.create(self._searcher, query, self._schema, "body")
        for _, address in found.hits:
            snippets.snippet_from_doc(self._searcher.doc(address)).to_html()
