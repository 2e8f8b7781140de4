"""The currency desk as a gRPC service. Its `url` is what gRPC calls a target: `127.0.0.1:port`.

Used by the notebook on RPC. Beside the answer, each call is told in its trailing metadata how many
seconds of its deadline were left when it arrived (`time-left`; `none` without a deadline).
"""

# ruff: noqa: N802   protoc's names of methods begin with a capital

import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]

from answerbook.protocols import peer
from answerbook.protocols.rates import exchange
from answerbook.protocols.rates.contract import rates_next_pb2, rates_pb2, rates_pb2_grpc

PROTO = Path(__file__).parent / "contract" / "rates.proto"
"""The contract; its next release is in rates_next.proto."""

THREADS = 20
"""Calls answered at the same moment; a stream holds one until it ends."""
LONGEST_DEADLINE = 1e9
"""Seconds; gRPC hands the server a number beyond it, and not None, where there is no deadline."""


def serve(port: int = 0, *, contract: exchange.Contract = "old", pause: float = 0.0) -> peer.Peer:
    """Serve on loopback, by default on a free port.

    `pause` is what each rate takes to be found, in seconds. Raises peer.PeerFailed when `port` is
    taken.
    """
    return peer.start(__name__, str(port), contract, str(pause))


class Rates(rates_pb2_grpc.RatesServicer):
    """The handlers of rates.proto. The names of its methods are the contract's."""

    def __init__(self, pause: float) -> None:
        self._pause = pause

    def Quote(self, request: Any, context: Any) -> rates_pb2.QuoteReply:
        with _statuses(context):
            time.sleep(self._pause)
            return _reply(exchange.quote(request.base, request.counter))

    def Convert(self, request: Any, context: Any) -> rates_pb2.Money:
        with _statuses(context):
            time.sleep(self._pause)
            done = exchange.convert(request.amount, request.base, request.counter)
            return rates_pb2.Money(amount=str(done.amount), currency=done.currency)

    def Rates(self, request: Any, context: Any) -> Iterator[rates_pb2.QuoteReply]:
        with _statuses(context):
            for found in exchange.quotes(request.base):
                time.sleep(self._pause)
                yield _reply(found)


class NextRates(Rates):
    """A release later: the messages of rates_next.proto for Convert, the rest as it was."""

    def Convert(self, request: Any, context: Any) -> rates_next_pb2.Money:
        rounding = request.rounding or exchange.DEFAULT_ROUNDING
        with _statuses(context):
            time.sleep(self._pause)
            done = exchange.convert(request.amount, request.base, request.counter, rounding)
            return rates_next_pb2.Money(
                amount=str(done.amount), currency=done.currency, rate=str(done.rate)
            )


def _reply(found: exchange.Quote) -> rates_pb2.QuoteReply:
    return rates_pb2.QuoteReply(base=found.base, counter=found.counter, rate=str(found.rate))


@contextmanager
def _statuses(context: Any) -> Iterator[None]:
    """Say what is left of the deadline, and end a call that is refused with its status."""
    left = context.time_remaining()  # hundreds of billions of years when the client set none
    told = f"{left:.3f}" if left < LONGEST_DEADLINE else "none"
    context.set_trailing_metadata((("time-left", told),))
    try:
        yield
    except exchange.UnknownCurrency as refused:
        context.abort(grpc.StatusCode.NOT_FOUND, str(refused))
    except exchange.Refused as refused:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(refused))


def _run(port: int, contract: str, pause: float) -> None:
    try:
        socket.create_server(("127.0.0.1", port)).close()  # gRPC's own error gives no reason
    except OSError as error:
        peer.refuse(port, error)
    # Without it, a second server on the same port gets every other connection, and no error.
    alone = (("grpc.so_reuseport", 0),)
    server = grpc.server(ThreadPoolExecutor(THREADS), options=alone)
    if contract == "old":
        rates_pb2_grpc.add_RatesServicer_to_server(Rates(pause), server)  # type: ignore[no-untyped-call]
    else:
        server.add_generic_rpc_handlers((_next_handlers(NextRates(pause)),))
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    peer.serve_until_told(f"127.0.0.1:{bound}")


def _next_handlers(desk: NextRates) -> Any:
    """What protoc generates for a service, written out: names, and which class reads which bytes.

    The service keeps its name; only Convert has other messages.
    """
    old, new = rates_pb2, rates_next_pb2
    one, many = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
    replies = old.QuoteReply.SerializeToString
    handlers = {
        "Quote": one(desk.Quote, old.QuoteRequest.FromString, replies),
        "Convert": one(desk.Convert, new.ConvertRequest.FromString, new.Money.SerializeToString),
        "Rates": many(desk.Rates, old.RatesRequest.FromString, replies),
    }
    return grpc.method_handlers_generic_handler("answerbook.Rates", handlers)


if __name__ == "__main__":
    _run(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
