"""A small ingest API for tests of what sends events: a real server, with its faults to be set.

python notify_api.py     prints its address; POST /faults sets what goes wrong from then on,
                         GET /seen tells how often each event was accepted
"""

import asyncio
import json
import re
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import uvicorn

KEY = "ab_reader_secret"


class Api:
    """An ASGI application with the contract of the API: an item for each event."""

    def __init__(self) -> None:
        self.faults: dict[str, Any] = {}
        self.seen: Counter[str] = Counter()
        self.requests = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        if scope["path"] == "/faults":
            self.faults = json.loads(body)
            await answer(send, 204)
        elif scope["path"] == "/seen":
            await answer(send, 200, dict(self.seen))
        else:
            await self.events(dict(scope["headers"]), body, send)

    async def events(self, headers: dict[bytes, bytes], body: bytes, send: Any) -> None:
        if headers.get(b"authorization") != f"Bearer {KEY}".encode():
            return await answer(send, 401, {"title": "No key", "detail": "no such key"})
        assert re.fullmatch("[A-Za-z0-9._-]{1,64}", headers[b"x-run-id"].decode())
        self.requests += 1
        number = self.requests
        await asyncio.sleep(self.faults.get("delay", 0))
        if self.faults.get("refuse_every") and number % self.faults["refuse_every"] == 0:
            after = {"Retry-After": str(self.faults["retry_after"])}
            return await answer(send, self.faults["status"], {"title": "Not now"}, after)
        content = json.loads(body)
        single = isinstance(content, dict)
        items = [self.item(n, event) for n, event in enumerate([content] if single else content)]
        if self.faults.get("lose_every") and number % self.faults["lose_every"] == 0:
            raise ConnectionError("the answer is lost")
        refused = [item for item in items if item["status"] == "refused"]
        if len(refused) == len(items):
            flaws = [flaw for item in refused for flaw in item["errors"]]
            return await answer(send, 422, {"title": "Invalid", "status": 422, "errors": flaws})
        if single:
            return await answer(send, 202, items[0])
        counts = {"accepted": len(items) - len(refused), "refused": len(refused)}
        return await answer(send, 202, counts | {"items": items})

    def item(self, index: int, event: Any) -> dict[str, Any]:
        problem = why_not(event)
        if problem:
            pointer, _, detail = problem.rpartition(": ")
            error = {"detail": detail, "pointer": f"/{index}/{pointer}"}
            return {"index": index, "event_id": None, "status": "refused", "errors": [error]}
        self.seen[event["event_id"]] += 1
        return {"index": index, "event_id": event["event_id"], "status": "accepted"}


def why_not(event: Any) -> str:
    if not isinstance(event, dict):
        return "an event is an object"
    if ("user_id" in event) == ("topic" in event):
        return "user_id: exactly one of user_id and topic"
    if not event.get("kind"):
        return "kind: must not be empty"
    if event.get("priority", "normal") not in ("high", "normal"):
        return "priority: high or normal"
    if event.get("ttl_seconds", 0) < 0:
        return "ttl_seconds: 0 or more"
    if not all(isinstance(value, str) for value in event.get("data", {}).values()):
        return "data: texts"
    return ""


async def answer(
    send: Any, status: int, content: Any = None, more: dict[str, str] | None = None
) -> None:
    body = b"" if content is None else json.dumps(content).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))} | (more or {})
    listed = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})


class Server:
    """The API in a process of its own, as tests see it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self.url = process.stdout.readline().strip()
        self._process = psutil.Process(process.pid)

    def faults(self, **faults: Any) -> None:
        urllib.request.urlopen(f"{self.url}/faults", json.dumps(faults).encode()).close()

    def seen(self) -> dict[str, int]:
        """Accepted events by their name in the system, and how often each was."""
        with urllib.request.urlopen(f"{self.url}/seen") as answer:
            content: dict[str, int] = json.load(answer)
        return {f"reader/{event_id}": count for event_id, count in content.items()}

    def pause(self) -> None:
        self._process.suspend()

    def resume(self) -> None:
        self._process.resume()


@contextmanager
def serving() -> Iterator[Server]:
    with subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Server(process)
        finally:
            process.kill()


class Announcing(uvicorn.Server):
    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        print(f"http://127.0.0.1:{port}", flush=True)


if __name__ == "__main__":
    config = uvicorn.Config(
        Api(),
        host="127.0.0.1",
        port=0,
        log_level="critical",
        lifespan="off",
        access_log=False,
        timeout_keep_alive=60,  # longer than any test freezes it for
    )
    Announcing(config).run()
