"""A file that appears under its name only when it is whole: what files.py and envelope.py write.

On Linux the new file has no name until then (`O_TMPFILE`), so not even a process that is killed
leaves anything behind. Elsewhere it stands beside the target as `.answerbook-…`, and is removed
when the block is left with an error.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

OPEN_FILES = "/proc/self/fd"
FLOW_BYTES = 4 << 20
WITHOUT_NAME = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)
"""How a file system, or a kernel, says that it has no files without a name."""


class NewFile:
    """A file that is being written, unbuffered. What it takes goes on to the disk as it comes.

    Without that, the kernel keeps gigabytes back until the fsync at the end: a bar that stands at
    100 %, and a disk that was idle while there was something to compute.
    """

    def __init__(self, file: FileIO) -> None:
        self._file, self._written, self._sent = file, 0, 0

    def write(self, data: bytes | memoryview, /) -> int:
        """Write, perhaps not all; how many bytes it was."""
        written = self._file.write(data)
        self._written += written
        waiting = self._written - self._sent
        if waiting >= FLOW_BYTES and hasattr(os, "posix_fadvise"):
            # On Linux this begins to write them, and does not wait until they are written.
            os.posix_fadvise(self._file.fileno(), self._sent, waiting, os.POSIX_FADV_DONTNEED)
            self._sent = self._written
        return written


@contextmanager
def replacing(target: str | os.PathLike[str]) -> Iterator[NewFile]:
    """A new file that takes the target's name when the block ends without an error.

    It may be read by its owner alone (mode 0600), and is on the disk before it is renamed. The
    target is replaced at once or not at all; a symbolic link is replaced itself, not what it leads
    to. Raises FileExistsError where the target is neither a file nor a link, and other OSErrors.
    """
    path = Path(target)
    _refuse_what_is_no_file(path)
    file, name = _new_beside(path)
    try:
        with file:
            yield NewFile(file)
            os.fsync(file.fileno())
            name = name or _named(file, path)
        name.replace(path)
    except BaseException:
        if name:
            name.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # not every file system can, and the target is whole either way
        _sync_folder(path.parent)


def _refuse_what_is_no_file(path: Path) -> None:
    """A rename would put a file in the place of a folder's name, or of /dev/null."""
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            raise FileExistsError(
                errno.EEXIST, "it is there, and is not a file that could be replaced", str(path)
            )


def _new_beside(path: Path) -> tuple[FileIO, Path | None]:
    """A file in the target's folder, hence on its file system, and its name if it has one."""
    if hasattr(os, "O_TMPFILE") and Path(OPEN_FILES).is_dir():
        try:
            number = os.open(path.parent, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            return FileIO(number, "w"), None
        except OSError as error:
            if error.errno not in WITHOUT_NAME or not path.parent.is_dir():
                raise
    from tempfile import mkstemp  # with all that it imports, seldom needed

    number, name = mkstemp(prefix=".answerbook-", dir=path.parent)
    return FileIO(number, "w"), Path(name)


def _named(file: FileIO, path: Path) -> Path:
    """Give a name to a file that has none. A link cannot replace, so it is not the target's yet."""
    name = path.parent / f".answerbook-{os.urandom(8).hex()}"
    folder = os.open(OPEN_FILES, os.O_RDONLY | os.O_DIRECTORY)
    try:  # with a folder given, Python follows the link in /proc to the file itself
        os.link(str(file.fileno()), name, src_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)
    return name


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
