"""A man in the middle reads what a careless client says, and nothing of one that checks."""

import secrets
import socket
import ssl
from pathlib import Path

import pytest

from answerbook.notebook.attacks.interception import Overheard, intercept
from answerbook.notebook.listening import Listener
from tests.unit import tls


def talk_to(server: Listener, context: ssl.SSLContext, said: bytes) -> bytes:
    with (
        socket.create_connection(server.address, timeout=5) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as secure,
    ):
        secure.sendall(said)
        return secure.recv(100)


def test_man_in_the_middle_gets_the_password_of_a_careless_client_only(tmp_path: Path) -> None:
    contexts = tls.Contexts(tmp_path)
    serving = contexts.server()
    mallory = contexts.server(tls.server(tls.authority("Mallory"), "localhost"))
    password, session = secrets.token_bytes(12), secrets.token_bytes(12)

    def log_in(connection: socket.socket) -> bytes:
        with serving.wrap_socket(connection, server_side=True) as secure:
            said = secure.recv(100)
            secure.sendall(session)
            return said

    careless = contexts.client()
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    real = Listener(log_in)
    with real, Listener(lambda it: intercept(it, mallory, real.address, "localhost")) as middle:
        assert session == talk_to(middle, careless, password)
        assert password == real.heard()
        assert Overheard(password, session) == middle.heard()

        with pytest.raises(ssl.SSLCertVerificationError):
            talk_to(middle, contexts.client(), password)
        refused = middle.heard()
        assert isinstance(refused, ssl.SSLError)
        assert "UNKNOWN_CA" in str(refused.reason)
