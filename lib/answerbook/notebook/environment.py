"""The closing cell of every notebook: with what its results were made."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from answerbook.notebook.tables import table


class RunningService(Protocol):
    """What is shown of a handle that `answerbook.services.require` gave."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...


def environment(*used: str | RunningService) -> None:
    """Show versions, cores, memory and the date; `used` are packages' names and service handles.

    Neither this machine's name nor a path is shown: the table is published with the notebook.
    """
    # Both take a moment to import, which the first cell of a notebook need not wait for.
    import psutil

    from answerbook.config import Settings

    rows: Sequence[Sequence[str]] = [
        ("Python", platform.python_version()),
        *((_name(thing), _version(thing)) for thing in used),
        ("operating system", f"{platform.system()} on {platform.machine()}"),
        ("cores", f"{usable_cores()}"),
        ("memory", f"{psutil.virtual_memory().total / 1e9:.0f} GB"),
        ("profile", Settings.load().profile),
        ("date", f"{datetime.now(UTC):%Y-%m-%d}"),
    ]
    table(rows, columns=["what", "this run had"], caption="What these results were made with.")


def usable_cores() -> int:
    """Cores that this process may run on, which in a container are fewer than the machine's."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def _name(thing: str | RunningService) -> str:
    return thing if isinstance(thing, str) else f"{thing.name} (service)"


def _version(thing: str | RunningService) -> str:
    if not isinstance(thing, str):
        return thing.version
    try:
        return version(thing)
    except PackageNotFoundError:
        raise ValueError(
            f"No package called {thing!r} is installed; name it as `pip list` does."
        ) from None
