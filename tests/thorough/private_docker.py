"""A Docker engine of the tests' own, in a network of its own; nothing of either is left.

In that network the test itself runs too: its loopback is where the containers' ports are
published, every port on it is free, and bridges and packet filters go with it.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.thorough.parts import Parts

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
START_SECONDS = 60.0
STOP_SECONDS = 60.0


@contextmanager
def private_network() -> Iterator[None]:
    """This thread, and what it starts from now on, in a network with a loopback and no more."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _call("unshare", CLONE_NEWNET)
        try:
            _raise_loopback()
            yield
        finally:
            _call("setns", before, CLONE_NEWNET)
    finally:
        os.close(before)


@contextmanager
def private_docker(parts: Parts, folder: Path) -> Iterator[str]:
    """A Docker engine with all that is its own in `folder`; its address for DOCKER_HOST."""
    address = f"unix://{folder}/docker.sock"
    group = f"answerbook-{folder.name}"
    words: list[str | Path] = [
        # Its mounts are seen by itself only, and go with it.
        *("unshare", "--mount", "--propagation", "private"),
        *("dockerd", "--host", address, "--pidfile", folder / "docker.pid"),
        *("--data-root", folder / "data", "--exec-root", folder / "exec"),
        *("--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", f"/{group}"),
    ]
    log = folder / "dockerd.log"
    with log.open("w") as output:
        engine = subprocess.Popen(
            words,
            env={**os.environ, **parts.environment(), "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_up(engine, folder / "docker.sock", log)
        yield address
    finally:
        engine.terminate()
        try:
            engine.wait(STOP_SECONDS)
        finally:
            left = _end_what_is_left(engine, folder)
            _remove_groups(group)
            shutil.rmtree(folder)
    assert [] == left, "the Docker engine left processes"


def _call(function: str, *arguments: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def _raise_loopback() -> None:
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def _wait_until_up(engine: subprocess.Popen[bytes], path: Path, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(path):
        if engine.poll() is not None or time.monotonic() > deadline:
            last = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            pytest.fail(f"The Docker engine does not come up. It said:\n{last}", pytrace=False)
        time.sleep(0.1)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
            client.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 OK" in client.recv(32)
        except OSError:
            return False


def _end_what_is_left(engine: subprocess.Popen[bytes], folder: Path) -> list[str]:
    """Kill whatever names the folder on its command line: shims, containerd, the engine itself."""
    left = []
    for process in psutil.process_iter(["cmdline"]):
        command = " ".join(process.info["cmdline"] or [])
        if str(folder) in command and process.pid != os.getpid():
            left.append(command)
            process.send_signal(signal.SIGKILL)
    engine.wait()
    return left


def _remove_groups(group: str) -> None:
    """Remove the control groups that the engine made for its containers; they are empty."""
    for top in Path("/sys/fs/cgroup").glob(f"**/{group}"):
        for folder, _, _ in os.walk(top, topdown=False):
            Path(folder).rmdir()
