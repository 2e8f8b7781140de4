"""API keys as an operator makes, lists and revokes them, in a real PostgreSQL."""

import asyncio
import subprocess
import sys

import psycopg
import pytest

from answerbook import services
from answerbook.notify.store import keys
from answerbook.notify.store.keys import Key, create_key, find_key, list_keys, load_keys, revoke_key
from tests.services.notify_api import new_database


@pytest.fixture
def database() -> str:
    return new_database(services.require("postgres"), "notify_keys")


def loaded(database: str) -> dict[str, Key]:
    async def load() -> dict[str, Key]:
        async with await psycopg.AsyncConnection.connect(database) as connection:
            return await load_keys(connection)

    return asyncio.run(load())


def test_key_opens_with_what_was_shown_and_its_secret_is_stored_nowhere(database: str) -> None:
    with psycopg.connect(database) as connection:
        token = create_key(connection, "shop", 250)
        (row,) = connection.execute("SELECT api_keys::text FROM api_keys").fetchall()

    key = find_key(loaded(database), token)
    assert key is not None
    assert ("shop", 250) == (key.key_id, key.events_per_second)
    assert token.startswith("ab_shop_")
    assert token.removeprefix("ab_shop_") not in row[0]


def test_revoked_key_is_not_loaded_and_stays_listed(database: str) -> None:
    with psycopg.connect(database) as connection:
        create_key(connection, "shop")
        create_key(connection, "app")
        revoke_key(connection, "shop")
        revoke_key(connection, "shop")  # again: nothing changes
        listed = list_keys(connection)

    assert {"app"} == set(loaded(database))
    assert [("app", True), ("shop", False)] == [
        (each.key_id, each.revoked_at is None) for each in listed
    ]


def test_id_is_used_once(database: str) -> None:
    with psycopg.connect(database) as connection:
        create_key(connection, "shop")
        revoke_key(connection, "shop")
        with pytest.raises(keys.KeyTaken):
            create_key(connection, "shop")


@pytest.mark.parametrize("key_id", ["", "Shop", "a_b", "a/b", "x" * 33, "shop\n"])
def test_id_that_cannot_be_is_refused(database: str, key_id: str) -> None:
    with psycopg.connect(database) as connection, pytest.raises(ValueError, match="no key id"):
        create_key(connection, key_id)


def test_rate_that_cannot_be_is_refused(database: str) -> None:
    with psycopg.connect(database) as connection, pytest.raises(ValueError, match="rate"):
        create_key(connection, "shop", 0)


def test_unknown_key_cannot_be_revoked(database: str) -> None:
    with psycopg.connect(database) as connection, pytest.raises(keys.NoSuchKey):
        revoke_key(connection, "nobody")


def test_command_makes_lists_and_revokes_keys(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSWERBOOK_NOTIFY_DATABASE", database)

    def command(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "answerbook", "notify", *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    made = command("key", "shop", "--rate", "250")
    assert find_key(loaded(database), made.stdout.strip()) is not None
    assert "shop  250 events/s  valid\n" == command("keys").stdout
    again = command("key", "shop")
    assert (1, "There is, or was, a key shop. Choose another id.\n") == (
        again.returncode,
        again.stderr,
    )
    assert 0 == command("key", "shop", "--revoke").returncode
    assert {} == loaded(database)


def test_command_says_what_to_do_about_an_empty_database(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = services.require("postgres").create_database("notify_keys_empty")
    monkeypatch.setenv("ANSWERBOOK_NOTIFY_DATABASE", str(empty))
    ended = subprocess.run(
        [sys.executable, "-m", "answerbook", "notify", "key", "shop"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 1 == ended.returncode
    assert "answerbook notify schema" in ended.stderr
