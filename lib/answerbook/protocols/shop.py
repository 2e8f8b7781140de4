"""A small shop over HTTP that fails on demand, and remembers what it did.

Used by the notebooks on REST where a lesson is about failure: httpbin can answer 503, but not 503
twice and then 200, and it keeps nothing, so that it cannot show an order that was placed twice.

    GET  /stock?busy=2&retry_after=1   503 (with Retry-After) for the first two, then the stock
    GET  /silence                      accepts the request and never answers
    GET  /caller                       the port that the request came from: one a connection
    POST /orders?lose=1                places the order; its first answer is lost on the way
    GET  /orders                       the orders that were placed
    GET  /requests?path=/stock         seconds at which requests to a path arrived, in order
"""

import json
import sys
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from answerbook.protocols import peer

STOCK = {"item": "lamp", "left": 7}


def serve(port: int = 0) -> peer.Peer:
    """Open an empty shop on loopback, by default on a free port; its `url` is the base URL.

    Raises peer.PeerFailed when `port` is taken.
    """
    return peer.start(__name__, str(port))


class Shop(ThreadingHTTPServer):
    """What is remembered between requests, each of which has a thread of its own."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Counterpart)
        self.lock = Lock()
        self.orders: list[Any] = []
        self.arrivals: list[tuple[str, float]] = []
        self.asked: Counter[str] = Counter()

    def server_bind(self) -> None:
        # HTTPServer's own asks the name service for this host's name, which can take seconds.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.socket.getsockname()[1]

    def times_asked(self, target: str) -> int:
        """How often this very method, path and query came, now included."""
        with self.lock:
            self.asked[target] += 1
            return self.asked[target]


class Counterpart(BaseHTTPRequestHandler):
    """One connection's requests. The names of its methods are the standard library's."""

    protocol_version = "HTTP/1.1"  # keeps connections open, which 1.0 does not
    disable_nagle_algorithm = True  # or a body waits 40 ms for the headers' acknowledgement
    server: Shop

    def do_GET(self) -> None:
        path, query = self._received()
        if path == "/stock":
            self._stock(int(query.get("busy", "0")), query.get("retry_after"))
        elif path == "/silence":
            Event().wait()
        elif path == "/caller":
            self._answer(200, {"port": self.client_address[1]})
        elif path == "/orders":
            self._answer(200, self.server.orders)
        elif path == "/requests":
            wanted = query.get("path")
            self._answer(200, [at for path, at in self.server.arrivals if path == wanted])
        else:
            self._answer(404, {"error": f"there is no {path}"})

    def do_POST(self) -> None:
        path, query = self._received()
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if path != "/orders":
            self._answer(404, {"error": f"there is no {path}"})
            return
        with self.server.lock:
            self.server.orders.append(json.loads(body))
            number = len(self.server.orders)
        if self.server.times_asked(f"POST {self.path}") <= int(query.get("lose", "0")):
            self.close_connection = True  # without an answer
        else:
            self._answer(201, {"order": number})

    def _received(self) -> tuple[str, dict[str, str]]:
        address = urlsplit(self.path)
        with self.server.lock:
            self.server.arrivals.append((address.path, time.monotonic()))
        return address.path, {name: values[-1] for name, values in parse_qs(address.query).items()}

    def _stock(self, busy: int, retry_after: str | None) -> None:
        if self.server.times_asked(f"GET {self.path}") > busy:
            self._answer(200, STOCK)
        else:
            headers = {"Retry-After": retry_after} if retry_after else {}
            self._answer(503, {"error": "busy"}, headers)

    def _answer(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nobody reads a peer's standard error while it runs."""


def _run(port: int) -> None:
    try:
        shop = Shop(port)
    except OSError as error:
        peer.refuse(port, error)
    Thread(target=shop.serve_forever, daemon=True).start()
    peer.serve_until_told(f"http://127.0.0.1:{shop.server_port}")


if __name__ == "__main__":
    _run(int(sys.argv[1]))
