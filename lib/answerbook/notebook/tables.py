"""Tables in cells: at most five columns, numbers to the right, a caption, readable as plain text.

No colours are set, so that the table takes on the light or dark theme it is shown in.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from numbers import Real
from typing import Any

from answerbook.notebook.numbers import readable
from answerbook.notebook.rich_output import show_html

MOST_COLUMNS = 5


def table(
    rows: Iterable[Mapping[str, Any] | Sequence[Any]],
    columns: Sequence[str] | None = None,
    *,
    caption: str,
) -> None:
    """Show `rows` under a visible `caption`.

    A row is a mapping (its keys name the columns, unless `columns` chooses and orders them) or a
    sequence (`columns` is needed then). Numbers show three significant digits, integers all of
    theirs; format a value as a string to have it otherwise. Raises ValueError for more than five
    columns, no row, a row of another length, or an empty caption.
    """
    if not caption.strip():
        raise ValueError("A table needs a caption that says what it shows: caption='…'.")
    names, body = _arranged(list(rows), columns)
    numeric = [
        all(_is_number(row[index]) for row in body if row[index] is not None)
        for index in range(len(names))
    ]
    cells = [[_text(value) for value in row] for row in body]
    show_html(
        _as_html(names, cells, numeric, caption), _as_text(names, cells, numeric, caption), "table"
    )


def _arranged(
    rows: list[Mapping[str, Any] | Sequence[Any]], columns: Sequence[str] | None
) -> tuple[list[str], list[list[Any]]]:
    """The columns' names and, in their order, each row's values."""
    if not rows:
        raise ValueError("A table needs at least one row; say in words that there is nothing.")
    if columns is None:
        first = rows[0]
        if not isinstance(first, Mapping):
            raise ValueError("Rows that are sequences need names: columns=['…', '…'].")
        columns = list(first)
    if len(columns) > MOST_COLUMNS:
        raise ValueError(
            f"A table has at most {MOST_COLUMNS} columns, to be readable on a narrow page, and "
            f"this has {len(columns)}. Choose with columns=[…], or make two tables."
        )
    names = [str(name) for name in columns]
    return names, [_values(row, columns) for row in rows]


def _values(row: Mapping[str, Any] | Sequence[Any], columns: Sequence[str]) -> list[Any]:
    if isinstance(row, Mapping):
        return [row.get(name) for name in columns]
    if isinstance(row, str | bytes) or len(row) != len(columns):
        raise ValueError(f"This row does not fit the columns {list(columns)}: {row!r}.")
    return list(row)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _text(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Real):
        return readable(int(value) if isinstance(value, int) else float(value))
    return " ".join(str(value).split())


def _as_html(names: list[str], cells: list[list[str]], numeric: list[bool], caption: str) -> str:
    sides = ["right" if number else "left" for number in numeric]
    head = "".join(
        f'<th scope="col" {_aligned(side)}>{escape(name)}</th>'
        for name, side in zip(names, sides, strict=True)
    )
    body = "\n".join(
        "<tr>"
        + "".join(
            f"<td {_aligned(side)}>{escape(cell)}</td>"
            for cell, side in zip(row, sides, strict=True)
        )
        + "</tr>"
        for row in cells
    )
    return (
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"
        f"<p><em>{escape(caption)}</em></p>"
    )


def _aligned(side: str) -> str:
    # JupyterLab's own style sheet overrules the attribute; some web viewers drop the style.
    return f'align="{side}" style="text-align: {side}"'


def _as_text(names: list[str], cells: list[list[str]], numeric: list[bool], caption: str) -> str:
    lines = [names, *cells]
    widths = [max(len(line[index]) for line in lines) for index in range(len(names))]

    def padded(line: list[str]) -> str:
        return "  ".join(
            text.rjust(width) if number else text.ljust(width)
            for text, width, number in zip(line, widths, numeric, strict=True)
        ).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([padded(names), rule, *(padded(row) for row in cells), "", caption])
