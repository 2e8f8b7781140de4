"""A temporary folder of one's own; and how many published vectors held, shown after a run."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tally = Callable[[str, int, int], None]
"""What was tried, how many vectors held, and how many there are known to be."""

VECTORS = "published vectors"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of this process and of those that it starts."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    """Says at the end of the run how many vectors held; fails when fewer than are known did."""

    def count(what: str, held: int, known: int) -> None:
        record_property(VECTORS, f"{what}: {held}")
        assert held >= known, f"{what}: {known} vectors were there once, and {held} are now"

    return count


def pytest_terminal_summary(terminalreporter: Any) -> None:
    lines = [
        text
        for report in terminalreporter.stats.get("passed", [])
        for name, text in report.user_properties
        if name == VECTORS
    ]
    if lines:
        terminalreporter.section(VECTORS)
        for line in sorted(lines):
            terminalreporter.line(line)
