"""A peer server in a process of its own, which cannot outlive the one that started it.

Every module here that serves something starts itself through `start`, and calls
`serve_until_told` in the new process. A process rather than a thread: client and server then share
no interpreter lock, so that what a notebook measures is the protocol, and a request that hangs can
be ended.
"""

import errno
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import weakref
from contextlib import suppress
from typing import IO, NoReturn

from answerbook.protocols.stopping import Stopping

START_SECONDS = 30.0
"""What a peer may take until it listens; a cold import of httpbin takes one or two."""
STOP_SECONDS = 5.0
"""What an orderly end may take before the process is killed."""


MISSING = re.compile(r"ModuleNotFoundError: No module named '(?!answerbook\b)([^'.]+)[^']*'\Z")
"""The last line of a traceback that ends where a package is not installed."""


class PeerFailed(Exception):
    """A peer server did not start; the message says why, or carries what it said."""


class Peer(Stopping):
    """A running peer server. Ends at `stop`, with its `with` block, or with the interpreter."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self.url = url
        self.pid = process.pid
        self._process = process
        # Also when a notebook's cell runs again and the variable that held this peer is replaced.
        self._end = weakref.finalize(self, _end, process)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """End the process and wait until it is gone; its open requests are cut off."""
        self._end()

    def kill(self) -> None:
        """End it as a crash would, without a chance to do anything, and wait until it is gone."""
        self._process.kill()
        self._end()

    def pause(self) -> None:
        """Let it hang: it keeps its connections and answers nothing until `resume`.

        A paused process cannot notice that its starter was killed.
        """
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def __repr__(self) -> str:
        return f"<peer at {self.url}>" if self.running else f"<peer at {self.url}, stopped>"


def start(module: str, *arguments: str, told: str = "") -> Peer:
    """Run `python -m module arguments…` until its first line, which is its address.

    `told` is one line that the process reads from its standard input, for what must not show in a
    list of processes: keys and passwords. Raises PeerFailed when it ends without its address, or
    says nothing for START_SECONDS. The process watches its standard input, which is a pipe from
    here: it ends when this process does, however that happens.
    """
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            start_new_session=True,
        )
        try:
            if told:
                _tell(process, told)
            spoke = _speaks(process)
            url = _pipe(process.stdout).readline().strip() if spoke else ""
        except BaseException:
            _end(process)
            raise
        if url:
            return Peer(process, url)
        _end(process)
        complaints.seek(0)
        reason = _reason(complaints.read().strip()[-2000:], spoke, process.returncode)
        raise PeerFailed(f"{module} did not start. {reason}")


def serve_until_told(url: str) -> NoReturn:
    """In the new process: print the address, then wait until the starter closes the pipe or dies.

    Ends the process at once. A peer holds nothing that would be lost.
    """
    print(url, flush=True)
    sys.stdin.read()
    os._exit(0)


def refuse(port: int, error: OSError) -> NoReturn:
    """In the new process: end it because it cannot listen, and say why."""
    # Some servers wrap the operating system's error in one of their own, without its number.
    taken = error.errno == errno.EADDRINUSE or os.strerror(errno.EADDRINUSE) in str(error)
    sys.exit(
        f"Port {port} of 127.0.0.1 is taken by another program: leave the port out of `serve()`, "
        "and a free one is used."
        if taken
        else f"It cannot listen on port {port} of 127.0.0.1: {error}."
    )


def _tell(process: "subprocess.Popen[str]", told: str) -> None:
    # Past the pipe's buffer, which would raise once more when it is closed. Whoever has ended
    # already has said why.
    with suppress(BrokenPipeError):
        os.write(_pipe(process.stdin).fileno(), told.encode() + b"\n")


def _speaks(process: "subprocess.Popen[str]") -> bool:
    """Whether it says something, or ends, within START_SECONDS."""
    readable, _, _ = select.select([_pipe(process.stdout)], [], [], START_SECONDS)
    return bool(readable)


def _reason(complaint: str, spoke: bool, status: int) -> str:
    if not spoke:
        busy = f"It said nothing for {START_SECONDS:g} s: the machine may be busy, so try again."
        return f"{busy} {complaint}".strip()
    if missing := MISSING.search(complaint):
        return f"It needs the package {missing[1]}, which is not installed: run `make lab`."
    return complaint or f"It ended with status {status}, and said nothing."


def _end(process: "subprocess.Popen[str]") -> None:
    _pipe(process.stdin).close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _pipe(process.stdout).close()


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None, "a peer is started with pipes"
    return stream
