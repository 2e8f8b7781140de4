"""What `answerbook doctor` finds on machines that lack something."""

import shutil
import socket
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from answerbook import doctor
from answerbook.config import Settings
from answerbook.doctor import Finding
from answerbook.services import ServiceError
from answerbook.services.compose import images
from answerbook.services.native import programs

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder with nothing in it, no Docker, and every program here."""
    monkeypatch.setenv("ANSWERBOOK_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("ANSWERBOOK_PROGRAMS", str(tmp_path / "programs"))
    monkeypatch.delenv("ANSWERBOOK_ENGINE", raising=False)
    monkeypatch.setattr(doctor, "why_not", lambda: "there is no `docker` command")
    monkeypatch.setattr(doctor, "reachable_by_others", lambda folder: True)
    monkeypatch.setattr(programs, "missing", lambda name, settings: None)
    return tmp_path


def found() -> dict[str, Finding]:
    return {finding.what: finding for finding in doctor.examine()}


def test_machine_that_has_all_is_fit() -> None:
    findings = found()
    assert [] == [finding for finding in findings.values() if finding.state == "missing"]
    assert {"engine", "state folder", *doctor.FETCHED} <= findings.keys()
    assert "native (there is no `docker` command)" == findings["engine"].result


def test_program_that_would_be_fetched_is_a_note_with_its_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(programs, "missing", lambda name, _: "45 MB." if name == "kafka" else None)
    assert ("note", "45 MB.") == (found()["kafka"].state, found()["kafka"].result)


def test_program_that_cannot_be_had_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, settings: Settings) -> str | None:
        if name == "rabbitmq":
            raise ServiceError("RabbitMQ is not here. Install it: `sudo apt-get install …`.")
        return None

    monkeypatch.setattr(programs, "missing", missing)
    finding = found()["rabbitmq"]
    assert "missing" == finding.state
    assert "sudo apt-get install" in finding.mend


def test_room_is_looked_at_where_programs_go(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = {machine / "state": 9e9}
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: Usage(1e10, 0, free.get(Path(path), 300e6))
    )
    assert "programs folder" not in found(), "nothing is to be fetched"
    monkeypatch.setattr(programs, "missing", lambda name, settings: "45 MB.")
    finding = found()["programs folder"]
    assert "missing" == finding.state
    assert "300 MB free" in finding.result
    assert "ANSWERBOOK_PROGRAMS" in finding.mend


@pytest.mark.parametrize("engine", [None, "compose"])
def test_containers_want_images_and_the_programs_that_run_beside_them(
    monkeypatch: pytest.MonkeyPatch, engine: str | None
) -> None:
    if engine:
        monkeypatch.setenv("ANSWERBOOK_ENGINE", engine)
    monkeypatch.setattr(doctor, "why_not", lambda: None)
    monkeypatch.setattr(images, "is_here", lambda image: "kafka" in image)
    asked: list[str] = []
    monkeypatch.setattr(programs, "missing", lambda name, settings: asked.append(name))
    findings = found()
    assert ["java", "nginx", "spark"] == asked
    assert "ok" == findings["kafka"].state
    assert ("note", "pulled when it is first required") == (
        findings["postgres"].state,
        findings["postgres"].mend,
    )
    assert Settings.load().postgres_image in findings["postgres"].result


def test_compose_that_was_asked_for_and_cannot_be_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANSWERBOOK_ENGINE", "compose")
    monkeypatch.setattr(doctor, "why_not", lambda: "this user may not talk to it")
    finding = found()["engine"]
    assert "missing" == finding.state
    assert "this user may not talk to it" in finding.result


@pytest.mark.parametrize("setting", [setting for _, setting in doctor.PORTS])
def test_taken_port_is_a_note(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv(f"ANSWERBOOK_{setting.upper()}", str(port))
        finding = found()[f"port {port}"]
    assert ("note", "taken by another") == (finding.state, finding.result)


def test_little_memory_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = SimpleNamespace(available=1_000_000_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    findings = found()
    assert "note" == findings["memory"].state
    assert findings["question 2"].result.startswith("takes 1.8 GB of memory")


def test_disk_without_room_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1e10, 0, 10e6))
    finding = found()["state folder"]
    assert "missing" == finding.state
    assert "10 MB free" in finding.mend


def test_looking_leaves_what_it_looks_at(machine: Path) -> None:
    """Another tool's files in the folder stay, and no service was started."""
    (machine / "state").mkdir()
    (machine / "state" / "mine").write_text("kept")
    found()
    assert "kept" == (machine / "state" / "mine").read_text()
    assert [] == list((machine / "state").rglob("record.json"))
