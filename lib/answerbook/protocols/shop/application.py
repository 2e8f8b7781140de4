"""The shop's routes, and the record of the requests to them."""

import time

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from answerbook.protocols.shop import Setup, database, problems
from answerbook.protocols.shop.items import Items
from answerbook.protocols.shop.orders import Orders
from answerbook.protocols.shop.report import Report
from answerbook.protocols.shop.tokens import Ledger
from answerbook.protocols.shop.trouble import Trouble


class Arrivals:
    """Writes down when a request came, before anything can go wrong with it."""

    def __init__(self, application: ASGIApp, seen: list[tuple[str, float]]) -> None:
        self._application = application
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._seen.append((scope["path"], time.monotonic()))
        await self._application(scope, receive, send)


def application(setup: Setup) -> Starlette:
    """A shop with the goods and orders that its database has, or with new goods."""
    connection = database.opened(setup.database)
    trouble, items, orders = Trouble(connection), Items(connection), Orders(connection)
    report, ledger = Report(setup.report_bytes), Ledger(setup.secret, setup.token_seconds)
    seen: list[tuple[str, float]] = []

    async def requests(request: Request) -> JSONResponse:
        wanted = request.query_params.get("path")
        return JSONResponse([at for path, at in seen if path == wanted])

    return Starlette(
        routes=[
            Route("/stock", trouble.stock),
            Route("/silence", trouble.silence),
            Route("/caller", trouble.caller),
            Route("/requests", requests),
            Route("/orders", orders.listed),
            Route("/orders", orders.place, methods=["POST"]),
            Route("/items", items.page),
            Route("/items", items.add, methods=["POST"]),
            Route("/items/{number:int}", items.show),
            Route("/items/{number:int}", items.change, methods=["PUT"]),
            Route("/items/{number:int}", items.remove, methods=["DELETE"]),
            Route("/v2/items/{number:int}", items.show),
            Route("/v2/items/{number:int}", items.change_guarded, methods=["PUT"]),
            Route("/report", report.download),
            Route("/report", report.publish, methods=["POST"]),
            Route("/token", ledger.token, methods=["POST"]),
            Route("/ledger", ledger.read),
            Route("/ledger", ledger.write, methods=["POST"]),
        ],
        middleware=[Middleware(Arrivals, seen)],
        exception_handlers={
            problems.Problem: problems.answer,
            HTTPException: problems.answer_plainly,
        },
    )
