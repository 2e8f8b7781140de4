"""The currency desk as a GraphQL service: POST a query to `/graphql`.

Used by the notebook on RPC. Subscriptions come as Server-Sent Events where the request accepts them
(`Accept: text/event-stream`), or over a WebSocket. `SCHEMAS` prints as what a client reads.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any

import strawberry
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.schema.config import StrawberryConfig

from answerbook.protocols import asgi, peer
from answerbook.protocols.rates import exchange

CODES = {
    exchange.UnknownCurrency: "UNKNOWN_CURRENCY",
    exchange.BadAmount: "BAD_AMOUNT",
    exchange.BadRounding: "BAD_ROUNDING",
}
"""GraphQL has no codes of its own: by custom they stand in an error's `extensions`."""


def serve(port: int = 0, *, contract: exchange.Contract = "old", pause: float = 0.0) -> peer.Peer:
    """Serve on loopback, by default on a free port; add `/graphql` to its `url`.

    `pause` is what each rate takes to be found, in seconds. Raises peer.PeerFailed when `port` is
    taken.
    """
    return peer.start(__name__, str(port), contract, str(pause))


@strawberry.type
class Quote:
    """One unit of `base` costs `rate` of `counter`."""

    base: str
    counter: str
    rate: Decimal


@strawberry.type
class Money:
    """An amount, in the smallest units of its currency."""

    amount: Decimal
    currency: str


@strawberry.type(name="Money")
class NextMoney(Money):
    """The same, and which rate led to it."""

    rate: Decimal


@strawberry.type
class Query:
    """Every field may be null, so that one that fails leaves the others their answers."""

    @strawberry.field
    async def quote(self, info: strawberry.Info, base: str, counter: str) -> Quote | None:
        with _coded():
            await asyncio.sleep(info.context["pause"])
            return Quote(**asdict(exchange.quote(base, counter)))

    @strawberry.field
    async def convert(
        self, info: strawberry.Info, amount: Decimal, base: str, counter: str
    ) -> Money | None:
        with _coded():
            await asyncio.sleep(info.context["pause"])
            done = exchange.convert(str(amount), base, counter)
            return Money(amount=done.amount, currency=done.currency)

    @strawberry.field
    async def rates(self, info: strawberry.Info, base: str) -> list[Quote] | None:
        return [found async for found in _found(info, base)]


@strawberry.type(name="Query")
class NextQuery(Query):
    """A release later: convert takes a rounding, and names the rate."""

    @strawberry.field
    async def convert(
        self,
        info: strawberry.Info,
        amount: Decimal,
        base: str,
        counter: str,
        rounding: str = exchange.DEFAULT_ROUNDING,
    ) -> NextMoney | None:
        with _coded():
            await asyncio.sleep(info.context["pause"])
            done = exchange.convert(str(amount), base, counter, rounding)
            return NextMoney(**asdict(done))


@strawberry.type
class Subscription:
    """What is sent as it becomes known."""

    @strawberry.subscription
    async def rates(self, info: strawberry.Info, base: str) -> AsyncIterator[Quote]:
        async for found in _found(info, base):
            yield found


async def _found(info: strawberry.Info, base: str) -> AsyncIterator[Quote]:
    with _coded():
        for found in exchange.quotes(base):
            await asyncio.sleep(info.context["pause"])
            yield Quote(**asdict(found))


@contextmanager
def _coded() -> Iterator[None]:
    """Tell a program what was refused, where the message alone tells a person."""
    try:
        yield
    except exchange.Refused as refused:
        raise GraphQLError(str(refused), extensions={"code": CODES[type(refused)]}) from None


def _exact(value: object) -> Decimal:
    """strawberry's own Decimal takes numbers too, which are floats by the time it sees them."""
    try:
        if isinstance(value, str):
            return Decimal(value)
    except InvalidOperation:
        pass
    raise GraphQLError(f'{value!r} is no amount: send a decimal as text, like "12.50"')


_DECIMAL = strawberry.scalar(
    name="Decimal",
    description='A decimal as text, like "12.50".',
    serialize=str,
    parse_value=_exact,
)


def _schema(query: type) -> strawberry.Schema:
    config = StrawberryConfig(scalar_map={Decimal: _DECIMAL})
    return strawberry.Schema(query, subscription=Subscription, config=config)


SCHEMAS: dict[exchange.Contract, strawberry.Schema] = {
    "old": _schema(Query),
    "new": _schema(NextQuery),
}
"""The contract of each release, in the schema language with `print(SCHEMAS["old"])`."""


class Application(GraphQL[Any, Any]):
    """strawberry's view of one schema; tells resolvers how long a rate takes."""

    def __init__(self, schema: strawberry.Schema, pause: float) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=("graphql-sse", "graphql-transport-ws"),
        )
        self._pause = pause

    async def get_context(self, request: Any, response: Any) -> dict[str, Any]:
        return {"request": request, "response": response, "pause": self._pause}


def _run(port: int, contract: exchange.Contract, pause: float) -> None:
    # It would print every refusal, which is an answer here, with its traceback.
    logging.getLogger("strawberry.execution").setLevel(logging.CRITICAL)
    view = Application(SCHEMAS[contract], pause)
    routes = [Route("/graphql", view), WebSocketRoute("/graphql", view)]
    try:
        serving = asgi.serve(Starlette(routes=routes), port)
    except OSError as error:
        peer.refuse(port, error)
    peer.serve_until_told(serving.url)


if __name__ == "__main__":
    release: Any = sys.argv[2]
    _run(int(sys.argv[1]), release, float(sys.argv[3]))
