"""The currency desk as a SOAP 1.1 service: its contract at `/rates?wsdl`, calls POSTed to `/rates`.

Used by the notebook on RPC. `soap` has what is the same in every service.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import Any

from cheroot.wsgi import Server

from answerbook.protocols import peer
from answerbook.protocols.rates import exchange
from answerbook.protocols.soap import Application, Fault

NAMESPACE = "urn:answerbook:rates"
WSDL: dict[exchange.Contract, Path] = {
    "old": Path(__file__).parent / "contract" / "rates.wsdl",
    "new": Path(__file__).parent / "contract" / "rates_next.wsdl",
}
"""The contract of each release."""

THREADS = 20
"""Requests answered at the same moment."""


def serve(port: int = 0, *, contract: exchange.Contract = "old", pause: float = 0.0) -> peer.Peer:
    """Serve on loopback, by default on a free port; add `/rates?wsdl` to its `url`.

    `pause` is what each rate takes to be found, in seconds. Raises peer.PeerFailed when `port` is
    taken.
    """
    return peer.start(__name__, str(port), contract, str(pause))


class Desk:
    """The operations: each takes a request as zeep parsed it, and returns a response's values."""

    def __init__(self, pause: float) -> None:
        self._pause = pause

    def quote(self, request: Any) -> dict[str, Any]:
        with _faults():
            time.sleep(self._pause)
            return asdict(exchange.quote(request.base, request.counter))

    def convert(self, request: Any) -> dict[str, Any]:
        with _faults():
            time.sleep(self._pause)
            done = exchange.convert(str(request.amount), request.base, request.counter)
            return {"amount": done.amount, "currency": done.currency}

    def rates(self, request: Any) -> dict[str, Any]:
        with _faults():
            found = []
            for quote in exchange.quotes(request.base):
                time.sleep(self._pause)
                found.append(asdict(quote))
            return {"rate": found}


class NextDesk(Desk):
    """A release later: Convert takes a rounding, and names the rate."""

    def convert(self, request: Any) -> dict[str, Any]:
        rounding = request.rounding or exchange.DEFAULT_ROUNDING
        with _faults():
            time.sleep(self._pause)
            amount = str(request.amount)
            return asdict(exchange.convert(amount, request.base, request.counter, rounding))


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except exchange.UnknownCurrency as refused:
        detail = {"currency": refused.currency}
        raise Fault("Client", str(refused), UnknownCurrency=detail) from None
    except exchange.Refused as refused:
        raise Fault("Client", str(refused)) from None


def _run(port: int, contract: exchange.Contract, pause: float) -> None:
    desk = Desk(pause) if contract == "old" else NextDesk(pause)
    operations = {"Quote": desk.quote, "Convert": desk.convert, "Rates": desk.rates}
    application = Application("/rates", WSDL[contract], operations)
    server = Server(("127.0.0.1", port), application, numthreads=THREADS)
    try:
        server.prepare()
    except OSError as error:
        peer.refuse(port, error)
    Thread(target=server.serve, daemon=True).start()
    peer.serve_until_told(f"http://127.0.0.1:{server.bind_addr[1]}")


if __name__ == "__main__":
    release: Any = sys.argv[2]
    _run(int(sys.argv[1]), release, float(sys.argv[3]))
