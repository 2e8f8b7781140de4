"""Exercises of notebook 1_5_kafka."""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any

import fastavro

from answerbook.notebook.exercises import Exercise

Lag = Callable[[Mapping[int, int], Mapping[int, int]], object]
Field = dict[str, Any]

ID: Field = {"name": "id", "type": "long"}
NOTE: Field = {"name": "note", "type": "string", "default": ""}
TOTAL: Field = {"name": "total", "type": "long", "default": 0}
OLD_FIELDS = [ID, NOTE]


def _whole_lag(answer: Lag) -> str | None:
    if answer({0: 30}, {0: 10}) != 20:
        return "One partition with the end at 30 and 10 committed has a lag of 20."
    if answer({0: 30, 1: 5}, {0: 10, 1: 5}) != 20:
        return "Add the lags of all partitions; one that was read to its end adds nothing."
    if answer({0: 30, 1: 5}, {0: 10}) != 25:
        return "A partition without a commit has not been read at all: its whole length is lag."
    return None


def _summed(ends: Mapping[int, int], committed: Mapping[int, int]) -> int:
    return sum(end - committed.get(each, 0) for each, end in ends.items())


def _committed_only(ends: Mapping[int, int], committed: Mapping[int, int]) -> int:
    return sum(ends[each] - done for each, done in committed.items())


def _unprotected(ends: Mapping[int, int], committed: Mapping[int, int]) -> int:
    return sum(end - committed[each] for each, end in ends.items())


def _largest(ends: Mapping[int, int], committed: Mapping[int, int]) -> int:
    return max(end - committed.get(each, 0) for each, end in ends.items())


def _backwards(ends: Mapping[int, int], committed: Mapping[int, int]) -> int:
    return -_summed(ends, committed)


whole_lag = Exercise(
    solution=_summed,
    wrong=(_committed_only, _unprotected, _largest, _backwards, 30),
    test=_whole_lag,
    because="A monitor that looks only at commits never sees the partition that nobody reads.",
)


def _next_version(answer: Sequence[Field]) -> str | None:
    names = [field["name"] for field in answer]
    if "note" in names:
        return "The note is to go."
    if "total" not in names or "id" not in names:
        return "An order keeps its id and gets a total."
    old, new = _schema(OLD_FIELDS), _schema(answer)
    total = next(field for field in answer if field["name"] == "total")
    if total["type"] != "long":
        return "The total is a whole number of cents: a long."
    try:
        _read(_written({"id": 7, "note": "ring"}, old), old, new)
    except fastavro.read.SchemaResolutionError as refused:
        return f"A new program that reads an old order: {refused}."
    try:
        _read(_written({"id": 7, "total": 1_999}, new), new, old)
    except fastavro.read.SchemaResolutionError as refused:
        return f"An old program that reads a new order: {refused}."
    return None


def _schema(fields: Sequence[Field]) -> Any:
    order = {"type": "record", "name": "Order", "fields": list(fields)}
    return fastavro.parse_schema(order)


def _written(order: Field, schema: Any) -> bytes:
    data = BytesIO()
    fastavro.schemaless_writer(data, schema, order)
    return data.getvalue()


def _read(data: bytes, writer: Any, reader: Any) -> object:
    return fastavro.schemaless_reader(BytesIO(data), writer, reader)


next_version = Exercise(
    solution=[ID, TOTAL],
    wrong=(
        [ID, NOTE, TOTAL],
        [ID],
        [TOTAL],
        [ID, {"name": "total", "type": "long"}],
        [ID, {"name": "total", "type": "string", "default": ""}],
        [{"name": "id", "type": "string"}, TOTAL],
        [{"name": "id", "type": "double"}, TOTAL],
        OLD_FIELDS,
        "total",
    ),
    test=_next_version,
    because="New programs fill the total in, old ones the note: they may be replaced in any order.",
)
