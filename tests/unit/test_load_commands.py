import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.notify_api import KEY, Server, serving


@pytest.fixture
def api() -> Iterator[Server]:
    with serving() as server:
        yield server


def command(api: Server, folder: Path, *words: str) -> list[str]:
    options = ["--host", api.url, "--key", KEY, "--ledger", str(folder), "--run", "r1"]
    return [sys.executable, "-m", "answerbook", "load", *words, *options]


def test_a_load_test_prints_its_seconds_and_the_whole(api: Server, tmp_path: Path) -> None:
    written = tmp_path / "measured.json"
    words = ["steady", "--seconds", "2", "--rate", "50", "--json", str(written)]
    done = subprocess.run(
        command(api, tmp_path, *words), capture_output=True, text=True, check=True
    )
    assert "steady, 1 s: 50/s, p50" in done.stdout
    assert "accepted    100" in done.stdout
    measured = json.loads(written.read_text())
    assert measured["whole"]["accepted"] == 100
    assert sum(second["throughput"] for second in measured["seconds"]) == 100
    assert (tmp_path / "r1.ledger").read_text().count("\n") == 100


def test_ctrl_c_ends_a_load_test_with_what_was_measured(api: Server, tmp_path: Path) -> None:
    with subprocess.Popen(
        command(api, tmp_path, "soak", "--rate", "50"), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("soak, 1 s: ")
        process.send_signal(signal.SIGINT)
        printed = process.stdout.read()
    assert process.returncode == 130
    assert f"accepted    {len(api.seen())}" in printed


def test_a_load_test_of_which_nothing_was_accepted_fails(api: Server, tmp_path: Path) -> None:
    api.faults(refuse_every=1, status=503, retry_after=1)
    done = subprocess.run(
        command(api, tmp_path, "steady", "--seconds", "1", "--rate", "20"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "503, to be sent again" in done.stdout


def test_the_page_is_there_until_ctrl_c(api: Server, tmp_path: Path) -> None:
    with subprocess.Popen(
        command(api, tmp_path, "steady", "--page"), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "/?token=" in process.stdout.readline()
        assert process.stdout.readline() == "Ctrl-C ends it.\n"
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    assert process.returncode == 0


def test_a_key_of_the_wrong_form_is_one_error(api: Server, tmp_path: Path) -> None:
    words = command(api, tmp_path, "steady")
    words[words.index(KEY)] = "secret"
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "looks like ab_<key id>_<secret>" in done.stderr
