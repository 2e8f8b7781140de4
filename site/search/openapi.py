"""The API's OpenAPI document, which the tests throw requests by."""

from typing import Any

from search.query import MOST_CHARACTERS


def _parameter(name: str, what: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": what, "schema": schema, **more}


def _answer(what: str, properties: dict[str, Any]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"description": what, "content": {"application/json": {"schema": schema}}}


_TEXT = {"type": "string"}
_COUNT = {
    "type": "object",
    "description": "`more`: there are more than `number`.",
    "properties": {"number": {"type": "integer", "minimum": 0}, "more": {"type": "boolean"}},
    "required": ["number", "more"],
}
_Q = _parameter(
    "q",
    'Words; "a phrase"; -without; one or two; a begin*.',
    {"type": "string", "maxLength": MOST_CHARACTERS},
    required=True,
)


def _problem(what: str, status: int, *more: str) -> dict[str, Any]:
    """Problem details, RFC 9457."""
    schema = {
        "type": "object",
        "properties": {
            "title": _TEXT,
            "status": {"const": status},
            "detail": _TEXT,
            **dict.fromkeys(more, _TEXT),
        },
        "required": ["title", "status", "detail", *more],
    }
    return {"description": what, "content": {"application/problem+json": {"schema": schema}}}


_REFUSED = _problem("A parameter is missing, unknown or not what it should be.", 422, "name")
_ELSE = {
    "405": _problem("This takes GET and HEAD.", 405),
    "429": _problem("Too many requests from this address; Retry-After says how long.", 429),
    "503": _problem("The search is too broad, or the database is away; see Retry-After.", 503),
}
_HIT = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "source": _TEXT,
        "kind": _TEXT,
        "title_html": {"type": "string", "description": "Escaped, with <mark> around words."},
        "snippet_html": _TEXT,
        "url": _TEXT,
        "tags": {"type": "array", "items": _TEXT},
        "date": {"type": ["string", "null"], "format": "date"},
        "score": {"type": "number"},
    },
    "required": ["id", "source", "kind", "title_html", "snippet_html", "url", "tags", "score"],
}
_FACET = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"value": _TEXT, "count": _COUNT, "selected": {"type": "boolean"}},
        "required": ["value", "count", "selected"],
    },
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Search", "version": "1"},
    "paths": {
        "/api/search": {
            "get": {
                "summary": "A page of ten results.",
                "parameters": [
                    _Q,
                    _parameter("kind", "Of this kind alone.", _TEXT),
                    _parameter("source", "From this source alone.", _TEXT),
                    _parameter("tag", "With this tag.", _TEXT),
                    _parameter(
                        "year", "Of this year.", {"type": "integer", "minimum": 1, "maximum": 9999}
                    ),
                    _parameter("order", "", {"enum": ["relevance", "date"]}),
                    _parameter(
                        "page", "From 1.", {"type": "integer", "minimum": 1, "maximum": 100_000}
                    ),
                ],
                "responses": {
                    "200": _answer(
                        "The page.",
                        {
                            "query": _TEXT,
                            "order": _TEXT,
                            "page": {"type": "integer"},
                            "count": _COUNT,
                            "milliseconds": {"type": "number", "minimum": 0},
                            "any_word": {"type": "boolean"},
                            "has_next": {"type": "boolean"},
                            "did_you_mean": {"type": ["string", "null"]},
                            "ignored": {"type": "array", "items": _TEXT},
                            "hits": {"type": "array", "items": _HIT, "maxItems": 10},
                            "facets": {"type": "object", "additionalProperties": _FACET},
                        },
                    ),
                    "422": _REFUSED,
                    **_ELSE,
                },
            }
        },
        "/api/suggest": {
            "get": {
                "summary": "What a query may become.",
                "parameters": [_Q],
                "responses": {
                    "200": _answer(
                        "Whole queries.",
                        {"suggestions": {"type": "array", "items": _TEXT, "maxItems": 8}},
                    ),
                    "422": _REFUSED,
                    **_ELSE,
                },
            }
        },
    },
}
