"""A webhook is taken when it is fresh and as it was signed, each once, and sent until it is."""

import base64
import hmac
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.requests import Request
from starlette.responses import Response

from answerbook.protocols import asgi, trial, webhook_provider, webhooks
from answerbook.protocols.peer import Peer
from answerbook.protocols.webhooks import TOLERANCE_SECONDS, Inbox, Refused, verify

SECONDS = 20
NOW = 1_800_000_000
SECRET = webhooks.new_secret()
KEY = webhooks.key_of(SECRET)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

bodies = st.binary(max_size=60)
ids = st.text(st.characters(codec="ascii", exclude_characters="."), min_size=1, max_size=20)
bytes_ = st.integers(0, 255)


def signed(
    body: bytes, message_id: str = "msg_1", sent: int = NOW, key: bytes = KEY
) -> dict[str, str]:
    content = f"{message_id}.{sent}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(sent),
        "webhook-signature": f"v1,{signature}",
    }


# -- verify -----------------------------------------------------------------------------------


@given(body=bodies, message_id=ids, off=st.integers(-TOLERANCE_SECONDS, TOLERANCE_SECONDS))
def test_what_is_fresh_and_as_it_was_signed_is_taken(
    body: bytes, message_id: str, off: int
) -> None:
    headers = signed(body, message_id, NOW + off)
    assert message_id == verify(KEY, headers, body, NOW)


@given(body=bodies, message_id=ids, position=st.integers(0), byte=bytes_)
def test_a_body_with_one_byte_altered_is_refused(
    body: bytes, message_id: str, position: int, byte: int
) -> None:
    assume(body)
    altered = bytearray(body)
    position %= len(body)
    assume(altered[position] != byte)
    altered[position] = byte
    with pytest.raises(Refused, match="No signature fits"):
        verify(KEY, signed(body, message_id), bytes(altered), NOW)


@pytest.mark.parametrize("part", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@given(body=bodies, message_id=ids, position=st.integers(0), byte=bytes_)
@example(body=b"", message_id="m", position=45, byte=ord("B"))
def test_a_header_with_one_byte_altered_is_refused(
    part: str, body: bytes, message_id: str, position: int, byte: int
) -> None:
    headers = signed(body, message_id)
    # A server hands headers on as latin-1, in which each byte is a character.
    value = headers[part]
    position %= len(value)
    assume(value[position] != chr(byte))
    headers[part] = value[:position] + chr(byte) + value[position + 1 :]
    with pytest.raises(Refused):
        verify(KEY, headers, body, NOW)


@given(body=bodies, position=st.integers(0), byte=bytes_)
def test_a_body_with_a_byte_more_or_less_is_refused(body: bytes, position: int, byte: int) -> None:
    position %= len(body) + 1
    longer = body[:position] + bytes([byte]) + body[position:]
    with pytest.raises(Refused):
        verify(KEY, signed(body), longer, NOW)
    with pytest.raises(Refused):
        verify(KEY, signed(longer), body, NOW)


@given(late=st.integers(TOLERANCE_SECONDS + 1, NOW))
def test_an_old_timestamp_is_refused_however_well_it_is_signed(late: int) -> None:
    with pytest.raises(Refused, match="more than 300 s from now"):
        verify(KEY, signed(b"{}", sent=NOW - late), b"{}", NOW)


@given(early=st.integers(TOLERANCE_SECONDS + 1, NOW))
def test_a_timestamp_of_the_future_is_refused_too(early: int) -> None:
    with pytest.raises(Refused, match="more than 300 s from now"):
        verify(KEY, signed(b"{}", sent=NOW + early), b"{}", NOW)


def test_now_is_the_clock_unless_it_is_given() -> None:
    assert "msg_1" == verify(KEY, signed(b"{}", sent=int(time.time())), b"{}")
    with pytest.raises(Refused):
        verify(KEY, signed(b"{}", sent=int(time.time()) - 600), b"{}")


@given(other=st.binary(min_size=1, max_size=64))
def test_another_key_is_refused(other: bytes) -> None:
    # HMAC fills a key up with zero bytes, so those at its end make no difference.
    assume(other.rstrip(b"\0") != KEY.rstrip(b"\0"))
    with pytest.raises(Refused):
        verify(KEY, signed(b"{}", key=other), b"{}", NOW)


def test_what_is_signed_can_be_divided_in_one_way_only() -> None:
    body = f"{NOW}.5".encode()
    headers = signed(body, "msg_1", NOW - 1)
    assert "msg_1" == verify(KEY, headers, body, NOW)
    headers |= {"webhook-id": f"msg_1.{NOW - 1}", "webhook-timestamp": str(NOW)}
    with pytest.raises(Refused, match="full stop"):
        verify(KEY, headers, b"5", NOW)


@given(
    headers=st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()
    ),
    body=bodies,
)
@example({"webhook-id": "m", "webhook-timestamp": "9" * 5_000, "webhook-signature": "v1,"}, b"")
@example({"webhook-id": "m", "webhook-timestamp": "٣", "webhook-signature": "v1,é"}, b"")
def test_nonsense_is_refused_and_nothing_else_is_raised(
    headers: dict[str, str], body: bytes
) -> None:
    with pytest.raises(Refused):
        verify(KEY, headers, body, NOW)


@pytest.mark.parametrize("part", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_named(part: str) -> None:
    headers = signed(b"{}")
    del headers[part]
    with pytest.raises(Refused, match=f"The header '{part}' is missing."):
        verify(KEY, headers, b"{}", NOW)


def test_one_signature_that_fits_is_enough_among_several() -> None:
    fitting = signed(b"{}")
    other = signed(b"{}", key=b"the key before this one")["webhook-signature"]
    for both in (
        f"{other} {fitting['webhook-signature']}",
        f"{fitting['webhook-signature']} {other}",
        f"v1a,ed25519 {fitting['webhook-signature']}",
    ):
        assert "msg_1" == verify(KEY, fitting | {"webhook-signature": both}, b"{}", NOW)


@given(text=st.text(max_size=60), message_id=ids)
def test_what_the_reference_library_signs_is_taken(text: str, message_id: str) -> None:
    at = datetime.fromtimestamp(NOW, UTC)
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(NOW),
        "webhook-signature": Webhook(SECRET).sign(message_id, at, text),
    }
    assert headers == signed(text.encode(), message_id)
    assert message_id == verify(KEY, headers, text.encode(), NOW)


def test_the_reference_library_takes_four_spellings_of_a_signature_and_this_takes_one() -> None:
    headers = signed(b"{}", sent=int(time.time()))
    signature = headers["webhook-signature"]
    spellings = [
        headers | {"webhook-signature": f"{signature[:-2]}{letter}="} for letter in LETTERS
    ]
    assert 4 == sum(library_accepts(spelling) for spelling in spellings)
    assert 1 == sum(accepts(spelling) for spelling in spellings)


def library_accepts(headers: dict[str, str]) -> bool:
    try:
        Webhook(SECRET).verify(b"{}", headers)
    except WebhookVerificationError:
        return False
    return True


def accepts(headers: dict[str, str]) -> bool:
    try:
        verify(KEY, headers, b"{}")
    except Refused:
        return False
    return True


def test_a_secret_is_24_to_64_random_bytes() -> None:
    assert 24 <= len(webhooks.key_of(webhooks.new_secret())) <= 64
    assert webhooks.new_secret() != webhooks.new_secret()
    assert webhooks.new_secret().startswith("whsec_")


# -- Inbox ------------------------------------------------------------------------------------


@given(sent=st.lists(st.sampled_from("abcdefgh"), max_size=30))
def test_each_id_is_kept_once_with_the_body_that_came_first(sent: list[str]) -> None:
    inbox = Inbox(":memory:")
    with closing(inbox):
        answers = [inbox.store(name, b"%d" % place) for place, name in enumerate(sent)]
        first = {name: sent.index(name) for name in sent}
        assert [first[name] == place for place, name in enumerate(sent)] == answers
        assert [b"%d" % place for place in first.values()] == [body for body, _ in inbox.messages()]
        assert len(first) == len(inbox)


def test_an_inbox_outlives_whoever_filled_it(tmp_path: Path) -> None:
    with closing(Inbox(tmp_path / "inbox")) as first:
        assert first.store("msg_1", b"\xff")
    with closing(Inbox(tmp_path / "inbox")) as second:
        assert not second.store("msg_1", b"again")
        assert [b"\xff"] == [body for body, _ in second.messages()]


def test_of_many_threads_that_store_one_id_one_is_told_that_it_is_new(tmp_path: Path) -> None:
    told: list[bool] = []
    with closing(Inbox(tmp_path / "inbox")) as inbox:
        threads = [
            threading.Thread(target=lambda: told.append(inbox.store("msg_1", b"")))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {True: 1, False: 7} == Counter(told)


# -- provider ---------------------------------------------------------------------------------


class Subscriber:
    """A receiver that answers each message with the statuses it is given, the last one for good."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = statuses
        self.requests: list[tuple[dict[str, str], bytes]] = []

    async def receive(self, request: Request) -> Response:
        body = await request.body()
        message_id = request.headers["webhook-id"]
        before = sum(headers["webhook-id"] == message_id for headers, _ in self.requests)
        self.requests.append((dict(request.headers), body))
        return Response(status_code=self._statuses[min(before, len(self._statuses) - 1)])


@pytest.fixture
def provider() -> Iterator[Peer]:
    with webhook_provider.serve() as running:
        yield running


def test_a_subscriber_gets_as_many_messages_as_it_asked_for(provider: Peer) -> None:
    subscriber = Subscriber(202)
    with asgi.serve_handler("/hooks", subscriber.receive) as receiver:
        subscribe(provider, receiver, 20)
        attempts = wait_for_attempts(provider, 20)
    assert {202: 20} == Counter(attempt["status"] for attempt in attempts)
    for headers, body in subscriber.requests:
        assert headers["webhook-id"] == verify(KEY, headers, body)
        assert "application/json" == headers["content-type"]
    seen = sorted(trial.heard(body)[0] for _, body in subscriber.requests)
    assert list(range(1, 21)) == seen


def test_what_is_not_answered_2xx_comes_again_under_its_id(provider: Peer) -> None:
    subscriber = Subscriber(503, 500, 204)
    with asgi.serve_handler("/hooks", subscriber.receive) as receiver:
        subscribe(provider, receiver, 3)
        attempts = wait_for_attempts(provider, 9)
    assert {503: 3, 500: 3, 204: 3} == Counter(attempt["status"] for attempt in attempts)
    assert {3} == set(Counter(attempt["id"] for attempt in attempts).values())
    bodies = {headers["webhook-id"]: body for headers, body in subscriber.requests}
    for headers, body in subscriber.requests:
        assert bodies[headers["webhook-id"]] == body
        assert headers["webhook-id"] == verify(KEY, headers, body)


def test_a_subscriber_that_is_down_gets_its_messages_when_it_is_back(provider: Peer) -> None:
    subscriber = Subscriber(202)
    with asgi.serve_handler("/hooks", subscriber.receive) as receiver:
        port = receiver.port
    subscribe(provider, receiver, 5)
    wait_for_attempts(provider, 5)
    with asgi.serve_handler("/hooks", subscriber.receive, port):
        attempts = wait_for_attempts(provider, 5, status=202)
    assert 5 < len(attempts)
    assert 5 == len({headers["webhook-id"] for headers, _ in subscriber.requests})


def test_a_provider_gives_up_in_the_end(provider: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"MOST_ATTEMPTS": 3, "FIRST_WAIT_SECONDS": 0.01}.items():
        monkeypatch.setattr(webhook_provider, name, value)
    subscriber = Subscriber(410)
    with (
        asgi.serve_handler("/hooks", subscriber.receive) as receiver,
        asgi.serve(webhook_provider.application()) as impatient,
    ):
        subscribe(impatient, receiver, 2)
        attempts = wait_for_attempts(impatient, 6)
        subscribe(impatient, receiver, 1)
        attempts = wait_for_attempts(impatient, 9)
    assert {3} == set(Counter(attempt["id"] for attempt in attempts).values())


def subscribe(provider: Peer | asgi.Serving, receiver: asgi.Serving, count: int) -> None:
    wanted = {"url": f"{receiver.url}/hooks", "secret": SECRET, "count": count}
    answer = httpx.post(f"{provider.url}/subscriptions", json=wanted, timeout=SECONDS)
    assert (201, {"count": count}) == (answer.status_code, answer.json())


def wait_for_attempts(
    provider: Peer | asgi.Serving, count: int, status: int | None = None
) -> list[dict[str, str | int]]:
    """The provider's attempts, once `count` of them were made (and answered `status`)."""
    deadline = time.monotonic() + SECONDS
    while True:
        attempts = httpx.get(f"{provider.url}/attempts", timeout=SECONDS).json()
        if sum(status in (None, attempt["status"]) for attempt in attempts) >= count:
            return list(attempts)
        assert time.monotonic() < deadline, f"{len(attempts)} attempts: {attempts[-3:]}"
