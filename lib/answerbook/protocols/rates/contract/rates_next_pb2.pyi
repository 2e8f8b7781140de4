# ruff: noqa: D200, E501, ERA001, F401, I001, ISC003, N802, RUF100, UP009, UP045
# fmt: off
# mypy: ignore-errors
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class ConvertRequest(_message.Message):
    __slots__ = ("amount", "base", "counter", "rounding")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_FIELD_NUMBER: _ClassVar[int]
    amount: str
    base: str
    counter: str
    rounding: str
    def __init__(self, amount: _Optional[str] = ..., base: _Optional[str] = ..., counter: _Optional[str] = ..., rounding: _Optional[str] = ...) -> None: ...

class Money(_message.Message):
    __slots__ = ("amount", "currency", "rate")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    amount: str
    currency: str
    rate: str
    def __init__(self, amount: _Optional[str] = ..., currency: _Optional[str] = ..., rate: _Optional[str] = ...) -> None: ...
