"""The currency desk as JSON-RPC 2.0 over HTTP: POST a request, or a batch of them, to `/rpc`.

Used by the notebook on RPC. Methods: `quote(base, counter)`, `convert(amount, base, counter)` and
`rates(base)`, with parameters by name or in this order.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from cheroot.wsgi import Server
from pjrpc.server import MethodRegistry
from pjrpc.server.exceptions import InvalidParamsError, JsonRpcError
from pjrpc.server.integration.werkzeug import JsonRPC
from werkzeug.exceptions import HTTPException

from answerbook.protocols import peer
from answerbook.protocols.rates import exchange

UNKNOWN_CURRENCY = 1001
"""An application's own codes lie outside of -32768 to -32000, which belong to the protocol."""
THREADS = 20
"""Requests answered at the same moment."""


def serve(port: int = 0, *, contract: exchange.Contract = "old", pause: float = 0.0) -> peer.Peer:
    """Serve on loopback, by default on a free port; add `/rpc` to its `url`.

    `pause` is what each rate takes to be found, in seconds. Raises peer.PeerFailed when `port` is
    taken.
    """
    return peer.start(__name__, str(port), contract, str(pause))


class Desk:
    """The methods of the first release. A Decimal goes out as text."""

    def __init__(self, pause: float) -> None:
        self._pause = pause

    def quote(self, base: str, counter: str) -> dict[str, str]:
        with _coded():
            time.sleep(self._pause)
            return _named(exchange.quote(base, counter))

    def convert(self, amount: str, base: str, counter: str) -> dict[str, str]:
        with _coded():
            time.sleep(self._pause)
            done = exchange.convert(amount, base, counter)
            return {"amount": str(done.amount), "currency": done.currency}

    def rates(self, base: str) -> list[dict[str, str]]:
        with _coded():
            found = []
            for quote in exchange.quotes(base):
                time.sleep(self._pause)
                found.append(_named(quote))
            return found


class NextDesk(Desk):
    """A release later: convert takes a rounding, and names the rate."""

    def convert(
        self, amount: str, base: str, counter: str, rounding: str = exchange.DEFAULT_ROUNDING
    ) -> dict[str, str]:
        with _coded():
            time.sleep(self._pause)
            done = exchange.convert(amount, base, counter, rounding)
            return {
                "amount": str(done.amount),
                "currency": done.currency,
                "rate": str(done.rate),
            }


def _named(quote: exchange.Quote) -> dict[str, str]:
    return {"base": quote.base, "counter": quote.counter, "rate": str(quote.rate)}


@contextmanager
def _coded() -> Iterator[None]:
    """A refusal becomes an error object with a code; anything else is the protocol's -32603."""
    try:
        yield
    except exchange.UnknownCurrency as refused:
        data = {"currency": refused.currency}
        raise JsonRpcError(UNKNOWN_CURRENCY, str(refused), data) from None
    except exchange.Refused as refused:
        raise InvalidParamsError(data=str(refused)) from None


def _application(desk: Desk) -> Callable[..., Any]:
    """pjrpc's WSGI application; what it raises as an HTTP status is answered as one."""
    methods = MethodRegistry()
    for method in (desk.quote, desk.convert, desk.rates):
        methods.add_method(method)
    rpc = JsonRPC("/rpc")
    rpc.dispatcher.add_methods(methods)

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        try:
            return rpc(environ, start_response)
        except HTTPException as refused:
            return refused(environ, start_response)

    return application


def _run(port: int, contract: str, pause: float) -> None:
    desk = Desk(pause) if contract == "old" else NextDesk(pause)
    server = Server(("127.0.0.1", port), _application(desk), numthreads=THREADS)
    try:
        server.prepare()
    except OSError as error:
        peer.refuse(port, error)
    Thread(target=server.serve, daemon=True).start()
    peer.serve_until_told(f"http://127.0.0.1:{server.bind_addr[1]}")


if __name__ == "__main__":
    _run(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
