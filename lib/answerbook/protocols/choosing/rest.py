"""REST: a POST for each payload, on one pooled connection. Run as a program, the receiver.

Acknowledged is what the receiver wrote into its ledger and then answered 201.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import requests

from answerbook.protocols.choosing import receiver

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

TIMEOUT = 3


def send(url: str, payloads: Iterator[str]) -> None:
    headers = {"Content-Type": "application/json"}
    with requests.Session() as session:
        for payload in payloads:
            answer = session.post(url, payload, headers=headers, timeout=TIMEOUT)
            answer.raise_for_status()


def _run() -> None:
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    port, ledger = receiver.listening()

    async def take(request: "Request") -> "Response":
        ledger.take(await request.body())
        return Response(status_code=201)

    routes = [Route("/payloads", take, methods=["POST"])]
    receiver.serve_asgi(port, "/payloads", Starlette(routes=routes))


if __name__ == "__main__":
    _run()
