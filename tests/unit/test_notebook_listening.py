"""A server whose talk is a function: what it keeps of each connection, and that it ends."""

import gc
import socket

import pytest

from answerbook.notebook.listening import Listener


def echo(connection: socket.socket) -> bytes:
    said = connection.recv(100)
    connection.sendall(said)
    return said


def fail(connection: socket.socket) -> None:
    raise ValueError("no")


def ask(server: Listener, said: bytes) -> bytes:
    with socket.create_connection(server.address, timeout=5) as client:
        client.sendall(said)
        return client.recv(100)


def test_each_connection_is_talked_to_and_what_was_returned_is_kept() -> None:
    with Listener(echo) as server:
        for said in (b"one", b"two"):
            assert said == ask(server, said)
            assert said == server.heard()


def test_what_a_talk_raises_is_kept_and_the_next_connection_is_taken() -> None:
    with Listener(fail) as server:
        for _ in range(2):
            with socket.create_connection(server.address, timeout=5) as client:
                assert b"" == client.recv(100)
            error = server.heard()
            assert isinstance(error, ValueError)


def test_connections_at_once_do_not_wait_for_each_other() -> None:
    with Listener(echo) as server, socket.create_connection(server.address, timeout=5):
        assert b"second" == ask(server, b"second")


def test_last_words_arrive_though_the_talk_left_something_unread() -> None:
    def leave(connection: socket.socket) -> None:
        connection.recv(1, socket.MSG_PEEK)
        connection.sendall(b"last words")
        connection.close()

    with Listener(leave) as server:
        for _ in range(20):
            with socket.create_connection(server.address, timeout=5) as client:
                client.sendall(b"never read")
                assert b"last words" == client.recv(100)
                assert b"" == client.recv(100)


def test_stopped_server_takes_no_connection_and_can_be_stopped_again() -> None:
    server = Listener(echo)
    server.stop()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(server.address, timeout=5)


def test_server_that_nothing_refers_to_ends() -> None:
    server = Listener(echo)
    address = server.address
    del server
    gc.collect()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)


def test_heard_says_so_when_nobody_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("answerbook.notebook.listening.SECONDS", 0.05)
    with Listener(echo) as server, pytest.raises(TimeoutError, match="No connection ended"):
        server.heard()
