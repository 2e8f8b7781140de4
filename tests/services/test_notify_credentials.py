"""The service account's token, from a scripted OAuth endpoint."""

import asyncio
from pathlib import Path

import google.auth.exceptions
import pytest

from answerbook.notify.deliver.fcm import credentials
from answerbook.notify.deliver.fcm.credentials import ServiceAccount
from tests.services.fcm_double import TOKEN_PATH, fcm_double


def test_token_is_renewed_once_for_all_that_ask_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        account = ServiceAccount(fcm.key_file(tmp_path))
        await asyncio.gather(*(account.renew() for _ in range(10)))
        assert "token-1" == account.token
        monkeypatch.setattr(credentials, "BETWEEN_RENEWALS", 0.0)
        await account.renew()
        assert "token-2" == account.token

    with fcm_double() as fcm:
        asyncio.run(test())
        assert [("POST", TOKEN_PATH)] * 2 == fcm.requests


def test_token_is_renewed_before_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        account = ServiceAccount(fcm.key_file(tmp_path))
        keeping = asyncio.ensure_future(account.keep())
        async with asyncio.timeout(10):
            await third.wait()
        keeping.cancel()

    third = asyncio.Event()
    waits: list[float] = []
    really = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            third.set()
        await really(0)

    monkeypatch.setattr(credentials, "BETWEEN_RENEWALS", 0.0)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    with fcm_double() as fcm:
        asyncio.run(test())
    assert [3_300] * 3 == [round(wait, -1) for wait in waits[:3]]


def test_endpoint_that_is_not_there_is_an_error_of_google_auth(tmp_path: Path) -> None:
    with fcm_double() as fcm:
        account = ServiceAccount(fcm.key_file(tmp_path))
    with pytest.raises(google.auth.exceptions.GoogleAuthError):
        asyncio.run(account.renew())


@pytest.mark.parametrize("content", ["", "{}", '{"type": "authorized_user"}'])
def test_file_that_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "key.json").write_text(content)
    with pytest.raises(ValueError, match="is no service account's key"):
        ServiceAccount(tmp_path / "key.json")
