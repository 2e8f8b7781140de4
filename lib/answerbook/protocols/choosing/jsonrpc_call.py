"""JSON-RPC 2.0 over HTTP: a call of `take` for each payload. Run as a program, the receiver.

Acknowledged is what the receiver's method wrote into its ledger before it answered with a result.
"""

from collections.abc import Iterator

import requests

from answerbook.protocols.choosing import receiver

TIMEOUT = 5


def send(url: str, payloads: Iterator[str]) -> None:
    with requests.Session() as session:
        for number, payload in enumerate(payloads):
            call = {"jsonrpc": "2.0", "id": number, "method": "take", "params": [payload]}
            answer = session.post(url, json=call, timeout=TIMEOUT)
            answer.raise_for_status()
            if "error" in answer.json():
                raise ValueError(answer.text)


def _run() -> None:
    from pjrpc.server import MethodRegistry
    from pjrpc.server.integration.werkzeug import JsonRPC

    port, ledger = receiver.listening()

    def take(payload: str) -> int:
        return ledger.take(payload)

    methods = MethodRegistry()
    methods.add_method(take)
    rpc = JsonRPC("/rpc")
    rpc.dispatcher.add_methods(methods)
    receiver.serve_wsgi(port, "/rpc", rpc)


if __name__ == "__main__":
    _run()
