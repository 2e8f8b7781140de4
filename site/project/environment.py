"""What the environment says: `DATABASE_URL` and `SITE_*`. settings.py alone calls this."""

import os
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SCHEMES = ("postgresql", "postgres")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def required(name: str, what: str) -> str:
    """A variable that has no sensible default. Raises ImproperlyConfigured, which says `what`."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set: {what}. `answerbook env site` prints it for the site that runs "
            "here; README.md lists all that a deployment sets."
        )
    return value


def flag(name: str, *, default: bool = False) -> bool:
    """On for 1, true, yes, on; off for 0, false, no, off. Raises ImproperlyConfigured."""
    value = os.environ.get(name, "").lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    if value == "":
        return default
    raise ImproperlyConfigured(f"{name} is {value!r}; use 1 or 0.")


def tls(hosts: Collection[str]) -> bool:
    """`SITE_TLS`, on by default. Raises ImproperlyConfigured where it is off for all the world."""
    on = flag("SITE_TLS", default=True)
    others = [host for host in hosts if host not in LOOPBACK]
    if not on and others:
        raise ImproperlyConfigured(
            f"SITE_TLS is 0, and SITE_ALLOWED_HOSTS has {others[0]}: passwords would cross the "
            "network as they are. Without TLS the site answers to 127.0.0.1 and localhost alone; "
            "where a load balancer ends the TLS, leave SITE_TLS on."
        )
    return on


def number(name: str, default: int) -> int:
    """A whole number from 0. Raises ImproperlyConfigured."""
    value = os.environ.get(name, "") or str(default)
    if not value.isascii() or not value.isdigit():
        raise ImproperlyConfigured(f"{name} is {value!r}; use a whole number.")
    return int(value)


def words(name: str, default: str = "") -> list[str]:
    """Parted by commas."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def choice(name: str, *choices: str) -> str:
    """One of `choices`, the first by default. Raises ImproperlyConfigured."""
    value = os.environ.get(name, "") or choices[0]
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}; use one of {', '.join(choices)}.")
    return value


def database(url: str) -> Mapping[str, Any]:
    """Django's settings for postgresql://user:password@host:port/name?sslmode=require.

    Raises ImproperlyConfigured, without the password in it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {error}.") from None
    name = unquote(parts.path.lstrip("/"))
    if parts.scheme not in SCHEMES or not name:
        raise ImproperlyConfigured(
            "DATABASE_URL has to be postgresql://user:password@host:port/name; "
            f"this one has the scheme {parts.scheme!r} and the name {name!r}."
        )
    options = dict(parse_qsl(parts.query))
    # Compiling a plan takes longer than any search here.
    options.setdefault("options", "-c jit=off")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        # A folder with a Unix socket in it comes as ?host=/run/postgresql.
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(port or ""),
        # Each worker keeps its connection: opening one costs more than most searches.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
