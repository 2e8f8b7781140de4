"""Subscriptions to FCM's topics, against a scripted FCM: the requests, and what is tried again."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from answerbook import services
from answerbook.notify import store
from tests.services.fcm_double import (
    CUT,
    UNAVAILABLE,
    UNREGISTERED,
    FcmDouble,
    fcm_double,
    refusal,
    response,
)

BASE = "/v1/projects/answerbook/registrations"


@pytest.fixture
def fcm() -> Iterator[FcmDouble]:
    with fcm_double() as double:
        yield double


def notify(fcm: FcmDouble, *words: str, database: str = "") -> tuple[int, str, str]:
    """Exit status, output and errors of `answerbook notify …`."""
    settings = {"EMULATOR_URL": fcm.url, "DELIVER_ATTEMPTS": "3", "DELIVER_TIMEOUT": "2"}
    if database:
        settings["DATABASE"] = database
    named = {f"ANSWERBOOK_NOTIFY_{name}": value for name, value in settings.items()}
    ran = subprocess.run(
        [sys.executable, "-m", "answerbook", "notify", *words],
        env=os.environ | named,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return ran.returncode, ran.stdout, ran.stderr


def test_each_token_is_a_request_as_firebase_admin_makes_it(fcm: FcmDouble, tmp_path: Path) -> None:
    tokens = [f"token:{number}/x" for number in range(300)]
    (tmp_path / "tokens").write_text("\n".join(tokens))

    assert (0, "subscribe: 301 done, 0 failed.\n", "") == notify(
        fcm, "subscribe", "new s%", "one", "--file", str(tmp_path / "tokens")
    )
    wanted = [f"token%3A{number}%2Fx" for number in range(300)] + ["one"]
    assert sorted(
        ("POST", f"{BASE}/{token}/topicSubscriptions?topic_name=new%20s%25") for token in wanted
    ) == sorted(fcm.requests)
    assert "Bearer owner" == fcm.headers["authorization"]

    fcm.requests.clear()
    assert 0 == notify(fcm, "unsubscribe", "news", "one")[0]
    assert [("DELETE", f"{BASE}/one/topicSubscriptions/news?allow_missing=true")] == fcm.requests


def test_what_fails_for_a_moment_is_tried_again_and_the_rest_is_told(fcm: FcmDouble) -> None:
    def path(token: str) -> str:
        return f"{BASE}/{token}/topicSubscriptions?topic_name=news"

    fcm.script[path("there")].append(response(409, {"error": {"status": "ALREADY_EXISTS"}}))
    fcm.script[path("busy")].extend([UNAVAILABLE, CUT])
    fcm.script[path("down")].extend([UNAVAILABLE] * 3)
    fcm.script[path("gone")].append(UNREGISTERED)
    fcm.script[path("wrong")].append(refusal(400, "INVALID_ARGUMENT"))

    status, said, errors = notify(
        fcm, "subscribe", "news", "there", "busy", "down", "gone", "wrong"
    )
    assert (1, "subscribe: 2 done, 3 failed.\n") == (status, said)
    assert ["down\tUNAVAILABLE", "gone\tUNREGISTERED", "wrong\tINVALID_ARGUMENT"] == sorted(
        line.removeprefix("news\t") for line in errors.splitlines()
    )


def test_sync_subscribes_what_the_store_holds(fcm: FcmDouble) -> None:
    database = services.require("postgres").create_database("notify_topics")
    schema = Path(store.__file__).with_name("schema.sql").read_text()
    with psycopg.connect(database) as connection:
        connection.execute(schema.encode())
        connection.execute("INSERT INTO users (user_id, name) VALUES ('u1', 'A'), ('u2', 'B')")
        connection.execute(
            "INSERT INTO devices (device_id, user_id, address, platform, pruned_at) VALUES "
            "('d1', 'u1', 'a1', 'ios', NULL), ('d2', 'u1', 'a2', 'web', NULL), "
            "('d3', 'u1', 'a3', 'web', now()), ('d4', 'u2', 'a4', 'web', NULL)"
        )
        connection.execute("INSERT INTO topic_subscriptions VALUES ('u1', 'news')")

    assert (0, "subscribe: 2 done, 0 failed.\n", "") == notify(
        fcm, "subscribe", "--sync", database=str.__str__(database)
    )
    assert [
        ("POST", f"{BASE}/{token}/topicSubscriptions?topic_name=news") for token in ("a1", "a2")
    ] == sorted(fcm.requests)


def test_neither_a_topic_nor_the_store_is_an_error_of_use(fcm: FcmDouble) -> None:
    status, _, errors = notify(fcm, "subscribe")
    assert 2 == status
    assert "or --sync" in errors
