"""The stand-in for a key management service gives keys to those who may, and writes it down."""

import pytest

from answerbook.crypto.envelope import WrappedKey
from answerbook.crypto.errors import Tampered
from answerbook.notebook.key_service import Call, KeyService


def test_a_data_key_is_unwrapped_for_the_context_that_it_was_made_for() -> None:
    service = KeyService("billing")
    key, wrapped = service.data_key("billing", b"invoice 1")
    assert key == service.unwrap("billing", wrapped, b"invoice 1")
    with pytest.raises(Tampered):
        service.unwrap("billing", wrapped, b"invoice 2")


def test_each_data_key_is_another() -> None:
    service = KeyService("billing")
    keys = {service.data_key("billing", b"")[0] for _ in range(20)}
    assert 20 == len(keys)


def test_who_is_not_allowed_or_no_longer_is_gets_nothing() -> None:
    service = KeyService("billing")
    _, wrapped = service.data_key("billing", b"1")
    with pytest.raises(PermissionError, match="reports may not use this key"):
        service.unwrap("reports", wrapped, b"1")
    service.forbid("billing")
    with pytest.raises(PermissionError):
        service.unwrap("billing", wrapped, b"1")
    with pytest.raises(PermissionError):
        service.data_key("billing", b"1")


def test_every_call_is_logged_with_its_answer_and_without_a_key() -> None:
    service = KeyService("billing")
    key, wrapped = service.data_key("billing", b"1")
    service.unwrap("billing", wrapped, b"1")
    with pytest.raises(Tampered):
        service.unwrap("billing", wrapped, b"2")
    with pytest.raises(PermissionError):
        service.unwrap("reports", WrappedKey("kek-1", b"", b"", b""), b"1")
    assert [
        Call("billing", "data key", "1", "given"),
        Call("billing", "unwrap", "1", "given"),
        Call("billing", "unwrap", "2", "Tampered"),
        Call("reports", "unwrap", "1", "PermissionError"),
    ] == service.log
    assert repr(key) not in repr(service.log)
    assert key.hex() not in repr(service.log)
