"""A webhook after Standard Webhooks: a POST that is signed. Run as a program, the receiver.

Acknowledged is what the receiver verified, wrote into its ledger and then answered 204.
"""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from standardwebhooks import Webhook

from answerbook.protocols import webhooks
from answerbook.protocols.choosing import receiver
from answerbook.protocols.choosing.line import Line
from answerbook.protocols.choosing.way import Way, direct

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

TIMEOUT = 5
SECRET = "secret"


def send(url: str, secret: str, payloads: Iterator[str]) -> None:
    webhook = Webhook(secret)
    with requests.Session() as session:
        for number, payload in enumerate(payloads):
            now, message_id = datetime.now(UTC), f"msg_{number}"
            headers = {
                "Content-Type": "application/json",
                "webhook-id": message_id,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": webhook.sign(message_id, now, payload),
            }
            answer = session.post(url, payload, headers=headers, timeout=TIMEOUT)
            answer.raise_for_status()


def open_way(folder: Path, line: Line) -> AbstractContextManager[Way]:
    secret = webhooks.new_secret()
    file = folder / SECRET
    file.touch(mode=0o600)
    file.write_text(secret)
    return direct(__name__, send, folder, line, secret)


def _run() -> None:
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

    port, ledger = receiver.listening()
    key = webhooks.key_of(Path(sys.argv[2], SECRET).read_text())

    async def take(request: "Request") -> "Response":
        body = await request.body()
        try:
            webhooks.verify(key, request.headers, body)
        except webhooks.Refused as refusal:
            return PlainTextResponse(str(refusal), 401)
        ledger.take(body)
        return Response(status_code=204)

    routes = [Route("/hooks", take, methods=["POST"])]
    receiver.serve_asgi(port, "/hooks", Starlette(routes=routes))


if __name__ == "__main__":
    _run()
