"""What both sides of a TLS connection say, and when the client learns it."""

import socket
import ssl
from pathlib import Path

import pytest

from answerbook.notebook.certificates import pem
from answerbook.notebook.listening import Talk
from answerbook.notebook.meeting import ACCEPTED, Meeting, in_words, meet
from tests.unit import tls


@pytest.fixture
def contexts(tmp_path: Path) -> tls.Contexts:
    return tls.Contexts(tmp_path)


def greeting(context: ssl.SSLContext) -> Talk:
    def greet(connection: socket.socket) -> bytes:
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.sendall(b"welcome")
            return secure.recv(100)

    return greet


def test_who_refuses_nothing_is_answered(contexts: tls.Contexts) -> None:
    met = meet(greeting(contexts.server()), contexts.client())
    assert Meeting("never", ACCEPTED, ACCEPTED) == met


def test_client_that_refuses_says_why_and_the_server_gets_an_alert(contexts: tls.Contexts) -> None:
    late = contexts.server(tls.server(contexts.root, days=(-3, -1)))
    expected = Meeting("handshake", "certificate has expired (10)", "alert certificate_expired")
    assert expected == meet(greeting(late), contexts.client())


def test_name_is_what_the_client_asked_for(contexts: tls.Contexts) -> None:
    met = meet(greeting(contexts.server()), contexts.client(), "bank.test")
    assert met.client.startswith("Hostname mismatch")
    assert met.client.endswith("'bank.test' (62)")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (ssl.TLSVersion.TLSv1_3, ("first read", "alert certificate_required")),
        (ssl.TLSVersion.TLSv1_2, ("handshake", "alert handshake_failure")),
    ],
)
def test_client_without_a_certificate_learns_it_at_its_first_read_in_tls_1_3(
    version: ssl.TLSVersion, expected: tuple[str, str], contexts: tls.Contexts
) -> None:
    server = contexts.server()
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(cadata=pem(contexts.root))
    # More than once: an alert that a reset overtakes would be lost now and then.
    for _ in range(10):
        met = meet(greeting(server), tls.versions(contexts.client(), version))
        assert (*expected, "peer did not return a certificate") == (met.at, met.client, met.server)


def test_what_is_no_error_of_tls_keeps_its_name() -> None:
    assert "ConnectionResetError" == in_words(ConnectionResetError())
    assert ACCEPTED == in_words(b"welcome")
