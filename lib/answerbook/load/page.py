"""Keeps Locust's page to whoever has its token: a layer around the page, for all of its addresses.

Locust's own `--web-login` wants a login page to be written, and lets any host name through. Here,
as in Jupyter, the token comes once in the address, `/?token=…`, and then in a cookie. Loaded by
the Locust file, inside of Locust.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qs

COOKIE: Final = "answerbook-load"
HOSTS: Final = frozenset({"127.0.0.1", "localhost"})

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class Guard:
    """A WSGI application that lets requests through to another."""

    def __init__(self, application: Application, token: str) -> None:
        self._application, self._token = application, token

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        # Another name means that a page elsewhere has its name point here (DNS rebinding).
        if environ.get("HTTP_HOST", "").rpartition(":")[0] not in HOSTS:
            return _answer(start, "403 Forbidden", "This page is for this machine alone.")
        if self._is_right(_cookie(environ)):
            return self._application(environ, start)
        given = parse_qs(environ.get("QUERY_STRING", "")).get("token", [""])[0]
        if not self._is_right(given):
            return _answer(start, "401 Unauthorized", "Open the whole address, with its token.")
        cookie = f"{COOKIE}={given}; Path=/; HttpOnly; SameSite=Strict"
        headers = {"Location": environ.get("PATH_INFO") or "/", "Set-Cookie": cookie}
        return _answer(start, "303 See Other", "", headers)

    def _is_right(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self._token.encode())


def _cookie(environ: Environ) -> str:
    try:
        cookies = SimpleCookie(environ.get("HTTP_COOKIE", ""))
    except CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""


def _answer(
    start: StartResponse, status: str, text: str, headers: Mapping[str, str] | None = None
) -> Iterable[bytes]:
    body = text.encode()
    kind = {"Content-Type": "text/plain", "Content-Length": str(len(body))}
    start(status, list((kind | dict(headers or {})).items()))
    return [body]
