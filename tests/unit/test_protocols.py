"""Peers start, answer, refuse a taken port in words, and leave nothing behind."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
import requests

from answerbook.config import Settings, SettingsError
from answerbook.protocols import httpbin, mqtt, peer, shop
from answerbook.protocols.peer import Peer, PeerFailed
from tests.unit.peers import assert_dies_with_its_starter, port_of

SERVE = [httpbin.serve, shop.serve]
SECONDS = 10

serving = pytest.mark.parametrize("serve", SERVE, ids=["httpbin", "shop"])


@pytest.fixture(params=SERVE, ids=["httpbin", "shop"])
def running(request: pytest.FixtureRequest, temporary: Path) -> Iterator[Peer]:
    with request.param() as started:
        yield started


def test_a_peer_answers_as_soon_as_its_address_is_known(running: Peer) -> None:
    answer = requests.get(running.url + "/nothing-is-here", timeout=SECONDS)
    assert 404 == answer.status_code


def test_httpbin_says_what_it_was_sent() -> None:
    with httpbin.serve() as started:
        echoed = requests.post(
            f"{started.url}/anything", {"colour": "red"}, params={"item": "lamp"}, timeout=SECONDS
        ).json()
    assert ("POST", {"item": "lamp"}, {"colour": "red"}) == tuple(
        echoed[part] for part in ("method", "args", "form")
    )


@pytest.mark.parametrize(("password", "status"), [("passwd", 200), ("guess", 401)])
def test_httpbin_lets_in_who_has_the_password(password: str, status: int) -> None:
    with httpbin.serve() as started:
        url = f"{started.url}/basic-auth/user/passwd"
        answer = requests.get(url, auth=("user", password), timeout=SECONDS)
    assert status == answer.status_code


def test_a_peer_listens_on_loopback_only(running: Peer) -> None:
    listening = {
        connection.laddr.ip
        for connection in psutil.Process(running.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert {"127.0.0.1"} == listening


def test_a_stopped_peer_leaves_no_process_port_or_file(running: Peer, temporary: Path) -> None:
    assert requests.get(running.url + "/nothing-is-here", timeout=SECONDS).status_code == 404
    running.stop()
    assert not psutil.pid_exists(running.pid)
    assert not running.running
    assert [] == list(temporary.iterdir())
    with closing(socket.create_server(("127.0.0.1", port_of(running)))):
        pass  # the port can be had again


def test_a_peer_is_stopped_once_however_often_it_is_asked(running: Peer) -> None:
    running.stop()
    running.stop()
    assert f"<peer at {running.url}, stopped>" == repr(running)


def test_a_peer_ends_while_it_still_answers_a_request() -> None:
    with shop.serve() as slow:
        request = socket.create_connection(("127.0.0.1", port_of(slow)))
        request.sendall(b"GET /silence HTTP/1.1\r\nHost: shop\r\n\r\n")
        wait_for_request(slow, "/silence")
    with closing(request):
        assert b"" == request.recv(1)


@serving
def test_a_peer_ends_when_its_variable_is_used_for_another(serve: Callable[[], Peer]) -> None:
    first = serve()
    process = psutil.Process(first.pid)
    first = serve()
    process.wait(SECONDS)
    assert first.running
    first.stop()


@serving
def test_a_peer_ends_when_its_block_raises(serve: Callable[[], Peer]) -> None:
    with pytest.raises(ZeroDivisionError), serve() as started:
        raise ZeroDivisionError
    assert not psutil.pid_exists(started.pid)


def test_a_killed_peer_leaves_no_process_port_or_file(running: Peer, temporary: Path) -> None:
    running.kill()
    assert not psutil.pid_exists(running.pid)
    assert not running.running
    assert [] == list(temporary.iterdir())
    with closing(socket.create_server(("127.0.0.1", port_of(running)))):
        pass  # the port can be had again


def test_a_paused_peer_answers_when_it_is_resumed_and_not_before(running: Peer) -> None:
    running.pause()
    with pytest.raises(requests.ReadTimeout):
        requests.get(running.url, timeout=(SECONDS, 0.3))
    running.resume()
    assert requests.get(running.url, timeout=SECONDS).status_code < 500


def test_a_paused_peer_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "STOP_SECONDS", 0.3)
    with shop.serve() as paused:
        paused.pause()
    assert not psutil.pid_exists(paused.pid)


@serving
def test_a_peer_takes_the_port_that_it_is_given(serve: Callable[[int], Peer]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    with serve(port) as started:
        assert f"http://127.0.0.1:{port}" == started.url


@serving
def test_a_taken_port_is_refused_in_words(serve: Callable[[int], Peer]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PeerFailed) as caught:
            serve(port)
    assert f"Port {port} of 127.0.0.1 is taken by another program" in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_peer_that_cannot_be_run_says_what_it_said() -> None:
    with pytest.raises(PeerFailed, match="No module named answerbook.protocols.nothing"):
        peer.start("answerbook.protocols.nothing")


@pytest.mark.parametrize("given", ["https://httpbin.org", "https://httpbin.org/"])
def test_another_httpbin_is_one_variable_away(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSWERBOOK_HTTPBIN_URL", given)
    assert "https://httpbin.org" == Settings.load().httpbin_url


def test_an_address_that_is_none_is_refused_with_the_variables_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANSWERBOOK_HTTPBIN_URL", "httpbin.org")
    with pytest.raises(SettingsError, match="ANSWERBOOK_HTTPBIN_URL.*begins with http://"):
        Settings.load()


@pytest.mark.parametrize(
    ("serve", "package"),
    [(httpbin.serve, "httpbin"), (shop.serve, "starlette"), (mqtt.serve, "amqtt")],
)
def test_a_missing_package_is_named_with_what_installs_it(
    serve: Callable[[], Peer], package: str, programs: Path
) -> None:
    (programs / f"{package}.py").write_text("import a_package_that_is_not_there.within")
    with pytest.raises(PeerFailed) as caught:
        serve()
    assert "package a_package_that_is_not_there, which" in str(caught.value)
    assert "run `make lab`" in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_module_of_ours_that_is_missing_is_no_package_to_install(programs: Path) -> None:
    (programs / "broken.py").write_text("import answerbook.nothing_is_here")
    with pytest.raises(PeerFailed, match="Traceback") as caught:
        peer.start("broken")
    assert "make lab" not in str(caught.value)


def test_a_silent_peer_is_ended_and_told_from_one_that_ended(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (programs / "silent.py").write_text("input()")
    before = psutil.Process().children()
    monkeypatch.setattr(peer, "START_SECONDS", 0.3)
    with pytest.raises(PeerFailed, match=r"It said nothing for 0.3 s.*so try again\."):
        peer.start("silent")
    assert before == psutil.Process().children()


def test_a_peer_that_ends_without_a_word_is_told_by_its_status(programs: Path) -> None:
    (programs / "silent.py").write_text("raise SystemExit(3)")
    with pytest.raises(PeerFailed, match="It ended with status 3, and said nothing"):
        peer.start("silent")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules the peers' processes find first."""
    found = os.pathsep.join([str(tmp_path), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    monkeypatch.setenv("PYTHONPATH", found)
    return tmp_path


@pytest.mark.parametrize("module", ["httpbin", "shop"])
def test_a_peer_dies_with_a_starter_that_is_killed(module: str, temporary: Path) -> None:
    assert_dies_with_its_starter(f"from answerbook.protocols import {module}", f"{module}.serve()")
    assert [] == list(temporary.iterdir())


def wait_for_request(started: Peer, path: str) -> None:
    """Until the shop has seen a request to `path`; pytest's own time limit ends a vain wait."""
    url = f"{started.url}/requests"
    while not requests.get(url, params={"path": path}, timeout=SECONDS).json():
        pass
