"""Finds in a notebook's outputs what belongs to one machine alone: paths, names, passwords.

`publish` refuses to write what has any; the tests look through what is published.
"""

from __future__ import annotations

import base64
import binascii
import re
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from answerbook.config import Settings, repository
from answerbook.notebook.source import code_cells

if TYPE_CHECKING:
    from nbformat import NotebookNode

SHORTEST_SECRET = 6
SHORTEST_HOST_NAME = 4
"""Shorter ones, such as `vm`, tell nothing of a machine and come in texts."""
BASE64_WORD = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")

ELSEWHERE = {
    "a home folder": re.compile(r"(?<![\w.~-])/(?:home|Users)/[\w.-]+|(?<![\w.~-])/root/\w"),
    "an address with a password": re.compile(
        r"://[^\s:/@]+:(?!(?:pass|passwd|guest|\*+)@)[^\s/@]+@"
    ),
}
"""What no page should show, whoever published it; a textbook's `user:pass@` may stand."""


@dataclass(frozen=True)
class Leak:
    """Something of this machine in an output."""

    cell: int
    """Among the code cells, from 1."""
    what: str
    """A description that does not repeat a secret."""


def find_leaks(notebook: NotebookNode, settings: Settings) -> list[Leak]:
    """Paths, names and addresses of this machine, and secrets of the state folder, in outputs."""
    forbidden, secrets = [*_paths(settings), *_names_of_machine()], _secrets(settings)
    return [
        Leak(number, what)
        for number, cell in enumerate(code_cells(notebook), start=1)
        for what in leaks_in("\n".join(_texts(cell)), forbidden, secrets)
    ]


def leaks_in(text: str, forbidden: list[tuple[str, str]], secrets: list[str]) -> Iterator[str]:
    """What of `forbidden` (kind, value), of `secrets` and of any machine stands in `text`."""
    for kind, value in forbidden:
        # Neither part of a longer name nor of a longer path: /root is not in /rootless.
        if re.search(rf"(?<![\w.~-]){re.escape(value)}(?![\w-])", text):
            yield f"{kind}, {value}"
    for kind, pattern in ELSEWHERE.items():
        if pattern.search(text):
            yield kind
    for secret in secrets:
        if secret in text or any(secret in word for word in _decoded(text)):
            yield "a password of the state folder"


def _texts(cell: NotebookNode) -> Iterator[str]:
    """All text in a cell's outputs, but for the bytes of images."""
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.text
        elif output.output_type == "error":
            yield from (output.ename, output.evalue, *output.traceback)
        else:
            for format_, content in output.data.items():
                if not format_.startswith("image/") or format_ == "image/svg+xml":
                    yield content if isinstance(content, str) else str(content)
            yield str(output.metadata)


def _decoded(text: str) -> Iterator[str]:
    """What is Base64 in `text`, in clear: an Authorization header holds a password that way."""
    for word in BASE64_WORD.findall(text):
        bare = word.rstrip("=").translate(str.maketrans("-_", "+/"))
        try:
            yield base64.b64decode(bare + "=" * (-len(bare) % 4)).decode("latin-1")
        except binascii.Error:
            continue


def _paths(settings: Settings) -> list[tuple[str, str]]:
    home = Path.home()
    folders = {
        "the home folder": home,
        "the repository": repository(),
        "the state folder": settings.state_folder,
        "the programs' folder": settings.programs_folder,
        "the Python installation": Path(sys.prefix),
        "the temporary folder": Path(tempfile.gettempdir()),
        "a temporary folder": Path("/tmp"),
        "another temporary folder": Path("/var/tmp"),
    }
    known = [(kind, str(path)) for kind, path in folders.items() if path and len(path.parts) > 1]
    under_home = [
        (kind, path.replace(str(home), "~", 1))
        for kind, path in known
        if path.startswith(f"{home}/")
    ]
    return known + under_home


def _names_of_machine() -> list[tuple[str, str]]:
    """The host's name and its addresses on any network but loopback."""
    names = {socket.gethostname(), socket.gethostname().partition(".")[0], socket.getfqdn()}
    own = {name for name in names if len(name) >= SHORTEST_HOST_NAME and "localhost" not in name}
    addresses = {
        address.address.partition("%")[0]
        for interface in psutil.net_if_addrs().values()
        for address in interface
        if address.family in (socket.AF_INET, socket.AF_INET6)
    }
    outside = {
        address for address in addresses if not address.startswith("127.") and address != "::1"
    }
    return [
        *(("the name of this machine", name) for name in sorted(own)),
        *(("an address of this machine", address) for address in sorted(outside)),
    ]


def _secrets(settings: Settings) -> list[str]:
    """Passwords that were generated here or set from outside."""
    folder = settings.state_folder / "secrets"
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    secrets = [path.read_text().strip() for path in files if path.is_file()]
    secrets += [
        value.get_secret_value()
        for value in (settings.rabbitmq_password, settings.postgres_password)
        if value is not None
    ]
    return [secret for secret in secrets if len(secret) >= SHORTEST_SECRET]
