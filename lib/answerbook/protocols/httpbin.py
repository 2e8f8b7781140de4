"""A local httpbin: the HTTP request and response service that REST lessons call.

Used by the notebooks on REST. The same application serves the public site, so a lesson's base URL
is all that changes between the two.
"""

import logging
import sys
from threading import Thread

from answerbook.protocols import peer

THREADS = 20
"""Requests answered at the same moment; a `/delay` holds one of them."""


def serve(port: int = 0) -> peer.Peer:
    """Serve httpbin on loopback, by default on a free port; its `url` is the base URL.

    Raises peer.PeerFailed when `port` is taken.
    """
    return peer.start(__name__, str(port))


def _run(port: int) -> None:
    # It warns about an optional page of documentation that no lesson uses.
    logging.getLogger("httpbin.core").setLevel(logging.ERROR)
    from cheroot.wsgi import Server
    from httpbin import app  # type: ignore[import-untyped]

    server = Server(("127.0.0.1", port), app, numthreads=THREADS)
    try:
        server.prepare()
    except OSError as error:
        peer.refuse(port, error)
    Thread(target=server.serve, daemon=True).start()
    peer.serve_until_told(f"http://127.0.0.1:{server.bind_addr[1]}")


if __name__ == "__main__":
    _run(int(sys.argv[1]))
