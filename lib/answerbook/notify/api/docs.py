"""/docs: the OpenAPI document as a page that needs nothing from elsewhere, not even a script."""

import json
import re
from html import escape
from typing import Any, Final

from answerbook.notify.api.problems import KINDS

HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}

EXAMPLE: Final = """\
curl https://HOST/v1/events \\
  -H 'Authorization: Bearer ab_KEY_SECRET' -H 'Content-Type: application/json' \\
  -d '{"event_id": "order-1042-shipped", "user_id": "u000042",
       "kind": "order_shipped", "data": {"order": "1042"}}'"""

_STYLE = """
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
code, pre { font-family: ui-monospace, monospace; font-size: .9em }
pre { padding: 1rem; overflow: auto; border: 1px solid gray; border-radius: .3rem }
table { border-collapse: collapse; display: block; overflow: auto }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem }
tr { border-bottom: 1px solid gray }
"""


def page(document: dict[str, Any]) -> str:
    """The page, in HTML."""
    info = document["info"]
    parts = [
        f"<h1>{escape(info['title'])}</h1>",
        _prose(info["description"]),
        '<p><a href="/openapi.json">OpenAPI document</a></p>',
        f"<pre>{escape(EXAMPLE)}</pre>",
        *_operations(document),
        "<h2>What is sent and answered</h2>",
        *(_schema(name, schema) for name, schema in document["components"]["schemas"].items()),
        "<h2>Problems</h2><table>",
        *(
            f'<tr id="{kind}"><th scope="row"><code>{kind}</code></th><td>{_inline(text)}</td></tr>'
            for kind, text in KINDS.items()
        ),
        "</table>",
    ]
    title = escape(info["title"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main>{''.join(parts)}</main></body></html>"
    )


def _operations(document: dict[str, Any]) -> list[str]:
    parts = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts.append(f"<h2><code>{method.upper()} {escape(path)}</code></h2>")
            parts.append(_prose(operation["summary"]))
            parts += [
                f"<p><code>{escape(parameter['name'])}</code> ({parameter['in']}): "
                f"{_inline(parameter['description'])}</p>"
                for parameter in operation.get("parameters", ())
            ]
            rows = "".join(
                f'<tr><th scope="row">{status}</th><td>{_inline(answer["description"])}</td></tr>'
                for status, answer in operation["responses"].items()
            )
            parts.append(f"<table>{rows}</table>")
    return parts


def _schema(name: str, schema: dict[str, Any]) -> str:
    head = f'<h3 id="{name}">{name}</h3>{_prose(schema.get("description", ""))}'
    if "properties" not in schema:
        return f"{head}<p>{_kind(schema)}</p>"
    rows = "".join(
        f'<tr><th scope="row"><code>{escape(field)}</code>'
        f"{' (required)' if field in schema['required'] else ''}</th>"
        f"<td>{_kind(content)}</td><td>{_inline(content.get('description', ''))}</td></tr>"
        for field, content in schema["properties"].items()
    )
    return f"{head}<table>{rows}</table>"


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    told = {key: value for key, value in schema.items() if key not in ("description", "examples")}
    return f"<code>{escape(json.dumps(told, ensure_ascii=False))}</code>"


def _prose(text: str) -> str:
    return "".join(f"<p>{_inline(paragraph)}</p>" for paragraph in text.strip().split("\n\n"))


def _inline(text: str) -> str:
    """Markdown's code and strong, which is all that the document uses."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
