"""Run a downloading client (uv, apt) with its output in a log file, and end it with us."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from answerbook.services.native.programs.folder import Fetch, failed


def run(
    argv: Sequence[str | Path],
    fetch: Fetch,
    why: str,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    """The standard output of a command that succeeds; what else it says goes to the fetch's log.

    Raises FetchFailed with `why` and the log's last lines where it fails or is not there. The
    command has a process group of its own, which is killed when we are interrupted.
    """
    with fetch.log.open("a") as log:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=folder or fetch.work,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        try:
            output, _ = process.communicate()
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        log.write(output)
    if process.returncode != 0:
        raise failed(fetch.program, why, fetch.log)
    return output
