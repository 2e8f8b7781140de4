"""GraphQL: a mutation for each payload. Run as a program, the receiver.

Acknowledged is what the receiver's resolver wrote into its ledger before it answered with data.
"""

from collections.abc import Iterator

import requests

from answerbook.protocols.choosing import receiver

TIMEOUT = 5
TAKE = "mutation ($payload: String!) { take(payload: $payload) }"


def send(url: str, payloads: Iterator[str]) -> None:
    with requests.Session() as session:
        for payload in payloads:
            body = {"query": TAKE, "variables": {"payload": payload}}
            answer = session.post(url, json=body, timeout=TIMEOUT)
            answer.raise_for_status()
            if "errors" in answer.json():
                raise ValueError(answer.text)


def _run() -> None:
    import strawberry
    from starlette.applications import Starlette
    from starlette.routing import Route
    from strawberry.asgi import GraphQL

    port, ledger = receiver.listening()

    @strawberry.type
    class Query:
        @strawberry.field
        def ready(self) -> bool:
            return True

    @strawberry.type
    class Mutation:
        @strawberry.mutation
        def take(self, payload: str) -> int:
            return ledger.take(payload)

    schema = strawberry.Schema(Query, Mutation)
    routes = [Route("/graphql", GraphQL[None, None](schema, graphql_ide=None))]
    receiver.serve_asgi(port, "/graphql", Starlette(routes=routes))


if __name__ == "__main__":
    _run()
