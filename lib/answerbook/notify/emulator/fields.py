"""The slow second look at a body that typed decoding refused: what exactly is wrong, if anything.

It follows the JSON mapping of protocol buffers as Google's front end does: names may be camelCase,
whole numbers may be strings, enumeration values may have any case; an unknown field, a wrong type
or two targets are refused with the field's path. Used by `validation.py`.
"""

import re
from typing import Any, NoReturn

import msgspec
from msgspec import inspect

from answerbook.notify.emulator.answers import Violation
from answerbook.notify.emulator.schema import TARGETS, SendRequest

MOST_SHOWN = 60
"""Characters of a wrong value that its error repeats."""


class NoMessage(ValueError):
    """A body is no request; `violation` says where and why."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(violation.description)
        self.violation = violation


def read(body: bytes) -> SendRequest:
    """The request in a body. Raises NoMessage."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoMessage(Violation("", f"Invalid JSON payload received. {error}")) from error
    kind = inspect.type_info(SendRequest)
    assert isinstance(kind, inspect.StructType)
    request: SendRequest = msgspec.convert(_struct(content, kind, ""), SendRequest)
    return request


def _value(value: Any, kind: inspect.Type, path: str) -> Any:
    if isinstance(kind, inspect.UnionType):
        (kind,) = (one for one in kind.types if not isinstance(one, inspect.NoneType))
        if value is None:
            return None
    match kind:
        case inspect.StructType():
            return _struct(value, kind, path)
        case inspect.DictType():
            return _pairs(value, kind.value_type, path)
        case inspect.ListType():
            return _items(value, kind.item_type, path)
        case inspect.LiteralType():
            return _literal(value, kind, path)
        case inspect.StrType():
            return value if isinstance(value, str) else _wrong(value, path, "TYPE_STRING")
        case inspect.BoolType():
            return value if isinstance(value, bool) else _wrong(value, path, "TYPE_BOOL")
        case inspect.IntType():
            return _whole(value, path)
        case inspect.FloatType():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return value if number else _wrong(value, path, "TYPE_FLOAT")
    return value


def _struct(value: Any, kind: inspect.StructType, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        _wrong(value, path, f"type.googleapis.com/google.firebase.fcm.v1.{kind.cls.__name__}")
    known = {field.name: field for field in kind.fields}
    found: dict[str, Any] = {}
    for given, content in value.items():
        name = given if given in known else _snake(given)
        field = known.get(name)
        if field is None or (name != given and given != _camel(name)):
            _unknown(given, path)
        if name in TARGETS and content is not None:
            _only_target(name, found, path)
        found[name] = _value(content, field.type, f"{path}.{name}" if path else name)
    return found


def _only_target(name: str, found: dict[str, Any], path: str) -> None:
    if any(found.get(target) is not None for target in TARGETS):
        text = f"oneof field 'target' is already set. Cannot set '{name}'"
        raise NoMessage(Violation(path, f"Invalid value at '{path}' (oneof), {text}"))


def _pairs(value: Any, kind: inspect.Type, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        _wrong(value, path, "type.googleapis.com/google.protobuf.Struct")
    return {
        key: _value(content, kind, f"{path}[{number}].value")
        for number, (key, content) in enumerate(value.items())
    }


def _items(value: Any, kind: inspect.Type, path: str) -> list[Any]:
    if not isinstance(value, list):
        value = [value]  # as the front end takes it
    return [_value(content, kind, f"{path}[{number}]") for number, content in enumerate(value)]


def _literal(value: Any, kind: inspect.LiteralType, path: str) -> Any:
    if isinstance(value, str):
        for allowed in kind.values:
            if value.upper() == str(allowed).upper():
                return allowed
    return _wrong(value, path, "TYPE_ENUM")


def _whole(value: Any, path: str) -> int:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,10}", value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
        _wrong(value, path, "TYPE_INT32")
    return int(value)


def _unknown(name: str, path: str) -> NoReturn:
    place = f" at '{path}'" if path else ""
    text = f'Invalid JSON payload received. Unknown name "{name[:MOST_SHOWN]}"{place}: '
    raise NoMessage(Violation(path, text + "Cannot find field."))


def _wrong(value: Any, path: str, kind: str) -> NoReturn:
    shown = msgspec.json.encode(value).decode()
    shown = shown if len(shown) <= MOST_SHOWN else shown[:MOST_SHOWN] + "…"
    raise NoMessage(Violation(path, f"Invalid value at '{path}' ({kind}), {shown}"))


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: "_" + found[0].lower(), name)


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
