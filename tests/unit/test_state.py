"""The state folder: whole files, kept secrets, locks that die with their holder."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answerbook.config import Settings
from answerbook.services.address import MaskedURL
from answerbook.services.errors import StateFolderError
from answerbook.services.state import ServiceRecord, StateFolder, write_whole

WRITE_FOR_EVER = """
import sys
from pathlib import Path
from answerbook.services.state import write_whole
while True:
    for letter in "ab":
        write_whole(Path(sys.argv[1]), letter * 200_000)
        print(letter, flush=True)
"""
HOLD_THE_LOCK = """
import sys, signal
from pathlib import Path
from answerbook.services.state import StateFolder
with StateFolder(Path(sys.argv[1])).changing("kafka"):
    print("held", flush=True)
    signal.pause()
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateFolder:
    monkeypatch.setenv("ANSWERBOOK_HOME", str(tmp_path / "state"))
    return StateFolder.open(Settings.load())


def record(**changes: object) -> ServiceRecord:
    fields = {"service": "kafka", "engine": "native", "version": "4", "ports": {1: {"kafka": 9}}}
    return ServiceRecord.model_validate(fields | changes)


def test_record_is_read_as_it_was_written(state: StateFolder) -> None:
    state.write_record(record())
    assert record() == state.read_record("kafka")
    assert [record()] == state.recorded()


def test_record_that_is_not_there_or_not_whole_is_none(state: StateFolder) -> None:
    assert state.read_record("kafka") is None
    (state.service_folder("kafka") / "record.json").write_text('{"service": "ka')
    assert state.read_record("kafka") is None
    assert [] == state.recorded()


def test_secret_is_made_once_and_for_its_owner_only(state: StateFolder) -> None:
    first = state.secret("rabbitmq").get_secret_value()
    assert len(first) >= 20
    assert first == state.secret("rabbitmq").get_secret_value()
    assert first != state.secret("postgres").get_secret_value()
    assert 0o600 == (state.path / "secrets" / "rabbitmq").stat().st_mode & 0o777
    assert first not in repr(state.secret("rabbitmq"))


def test_all_who_ask_for_a_secret_at_once_get_the_same(state: StateFolder) -> None:
    everybody_is_here = Barrier(8)

    def ask(_: int) -> str:
        everybody_is_here.wait()
        return state.secret("rabbitmq-3").get_secret_value()

    with ThreadPoolExecutor(8) as pool:
        assert 1 == len(set(pool.map(ask, range(8))))


def test_git_ignores_the_state_folder(state: StateFolder) -> None:
    assert "*\n" == (state.path / ".gitignore").read_text()


def test_kill_in_the_middle_of_writing_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for _ in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITE_FOR_EVER, path], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout
        for _ in range(20):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        assert path.read_text() in ("a" * 200_000, "b" * 200_000)


def test_lock_is_free_when_its_holder_was_killed(state: StateFolder) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_LOCK, state.path], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    assert "held\n" == holder.stdout.readline()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with state.changing("kafka"):
        pass


def test_folder_that_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StateFolderError, match="export ANSWERBOOK_HOME="):
        write_whole(tmp_path / "not there" / "file", "text")


def test_failed_write_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(StateFolderError, match="No space left on device"):
        write_whole(tmp_path / "file", "text")
    assert [] == list(tmp_path.iterdir())


@given(st.from_regex(r"[A-Za-z0-9%._~-]{6,40}", fullmatch=True))
def test_no_password_shows_in_the_repr_of_an_address(password: str) -> None:
    url = MaskedURL(f"amqp://user:{password}@host:1/%2F")
    assert "'amqp://user:***@host:1/%2F'" == repr(url)
    assert password in str(url)
