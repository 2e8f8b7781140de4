"""The senders of notebook 2_3: each really sends, and what it took is measured."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from answerbook.notebook import senders
from answerbook.notebook.senders import SenderFailed, Way
from tests.unit.notify_emulator import Emulator

WARM_UP = 100


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.mark.parametrize("way", senders.WAYS)
def test_each_way_sends_all_it_says_it_sent(emulator: Emulator, way: Way) -> None:
    emulator.control.post("/reset").raise_for_status()
    found = senders.measure(way, emulator.folder, 40)
    assert WARM_UP + 40 == emulator.counts()["accepted"]
    assert {"token": WARM_UP + 40} == emulator.counts()["accepted_by_target"]
    assert (way, 40) == (found.way, found.messages)
    assert found.per_second > 0
    assert found.cpu_microseconds > 0


def test_own_sender_begins_neither_threads_nor_connections_once_it_is_warm(
    emulator: Emulator,
) -> None:
    found = senders.measure("ours", emulator.folder, 200)
    assert (0, 0) == (found.threads, found.connections)


@pytest.mark.parametrize("way", senders.WAYS)
def test_refused_messages_are_no_measurement(emulator: Emulator, way: Way) -> None:
    emulator.faults(tokens={"token-7": "INVALID_ARGUMENT"})
    try:
        with pytest.raises(SenderFailed, match=f"{way} ended with 1"):
            senders.measure(way, emulator.folder, 40)
    finally:
        emulator.control.post("/reset").raise_for_status()


def test_measurement_that_cannot_begin_says_why(tmp_path: Path) -> None:
    with pytest.raises(SenderFailed, match="ended with 1"):
        senders.measure("ours", tmp_path, 1)
