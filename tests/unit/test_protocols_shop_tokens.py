"""OAuth 2 in the shop: who may have a token, what it opens, and for how long."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session, OAuthError
from hypothesis import given, settings
from hypothesis import strategies as st

from answerbook.notebook import wait_for
from answerbook.protocols import shop
from answerbook.protocols.peer import Peer

SECONDS = 10
SECRET = "the secret of the client"


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with shop.serve(secret=SECRET) as started:
        yield started.url


@pytest.fixture
def hasty() -> Iterator[Peer]:
    """A shop whose tokens are over after a second."""
    with shop.serve(secret=SECRET, token_seconds=1) as started:
        yield started


def test_a_token_has_what_the_rfc_names_and_no_refresh_token(base: str) -> None:
    answer = ask(base, scope="ledger:read")
    token = answer.json()
    assert {"token_type", "access_token", "expires_in", "scope"} == set(token)
    assert ("Bearer", 3600, "ledger:read") == (
        token["token_type"],
        token["expires_in"],
        token["scope"],
    )
    assert "no-store" == answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("scope", "read", "write"),
    [
        ("ledger:read", 200, 403),
        ("ledger:write", 403, 201),
        ("ledger:read ledger:write", 200, 201),
        ("", 403, 403),
    ],
)
def test_a_token_opens_what_its_scope_says(base: str, scope: str, read: int, write: int) -> None:
    client = client_of(base, scope)
    client.fetch_token()
    assert read == client.get(f"{base}/ledger").status_code
    assert write == client.post(f"{base}/ledger", json={"cents": 5}).status_code


def test_what_is_written_into_the_ledger_is_read_from_it(base: str) -> None:
    client = client_of(base, "ledger:read ledger:write")
    client.fetch_token()
    client.post(f"{base}/ledger", json={"cents": 4_200})
    assert 4_200 == client.get(f"{base}/ledger").json()[-1]
    assert 422 == client.post(f"{base}/ledger", json={"dollars": 42}).status_code


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40))
def test_no_other_secret_gets_a_token(base: str, secret: str) -> None:
    answer = ask(base, secret=secret)
    assert (200 if secret == SECRET else 401) == answer.status_code
    if secret != SECRET:
        assert "invalid_client" == answer.json()["error"]


def test_a_secret_that_is_not_utf_8_is_wrong_like_any_other(base: str) -> None:
    answer = ask(base, secret="\u00fc")  # requests writes it in Latin-1
    assert (401, "invalid_client") == (answer.status_code, answer.json()["error"])


def test_nobody_gets_a_token_of_a_shop_that_was_given_no_secret() -> None:
    with shop.serve() as started:
        assert 401 == ask(started.url, secret="").status_code
        assert 401 == ask(started.url, secret="x").status_code


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "client_credentials", "scope": "admin"}, 400, "invalid_scope"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({}, 400, "unsupported_grant_type"),
    ],
)
def test_a_request_for_what_there_is_not_is_refused_by_its_name(
    base: str, form: dict[str, str], status: int, error: str
) -> None:
    url, credentials = f"{base}/token", (shop.CLIENT_ID, SECRET)
    answer = requests.post(url, data=form, auth=credentials, timeout=SECONDS)
    assert (status, error) == (answer.status_code, answer.json()["error"])


def test_another_client_is_not_known(base: str) -> None:
    form = {"grant_type": "client_credentials"}
    url = f"{base}/token"
    answer = requests.post(url, data=form, auth=("someone", SECRET), timeout=SECONDS)
    assert (401, "invalid_client") == (answer.status_code, answer.json()["error"])


@pytest.mark.parametrize(
    "authorization", [None, "Bearer", "Bearer made-up", "Basic bm90ZWJvb2s6eA==", "nonsense"]
)
def test_without_a_token_that_is_known_the_ledger_is_closed(
    base: str, authorization: str | None
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = requests.get(f"{base}/ledger", headers=headers, timeout=SECONDS)
    assert 401 == answer.status_code
    assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")


def test_a_token_is_good_until_it_expires(hasty: Peer) -> None:
    token = ask(hasty.url, scope="ledger:read").json()["access_token"]
    headers, url = {"Authorization": f"Bearer {token}"}, f"{hasty.url}/ledger"
    assert 200 == requests.get(url, headers=headers, timeout=SECONDS).status_code
    wait_for(
        lambda: requests.get(url, headers=headers, timeout=SECONDS).status_code == 401,
        "the token is refused",
    )


def test_a_client_buys_another_token_when_its_own_is_over(hasty: Peer) -> None:
    client = client_of(hasty.url, "ledger:read", leeway=0)
    first = client.fetch_token()["access_token"]
    wait_for(lambda: client.token.is_expired(leeway=0), "the token expires")
    assert 200 == client.get(f"{hasty.url}/ledger").status_code
    assert first != client.token["access_token"]


def test_a_client_with_a_wrong_secret_is_told_so(base: str) -> None:
    with pytest.raises(OAuthError, match="invalid_client"):
        client_of(base, "ledger:read", secret="a guess").fetch_token()


def test_a_shop_that_was_killed_has_forgotten_its_tokens(hasty: Peer) -> None:
    token = ask(hasty.url, scope="ledger:read").json()["access_token"]
    hasty.kill()
    with shop.serve(urlsplit(hasty.url).port or 0, secret=SECRET) as second:
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{second.url}/ledger", headers=headers, timeout=SECONDS)
    assert (401, "invalid_token") == (answer.status_code, answer.json()["error"])


def ask(base: str, scope: str = "", secret: str = SECRET) -> requests.Response:
    form = {"grant_type": "client_credentials", "scope": scope}
    url, credentials = f"{base}/token", (shop.CLIENT_ID, secret)
    return requests.post(url, data=form, auth=credentials, timeout=SECONDS)


def client_of(base: str, scope: str, secret: str = SECRET, leeway: int = 60) -> OAuth2Session:
    return OAuth2Session(
        shop.CLIENT_ID,
        secret,
        scope=scope,
        token_endpoint=f"{base}/token",
        grant_type="client_credentials",
        default_timeout=SECONDS,
        leeway=leeway,
    )
