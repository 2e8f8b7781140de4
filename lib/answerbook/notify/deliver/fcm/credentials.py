"""The bearer token of each request: a service account's, renewed before it ends, or `owner`.

Used by target.py; sender.py asks for a new token when FCM refuses the one it has.
"""

import asyncio
import ssl
import time
from datetime import UTC
from pathlib import Path
from typing import Any

import google.auth.exceptions
import google.auth.transport.requests
import requests
import requests.adapters
from google.oauth2 import service_account

from answerbook.notify.running import log

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
BEFORE_END = 300.0
"""Seconds before its end at which a token is renewed; half its life where that is shorter."""
BETWEEN_RENEWALS = 5.0
"""Seconds: a thousand refused sends at once ask for one new token."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0


class Owner:
    """What the emulator takes, as Firebase's own emulators do."""

    token = "owner"

    async def keep(self) -> None:
        """There is nothing to renew."""

    async def renew(self) -> None:
        """There is nothing to renew."""


class ServiceAccount:
    """A key file's account. `token` is empty until the first `renew`."""

    def __init__(self, key: Path) -> None:
        """Raises ValueError when the file cannot be read or is no key."""
        try:
            self._credentials = service_account.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
                str(key), scopes=[SCOPE]
            )
        except (OSError, ValueError, google.auth.exceptions.GoogleAuthError) as error:
            raise ValueError(f"{key} is no service account's key: {error}") from error
        session = requests.Session()
        session.mount("https://", _SystemTrust())
        self._transport = google.auth.transport.requests.Request(session=session)
        self._lock = asyncio.Lock()
        self._renewed = float("-inf")
        self.token = ""

    async def keep(self) -> None:
        """Renew the token before it ends, for ever; what fails is logged and tried again."""
        wait = FIRST_WAIT
        while True:
            try:
                await self.renew()
            except google.auth.exceptions.GoogleAuthError as error:
                log().warning("no token from the service account", error=str(error), wait=wait)
                await asyncio.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT)
                continue
            wait = FIRST_WAIT
            left = self._seconds_left()
            await asyncio.sleep(max(left - BEFORE_END, left / 2, BETWEEN_RENEWALS))

    async def renew(self) -> None:
        """A new token, unless there is one of the last seconds. Raises GoogleAuthError."""
        async with self._lock:
            if time.monotonic() - self._renewed < BETWEEN_RENEWALS:
                return
            await asyncio.to_thread(self._credentials.refresh, self._transport)
            self._renewed = time.monotonic()
            self.token = str(self._credentials.token)

    def _seconds_left(self) -> float:
        expiry = self._credentials.expiry
        if expiry is None:
            return 2 * BEFORE_END
        # google-auth's expiry is UTC without saying so.
        return float(expiry.replace(tzinfo=UTC).timestamp() - time.time())


class _SystemTrust(requests.adapters.HTTPAdapter):
    """Trusts OpenSSL's authorities, SSL_CERT_FILE's too, as everything else here does.

    requests by itself knows its own list and REQUESTS_CA_BUNDLE.
    """

    def init_poolmanager(self, *positional: Any, **named: Any) -> None:
        context = ssl.create_default_context()
        super().init_poolmanager(*positional, **named, ssl_context=context)

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        context = ssl.create_default_context()
        return super().proxy_manager_for(proxy, **named, ssl_context=context)
