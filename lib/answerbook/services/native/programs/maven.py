"""Jars from the Maven repository: fetched by jgo, held against their pinned sha256 by us.

jgo writes checksums into its lock and compares none of them (3.2 only warns where the repository's
own SHA-1 differs), so nothing that it brings is used before it was held against its pin. The pins
name every jar, so no dependency is resolved here. For Kafka and PostgreSQL.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from answerbook.services.errors import Tampered
from answerbook.services.native.programs.folder import Fetch, failed
from answerbook.services.native.programs.pins import Jar

if TYPE_CHECKING:
    from jgo.maven import Artifact, MavenContext

CONNECTIONS = 8
ATTEMPTS = 2
SILENCE_SECONDS = 20
"""After which an attempt is given up."""


def download(pinned: Sequence[Jar], fetch: Fetch, into: Path) -> None:
    """Bring jars into the folder `into`, each verified before it gets there.

    Raises FetchFailed where one cannot be had, Tampered where one is not what is pinned.
    """
    interrupted = Event()
    context = _context(fetch, interrupted)
    into.mkdir(exist_ok=True)
    threads = f"fetch-{fetch.program}"
    with _logged(fetch.log, threads), ThreadPoolExecutor(CONNECTIONS, threads) as pool:
        try:
            # Largest first, so that no connection starts on a large one when the rest are done.
            for _ in pool.map(
                lambda jar: _download_one(jar, context, fetch, into),
                sorted(pinned, key=lambda jar: -jar.size),
            ):
                pass
        except BaseException:
            interrupted.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def are_there(pinned: Sequence[Jar], folder: Path) -> bool:
    """Whether a file of each jar's name is in `folder`; `verified` tells whether it is the jar."""
    return all((folder / jar.file_name).is_file() for jar in pinned)


def verified(pinned: Sequence[Jar], folder: Path) -> tuple[Path, ...]:
    """The paths of the pinned jars in `folder`, each read whole and found to be what is pinned.

    Deletes those that are not and raises Tampered with their names.
    """
    wrong = [folder / jar.file_name for jar in pinned if not jar.is_at(folder / jar.file_name)]
    if wrong:
        names = ", ".join(path.name for path in wrong)
        kept = [path for path in wrong if not _deleted(path)]
        raise Tampered(
            f"{names} in {folder} changed after it was fetched: its sha256 is not the pinned one. "
            + ("It cannot be deleted from here: do so. " if kept else "It was deleted. ")
            + "Nothing was started. Run the same command again: it fetches the jar anew."
        )
    return tuple(folder / jar.file_name for jar in pinned)


def _deleted(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _download_one(jar: Jar, context: MavenContext, fetch: Fetch, into: Path) -> None:
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    path = _resolved(component.artifact(jar.classifier), fetch)
    if not jar.is_at(path):
        path.unlink()
        raise Tampered(
            f"What came for {jar.file_name} does not have the pinned sha256. It was deleted and "
            "will not be run. Run the same command again: it fetches the jar anew. If that ends "
            "here again, a proxy or mirror on the way changes the file."
        )
    path.rename(into / jar.file_name)


def _resolved(artifact: Artifact, fetch: Fetch) -> Path:
    """The file as it came, after a second attempt if need be."""
    from requests import RequestException

    for attempt in range(1, ATTEMPTS + 1):
        try:
            return artifact.resolve()
        except (RequestException, RuntimeError) as error:
            if artifact.cached_path:
                artifact.cached_path.unlink(missing_ok=True)
            if attempt == ATTEMPTS:
                why = f"the Maven repository did not give {artifact.filename} ({_root(error)})"
                raise failed(fetch.program, why, fetch.log) from error
    raise AssertionError("unreachable")


def _root(error: BaseException) -> BaseException:
    """The innermost cause: the system's own words, below three layers of HTTP libraries'."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error


def _context(fetch: Fetch, interrupted: Event) -> MavenContext:
    """jgo, told to keep its files in the fetch's own folder and to stop when interrupted."""
    # jgo imports requests: half a second that a program fetched before need not wait for.
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext, PythonResolver

    def on_chunk(_bytes: int) -> None:
        if interrupted.is_set():
            raise InterruptedError("another jar failed, or the user interrupted")

    @contextmanager
    def progress(_name: str, _bytes: int) -> Iterator[Callable[[int], None]]:
        yield on_chunk

    return MavenContext(
        resolver=PythonResolver(progress_callback=progress),
        repo_cache=fetch.work / "maven",
        # A mirror in the user's own jgo configuration is honoured: the checksums are ours.
        remote_repos={"central": MAVEN_CENTRAL_URL} | GlobalSettings.load().repositories,
        timeout=SILENCE_SECONDS,
    )


@contextmanager
def _logged(path: Path, thread_names: str) -> Iterator[None]:
    """Send what jgo says in threads of these names to a file, and nothing into the reader's cell.

    By thread, because Kafka and PostgreSQL may be fetched at once.
    """
    logger = logging.getLogger("jgo")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    handler = logging.FileHandler(path)
    handler.addFilter(lambda record: (record.threadName or "").startswith(thread_names))
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
