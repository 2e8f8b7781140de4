"""Starting and ending processes that outlive us, and never ending anybody else's.

A pid alone may belong to another process by now, so a process is its pid *and* its start time. What
was started but never recorded (we were killed in between) is found by a mark in its environment.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from answerbook.services.errors import CommandFailed, StartFailed
from answerbook.services.native.launch import Launch
from answerbook.services.native.logs import ANSI_COLOUR
from answerbook.services.state import ProcessRecord

MARK = "ANSWERBOOK_MARK"
"""Variable in the environment of every process that we start: state folder, service, node."""

KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "JAVA_HOME")

GONE = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
"""What still has a pid and runs no more; the second is seen while its parent buries it."""

_children: list[subprocess.Popen[bytes]] = []


def spawn(launch: Launch, node: int, mark: str) -> ProcessRecord:
    """Start a process in a session of its own, so that neither Ctrl-C nor our end reaches it."""
    log = launch.folder / f"{launch.role}.log"
    with suppress(FileNotFoundError):
        log.replace(log.with_suffix(".log.1"))
    with log.open("wb") as output:
        try:
            child = subprocess.Popen(
                [str(word) for word in launch.argv],
                cwd=launch.folder,
                env=_environment(launch, mark),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **_identity(launch),
            )
        except OSError as error:
            raise StartFailed(
                f"{launch.argv[0]} could not be started: {error.strerror}. "
                "`answerbook doctor` checks what is needed."
            ) from error
    _children.append(child)
    process = psutil.Process(child.pid)
    _wait_marked(process, child)
    return ProcessRecord(
        node=node,
        role=launch.role,
        pid=child.pid,
        started=started(process),
        stop_signal=launch.stop_signal,
    )


def _wait_marked(process: psutil.Process, child: subprocess.Popen[bytes]) -> None:
    """Return when its mark can be read: a new program runs a moment before its environment shows.

    Popen returns when the kernel closes the program's inherited files, which is before it lays out
    the environment; whoever looked for the mark in between would find nothing. Where it may not be
    read, or the program has ended already, there is nothing to wait for.
    """
    deadline = time.monotonic() + 1
    with suppress(psutil.Error, OSError):
        while MARK not in process.environ() and child.poll() is None:
            if time.monotonic() > deadline:
                return
            time.sleep(0.001)


def run(launch: Launch, mark: str, typed: str = "") -> None:
    """Run a preparing program to its end; raise StartFailed with its output when it fails."""
    done = subprocess.run(
        [str(word) for word in launch.argv],
        cwd=launch.folder,
        env=_environment(launch, mark),
        input=typed,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        **_identity(launch),
    )
    if done.returncode != 0:
        output = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise StartFailed(
            f"Preparing {launch.role} failed ({launch.argv[0]} exited with {done.returncode}). "
            f"`answerbook doctor` checks what it needs. It said:\n{output}"
        )


def run_beside(process: psutil.Process, words: Sequence[str], seconds: float) -> str:
    """Run a program in the folder and the environment of `process`, on its PATH; what it printed.

    Raises CommandFailed with what the program said when it fails or takes longer than `seconds`.
    """
    said = f"`{' '.join(words)}` failed"
    mend = "Bring the service up anew with `answerbook down` and `answerbook up`."
    try:
        done = subprocess.run(
            words,
            cwd=process.cwd(),
            env=process.environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError as error:
        raise CommandFailed(f"{said}: there is no such program. {mend}") from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(f"{said}: no answer within {seconds:g} s. {mend}") from error
    if done.returncode != 0:
        complaint = ANSI_COLOUR.sub("", done.stderr or done.stdout)
        reason = " ".join(complaint.split())[:300].rstrip(".")
        raise CommandFailed(f"{said}: {reason}. {mend}")
    return done.stdout


def _environment(launch: Launch, mark: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {**kept, **launch.environment, MARK: mark}


def _identity(launch: Launch) -> dict[str, Any]:
    if launch.user is None:
        return {}
    return {"user": launch.user, "group": launch.group, "extra_groups": []}


def started(process: psutil.Process) -> float:
    """When, in seconds since the machine's boot: a clock that is set does not move it."""
    return round(process.create_time() - psutil.boot_time(), 2)


def alive(record: ProcessRecord) -> psutil.Process | None:
    """The recorded process, or None when it ended, even if its pid now belongs to another."""
    _reap()
    try:
        process = psutil.Process(record.pid)
        if started(process) != record.started or process.status() == psutil.STATUS_ZOMBIE:
            return None
    except psutil.NoSuchProcess:
        return None
    return process


def marked(mark: str) -> list[psutil.Process]:
    """Every living process whose mark begins with `mark`."""
    _reap()
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            value = process.environ().get(MARK, "")
            if value == mark or value.startswith(mark + ":"):
                found.append(process)
    return found


def with_children(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """The processes and all that descend from them, each once."""
    tree: dict[int, psutil.Process] = {}
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            for member in (process, *process.children(recursive=True)):
                tree.setdefault(member.pid, member)
    return list(tree.values())


def end(processes: list[psutil.Process], how: signal.Signals, grace: float) -> None:
    """Send `how`, wait up to `grace` seconds, and kill what is left with its children."""
    tree = with_children(processes)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(how)
            process.send_signal(signal.SIGCONT)  # a frozen process cannot end itself
    kill(wait_gone(tree, grace))


def kill(processes: list[psutil.Process]) -> None:
    """SIGKILL them and their children, and return when they are gone."""
    tree = with_children(processes)
    _send(tree, signal.SIGKILL)
    wait_gone(tree, seconds=10)


def freeze(processes: list[psutil.Process]) -> None:
    """SIGSTOP them and their children, and return when they stand still.

    A process of many threads stops a moment after the signal. Raises TimeoutError after 10 s.
    """
    tree = with_children(processes)
    _send(tree, signal.SIGSTOP)
    deadline = time.monotonic() + 10
    while moving := [process for process in tree if lives(process) and not _stands(process)]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{moving[0].name()} ({moving[0].pid}) does not stop at SIGSTOP.")
        time.sleep(0.005)


def thaw(processes: list[psutil.Process]) -> None:
    """SIGCONT them and their children."""
    _send(with_children(processes), signal.SIGCONT)


def _send(tree: list[psutil.Process], which: signal.Signals) -> None:
    for process in tree:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(which)


def _stands(process: psutil.Process) -> bool:
    """Whether every thread of it is stopped: each has a state of its own."""
    try:
        states = [
            (task / "stat").read_text().rpartition(")")[2].split()[0]
            for task in Path(f"/proc/{process.pid}/task").iterdir()
        ]
    except OSError:  # it, or one of its threads, ended meanwhile
        return not lives(process)
    return all(state in "TtZX" for state in states)


def listen(processes: Iterable[psutil.Process], port: int) -> bool:
    """Whether one of them or of their children listens on a TCP port.

    True as well where none is seen to and one may not be looked at: in a container, root without
    the capability SYS_PTRACE sees no open files of another user's.
    """
    hidden = False
    for process in with_children(processes):
        try:
            sockets = process.net_connections("tcp")
        except psutil.NoSuchProcess:
            continue
        except psutil.AccessDenied:
            hidden = True
            continue
        if port in {each.laddr.port for each in sockets if each.status == psutil.CONN_LISTEN}:
            return True
    return hidden


def memory(processes: Iterable[psutil.Process]) -> int:
    """Proportional set size in bytes: pages shared by n processes count 1/n in each."""
    total = 0
    for process in with_children(processes):
        with suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total


def wait_gone(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still live after `seconds`. A zombie is gone: only its parent can bury it."""
    deadline = time.monotonic() + seconds
    living = processes
    while True:
        _reap()
        living = [process for process in living if lives(process)]
        if not living or time.monotonic() > deadline:
            return living
        time.sleep(0.02)


def lives(process: psutil.Process) -> bool:
    """Whether it runs; a zombie, which only waits for its parent to look, does not."""
    try:
        return process.is_running() and process.status() not in GONE
    except psutil.NoSuchProcess:
        return False


def _reap() -> None:
    """Bury our own children that ended, so that they are no zombies while we live."""
    _children[:] = [child for child in _children if child.poll() is None]
