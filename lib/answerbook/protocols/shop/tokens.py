"""An OAuth 2 authorization server, and a resource that its tokens open, by Authlib.

Authlib knows the protocol: what a token request has to have, and which error answers which
mistake. Its subclasses here connect it with Starlette and with what is kept. One process is both
servers, as in many small services; in a large one the resource asks the other (RFC 7662), or
verifies the signature of a token that carries its claims itself.
"""

import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    ClientMixin,
    OAuth2Request,
    ResourceProtector,
    TokenMixin,
)
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator, BearerTokenValidator
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse

from answerbook.protocols.shop import CLIENT_ID
from answerbook.protocols.shop.problems import parsed

SCOPES = ("ledger:read", "ledger:write")
TOKEN_BYTES = 32


@dataclass(frozen=True)
class Client(ClientMixin):
    """A program that may ask for tokens."""

    client_id: str
    secret: str

    def check_client_secret(self, client_secret: str) -> bool:
        # In the same time however much of it is right. No secret at all lets nobody in.
        right = hmac.compare_digest(self.secret.encode(), client_secret.encode())
        return bool(self.secret) and right

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What was asked for, or None when the client may not have it all."""
        wanted = (scope or "").split()
        return " ".join(wanted) if set(wanted) <= set(SCOPES) else None


@dataclass(frozen=True)
class Token(TokenMixin):
    """What is known of an access token."""

    scope: str
    ends: float
    """By the monotonic clock, which nobody sets back."""

    def get_scope(self) -> str:
        return self.scope

    def is_expired(self) -> bool:
        return time.monotonic() >= self.ends

    def is_revoked(self) -> bool:
        return False


class TokenRequest(OAuth2Request):
    """A request as Authlib wants it; the body was read already, since reading has to wait."""

    def __init__(self, request: Request, body: bytes) -> None:
        super().__init__(request.method, str(request.url), headers=request.headers)
        self.payload = BasicOAuth2Payload(dict(parse_qsl(body.decode(errors="replace"))))


class Tokens(AuthorizationServer):
    """Gives tokens to one client, and remembers them as long as it runs."""

    def __init__(self, client: Client, seconds: int) -> None:
        super().__init__(scopes_supported=SCOPES)
        self._client = client
        self.known: dict[str, Token] = {}
        self.register_grant(ClientCredentialsGrant)
        self.register_token_generator(
            "default",
            BearerTokenGenerator(
                lambda **_: secrets.token_urlsafe(TOKEN_BYTES),
                expires_generator=lambda *_: seconds,
            ),
        )

    def query_client(self, client_id: str) -> Client | None:
        return self._client if client_id == self._client.client_id else None

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        ends = time.monotonic() + token["expires_in"]
        self.known[token["access_token"]] = Token(token.get("scope", ""), ends)

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        return request

    def handle_response(
        self, status: int, body: dict[str, Any], headers: list[tuple[str, str]]
    ) -> JSONResponse:
        return JSONResponse(body, status, dict(headers))

    def send_signal(self, name: str, *arguments: Any, **named: Any) -> None:
        """Nobody listens."""


class Validator(BearerTokenValidator):
    """Looks a token up where it was saved."""

    def __init__(self, known: dict[str, Token]) -> None:
        super().__init__(realm="ledger")
        self._known = known

    def authenticate_token(self, token_string: str) -> Token | None:
        return self._known.get(token_string)


class Entry(BaseModel):
    """What a client may write into the ledger."""

    cents: int


class Ledger:
    """What the tokens open. Its public methods are handlers."""

    def __init__(self, secret: str, token_seconds: int) -> None:
        self._entries: list[int] = []
        self._tokens = Tokens(Client(CLIENT_ID, secret), token_seconds)
        self._protector = ResourceProtector()
        self._protector.register_token_validator(Validator(self._tokens.known))

    async def token(self, request: Request) -> JSONResponse:
        asked = TokenRequest(request, await request.body())
        try:
            answer = self._tokens.create_token_response(asked)
        except UnicodeDecodeError:  # Authlib takes the credentials for UTF-8; many clients do not
            body = {"error": "invalid_client", "error_description": "The secret is not UTF-8."}
            return JSONResponse(body, 401, {"WWW-Authenticate": "Basic"})
        assert isinstance(answer, JSONResponse)
        return answer

    async def read(self, request: Request) -> JSONResponse:
        return self._refusal("ledger:read", request) or JSONResponse(self._entries)

    async def write(self, request: Request) -> JSONResponse:
        refusal = self._refusal("ledger:write", request)
        if refusal:
            return refusal
        self._entries.append(parsed(Entry, await request.body()).cents)
        return JSONResponse({"entry": len(self._entries)}, 201)

    def _refusal(self, scope: str, request: Request) -> JSONResponse | None:
        """None for a token that is good, and good enough."""
        try:
            self._protector.validate_request([scope], request)
        except OAuth2Error as error:
            status, body, headers = error()
            return JSONResponse(body, status, dict(headers))
        return None
