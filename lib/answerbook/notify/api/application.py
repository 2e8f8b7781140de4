"""The ASGI application: which address does what, and what lives as long as the program.

`build` is called by program.py.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from answerbook.config import NotifySettings
from answerbook.notify.api import docs, openapi
from answerbook.notify.api.intake import Intake
from answerbook.notify.api.keyring import Keyring, Pool
from answerbook.notify.api.metrics import Buffered
from answerbook.notify.api.problems import Problem
from answerbook.notify.api.readiness import Readiness
from answerbook.notify.api.states import Recent, States
from answerbook.notify.kafka import Writer
from answerbook.notify.running import log

CONNECTIONS = 4
"""To PostgreSQL, at most."""
CONNECT_SECONDS = 2
FLUSH_SECONDS = 10.0
"""At the end, for records without an acknowledgement; nobody was told 202 for them."""


def build(settings: NotifySettings) -> Starlette:
    """The application. Nothing has to answer yet: it connects, again and again, while it runs."""
    writer = Writer(
        settings.kafka,
        most_buffered=settings.api_most_buffered,
        delivery_seconds=settings.api_ack_seconds,
    )
    keyring = Keyring()
    recent = Recent()
    pool: Pool = AsyncConnectionPool(
        settings.database.get_secret_value(),
        min_size=1,
        max_size=CONNECTIONS,
        open=False,
        check=AsyncConnectionPool.check_connection,
        timeout=CONNECT_SECONDS,
        reconnect_timeout=CONNECT_SECONDS,
        kwargs={"autocommit": True, "connect_timeout": CONNECT_SECONDS},
    )
    readiness = Readiness(writer, keyring)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await pool.open(wait=False)
        buffered = Buffered(writer)
        tasks = [
            asyncio.create_task(keyring.keep_fresh(pool)),
            asyncio.create_task(readiness.tell_start()),
        ]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await pool.close()
        left = await asyncio.to_thread(writer.close, FLUSH_SECONDS)
        buffered.forget()
        log().info("ended", unacknowledged=left)

    application = Starlette(
        routes=[
            Route("/v1/events", Intake(keyring, writer, recent), methods=["POST"]),
            Route("/v1/events/{event_id}", States(keyring, pool, recent).get),
            *_about(readiness),
        ],
        lifespan=lifespan,
        exception_handlers={
            Problem: _refuse,
            HTTPException: _refuse_plainly,
            Exception: _fail,
        },
    )
    application.router.redirect_slashes = False  # an address has one form
    return application


def _about(readiness: Readiness) -> list[Route]:
    """What tells about the program."""
    document = openapi.content()
    page = docs.page(openapi.document())

    async def describe(_: Request) -> Response:
        return Response(document, media_type="application/json")

    async def explain(_: Request) -> Response:
        return HTMLResponse(page, headers=docs.HEADERS)

    async def measure(_: Request) -> Response:
        return Response(generate_latest(REGISTRY), headers={"content-type": CONTENT_TYPE_LATEST})

    async def live(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_: Request) -> Response:
        why = await readiness.why_not()
        return PlainTextResponse(f"{why or 'ok'}\n", 503 if why else 200)

    return [
        Route("/openapi.json", describe),
        Route("/docs", explain),
        Route("/metrics", measure),
        Route("/healthz", live),
        Route("/readyz", ready),
    ]


def _response(problem: Problem) -> Response:
    given = problem.answer
    headers = {name.decode(): value.decode() for name, value in given.headers}
    return Response(given.body, given.status, headers)


async def _refuse(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return _response(problem)


async def _refuse_plainly(_: Request, error: Exception) -> Response:
    """Starlette's own 404 and 405."""
    assert isinstance(error, HTTPException)
    kind = (
        "method-not-allowed" if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else "not-found"
    )
    headers = [
        (name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items()
    ]
    return _response(Problem(error.status_code, kind, "", *headers))


async def _fail(request: Request, error: Exception) -> Response:
    log().error("a request failed", path=request.url.path, exc_info=error)
    return _response(Problem(500, "internal"))
