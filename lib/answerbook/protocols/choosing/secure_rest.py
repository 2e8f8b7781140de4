"""REST over TLS: a POST for each payload, on one connection or on one each. As a program, its peer.

Used by benchmarks/protocols.py, for what it costs to do without a pool. Acknowledged is what the
receiver wrote into its ledger and then answered 201.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import requests

from answerbook.protocols.choosing import receiver
from answerbook.protocols.choosing.line import Line
from answerbook.protocols.choosing.way import Way, direct

TIMEOUT = 5
AUTHORITY, KEY, CERTIFICATE = "authority.pem", "key.pem", "certificate.pem"


def send_pooled(url: str, authority: str, payloads: Iterator[str]) -> None:
    with requests.Session() as session:
        for payload in payloads:
            answer = session.post(url, payload, verify=authority, timeout=TIMEOUT)
            answer.raise_for_status()


def send_unpooled(url: str, authority: str, payloads: Iterator[str]) -> None:
    for payload in payloads:
        answer = requests.post(url, payload, verify=authority, timeout=TIMEOUT)
        answer.raise_for_status()


def open_way(send: Callable[..., Any], folder: Path, line: Line) -> AbstractContextManager[Way]:
    """A receiver with a certificate for 127.0.0.1, from an authority that is made for it."""
    import trustme

    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    (folder / KEY).touch(mode=0o600)
    certificate.private_key_pem.write_to_path(folder / KEY)
    (folder / CERTIFICATE).write_bytes(b"".join(p.bytes() for p in certificate.cert_chain_pems))
    authority.cert_pem.write_to_path(folder / AUTHORITY)
    return direct(__name__, send, folder, line, str(folder / AUTHORITY))


def _run() -> None:
    port, ledger = receiver.listening()
    folder = Path(sys.argv[2])

    def take(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        ledger.take(environ["wsgi.input"].read())
        start_response("201 Created", [("Content-Length", "0")])
        return []

    certificate = (str(folder / CERTIFICATE), str(folder / KEY))
    receiver.serve_wsgi(port, "/payloads", take, certificate)


if __name__ == "__main__":
    _run()
