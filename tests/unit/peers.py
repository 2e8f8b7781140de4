"""What the tests of several peers do: find the port of one, and see it end."""

import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil

from answerbook.protocols.choosing import line
from answerbook.protocols.peer import Peer

SECONDS = 20


def port_of(peer: Peer) -> int:
    """Of a URL, and of what gRPC calls a target."""
    return line.port_of(peer.url)


def is_gone(process: psutil.Process) -> bool:
    """Or a zombie, which nobody waits for and which runs no more."""
    with suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def assert_dies_with_its_starter(imports: str, serve: str) -> None:
    """Start a peer from a program of its own, kill that program, and wait for the peer's end."""
    program = f"{imports}\nstarted = {serve}\nprint(started.pid, flush=True)\ninput()\n"
    starter = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with starter:
        assert starter.stdout is not None
        process = psutil.Process(int(starter.stdout.readline()))
        assert process.is_running()
        starter.send_signal(signal.SIGKILL)
        starter.wait(SECONDS)
        deadline = time.monotonic() + SECONDS
        while not is_gone(process):
            assert time.monotonic() < deadline, f"process {process.pid} still runs"
