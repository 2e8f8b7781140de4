"""A local provider of webhooks after Standard Webhooks: it calls whoever has subscribed.

Used by the notebook on push; `webhooks` has the receiver's side.

    POST /subscriptions   {"url": …, "secret": "whsec_…", "count": 300}: the next 300 prices
    GET  /attempts        each request to a subscriber so far: the message's id, and the answer

A message that is not answered 2xx is sent again, later and later, under the same id and with a new
timestamp and signature. Several are on their way at a time, so they come in no certain order.
"""

import asyncio
import secrets
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from answerbook.protocols import peer
from answerbook.protocols.ticks import ticking

if TYPE_CHECKING:
    import httpx
    from standardwebhooks import Webhook
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse

TIMEOUT_SECONDS = 0.5
"""How long an answer may take. Real providers give 5 to 30 s."""
AT_ONCE = 10
"""Messages on their way to one subscriber at the same moment."""
MOST_ATTEMPTS = 12
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.05, 1.0
"""Of the backoff, which is random up to a limit that doubles. Real providers go on for days."""


def serve(port: int = 0) -> peer.Peer:
    """Start a provider on loopback, by default on a free port; its `url` is the base URL.

    Raises peer.PeerFailed when `port` is taken.
    """
    return peer.start(__name__, str(port))


@dataclass(frozen=True)
class Attempt:
    """One request to a subscriber."""

    id: str
    status: int | None
    """None where no answer came in time, or the connection broke."""


class Provider:
    """Calls its subscribers, and remembers how that went."""

    def __init__(self) -> None:
        self._attempts: list[Attempt] = []
        self._deliveries: set[asyncio.Task[None]] = set()

    async def subscribe(self, request: "Request") -> "JSONResponse":
        from starlette.responses import JSONResponse

        wanted = await request.json()
        delivery = asyncio.create_task(
            self._deliver(wanted["url"], wanted["secret"], int(wanted["count"]))
        )
        self._deliveries.add(delivery)
        delivery.add_done_callback(self._deliveries.discard)
        return JSONResponse({"count": int(wanted["count"])}, 201)

    async def attempts(self, _: "Request") -> "JSONResponse":
        from starlette.responses import JSONResponse

        return JSONResponse([asdict(attempt) for attempt in self._attempts])

    async def _deliver(self, url: str, secret: str, count: int) -> None:
        """Send the next `count` prices. A message that takes long holds up no other."""
        import httpx
        from standardwebhooks import Webhook

        webhook = Webhook(secret)
        at_once = asyncio.Semaphore(AT_ONCE)

        async def send(body: str) -> None:
            async with at_once:
                await self._send(client, url, webhook, body)

        # The proxies of the environment are for the world outside this machine.
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client,
            asyncio.TaskGroup() as sending,
        ):
            async for number, body in ticking():
                sending.create_task(send(body))
                if number == count:
                    break

    async def _send(
        self, client: "httpx.AsyncClient", url: str, webhook: "Webhook", body: str
    ) -> None:
        """Try until it is delivered, or MOST_ATTEMPTS were in vain."""
        from tenacity import (
            AsyncRetrying,
            retry_if_result,
            stop_after_attempt,
            wait_random_exponential,
        )

        retrying = AsyncRetrying(
            retry=retry_if_result(lambda delivered: not delivered),
            stop=stop_after_attempt(MOST_ATTEMPTS),
            wait=wait_random_exponential(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS),
            # Where a real provider disables the subscription in the end, and tells its owner.
            retry_error_callback=lambda _: False,
        )
        message_id = f"msg_{secrets.token_hex(8)}"
        await retrying(self._attempt, client, url, webhook, message_id, body)

    async def _attempt(
        self, client: "httpx.AsyncClient", url: str, webhook: "Webhook", message_id: str, body: str
    ) -> bool:
        """Whether the subscriber has it, as far as we can know."""
        import httpx

        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": webhook.sign(message_id, now, body),
        }
        try:
            answer = await client.post(url, content=body, headers=headers)
        except httpx.TransportError:
            self._attempts.append(Attempt(message_id, None))
            return False
        self._attempts.append(Attempt(message_id, answer.status_code))
        return answer.is_success


def application() -> "Starlette":
    from starlette.applications import Starlette
    from starlette.routing import Route

    provider = Provider()
    return Starlette(
        routes=[
            Route("/subscriptions", provider.subscribe, methods=["POST"]),
            Route("/attempts", provider.attempts),
        ]
    )


def _run(port: int) -> None:
    from answerbook.protocols import asgi

    try:
        serving = asgi.serve(application(), port)
    except OSError as error:
        peer.refuse(port, error)
    peer.serve_until_told(serving.url)


if __name__ == "__main__":
    _run(int(sys.argv[1]))
