"""The shop's process: `serve` starts it, and tells it its setup on standard input."""

import json
import sys
from contextlib import nullcontext

from answerbook.protocols import asgi, peer
from answerbook.protocols.shop import Setup


def _run(setup: Setup) -> None:
    import trustme

    from answerbook.protocols.shop.application import application

    pem = trustme.Blob(setup.certificate.encode())
    try:
        # A file, because that is what the ssl module reads; it is gone when the shop has opened.
        with pem.tempfile() if setup.certificate else nullcontext() as certificate:
            serving = asgi.serve(application(setup), setup.port, certificate)
    except OSError as error:
        peer.refuse(setup.port, error)
    peer.serve_until_told(serving.url)


if __name__ == "__main__":
    _run(Setup(**json.loads(sys.stdin.readline())))
