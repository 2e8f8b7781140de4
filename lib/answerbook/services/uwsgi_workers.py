"""What uWSGI says of its workers: `workers(folder)`, of the site that runs in `folder`.

Its statistics come as JSON on a Unix socket, to whoever connects. Called by site.py, which has to
know when a worker takes requests: its process is there a second or two before that.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path

SOCKET = "stats.sock"
SECONDS = 5.0


@dataclass(frozen=True)
class Worker:
    """One of uWSGI's worker processes."""

    pid: int
    """0 where it is to be started yet."""
    accepts: bool
    """Whether it has loaded the application, and takes requests."""
    requests: int
    """That it has answered."""


def workers(folder: Path) -> list[Worker]:
    """As many as uWSGI was told to have. Raises OSError where none answers."""
    # By way of the folder's descriptor: the path of a socket may have 107 bytes, folders have more.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(SECONDS)
            connection.connect(f"/proc/self/fd/{descriptor}/{SOCKET}")
            with connection.makefile("rb") as answer:
                told = answer.read()
    finally:
        os.close(descriptor)
    try:
        return [
            Worker(each["pid"], bool(each["accepting"]), each["requests"])
            for each in json.loads(told)["workers"]
        ]
    except (ValueError, KeyError) as error:
        raise ConnectionError(f"uWSGI's statistics cannot be read: {error!r}") from error
