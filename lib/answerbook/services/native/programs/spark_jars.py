"""Spark's connectors: what PySpark lacks to read and write Kafka and to read PostgreSQL.

Five jars from the Maven repository; PySpark brings Spark itself. Whoever starts `answerbook notify
render` puts them into ANSWERBOOK_NOTIFY_RENDER_JARS.
"""

from __future__ import annotations

from pathlib import Path

from answerbook.config import Settings
from answerbook.services import progress
from answerbook.services.native.programs import maven, pins
from answerbook.services.native.programs.folder import Fetch, fetching

PINNED = pins.jars("spark")
VERSION = PINNED[0].version
"""Of Spark; PySpark has the same."""
SIZE = pins.total_size(PINNED)


def spark(settings: Settings) -> tuple[Path, ...]:
    """The class path, fetched if need be; every jar is held against its sha256 at every call.

    Raises Tampered where one differs: it is deleted, and the next call fetches that one anew.
    Raises FetchFailed and StateFolderError.
    """
    folder = _folder(settings)
    if not is_fetched(settings):
        with fetching("spark", settings, room=SIZE + 10_000_000) as fetch:
            if not is_fetched(settings):
                _fetch(fetch, folder)
    return maven.verified(PINNED, folder)


def is_fetched(settings: Settings) -> bool:
    return maven.are_there(PINNED, _folder(settings))


def to_fetch() -> tuple[str, int]:
    """What, and its bytes to download."""
    return f"Spark's connectors {VERSION}", SIZE


def _folder(settings: Settings) -> Path:
    return settings.programs_folder / f"spark-jars-{VERSION}"


def _fetch(fetch: Fetch, folder: Path) -> None:
    """Fetch the jars that are not there: all, or the one that was found tampered with."""
    lacking = [jar for jar in PINNED if not jar.is_at(folder / jar.file_name)]
    made = fetch.work / "spark-jars"
    with progress.download(f"Spark's connectors {VERSION}", pins.total_size(lacking), fetch.work):
        maven.download(lacking, fetch, made)
    if folder.exists():
        fetch.add(made, folder)
    else:
        fetch.install(made, folder)
