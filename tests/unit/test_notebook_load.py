import http.client
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from answerbook.notebook import load
from tests.unit.notify_api import KEY, Server, serving


@pytest.fixture
def api() -> Iterator[Server]:
    with serving() as server:
        yield server


def test_a_cell_gets_a_row_for_each_second_and_the_whole(
    api: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = load.run("steady", api.url, KEY, ledger=tmp_path, seconds=2, rate=50)
    whole = rows.attrs["whole"]
    assert rows.throughput.sum() == whole.accepted == 100
    assert list(rows.second) == list(range(len(rows)))
    assert rows.p99.dtype == float
    assert (rows.p50 <= rows.p99).all()
    assert rows.errors.sum() == whole.errors == 0
    assert (tmp_path / f"{whole.run_id}.ledger").exists()
    bar = capsys.readouterr().err
    assert "steady: 100%" in bar
    assert "p99" in bar
    assert "locust" not in sys.modules


def test_a_cell_may_open_locusts_page(api: Server, tmp_path: Path) -> None:
    with load.page("spike", api.url, KEY, ledger=tmp_path) as locust:
        address = urlsplit(locust.page)
        assert address.hostname == "127.0.0.1"
        connection = http.client.HTTPConnection(address.netloc, timeout=30)
        connection.request("GET", f"/?{address.query}")
        answer = connection.getresponse()
        assert answer.status == 303
        answer.read()
        # A person starts a test there, and no cell looks at its seconds.
        cookie = {"Cookie": str(answer.headers["Set-Cookie"]).partition(";")[0]}
        form = {"Content-Type": "application/x-www-form-urlencoded", **cookie}
        connection.request("POST", "/swarm", f"host={api.url}", form)
        assert json.loads(connection.getresponse().read())["success"]
        connection.close()
        deadline = time.monotonic() + 60
        while not locust.seconds:
            assert time.monotonic() < deadline, "nothing is read of what Locust says"
            time.sleep(0.05)


def test_a_second_without_an_answer_says_so() -> None:
    from answerbook.load.measured import Second

    second = Second(3, 50.0, 0.0, 0, 0, None, None, None, waiting=50, late=0.0)
    assert load.line(second) == "0/s, p50 no answer, p99 no answer, 0 errors"


def test_a_cell_may_act_in_the_midst_of_a_test(api: Server, tmp_path: Path) -> None:
    seen: list[int] = []
    rows = load.run(
        "steady",
        api.url,
        KEY,
        ledger=tmp_path,
        seconds=2,
        rate=20,
        each_second=lambda second: seen.append(second.second),
    )
    assert list(rows.second) == seen
    assert 0 < rows.attrs["began"] < time.monotonic() - 1
