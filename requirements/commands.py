"""Run pip, uv or apt: their progress on a terminal, their output in hand when they fail.

environment.py and debian.py call `run`.
"""

import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

Argument = str | Path


class CommandFailed(Exception):
    """A command ended with another code than 0; `output` is all that it printed."""

    def __init__(self, argv: Sequence[Argument], output: str) -> None:
        super().__init__(f"{Path(argv[0]).name} failed")
        self.output = output


def say(text: str) -> None:
    print(text, flush=True)


def run(argv: Sequence[Argument], environment: Mapping[str, str], cwd: Path) -> str:
    """What the command printed on both its streams. Raises CommandFailed.

    Where the reader looks on, the command draws its bars as if it wrote to the terminal itself.
    """
    if sys.stderr.isatty():
        code, output = _on_terminal(argv, environment, cwd)
    else:
        completed = subprocess.run(
            argv,
            check=False,
            env=environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        code, output = completed.returncode, completed.stdout
    text = without_colours(output.decode(errors="replace"))
    if code != 0:
        raise CommandFailed(argv, text)
    return text


def _on_terminal(
    argv: Sequence[Argument], environment: Mapping[str, str], cwd: Path
) -> tuple[int, bytes]:
    reader, writer = pty.openpty()
    termios.tcsetwinsize(writer, termios.tcgetwinsize(sys.stderr))
    output = b""
    with subprocess.Popen(
        argv, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, stdout=writer, stderr=writer
    ) as process:
        os.close(writer)
        try:
            while chunk := _read(reader):
                before = len(output)
                output += chunk
                sys.stderr.buffer.write(output[before : _end_of_progress(output)])
                sys.stderr.flush()
        except BaseException:
            process.terminate()
            raise
        finally:
            os.close(reader)
    return process.returncode, output


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # EIO: the command has closed its end
        return b""


AFTER_PROGRESS = re.compile(
    rb"(?:^|\r|\x1b\[[0-9;?]*[A-Za-z])(?:error|Installed \d+ packages?)\b",
    re.IGNORECASE | re.MULTILINE,
)


def _end_of_progress(output: bytes) -> int:
    """Where the bars end: the list of packages is long, and an error gets a paragraph of ours."""
    found = AFTER_PROGRESS.search(output)
    return found.start() if found else len(output)


def without_colours(text: str) -> str:
    """Text without the sequences that colour it and move the cursor, and with plain line ends."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r\n", "\n").replace("\r", "\n")
