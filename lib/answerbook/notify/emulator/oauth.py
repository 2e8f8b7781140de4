"""The token endpoint, oauth2.googleapis.com/token, and the access tokens that it has issued.

It takes what a service account sends (RFC 7523): an assertion, signed with RS256, which is verified
in full. A restart forgets all tokens: clients get 401 and ask for a new one, as google-auth does.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs

import jwt

from answerbook.notify.emulator.answers import Answer, as_json
from answerbook.notify.emulator.service_account import TOKEN_URI, ServiceAccount

GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LASTS: Final = 3_599
"""Seconds that a token is good for, as Google gives them."""
LONGEST_ASSERTION: Final = 3_600
CLOCK_SKEW: Final = 60
MOST_TOKENS: Final = 10_000
SCOPES: Final = frozenset(
    {
        "https://www.googleapis.com/auth/firebase.messaging",
        "https://www.googleapis.com/auth/cloud-platform",
    }
)
"""Either lets a token send."""


class Tokens:
    """Access tokens: `Bearer …` → the project it is for, and until when."""

    def __init__(self, account: ServiceAccount, now: Callable[[], float] = time.time) -> None:
        self._account = account
        self._now = now
        self._issued: OrderedDict[str, float] = OrderedDict()

    @property
    def own_project(self) -> str:
        """The service account's."""
        return self._account.project

    def project(self, authorization: str) -> str | None:
        """The project that the header's token may send for; None when it is not valid."""
        ends = self._issued.get(authorization)
        return self._account.project if ends is not None and self._now() < ends else None

    def token(self, body: bytes) -> Answer:
        """Answer a request of the token endpoint."""
        form = parse_qs(body.decode(errors="replace"), max_num_fields=20)
        if form.get("grant_type") != [GRANT]:
            return _refused("unsupported_grant_type", f"Invalid grant_type: it is {GRANT}")
        assertion = form.get("assertion", [""])[0]
        try:
            claims = self._verified(assertion)
        except jwt.InvalidSignatureError:
            return _refused("invalid_grant", "Invalid JWT Signature.")
        except jwt.InvalidTokenError as error:
            return _refused("invalid_grant", f"Invalid JWT: {error}")
        if not SCOPES & set(str(claims.get("scope", "")).split()):
            return _refused("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        return as_json({"access_token": self._issue(), "expires_in": LASTS, "token_type": "Bearer"})

    def _verified(self, assertion: str) -> dict[str, Any]:
        """The assertion's claims. Raises jwt.InvalidTokenError."""
        if jwt.get_unverified_header(assertion).get("kid") != self._account.key_id:
            raise jwt.InvalidTokenError("the key id is not that of the service account")
        claims = jwt.decode(
            assertion,
            self._account.public_key,
            algorithms=["RS256"],
            audience=TOKEN_URI,
            issuer=self._account.email,
            leeway=CLOCK_SKEW,
            options={"require": ["exp", "iat", "aud", "iss"]},
        )
        if claims["exp"] - claims["iat"] > LONGEST_ASSERTION:
            raise jwt.InvalidTokenError("it must be short-lived, at most 60 minutes")
        return claims

    def _issue(self) -> str:
        token = f"ya29.{secrets.token_urlsafe(48)}"
        while len(self._issued) >= MOST_TOKENS:
            self._issued.popitem(last=False)
        self._issued[f"Bearer {token}"] = self._now() + LASTS
        return token


def _refused(error: str, description: str) -> Answer:
    return as_json({"error": error, "error_description": description}, 400)
