import http.client
import json
import resource
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any, cast
from urllib.parse import urlsplit

import psutil
import pytest

from answerbook.load import endpoint, ledger
from answerbook.load.events import Events, stamp
from answerbook.load.latencies import Latencies
from answerbook.load.run import Load, LoadFailed, LoadTest
from answerbook.notify.records import now
from tests.unit.notify_api import KEY, Server, serving
from tests.unit.peers import is_gone


@pytest.fixture
def api() -> Iterator[Server]:
    with serving() as server:
        yield server


def entries(load: Load) -> list[str]:
    return [event_id for event_id, _ in ledger.read(ledger.path_of(load.ledger, load.run_id))]


def test_every_second_is_told_and_every_accepted_event_is_in_the_ledger(
    api: Server, tmp_path: Path
) -> None:
    load = Load(api.url, "steady", tmp_path, seconds=3, rate=100)
    with LoadTest(load, KEY) as test:
        whole = test.finish()
    assert (whole.requests, whole.accepted, whole.errors) == (300, 300, 0)
    assert sum(second.throughput for second in test.seconds) == 300
    assert [second.second for second in test.seconds] == list(range(len(test.seconds)))
    assert {second.rate for second in test.seconds[:3]} <= {99, 100, 101}
    assert whole.p50 is not None
    assert whole.p99 is not None
    assert 0 < whole.p50 <= whole.p99 <= whole.most
    assert sorted(entries(load)) == sorted(f"reader/{load.run_id}-{n}" for n in range(1, 301))
    assert api.seen() == dict.fromkeys(entries(load), 1)


def test_a_request_may_hold_many_events(api: Server, tmp_path: Path) -> None:
    load = Load(api.url, "steady", tmp_path, seconds=1, rate=500, batch=50)
    with LoadTest(load, KEY) as test:
        whole = test.finish()
    assert (whole.requests, whole.accepted) == (10, 500)
    assert len(set(entries(load))) == 500


@pytest.mark.parametrize(
    ("frozen_seconds", "seconds"), [(3, 12), pytest.param(10, 45, marks=pytest.mark.thorough)]
)
def test_a_frozen_server_shows_in_p99_where_a_closed_loop_hides_it(
    api: Server, tmp_path: Path, frozen_seconds: int, seconds: int
) -> None:
    load = Load(api.url, "steady", tmp_path, seconds=seconds, rate=50, pool=20)
    with LoadTest(load, KEY) as test, ClosedLoop(api.url, rate=50) as naive:
        for second in test:
            if second.second == 3:
                api.pause()
                frozen = time.monotonic()
            elif second.second == 3 + frozen_seconds:
                api.resume()
                paused = time.monotonic() - frozen
    naive_p99 = naive.latencies.percentile(0.99)
    whole = test.whole
    assert (whole.requests, whole.errors) == (50 * seconds, 0)
    assert whole.p99 is not None
    assert naive_p99 is not None
    # What was due while nothing answered waited for half of that, on average; the closed loop
    # sent one request meanwhile.
    assert paused / 2 < whole.p99 <= whole.most
    assert naive.latencies.most > paused / 2, "it was frozen for both"
    assert naive_p99 < whole.p99 / 2
    assert any(second.p99 is None and second.waiting for second in test.seconds)


class ClosedLoop:
    """Sends, waits for the answer, and pauses before it sends again: how one should not measure."""

    def __init__(self, url: str, rate: float) -> None:
        self.latencies = Latencies()
        self._url, self._pause = url, 1 / rate
        self._ended = Event()
        self._thread = Thread(target=self._run)

    def _run(self) -> None:
        events, number = Events("naive"), 0
        connection = http.client.HTTPConnection(urlsplit(self._url).netloc)
        while not self._ended.wait(self._pause):
            number += 1
            body = events.json(number, stamp(now()))
            began = time.monotonic()
            connection.request("POST", endpoint.PATH, body, endpoint.headers(KEY, "naive"))
            connection.getresponse().read()
            self.latencies.add(time.monotonic() - began)
        connection.close()

    def __enter__(self) -> "ClosedLoop":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def test_what_is_not_accepted_is_an_error_and_not_in_the_ledger(
    api: Server, tmp_path: Path
) -> None:
    api.faults(refuse_every=2, status=503, retry_after=1)
    load = Load(api.url, "steady", tmp_path, seconds=1, rate=100)
    with LoadTest(load, KEY) as test:
        whole = test.finish()
    assert (whole.requests, whole.accepted, whole.errors) == (100, 50, 50)
    assert whole.reasons == {"503, to be sent again": 50}
    assert sorted(entries(load)) == sorted(api.seen())


def test_a_server_that_is_not_there_is_an_error_each_time(tmp_path: Path) -> None:
    with LoadTest(Load("http://127.0.0.1:9", "steady", tmp_path, seconds=1, rate=20), KEY) as test:
        whole = test.finish()
    assert (whole.requests, whole.accepted, whole.errors) == (20, 0, 20)
    assert whole.reasons == {"ConnectionRefusedError": 20}


def test_a_ramp_ends_where_the_system_fails(api: Server, tmp_path: Path) -> None:
    load = Load(api.url, "ramp", tmp_path, seconds=60, rate=50)
    with LoadTest(load, KEY) as test:
        for second in test:
            if second.second == 2:
                api.faults(refuse_every=2, status=503, retry_after=1)
    most = max(second.rate for second in test.seconds)
    assert test.whole.failed_at == pytest.approx(most, rel=0.5)
    assert test.whole.seconds < 60


def test_a_test_that_is_stopped_tells_what_it_measured(api: Server, tmp_path: Path) -> None:
    load = Load(api.url, "soak", tmp_path, rate=100)
    with LoadTest(load, KEY) as test:
        for second in test:
            if second.second == 1:
                test.stop()
    assert test.whole.shape == "soak"
    assert test.whole.accepted == len(entries(load)) == len(api.seen()) > 100


def test_what_is_due_and_never_answered_counts_with_its_time(api: Server, tmp_path: Path) -> None:
    load = Load(api.url, "steady", tmp_path, seconds=60, rate=50, pool=5)
    with LoadTest(load, KEY) as test:
        for second in test:
            if second.second == 1:
                api.pause()
            if second.second == 4:
                test.stop()
    api.resume()
    assert test.whole.reasons["no answer"] == test.whole.errors > 50
    assert test.whole.requests == test.whole.accepted + test.whole.errors
    assert test.whole.most > 1


def test_what_is_no_key_is_told(api: Server, tmp_path: Path) -> None:
    load = Load(api.url, "steady", tmp_path, seconds=1)
    with (
        LoadTest(load, "secret") as test,
        pytest.raises(LoadFailed, match="looks like ab_<key id>_<secret>"),
    ):
        test.finish()


@pytest.mark.parametrize("wrong", [{"shape": "wave"}, {"batch": 1_001}, {"pool": 0}, {"rate": -1}])
def test_a_load_that_cannot_be_is_refused_before_anything_starts(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"shape|request"):
        Load(**cast(Any, {"url": "http://localhost", "shape": "steady", "ledger": Path()} | wrong))


STARTER = """
import sys
from pathlib import Path
from answerbook.load.run import Load, LoadTest
test = LoadTest(Load(sys.argv[1], "soak", Path(sys.argv[2]), rate=10), sys.argv[3])
next(iter(test))
print(test.pid, flush=True)
input()
"""


def test_it_does_not_outlive_whoever_started_it(api: Server, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, api.url, tmp_path, KEY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdout is not None
        process = psutil.Process(int(starter.stdout.readline()))
        starter.kill()
    psutil.wait_procs([process], timeout=30)
    assert is_gone(process)


# -- the page ------------------------------------------------------------------------------------


def asked(url: str, **headers: str) -> tuple[int, bytes, http.client.HTTPMessage]:
    """GET without following redirects; a header `_body` makes it a POST."""
    address, body = urlsplit(url), headers.pop("_body", None)
    connection = http.client.HTTPConnection(address.netloc, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        named["Content-Type"] = "application/x-www-form-urlencoded"
    path = address.path + (f"?{address.query}" if address.query else "")
    connection.request("GET" if body is None else "POST", path, body, named)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, answer.headers


def test_the_page_opens_for_its_token_alone_and_runs_a_test(api: Server, tmp_path: Path) -> None:
    load = Load(api.url, "steady", tmp_path, seconds=1, rate=50)
    with LoadTest(load, KEY, page=True) as test:
        whole_address = test.page
        page = whole_address.partition("?")[0]
        assert asked(page)[0] == 401
        assert asked(f"{page}?token=wrong")[0] == 401
        assert asked(f"{page}stats/requests")[0] == 401
        assert asked(f"{page}swarm", _body="user_count=1&spawn_rate=1")[0] == 401
        assert asked(page, Cookie="answerbook-load=wrong")[0] == 401
        assert asked(whole_address, Host="evil.example:80")[0] == 403
        status, _, headers = asked(whole_address)
        assert (status, headers["Location"]) == (303, "/")
        assert "HttpOnly; SameSite=Strict" in headers["Set-Cookie"]
        cookie = headers["Set-Cookie"].partition(";")[0]
        status, content, _ = asked(page, Cookie=cookie)
        assert status == 200
        assert b"Locust" in content
        assert KEY.encode() not in content
        assert asked(page, Cookie=cookie, Host="evil.example")[0] == 403
        for told in (50, 100):
            started = asked(f"{page}swarm", Cookie=cookie, _body=f"host={api.url}")
            assert json.loads(started[1])["success"]
            for _ in test:
                if sum(second.requests for second in test.seconds) == told:
                    break
            until_stopped(page, cookie)
    assert len(entries(load)) == 100
    assert api.seen() == dict.fromkeys(entries(load), 1)


def test_a_ledger_that_cannot_be_written_ends_the_test(api: Server, tmp_path: Path) -> None:
    load = Load(api.url, "soak", tmp_path, rate=500)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # Locust inherits it
    try:
        test = LoadTest(load, KEY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with test, pytest.raises(LoadFailed, match="ledger .* cannot be written: File too large"):
        test.finish()
    assert (tmp_path / f"{load.run_id}.ledger").read_bytes().endswith(b"\n")
    assert set(entries(load)) <= api.seen().keys()


def until_stopped(page: str, cookie: str) -> None:
    deadline = time.monotonic() + 30
    request = urllib.request.Request(f"{page}stats/requests", headers={"Cookie": cookie})
    while time.monotonic() < deadline:
        with urllib.request.urlopen(request) as answer:
            if json.load(answer)["state"] == "stopped":
                return
        time.sleep(0.05)
    raise TimeoutError("the test goes on")
