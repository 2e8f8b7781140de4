"""An application in a thread: over TLS where it has a certificate, and gone when it is stopped."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests
import trustme
from starlette.requests import Request
from starlette.responses import JSONResponse

from answerbook.protocols import asgi

SECONDS = 10


async def scheme(request: Request) -> JSONResponse:
    return JSONResponse(request.url.scheme)


@pytest.fixture
def serving() -> Iterator[asgi.Serving]:
    with asgi.serve_handler("/", scheme) as started:
        yield started


def test_a_handler_answers_on_loopback_without_tls(serving: asgi.Serving) -> None:
    assert f"http://127.0.0.1:{serving.port}" == serving.url
    assert "http" == requests.get(serving.url, timeout=SECONDS).json()


def test_with_a_certificate_it_answers_over_tls_though_the_file_is_gone(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    certificate = tmp_path / "server.pem"
    leaf = authority.issue_cert("127.0.0.1")
    leaf.private_key_and_cert_chain_pem.write_to_path(certificate)
    with asgi.serve_handler("/", scheme, certificate=certificate) as started:
        certificate.unlink()
        answer = requests.get(started.url, verify=str(tmp_path / "authority.pem"), timeout=SECONDS)
        assert f"https://127.0.0.1:{started.port}" == started.url
        assert "https" == answer.json()


def test_what_is_no_certificate_is_refused_and_leaves_the_port_free(tmp_path: Path) -> None:
    (tmp_path / "server.pem").write_text("this is none")
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(OSError, match="(?i)pem"):
        asgi.serve_handler("/", scheme, port, tmp_path / "server.pem")
    with closing(socket.create_server(("127.0.0.1", port))):
        pass  # the port can be had again


def test_a_body_does_not_wait_for_the_acknowledgement_of_its_headers() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with closing(listener), closing(asgi.listening(0)) as ours:
        assert not nodelay_of_accepted(listener), "the system does it by itself"
        assert nodelay_of_accepted(ours)


def test_a_stopped_server_leaves_no_thread_and_no_port() -> None:
    before = set(threading.enumerate())
    with asgi.serve_handler("/", scheme) as started:
        requests.get(started.url, timeout=SECONDS)
        assert started.running
    assert not started.running
    assert set(threading.enumerate()) <= before
    with closing(socket.create_server(("127.0.0.1", started.port))):
        pass  # the port can be had again


def nodelay_of_accepted(listener: socket.socket) -> int:
    with closing(socket.create_connection(listener.getsockname())):
        accepted, _ = listener.accept()
        with closing(accepted):
            return accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
