"""SOAP 1.1: a call of `Take` for each payload. Run as a program, the receiver.

Acknowledged is what the receiver's operation wrote into its ledger before it answered without a
fault. `inbox.wsdl` is the contract, from which zeep makes the client.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zeep

from answerbook.protocols.choosing import receiver

TIMEOUT = 5
WSDL = Path(__file__).parent / "inbox.wsdl"


def send(url: str, payloads: Iterator[str]) -> None:
    with zeep.Client(f"{url}?wsdl") as client:  # type: ignore[no-untyped-call]
        client.transport.operation_timeout = TIMEOUT
        service = client.create_service("{urn:answerbook:inbox}InboxBinding", url)
        for payload in payloads:
            service.Take(payload=payload)


def _run() -> None:
    from answerbook.protocols.soap import Application, Fault

    port, ledger = receiver.listening()

    def take(request: Any) -> dict[str, Any]:
        try:
            return {"number": ledger.take(request.payload)}
        except ValueError as error:
            raise Fault("Client", str(error)) from None

    receiver.serve_wsgi(port, "/inbox", Application("/inbox", WSDL, {"Take": take}))


if __name__ == "__main__":
    _run()
