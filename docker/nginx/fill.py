"""Write nginx's configuration: the template, with the environment's SITE_… variables in it.

    python docker/nginx/fill.py nginx.conf

The container's start and `answerbook up site` run this same file. It needs nothing but Python, and
exits with 1 and a line on standard error where a variable cannot be used.

SITE_LISTEN            8000, or 127.0.0.1:8000 (by default)
SITE_METRICS_LISTEN    the same for Prometheus: 127.0.0.1:9180
SITE_STATIC_ROOT       where `manage.py collectstatic` put its files; no default
SITE_RATE              requests a second for one address: 20
SITE_BURST             as many at once, before any is refused: 100
SITE_TRUSTED_PROXIES   networks of load balancers that say whom they ask for: 10.0.0.0/8,fd00::/8
SITE_LARGEST_UPLOAD    of an import in the admin: 100m
SITE_ACCESS_LOG        /dev/stdout, a file, or off
SITE_MIME_TYPES        nginx's own list: /etc/nginx/mime.types
"""

import os
import re
import sys
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Refused(Exception):
    """A variable cannot be used; the message says which, and what it has to be."""


def matching(pattern: str, what: str) -> Callable[[str], str]:
    """A check that lets through what is like `pattern`: nothing may end a line of nginx's."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(what)
        return value

    return check


def proxies(value: str) -> str:
    """Networks parted by commas, as nginx's directives about them."""
    try:
        networks = [str(ip_network(word.strip())) for word in value.split(",") if word.strip()]
    except ValueError as error:
        raise ValueError(f"networks as 10.0.0.0/8, parted by commas ({error})") from None
    trusted = [f"set_real_ip_from {network};" for network in networks]
    known = ["geo $realip_remote_addr $is_of_proxy {", "    default 0;"]
    known += [f"    {network} 1;" for network in networks] + ["}"]
    return "\n    ".join([*trusted, *known])


def access_log(value: str) -> str:
    return value if value == "off" else f'"{PATH(value)}" plain'


LISTEN = matching(r"[\w.:\[\]*-]+", "a port, or an address and a port")
NUMBER = matching(r"[1-9]\d{0,6}", "a whole number from 1")
PATH = matching(r'/[^"$\\\n]*', "an absolute path without quotes and dollars")
VARIABLES: dict[str, tuple[str, Callable[[str], str]]] = {
    "SITE_LISTEN": ("127.0.0.1:8000", LISTEN),
    "SITE_METRICS_LISTEN": ("127.0.0.1:9180", LISTEN),
    "SITE_STATIC_ROOT": ("", PATH),
    "SITE_RATE": ("20", NUMBER),
    "SITE_BURST": ("100", NUMBER),
    "SITE_TRUSTED_PROXIES": ("", proxies),
    "SITE_LARGEST_UPLOAD": ("100m", matching(r"\d+[kmg]?", "a size as 100m")),
    "SITE_ACCESS_LOG": ("/dev/stdout", access_log),
    "SITE_MIME_TYPES": ("/etc/nginx/mime.types", PATH),
}
"""Name → default, and what turns its value into nginx's words."""


def filled(environment: Mapping[str, str]) -> str:
    """The configuration. Raises Refused."""
    values = {"SITE_UWSGI_PARAMETERS": str(HERE / "uwsgi_parameters")}
    for name, (default, check) in VARIABLES.items():
        given = environment.get(name) or default
        try:
            values[name] = check(given)
        except ValueError as why:
            raise Refused(f"{name} is {given!r}; it has to be {why}.") from None
    pattern = re.compile(r"\$\{(SITE_[A-Z_]+)\}")
    template = (HERE / "nginx.conf.template").read_text()
    return pattern.sub(lambda found: values[found[1]], template)


def main(arguments: list[str]) -> int:
    """The exit code. The file is written beside itself and renamed: nginx reads all or nothing."""
    if len(arguments) != 1:
        sys.stderr.write("Usage: python docker/nginx/fill.py FILE\n")
        return 2
    path = Path(arguments[0])
    try:
        text = filled(os.environ)
        beside = path.with_name(f".{path.name}.new")
        beside.write_text(text)
        beside.replace(path)
    except Refused as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{path} cannot be written: {error.strerror}.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
