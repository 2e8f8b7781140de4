# ruff: noqa: D200, E501, ERA001, F401, I001, ISC003, N802, RUF100, UP009, UP045
# fmt: off
# mypy: ignore-errors
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class QuoteRequest(_message.Message):
    __slots__ = ("base", "counter")
    BASE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    base: str
    counter: str
    def __init__(self, base: _Optional[str] = ..., counter: _Optional[str] = ...) -> None: ...

class QuoteReply(_message.Message):
    __slots__ = ("base", "counter", "rate")
    BASE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    base: str
    counter: str
    rate: str
    def __init__(self, base: _Optional[str] = ..., counter: _Optional[str] = ..., rate: _Optional[str] = ...) -> None: ...

class ConvertRequest(_message.Message):
    __slots__ = ("amount", "base", "counter")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    amount: str
    base: str
    counter: str
    def __init__(self, amount: _Optional[str] = ..., base: _Optional[str] = ..., counter: _Optional[str] = ...) -> None: ...

class Money(_message.Message):
    __slots__ = ("amount", "currency")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    amount: str
    currency: str
    def __init__(self, amount: _Optional[str] = ..., currency: _Optional[str] = ...) -> None: ...

class RatesRequest(_message.Message):
    __slots__ = ("base",)
    BASE_FIELD_NUMBER: _ClassVar[int]
    base: str
    def __init__(self, base: _Optional[str] = ...) -> None: ...
