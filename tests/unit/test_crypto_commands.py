"""`answerbook encrypt` and `answerbook decrypt` as a reader types them."""

import fcntl
import io
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from answerbook.crypto import files
from answerbook.crypto.files import HEADER_BYTES, SEALED_CHUNK_BYTES
from tests.unit.encrypted import KEY, opened, sealed

PLAINTEXT = os.urandom(200_000)
BEFORE = b"what was there before"
ANSWERBOOK = (sys.executable, "-m", "answerbook")
WITH_A_NAME = (
    "from answerbook import cli; from answerbook.crypto import replacing; "
    "replacing.OPEN_FILES = '/nowhere'; cli.main()"
)
WAYS = {"without a name": ANSWERBOOK, "beside it": (sys.executable, "-c", WITH_A_NAME)}

Done = subprocess.CompletedProcess[bytes]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command runs: a key, a plain file and the same encrypted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "my.key").write_bytes(KEY)
    (tmp_path / "plain").write_bytes(PLAINTEXT)
    (tmp_path / "encrypted").write_bytes(sealed(PLAINTEXT))
    return tmp_path


@pytest.fixture
def target(folder: Path) -> Iterator[Path]:
    """A file that is there already; at the end the folder has it and nothing new."""
    path = folder / "target"
    path.write_bytes(BEFORE)
    before = set(folder.iterdir())
    yield path
    assert before == set(folder.iterdir()), "something was left behind"


def run(*words: str | Path, given: bytes = b"", key: bool = True) -> Done:
    with_key = ("--key-file", "my.key") if key else ()
    return subprocess.run(
        [*ANSWERBOOK, *words, *with_key], input=given, capture_output=True, check=False
    )


def assert_told(done: Done, code: int, *told: str) -> None:
    """An error is one paragraph on standard error, with an exit code of its own."""
    complaint = done.stderr.decode()
    assert code == done.returncode, complaint
    assert 1 == complaint.count("\n"), complaint
    for each in told:
        assert each in complaint


# -- there and back ------------------------------------------------------------------------------


def test_a_file_is_encrypted_and_decrypted_in_silence(folder: Path) -> None:
    for words in (("encrypt", "plain", "-o", "there"), ("decrypt", "there", "--output", "back")):
        done = run(*words)
        assert (0, b"", b"") == (done.returncode, done.stdout, done.stderr)
    assert PLAINTEXT == opened((folder / "there").read_bytes())
    assert PLAINTEXT == (folder / "back").read_bytes()
    assert {0o600} == {(folder / name).stat().st_mode & 0o777 for name in ("there", "back")}


def test_standard_streams_go_through_a_pipe(folder: Path) -> None:
    there = run("encrypt", "-", "-o", "-", given=PLAINTEXT)
    assert (0, b"") == (there.returncode, there.stderr)
    assert PLAINTEXT == opened(there.stdout)
    back = run("decrypt", "-", "-o", "-", given=there.stdout)
    assert (0, PLAINTEXT) == (back.returncode, back.stdout)
    assert b"only exit code 0 says that it is whole" in back.stderr


def test_a_target_is_replaced(target: Path) -> None:
    assert 0 == run("decrypt", "encrypted", "-o", target).returncode
    assert PLAINTEXT == target.read_bytes()


def test_an_empty_file_comes_back_empty(folder: Path) -> None:
    (folder / "plain").write_bytes(b"")
    assert 0 == run("encrypt", "plain", "-o", "there").returncode
    assert b"" == opened((folder / "there").read_bytes())
    assert 0 == run("decrypt", "there", "-o", "back").returncode
    assert b"" == (folder / "back").read_bytes()


# -- what standard output gets -------------------------------------------------------------------


@pytest.fixture
def broken_at_the_end(folder: Path) -> bytes:
    message = bytearray(sealed(PLAINTEXT))
    message[-1] ^= 1
    (folder / "broken").write_bytes(message)
    return bytes(message)


def test_standard_output_gets_nothing_of_a_file_that_does_not_verify_whole(
    broken_at_the_end: bytes,
) -> None:
    done = run("decrypt", "broken", "-o", "-")
    assert_told(done, 4, "broken: Chunk 4 is not what was encrypted there", "Nothing was written.")
    assert b"" == done.stdout


@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
def test_standard_output_that_got_nothing_is_not_thrown_away(command: str, folder: Path) -> None:
    assert_told(run(command, "missing", "-o", "-"), 1, "missing: No such file", "Nothing was")


def test_a_file_on_standard_input_is_verified_first_as_well(
    folder: Path, broken_at_the_end: bytes
) -> None:
    for name, expected in (("broken", b""), ("encrypted", PLAINTEXT)):
        with (folder / name).open("rb") as file:
            done = subprocess.run(
                [*ANSWERBOOK, "decrypt", "-", "-o", "-", "--key-file", "my.key"],
                stdin=file,
                capture_output=True,
                check=False,
            )
        assert expected == done.stdout
        assert (0 if expected else 4) == done.returncode


def test_a_pipe_gets_what_has_verified_and_says_that_it_is_not_whole(
    broken_at_the_end: bytes,
) -> None:
    done = run("decrypt", "-", "-o", "-", given=broken_at_the_end)
    assert PLAINTEXT[:196_608] == done.stdout, "three chunks verified, and the last did not"
    assert 4 == done.returncode
    assert b"standard input: Chunk 4 is not what" in done.stderr
    assert b"is not whole: throw it away" in done.stderr


def test_a_terminal_gets_no_ciphertext(folder: Path) -> None:
    done = on_a_terminal("encrypt", "plain", "-o", "-", "--key-file", "my.key", all_of_it=True)
    assert 2 == done.returncode
    assert b"no text for a terminal" in done.stdout


# -- what goes wrong -----------------------------------------------------------------------------


def test_each_thing_wrong_with_a_file_has_its_exit_code(folder: Path, target: Path) -> None:
    message = sealed(PLAINTEXT)
    (folder / "my.key").write_bytes(files.new_key())
    assert_told(run("decrypt", "encrypted", "-o", target), 3, "encrypted: The key is not the one")
    (folder / "my.key").write_bytes(KEY)
    for content, code, told in (
        (message[:-1], 4, "it was cut short"),
        (message + b"\n", 4, "Something was added after its last chunk"),
        (message[: HEADER_BYTES + SEALED_CHUNK_BYTES], 4, "its last chunk has not come"),
        (b"", 5, "It is empty"),
        (PLAINTEXT, 5, "does not begin as a file of `answerbook encrypt` does"),
    ):
        (folder / "encrypted").write_bytes(content)
        done = run("decrypt", "encrypted", "-o", target)
        assert_told(done, code, "encrypted: ", told, f"{target} was not touched.")
    assert BEFORE == target.read_bytes()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("missing", "missing: No such file or directory."),
        (".", ".: Is a directory."),
        ("/proc/self/mem", "from /proc/self/mem to target: Input/output error."),
    ],
)
@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
def test_an_unreadable_source_is_told(command: str, source: str, reason: str, target: Path) -> None:
    assert_told(run(command, source, "-o", target.name), 1, reason, "target was not touched.")
    assert BEFORE == target.read_bytes()


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("/dev/null", "/dev/null: it is there, and is not a file that could be replaced"),
        (".", "not a file that could be replaced"),
        ("no/where", "no: No such file or directory"),
    ],
)
def test_an_output_that_cannot_be_written_is_told(output: str, reason: str, folder: Path) -> None:
    assert_told(run("encrypt", "plain", "-o", output), 1, reason)


def test_a_full_disk_is_told(folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*ANSWERBOOK, "encrypt", "plain", "-o", "-", "--key-file", "my.key"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert_told(done, 1, "from plain to -: No space left on device")


@pytest.mark.parametrize(("size", "found"), [(0, "0"), (31, "31"), (33, "more")])
def test_a_key_file_of_another_size_is_told_with_how_to_make_one(
    size: int, found: str, folder: Path, target: Path
) -> None:
    (folder / "my.key").write_bytes(bytes(size))
    done = run("encrypt", "plain", "-o", target)
    assert_told(
        done, 1, f"my.key: A key file has 32 bytes, and this one {found.rsplit(maxsplit=1)[-1]}"
    )
    assert "(umask 077; head -c 32 /dev/urandom >my.key)" in done.stderr.decode()


def test_a_missing_key_file_is_named(folder: Path, target: Path) -> None:
    (folder / "my.key").rename(folder / "your.key")
    assert_told(run("encrypt", "plain", "-o", target), 1, "my.key: No such file or directory.")
    (folder / "your.key").rename(folder / "my.key")


def test_help_tells_how_to_make_a_key_and_that_command_makes_one(folder: Path) -> None:
    shown = run("encrypt", "--help", key=False).stdout.decode()
    (command,) = [line.strip() for line in shown.splitlines() if "/dev/urandom" in line]
    subprocess.run(command.strip("│ "), shell=True, check=True)
    assert 32 == (folder / "my.key").stat().st_size
    assert KEY != (folder / "my.key").read_bytes()
    assert "Exit codes: 0 done" in shown


def test_a_package_that_is_not_there_is_told(target: Path) -> None:
    without = (
        "import sys; sys.modules['cryptography'] = None; from answerbook.cli import main; main()"
    )
    words = ("encrypt", "plain", "-o", "target", "--key-file", "my.key")
    done = subprocess.run([sys.executable, "-c", without, *words], capture_output=True, check=False)
    assert_told(done, 1, "is not installed: pip install 'answerbook[q3]'")


# -- killed midway -------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
@pytest.mark.parametrize(
    ("way", "deadly"),
    [
        ("without a name", signal.SIGKILL),
        ("without a name", signal.SIGTERM),
        ("beside it", signal.SIGTERM),
        ("beside it", signal.SIGINT),
    ],
)
def test_what_is_killed_midway_leaves_the_target_and_nothing_else(
    command: str, way: str, deadly: signal.Signals, target: Path
) -> None:
    plaintext = bytes(4_000_000)
    message = plaintext if command == "encrypt" else sealed(plaintext)
    words = [command, "-", "-o", "target", "--key-file", "my.key"]
    with subprocess.Popen([*WAYS[way], *words], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(message[:2_000_000])  # a pipe holds 64 KiB: the rest was taken
        process.stdin.flush()
        process.send_signal(deadly)
        ended = process.wait()
    assert BEFORE == target.read_bytes()
    assert ended in (-deadly, 128 + deadly)


# -- at a terminal -------------------------------------------------------------------------------

BECOME_ITS_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


def on_a_terminal(*words: str, answers: Sequence[str] = (), all_of_it: bool = False) -> Done:
    """Run the command on a terminal of its own, and type an answer at each prompt.

    What the terminal showed is `stdout`; `all_of_it` makes it the standard output, too.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, b"\x18\x00\xc8\x00\x00\x00\x00\x00")  # 24 by 200
    with subprocess.Popen(
        [sys.executable, "-c", BECOME_ITS_TERMINAL, *ANSWERBOOK, *words],
        stdin=theirs,
        stdout=theirs if all_of_it else subprocess.DEVNULL,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        shown, waiting = b"", list(answers)
        while piece := _read(ours):
            shown += piece
            if waiting and shown.endswith(b": "):
                shown += b"|"
                os.write(ours, waiting.pop(0).encode() + b"\n")
    os.close(ours)
    assert not waiting, f"it was not asked: {shown!r}"
    return subprocess.CompletedProcess(words, process.returncode, shown, b"")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # how Linux says that the other side is closed
        return b""


def test_a_passphrase_is_asked_for_twice_then_once_and_never_shown(folder: Path) -> None:
    there = on_a_terminal("encrypt", "plain", "-o", "there", answers=["pa ss", "pa ss"])
    assert (0, b"Passphrase: |\r\nThe same again: |\r\n") == (there.returncode, there.stdout)
    back = on_a_terminal("decrypt", "there", "-o", "back", answers=["pa ss"])
    assert (0, b"Passphrase: |\r\n") == (back.returncode, back.stdout)
    assert PLAINTEXT == (folder / "back").read_bytes()
    writer = io.BytesIO()
    files.decrypt(io.BytesIO((folder / "there").read_bytes()), writer, passphrase="pa ss")
    assert PLAINTEXT == writer.getvalue()


def test_a_wrong_passphrase_is_told(folder: Path, target: Path) -> None:
    with (folder / "encrypted").open("wb") as file:
        files.encrypt(io.BytesIO(PLAINTEXT), file, passphrase="right")
    done = on_a_terminal("decrypt", "encrypted", "-o", "target", answers=["wrong"])
    assert 3 == done.returncode
    assert b"encrypted: The passphrase is not the one that it was encrypted with" in done.stdout
    assert BEFORE == target.read_bytes()


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (["one", "two"], b"The two passphrases differ."),
        ([""], b"A passphrase has at least one character."),
    ],
)
def test_a_passphrase_that_will_not_do_is_told(
    answers: list[str], told: bytes, target: Path
) -> None:
    done = on_a_terminal("encrypt", "plain", "-o", "target", answers=answers)
    assert 1 == done.returncode
    assert told in done.stdout
    assert BEFORE == target.read_bytes()


def test_nobody_is_asked_for_a_passphrase_that_is_of_no_use(target: Path) -> None:
    done = on_a_terminal("decrypt", "encrypted", "-o", "target")
    assert 3 == done.returncode
    assert b"with a key, and not with a passphrase" in done.stdout
    done = on_a_terminal("decrypt", "plain", "-o", "target")
    assert 5 == done.returncode
    assert b"does not begin as a file" in done.stdout


def test_without_a_terminal_a_key_file_is_asked_for(target: Path) -> None:
    done = subprocess.run(
        [*ANSWERBOOK, "encrypt", "-", "-o", "target"],
        input=b"not a passphrase",
        capture_output=True,
        start_new_session=True,
        check=False,
    )
    assert_told(done, 1, "There is no terminal to ask for a passphrase on", "--key-file FILE")


def test_a_passphrase_is_not_taken_from_the_command_line(target: Path) -> None:
    done = run("encrypt", "plain", "-o", target, "--passphrase", "pass")
    assert 2 == done.returncode
    assert b"No such option" in done.stderr


def test_a_bar_shows_how_far_a_large_file_is_and_a_small_one_has_none(folder: Path) -> None:
    with (folder / "large").open("wb") as file:
        file.truncate(40_000_000)
    words = ("-o", "there", "--key-file", "my.key")
    assert b"encrypted:   0%|" in on_a_terminal("encrypt", "large", *words).stdout
    back = on_a_terminal("decrypt", "there", "-o", "-", "--key-file", "my.key")
    assert b"decrypted:   0%|" in back.stdout
    assert b"80.0M" in back.stdout, "it is read twice"
    assert b"" == on_a_terminal("encrypt", "plain", *words).stdout


# -- the start -----------------------------------------------------------------------------------


def test_the_commands_start_without_the_services_and_list_without_any_cipher(folder: Path) -> None:
    program = (
        "import sys; from answerbook.cli import main; sys.argv = sys.argv[1:]\n"
        "try: main()\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    words = ("answerbook", "encrypt", "plain", "-o", "there", "--key-file", "my.key")
    for line, absent in (
        (words, {"answerbook.services", "pika", "psycopg", "rich", "tqdm", "argon2"}),
        (("answerbook", "--help"), {"cryptography", "argon2"}),
    ):
        done = subprocess.run(
            [sys.executable, "-c", program, *line], capture_output=True, text=True, check=True
        )
        assert set() == absent & {*done.stderr.split()}
