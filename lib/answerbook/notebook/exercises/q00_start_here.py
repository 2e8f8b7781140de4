"""Exercises of notebook 00_start_here."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

from answerbook.notebook.exercises import Exercise

Address = tuple[str, int]


def _still_there(answer: set[str]) -> str | None:
    names = {name.lower() for name in answer}
    if "rabbitmq" in names:
        return "What did the second basic_get return?"
    if "kafka" not in names:
        return "What did the consumer read after it had gone back with seek?"
    return (
        None if names == {"kafka", "postgres"} else "A set of names is asked for, of these three."
    )


still_there = Exercise(
    solution={"kafka", "postgres"},
    wrong=({"kafka"}, {"rabbitmq", "kafka", "postgres"}, {"postgres"}, "kafka", set()),
    test=_still_there,
    because="A queue is for work that is done once; a log and a table keep what they were given.",
)


def _answers(answer: Callable[[Address], bool]) -> str | None:
    with _echoing() as address:
        if answer(address) is not True:
            return "It does not return True for a server that sends back what it gets."
    with _silent() as address:
        if answer(address) is not False:
            return "It does not return False for a server that takes connections and never answers."
    return None


def _pings(address: Address) -> bool:
    with socket.create_connection(address, timeout=1) as client:
        client.send(b"ping")
        try:
            return client.recv(1) != b""
        except TimeoutError:
            return False


def _connects(address: Address) -> bool:
    with socket.create_connection(address, timeout=1):
        return True


def _lets_the_error_out(address: Address) -> bool:
    with socket.create_connection(address, timeout=1) as client:
        client.send(b"ping")
        return client.recv(1) != b""


answers = Exercise(
    solution=_pings,
    wrong=(_connects, _lets_the_error_out, lambda address: False, True),
    test=_answers,
    because="To know that a service works one has to have an answer from it, within a deadline.",
)


@contextmanager
def _silent() -> Iterator[Address]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


@contextmanager
def _echoing() -> Iterator[Address]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        echo = Thread(target=_echo_once, args=(server,), daemon=True)
        echo.start()
        yield server.getsockname()


def _echo_once(server: socket.socket) -> None:
    try:
        connection, _ = server.accept()
        with connection:
            connection.settimeout(5)
            connection.sendall(connection.recv(1024))
    except OSError:
        pass  # the answer under test went away, or never came
