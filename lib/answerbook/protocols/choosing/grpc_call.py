"""gRPC: a unary call for each payload, with a deadline. Run as a program, the receiver.

Acknowledged is what the receiver's handler wrote into its ledger before it answered OK. Request and
response are messages that come with protobuf (a text, a number), so that nothing is generated.
"""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.protobuf.wrappers_pb2 import StringValue, UInt64Value

from answerbook.protocols import peer
from answerbook.protocols.choosing import receiver

TIMEOUT = 5
SERVICE, METHOD = "answerbook.Inbox", "Take"
THREADS = 10


def send(target: str, payloads: Iterator[str]) -> None:
    with grpc.insecure_channel(target) as channel:
        take = channel.unary_unary(
            f"/{SERVICE}/{METHOD}",
            StringValue.SerializeToString,
            UInt64Value.FromString,
        )
        for payload in payloads:
            take(StringValue(value=payload), timeout=TIMEOUT)


def _run() -> None:
    port, ledger = receiver.listening()
    try:
        socket.create_server(("127.0.0.1", port)).close()  # gRPC's own error gives no reason
    except OSError as error:
        peer.refuse(port, error)

    def take(request: StringValue, _: Any) -> UInt64Value:
        return UInt64Value(value=ledger.take(request.value))

    handler = grpc.unary_unary_rpc_method_handler(
        take, StringValue.FromString, UInt64Value.SerializeToString
    )
    alone = (("grpc.so_reuseport", 0),)
    server = grpc.server(ThreadPoolExecutor(THREADS), options=alone)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),)
    )
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    peer.serve_until_told(f"127.0.0.1:{bound}")


if __name__ == "__main__":
    _run()
