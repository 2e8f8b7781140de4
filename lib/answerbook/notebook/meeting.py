"""A TLS client meets a server, and one of them may refuse: what both sides say, and when.

    met = meet(greet, client_context)        # greet: as in `listening`
    met.at, met.client, met.server           # "handshake", "certificate has expired (10)", …

For notebook 3_7_tls_and_tokens.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import Any, Literal

from answerbook.notebook.listening import SECONDS, Listener, Talk

ACCEPTED = "accepted"
MOST_BYTES = 1_000

Stage = Literal["handshake", "first read", "never"]


@dataclass(frozen=True)
class Meeting:
    """How it ended."""

    at: Stage
    """Where the client learnt that it, or the server, was refused."""
    client: str
    """What it makes of it; `accepted` when it got an answer."""
    server: str


def meet(
    talk: Talk, client: ssl.SSLContext, name: str = "localhost", request: bytes = b"good day"
) -> Meeting:
    """Connect to `name`, send `request` and read once; `talk` is the server's side.

    Raises what is no error of TLS.
    """
    at: Stage = "handshake"
    found: Any = None
    with Listener(talk) as listener:
        try:
            with (
                socket.create_connection(listener.address, timeout=SECONDS) as raw,
                client.wrap_socket(raw, server_hostname=name) as tls,
            ):
                at = "first read"
                tls.sendall(request)
                tls.recv(MOST_BYTES)
                at = "never"
        except ssl.SSLError as error:
            found = error
        return Meeting(at, in_words(found), in_words(listener.heard()))


def in_words(found: object) -> str:
    """What an error of TLS says, without OpenSSL's ornaments.

    For a certificate that was found faulty: why, and in brackets OpenSSL's number of it. For an
    alert that the other side sent: its name as in RFC 8446 section 6.2. What is no error was
    accepted.
    """
    if isinstance(found, ssl.SSLCertVerificationError):
        return f"{found.verify_message.rstrip('.')} ({found.verify_code})"
    if isinstance(found, ssl.SSLError) and found.reason:
        alert = found.reason.partition("ALERT_")[2].lower()
        return f"alert {alert}" if alert else found.reason.lower().replace("_", " ")
    return type(found).__name__ if isinstance(found, Exception) else ACCEPTED
