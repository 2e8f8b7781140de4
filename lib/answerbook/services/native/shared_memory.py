"""The segment of System V shared memory by which PostgreSQL guards its data folder.

A postmaster that is killed leaves it to the kernel, where it stays until the machine ends: the next
postmaster removes it, if there is one and it finds the old one's pid file. postgres.py calls
`release` before it deletes that file, and when the service is taken down.
"""

import ctypes
from contextlib import suppress
from pathlib import Path

SEGMENTS = Path("/proc/sysvipc/shm")
LINE = 6
"""Of postmaster.pid, from 0: the segment's key and its id."""
IPC_RMID = 0


def release(pid_file: Path) -> None:
    """Remove the segment that a postmaster's pid file names, unless a process is attached to it.

    Does nothing where there is no such file or segment, or it is not ours to remove.
    """
    with suppress(OSError, ValueError, IndexError):
        key, identifier = map(int, pid_file.read_text().splitlines()[LINE].split())
        if (key, identifier) in _unattached(pid_file.stat().st_uid):
            ctypes.CDLL(None).shmctl(identifier, IPC_RMID, None)


def _unattached(owner: int) -> set[tuple[int, int]]:
    """Key and id of each segment of `owner` (a uid) that no process has."""
    names, *rows = (line.split() for line in SEGMENTS.read_text().splitlines())
    segments = [dict(zip(names, row, strict=True)) for row in rows]
    return {
        (int(each["key"]), int(each["shmid"]))
        for each in segments
        if each["nattch"] == "0" and int(each["uid"]) == owner
    }
