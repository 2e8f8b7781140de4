"""Broker, file server and card host start, refuse in words, and leave nothing behind."""

import gc
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import asyncssh
import psutil
import pytest

from answerbook.protocols import card_network, mqtt, sftp
from answerbook.protocols.endpoint import Endpoint
from answerbook.protocols.peer import PeerFailed
from tests.unit.peers import assert_dies_with_its_starter

SECONDS = 20
CLIENT_KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()

Serve = Callable[[int], Endpoint]

SERVE: dict[str, Serve] = {
    "mqtt": mqtt.serve,
    "sftp": lambda port: sftp.serve(CLIENT_KEY, port),
    "card_network": card_network.serve,
}

serving = pytest.mark.parametrize("serve", list(SERVE.values()), ids=list(SERVE))


@pytest.fixture(params=list(SERVE.values()), ids=list(SERVE))
def running(request: pytest.FixtureRequest, temporary: Path) -> Iterator[Endpoint]:
    with request.param(0) as started:
        yield started


def test_a_peer_accepts_as_soon_as_its_port_is_known(running: Endpoint) -> None:
    with closing(socket.create_connection((running.host, running.port), timeout=SECONDS)):
        assert running.running


def test_a_peer_listens_on_loopback_only(running: Endpoint) -> None:
    listening = {
        connection.laddr.ip
        for connection in psutil.Process(running.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert {"127.0.0.1"} == listening


def test_a_stopped_peer_leaves_no_process_port_or_file(running: Endpoint, temporary: Path) -> None:
    running.stop()
    running.stop()
    assert not psutil.pid_exists(running.pid)
    assert not running.running
    assert [] == list(temporary.iterdir())
    with closing(socket.create_server(("127.0.0.1", running.port))):
        pass  # the port can be had again
    assert repr(running).endswith(f"peer at 127.0.0.1:{running.port}, stopped>")


@serving
def test_a_peer_ends_when_nobody_holds_it_any_more(serve: Serve, temporary: Path) -> None:
    started = serve(0)
    process = psutil.Process(started.pid)
    del started
    gc.collect()
    process.wait(SECONDS)
    assert [] == list(temporary.iterdir())


@serving
def test_a_peer_takes_the_port_that_it_is_given(serve: Serve) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    with serve(port) as started:
        assert port == started.port


@serving
def test_a_taken_port_is_refused_in_words(serve: Serve, temporary: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PeerFailed) as caught:
            serve(port)
    assert f"Port {port} of 127.0.0.1 is taken by another program" in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert [] == list(temporary.iterdir())


STARTS = {
    "mqtt": "mqtt.serve()",
    "sftp": f"sftp.serve({CLIENT_KEY!r})",
    "card_network": "card_network.serve()",
}


@pytest.mark.parametrize("module", STARTS)
def test_a_peer_dies_with_a_starter_that_is_killed(module: str, temporary: Path) -> None:
    assert_dies_with_its_starter(f"from answerbook.protocols import {module}", STARTS[module])
    assert [] == list(temporary.iterdir())


def test_a_killed_file_server_leaves_no_file_after_stop(temporary: Path) -> None:
    started = sftp.serve(CLIENT_KEY)
    os.kill(started.pid, signal.SIGKILL)
    started.stop()
    assert [] == list(temporary.iterdir())


def test_a_file_server_refuses_what_is_no_key(temporary: Path) -> None:
    with pytest.raises(asyncssh.KeyImportError):
        sftp.serve("not a key")
    assert [] == list(temporary.iterdir())


def test_no_secret_shows_in_a_command_line_or_a_repr(temporary: Path) -> None:
    with mqtt.serve() as broker:
        command = " ".join(psutil.Process(broker.pid).cmdline())
        assert broker.password not in command
        assert broker.password not in repr(broker)
        assert [] == list(temporary.iterdir()), "the password's hash stays on no disk"
