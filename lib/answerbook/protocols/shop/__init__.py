"""A small shop over HTTP, with what an interface needs in production, and failures on demand.

Used by the notebooks on REST. It keeps its goods and its orders in SQLite: one that was killed and
is started again on its file goes on where it was.

    GET  /stock?busy=2&status=429&retry_after=1   refuses the first two, then tells of the lamps
    GET  /stock?seconds=0.5                       takes its time
    GET  /silence                      accepts the request and never answers
    GET  /caller                       the port that the request came from: one a connection
    GET  /requests?path=/stock         seconds at which requests to a path arrived, in order

    POST /orders                       {"item": "lamp", "quantity": 1}; with an Idempotency-Key once
    GET  /orders                       the orders that were placed
    GET  /items?limit=10&offset=20     a page by its place, cheapest first
    GET  /items?limit=10&after=…       a page by a cursor, which the page before it has in Link
    POST /items                        one more; GET, PUT and DELETE /items/7 with ETag and If-Match
    PUT  /v2/items/7                   the same, which insists on If-Match
    GET  /report                       200 MB that exist nowhere; Range and If-Range
    POST /report                       a new edition of it
    POST /token                        an OAuth 2 access token, for the client's id and secret
    GET, POST /ledger                  for tokens with the scope ledger:read or ledger:write

Every refusal is a problem as RFC 9457 describes it; those of OAuth 2 have its own form.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from answerbook.protocols import peer

if TYPE_CHECKING:
    import trustme

CLIENT_ID = "notebook"
"""The one client that the token endpoint knows."""


@dataclass(frozen=True)
class Setup:
    """What a shop is told by whoever starts it."""

    port: int
    database: str
    certificate: str
    """A private key and its certificates as PEM, or nothing."""
    secret: str
    """Of CLIENT_ID; when it is empty, nobody gets a token."""
    token_seconds: int
    report_bytes: int


def serve(
    port: int = 0,
    *,
    certificate: "trustme.LeafCert | None" = None,
    database: Path | str = ":memory:",
    secret: str = "",
    token_seconds: int = 3600,
    report_bytes: int = 200_000_000,
) -> peer.Peer:
    """Open a shop on loopback, by default on a free port; its `url` is the base URL.

    With a `certificate` it is served over TLS. `database` is the file that keeps goods, orders and
    idempotency keys; without one they end with the process. `secret` lets CLIENT_ID have tokens,
    which are good for `token_seconds`. Raises peer.PeerFailed when `port` is taken.
    """
    pem = certificate.private_key_and_cert_chain_pem.bytes().decode() if certificate else ""
    setup = Setup(port, str(database), pem, secret, token_seconds, report_bytes)
    return peer.start(__name__, told=json.dumps(asdict(setup)))
