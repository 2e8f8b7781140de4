"""Settings: where they come from, and what a wrong one is answered with."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answerbook.config import Settings, SettingsError, reachable_by_others, repository


def test_state_folder_is_in_the_repository_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANSWERBOOK_HOME", raising=False)
    monkeypatch.setattr("answerbook.config.reachable_by_others", lambda _: True)
    root = repository()
    assert root is not None
    assert root / ".answerbook" == Settings.load().state_folder


def test_root_in_a_private_folder_has_its_state_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANSWERBOOK_HOME", raising=False)
    monkeypatch.setattr("answerbook.config.reachable_by_others", lambda _: False)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert Path("/var/lib/answerbook") == Settings.load().state_folder.parent


def test_home_in_the_environment_is_made_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANSWERBOOK_HOME", "state")
    monkeypatch.delenv("ANSWERBOOK_PROGRAMS", raising=False)
    assert tmp_path / "state" == Settings.load().state_folder
    assert tmp_path / "state" / "programs" == Settings.load().programs_folder


def test_empty_variable_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSWERBOOK_ENGINE", "")
    assert Settings.load().engine is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ANSWERBOOK_ENGINE", "podman"),
        ("ANSWERBOOK_PROFILE", "huge"),
        ("ANSWERBOOK_POSTGRES_PORT", "70000"),
        ("ANSWERBOOK_START_TIMEOUT", "-1"),
    ],
)
def test_value_that_cannot_be_used_is_named_with_its_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name} is set to '{value}'.*unset {name}"):
        Settings.load()


@given(mode=st.integers(0, 0o777))
def test_folder_is_reachable_when_others_may_pass(
    mode: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("folder")
    above_is_open = reachable_by_others(folder.parent)
    folder.chmod(mode)
    try:
        assert (above_is_open and bool(mode & 0o001)) == reachable_by_others(folder)
    finally:
        folder.chmod(0o700)
