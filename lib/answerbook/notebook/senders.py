"""Ways of sending to FCM, measured against the emulator, each in a process of its own.

    from answerbook.notebook import senders
    senders.measure("send_each", emulator.folder, 1_000).per_second

For notebook 2_3_delivery and benchmarks/notify.py. All reach the emulator as they would reach
Google: its hosts' names, TLS, an access token of a service account. `python -m` runs this module
as the process that is measured.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

Way = Literal["send_each", "send_each_async", "ours"]
WAYS: tuple[Way, ...] = get_args(Way)

MOST_SECONDS = 150.0
"""That one measurement may take, on a machine that does much else."""


@dataclass(frozen=True)
class Measured:
    """What a process said of its sends."""

    way: Way
    messages: int
    seconds: float
    """From the first send to the last answer; what came before it (imports, token) is not in."""
    cpu_seconds: float
    """Of the sender's process, all its threads."""
    connections: int
    """Opened meanwhile."""
    threads: int
    """Begun meanwhile."""

    @property
    def per_second(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds

    @property
    def cpu_microseconds(self) -> float:
        """For each message."""
        return self.cpu_seconds / self.messages * 1e6


class SenderFailed(Exception):
    """The process ended without a measurement; the message has its last words."""


def measure(way: Way, folder: Path, messages: int) -> Measured:
    """Send `messages` one way to the emulator whose folder this is. Raises SenderFailed."""
    command = [sys.executable, "-m", "answerbook.notebook.sender_process", way, str(messages)]
    done = subprocess.run(
        command,
        env=os.environ | {"ANSWERBOOK_NOTIFY_FOLDER": str(folder)},
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )
    if done.returncode:
        raise SenderFailed(f"{way} ended with {done.returncode}:\n{done.stderr[-2_000:]}")
    return Measured(way=way, messages=messages, **json.loads(done.stdout))
