"""`answerbook encrypt` and `answerbook decrypt`: files.py, from a terminal. Registered by cli.py.

Imports wait until they are needed: the start is part of how long a file takes.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypedDict

import typer

if TYPE_CHECKING:
    from answerbook.crypto.chunks import Progress, Writer
    from answerbook.crypto.errors import CryptoError
    from answerbook.crypto.keys import Passphrase

app = typer.Typer(rich_markup_mode="markdown")

STREAM = "-"
LARGE_BYTES = 32_000_000
"""From here on a bar shows how far it is; what is smaller is done before one has looked."""
NO_TERMINAL = "There is no terminal to ask for a passphrase on. Give a key: --key-file FILE."
IN_PARTS = (
    "What comes through a pipe can be read only once: each part is written as soon as it has "
    "verified. So all that is written is authentic, but only exit code 0 says that it is whole."
)
EXIT_CODES = (
    "Exit codes: 0 done · 1 a file or the terminal failed · 2 wrong usage · 3 wrong key or "
    "passphrase · 4 the file was changed or cut short · 5 not an encrypted file."
)
MAKE_A_KEY = "(umask 077; head -c 32 /dev/urandom >my.key)"

Source = Annotated[str, typer.Argument(metavar="IN", help="A file; - is standard input.")]
Output = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="A file, replaced if it is there; - is standard output.",
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="It has the key: 32 random bytes. Without it, a passphrase is asked for.",
    ),
]


class Secret(TypedDict, total=False):
    """One of the two, as files.py takes it."""

    key: bytes
    passphrase: "Passphrase"


@app.command(epilog=EXIT_CODES)
def encrypt(source: Source, output: Output, key_file: KeyFile = None) -> None:
    """Encrypt a file of any size, so that no change to it goes unnoticed (AES-256-GCM, in chunks).

    OUT appears when it is whole; until then nothing is there, or what was there before.

    A passphrase is asked for twice and can be guessed at by whoever has OUT: take six random words,
    or a key file, which you make once and keep apart from what it encrypts:

        (umask 077; head -c 32 /dev/urandom >my.key)
    """
    if output == STREAM and os.isatty(1):
        raise typer.BadParameter(
            "what is encrypted is no text for a terminal: name a file, or redirect.",
            param_hint="--output",
        )
    standard = _StandardOutput() if output == STREAM else None
    with _told(source, output, standard), _opened(source, output, standard) as (reader, writer):
        from answerbook.crypto import files

        secret = _secret(key_file, confirm=True)
        with _bar("encrypted", _size(reader)) as progress:
            files.encrypt(reader, writer, **secret, progress=progress)


@app.command(epilog=EXIT_CODES)
def decrypt(source: Source, output: Output, key_file: KeyFile = None) -> None:
    """Decrypt what `answerbook encrypt` wrote, if not a bit of it was changed.

    OUT appears when all of it has verified, or not at all. On standard output, too, nothing is
    written before all has verified, unless IN comes through a pipe: then each part is written once
    it has verified, and only exit code 0 says that it is whole.
    """
    standard = _StandardOutput() if output == STREAM else None
    with _told(source, output, standard), _opened(source, output, standard) as (reader, writer):
        from answerbook.crypto import files

        secret = _secret(key_file, confirm=False)
        twice = output == STREAM and reader.seekable()
        if output == STREAM and not twice:
            typer.echo(IN_PARTS, err=True)
        size = _size(reader)
        with _bar("decrypted", size and size * (1 + twice)) as progress:
            if twice:
                files.decrypt_verified(reader, writer, **secret, progress=progress)
            else:
                files.decrypt(reader, writer, **secret, progress=progress)


# -- files and streams -------------------------------------------------------------------------


class _StandardOutput(FileIO):
    """Standard output, and whether it got anything: what it got cannot be taken back."""

    def __init__(self) -> None:
        super().__init__(1, "w", closefd=False)
        self.got_some = False

    def write(self, data: Any, /) -> int:
        self.got_some = True
        return super().write(data)


@contextmanager
def _opened(
    source: str, output: str, standard: _StandardOutput | None
) -> Iterator[tuple[FileIO, "Writer"]]:
    """What to read and what to write, unbuffered: chunks are large enough."""
    from answerbook.crypto.replacing import replacing

    _end_in_order()
    piped = source == STREAM
    with ExitStack() as stack:
        reader = stack.enter_context(FileIO(0 if piped else source, closefd=not piped))
        if standard is not None:
            yield reader, standard
        else:
            yield reader, stack.enter_context(replacing(output))


def _end_in_order() -> None:
    """Let a polite request to end unwind what is open, as Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # `nohup` ignores one of them
            signal.signal(number, lambda received, _: sys.exit(128 + received))


def _size(reader: FileIO) -> int | None:
    """Bytes, or None for what is no file."""
    return os.fstat(reader.fileno()).st_size or None if reader.seekable() else None


@contextmanager
def _bar(what: str, total: int | None) -> Iterator["Progress | None"]:
    """A bar on standard error, where somebody looks on and it is worth it.

    It is drawn once there is something to show: a passphrase is asked for before that.
    """
    if not os.isatty(2) or (total or LARGE_BYTES) < LARGE_BYTES:
        yield None
        return
    from tqdm import tqdm

    with ExitStack() as drawn:
        bar: list[tqdm[NoReturn]] = []

        def advance(size: int) -> None:
            if not bar:
                new: tqdm[NoReturn] = tqdm(
                    total=total, desc=what, unit="B", unit_scale=True, leave=False
                )
                bar.append(drawn.enter_context(new))
            bar[0].update(size)

        yield advance


# -- keys --------------------------------------------------------------------------------------


def _secret(key_file: Path | None, *, confirm: bool) -> Secret:
    if key_file is None:
        return {"passphrase": lambda: _asked(confirm=confirm)}
    from answerbook.crypto.keys import KEY_BYTES

    with key_file.open("rb") as file:
        key = file.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        found = "more" if len(key) > KEY_BYTES else str(len(key))
        _fail(
            f"{key_file}: A key file has {KEY_BYTES} bytes, and this one {found}. To make one: "
            f"{MAKE_A_KEY}"
        )
    return {"key": key}


def _asked(*, confirm: bool) -> str:
    """A passphrase from the terminal itself, since standard input may be what is encrypted."""
    from getpass import getpass

    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        _fail(NO_TERMINAL)
    try:
        passphrase = getpass("Passphrase: ")
        again = getpass("The same again: ") if confirm and passphrase else passphrase
    except UnicodeError:
        _fail(
            "What was typed is no text in the terminal's encoding. Nothing was written; try again."
        )
    if not passphrase:
        _fail("A passphrase has at least one character. Nothing was written; try again.")
    if again != passphrase:
        _fail("The two passphrases differ. Nothing was written; try again.")
    return passphrase


# -- what goes wrong ---------------------------------------------------------------------------


@contextmanager
def _told(source: str, output: str, standard: _StandardOutput | None) -> Iterator[None]:
    """An expected error is one paragraph, and an exit code."""
    from answerbook.crypto.errors import CryptoError

    def after() -> str:
        if standard is None:
            return f"{output} was not touched."
        if standard.got_some:
            return "What was written before this is not whole: throw it away."
        return "Nothing was written."

    try:
        yield
    except ModuleNotFoundError as error:
        _fail(f"The package {error.name} is not installed: pip install 'answerbook[q3]'")
    except CryptoError as error:
        name = "standard input" if source == STREAM else source
        _fail(f"{name}: {error} {after()}", _exit_code(error))
    except OSError as error:
        where = error.filename or f"from {source} to {output}"
        _fail(f"{where}: {error.strerror or error}. {after()}")


def _exit_code(error: "CryptoError") -> int:
    from answerbook.crypto.errors import Tampered, UnknownFormat, WrongKey

    codes = ((WrongKey, 3), (Tampered, 4), (UnknownFormat, 5))
    return next(code for kind, code in codes if isinstance(error, kind))


def _fail(message: str, code: int = 1) -> NoReturn:
    typer.secho(message, fg="red", err=True)
    raise typer.Exit(code)
