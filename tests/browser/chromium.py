"""A Chromium for the tests: the machine's own, or else one that is installed for them."""

import os
import shutil
import subprocess
from pathlib import Path

from answerbook.notebook import browser


def chromium() -> Path:
    """Its path. Where there is none and we are root, apt installs it.

    Raises RuntimeError with what to do where that does not succeed.
    """
    found = browser.chromium()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _run("apt-get", "update")
        _run("apt-get", "install", "--yes", "--no-install-recommends", "chromium")
        found = browser.chromium()
    if found is None:
        raise RuntimeError(
            "The browser tests need Chromium. Install it with the machine's package manager "
            "(package chromium)."
        )
    return found


def _run(*words: str) -> None:
    done = subprocess.run(
        words,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"`{' '.join(words)}` failed:\n{done.stdout[-1000:]}{done.stderr[-1000:]}"
        )
