"""Files and streams: what comes back, what is refused by which name, and what a failure leaves."""

import errno
import io
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from answerbook.crypto import chunks, files, replacing
from answerbook.crypto.errors import CryptoError, Tampered, Truncated, UnknownFormat, WrongKey
from answerbook.crypto.files import CHUNK_BYTES, HEADER_BYTES, SEALED_CHUNK_BYTES
from answerbook.crypto.keys import Secret
from tests.unit.encrypted import KEY, SIZES, opened, parts, sealed

BEFORE = b"what was there before"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file of a few chunks, in a folder of its own."""
    path = tmp_path / "source"
    path.write_bytes(os.urandom(200_000))
    return path


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    """A file that is there already, alone in its folder, and has to be so at the end."""
    folder = tmp_path / "target"
    folder.mkdir()
    path = folder / "file"
    path.write_bytes(BEFORE)
    yield path
    assert [path] == list(folder.iterdir()), "something was left behind"


@pytest.fixture(params=["without a name", "beside the target"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of writing what nobody may see yet."""
    if request.param == "beside the target":
        monkeypatch.setattr(replacing, "OPEN_FILES", "/nowhere")
    return str(request.param)


# -- there and back ------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_what_is_encrypted_comes_back(size: int) -> None:
    plaintext = os.urandom(size)
    message = sealed(plaintext)
    assert files.encrypted_size(size) == len(message)
    assert plaintext == opened(message)


@pytest.mark.parametrize("size", SIZES)
def test_a_file_comes_back(size: int, tmp_path: Path, target: Path, way: str) -> None:
    plaintext = os.urandom(size)
    (tmp_path / "plain").write_bytes(plaintext)
    files.encrypt_file(tmp_path / "plain", tmp_path / "encrypted", key=KEY)
    files.decrypt_file(tmp_path / "encrypted", target, key=KEY)
    assert plaintext == target.read_bytes()


def test_exactly_one_chunk_is_one_chunk_and_an_empty_file_is_one_too() -> None:
    assert 2 == len(parts(sealed(bytes(CHUNK_BYTES))))
    assert 3 == len(parts(sealed(bytes(CHUNK_BYTES + 1))))
    assert 2 == len(parts(sealed(b"")))


def test_a_passphrase_opens_what_it_encrypted_however_it_was_typed() -> None:
    writer, again = io.BytesIO(), io.BytesIO()
    typed = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
    files.encrypt(io.BytesIO(b"secret"), writer, passphrase=typed)
    typed_apart = "cafe\N{COMBINING ACUTE ACCENT}"
    files.decrypt(io.BytesIO(writer.getvalue()), again, passphrase=lambda: typed_apart)
    assert b"secret" == again.getvalue()
    with pytest.raises(WrongKey, match="The passphrase is not the one"):
        files.verify(io.BytesIO(writer.getvalue()), passphrase="cafe")


def test_the_same_file_encrypted_twice_is_never_the_same() -> None:
    first, second = sealed(bytes(100_000)), sealed(bytes(100_000))
    assert not {*parts(first)} & {*parts(second)}
    salt, prefix = slice(20, 36), slice(36, 43)
    assert first[salt] != second[salt]
    assert first[prefix] != second[prefix]


def test_streams_that_give_and_take_little_at_a_time() -> None:
    class Dripping(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self.data, self.taken = io.BytesIO(data), bytearray()

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            return self.data.read(min(size, 1_000))

        def write(self, data: bytes | memoryview, /) -> int:  # type: ignore[override]
            self.taken += data[:999]
            return len(data[:999])

    plaintext = os.urandom(150_000)
    through = Dripping(plaintext)
    files.encrypt(through, through, key=KEY)
    assert plaintext == opened(bytes(through.taken))


def test_a_stream_that_does_not_wait_is_refused_and_not_taken_for_its_end() -> None:
    class Hasty:
        def read(self, _: int, /) -> None:
            return None

        def write(self, _: bytes | memoryview, /) -> None:
            return None

    with pytest.raises(BlockingIOError, match="to read from"):
        files.verify(Hasty(), key=KEY)
    with pytest.raises(BlockingIOError, match="to write to"):
        files.encrypt(io.BytesIO(b"secret"), Hasty(), key=KEY)


def test_progress_hears_of_every_byte() -> None:
    heard: list[int] = []
    writer = io.BytesIO()
    files.encrypt(io.BytesIO(bytes(200_000)), writer, key=KEY, progress=heard.append)
    assert 200_000 == sum(heard)
    heard.clear()
    files.verify(io.BytesIO(writer.getvalue()), key=KEY, progress=heard.append)
    assert len(writer.getvalue()) - HEADER_BYTES == sum(heard)


# -- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_a_wrong_key_is_told_from_a_changed_file(size: int) -> None:
    with pytest.raises(WrongKey, match="The key is not the one"):
        opened(sealed(bytes(size)), files.new_key())


def test_a_key_for_a_passphrase_and_the_other_way_round_are_told() -> None:
    writer = io.BytesIO()
    files.encrypt(io.BytesIO(b"secret"), writer, passphrase="pass")
    with pytest.raises(WrongKey, match="with a passphrase, and not with a key"):
        files.verify(io.BytesIO(writer.getvalue()), key=KEY)

    def never() -> str:
        raise AssertionError("was asked for a passphrase that is not needed")

    with pytest.raises(WrongKey, match="with a key, and not with a passphrase"):
        files.verify(io.BytesIO(sealed(b"secret")), passphrase=never)


def test_no_secret_two_secrets_and_a_short_key_are_errors_of_the_caller() -> None:
    with pytest.raises(TypeError, match="a key or a passphrase"):
        files.encrypt(io.BytesIO(), io.BytesIO())
    with pytest.raises(TypeError, match="a key or a passphrase"):
        files.encrypt(io.BytesIO(), io.BytesIO(), key=KEY, passphrase="pass")
    with pytest.raises(ValueError, match="a key has 32 bytes, and this one has 16"):
        files.encrypt(io.BytesIO(), io.BytesIO(), key=KEY[:16])


def test_no_nonce_is_used_twice_even_after_256_tebibytes() -> None:
    prefix, last = bytes(7), 2**32 - 1
    assert 12 == len(chunks.nonce(prefix, last, final=False))
    assert chunks.nonce(prefix, 1, final=True) != chunks.nonce(prefix, 1, final=False)
    with pytest.raises(OverflowError):
        chunks.nonce(prefix, last + 1, final=False)


# -- what was done to it -------------------------------------------------------------------------


def test_every_beginning_of_a_short_file_is_refused_as_truncated() -> None:
    message = sealed(b"ten bytes.")
    for length in range(8, len(message)):
        with pytest.raises(Truncated):
            opened(message[:length])
    for length in range(8):  # of its magic; nothing says that it is one of ours
        with pytest.raises(UnknownFormat):
            opened(message[:length])


@pytest.mark.parametrize(
    ("where", "length"),
    [
        ("in the header", 40),
        ("after the header", HEADER_BYTES),
        ("in a chunk's length", HEADER_BYTES + SEALED_CHUNK_BYTES + 2),
        ("after a chunk's length", HEADER_BYTES + SEALED_CHUNK_BYTES + 4),
        ("in a chunk", HEADER_BYTES + SEALED_CHUNK_BYTES + 30_000),
        ("in a chunk's tag", HEADER_BYTES + 2 * SEALED_CHUNK_BYTES - 8),
        ("after the first chunk", HEADER_BYTES + SEALED_CHUNK_BYTES),
        ("before the last chunk", HEADER_BYTES + 3 * SEALED_CHUNK_BYTES),
        ("in the last chunk", -100),
        ("before the last byte", -1),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_cut_short_is_refused_as_truncated(where: str, length: int) -> None:
    with pytest.raises(Truncated, match="it was cut short"):
        opened(sealed(os.urandom(200_000))[:length])


@pytest.mark.parametrize("size", SIZES)
def test_bytes_after_the_end_are_refused(size: int) -> None:
    message = sealed(os.urandom(size))
    for more in (b"\0", b"\n", parts(message)[-1], message):
        with pytest.raises(Tampered, match="Something was added") as caught:
            opened(message + more)
        assert not isinstance(caught.value, Truncated)


def test_another_files_chunk_is_refused_even_under_the_same_key() -> None:
    mine, other = parts(sealed(bytes(200_000))), parts(sealed(bytes(200_000)))
    with pytest.raises(Tampered, match="Chunk 2 is not what was encrypted there"):
        opened(b"".join([*mine[:2], other[2], *mine[3:]]))


def test_the_last_chunk_cannot_be_passed_off_as_an_earlier_one_nor_the_other_way_round() -> None:
    header, first, last = parts(sealed(os.urandom(2 * CHUNK_BYTES)))
    unmarked, marked = b"\0" + last[1:], b"\x80" + first[1:]
    for message in (header + marked, header + first + unmarked + last, header + marked + last):
        with pytest.raises(Tampered):
            opened(message)


def test_a_secret_shows_neither_key_nor_passphrase() -> None:
    for secret in (Secret(KEY, None), Secret(None, "correct horse")):
        assert "Secret()" == repr(secret)


def test_one_content_is_cut_into_chunks_in_one_way_alone() -> None:
    header, cipher = Secret(KEY, None).begin()
    packed, prefix = header.pack(), header.nonce_prefix
    message = packed
    for index, (piece, final) in enumerate([(b"se", False), (b"cret", True)]):
        nonce = chunks.nonce(prefix, index, final=final)
        message += chunks.frame(len(piece), final=final) + cipher.encrypt(nonce, piece, packed)
    with pytest.raises(Tampered, match="Chunk 1"):
        opened(message)


@pytest.mark.parametrize("at", range(HEADER_BYTES))
def test_no_byte_of_the_header_can_be_changed(at: int) -> None:
    message = bytearray(sealed(b"secret"))
    message[at] ^= 0xFF
    expected = UnknownFormat if at < 20 else Tampered if 36 <= at < 43 else WrongKey
    with pytest.raises(expected):
        opened(bytes(message))


def test_a_file_cannot_ask_for_a_terabyte() -> None:
    for cost in ((1 << 30, 1, 1), (1 << 16, 1 << 20, 1), (1 << 16, 1, 255), (7, 1, 1), (0, 0, 0)):
        message = bytearray(sealed(b"secret"))
        memory, passes, lanes = cost
        message[10:20] = bytes([1, lanes]) + memory.to_bytes(4) + passes.to_bytes(4)
        with pytest.raises(UnknownFormat, match=f"asks for a key of kind 1, with {memory} KiB"):
            files.verify(io.BytesIO(message), passphrase="pass")


@pytest.mark.parametrize(
    "other", [b"", b"\n", b"PK\3\4 a zip file", bytes(100), b"\x89ABK\n\x1a\n" + bytes(99)]
)
def test_what_is_none_of_ours_is_told(other: bytes) -> None:
    with pytest.raises(UnknownFormat):
        opened(other)


def test_a_version_of_the_future_is_told() -> None:
    message = bytearray(sealed(b"secret"))
    message[8] = 2
    with pytest.raises(UnknownFormat, match="It says version 2 and algorithm 1"):
        opened(bytes(message))


def test_every_named_error_is_a_crypto_error() -> None:
    assert all(issubclass(each, CryptoError) for each in (WrongKey, Tampered, UnknownFormat))
    assert issubclass(Truncated, Tampered)


def test_a_stream_gives_out_only_what_has_verified() -> None:
    plaintext = os.urandom(200_000)
    message = bytearray(sealed(plaintext))
    message[HEADER_BYTES + 2 * SEALED_CHUNK_BYTES + 1_000] ^= 1  # the third chunk
    writer = io.BytesIO()
    with pytest.raises(Tampered, match="Chunk 3"):
        files.decrypt(io.BytesIO(message), writer, key=KEY)
    assert plaintext[: 2 * CHUNK_BYTES] == writer.getvalue()


def test_nothing_is_given_out_before_all_has_verified_where_it_cannot_be_taken_back() -> None:
    plaintext = os.urandom(200_000)
    message = bytearray(sealed(plaintext))
    writer = io.BytesIO()
    files.decrypt_verified(io.BytesIO(message), writer, key=KEY)
    assert plaintext == writer.getvalue()
    message[-1] ^= 1
    writer = io.BytesIO()
    with pytest.raises(Tampered):
        files.decrypt_verified(io.BytesIO(message), writer, key=KEY)
    assert b"" == writer.getvalue()


def test_a_message_may_stand_in_the_middle_of_a_stream_that_is_read_twice() -> None:
    reader, writer = io.BytesIO(b"before" + sealed(b"secret")), io.BytesIO()
    reader.seek(6)
    files.decrypt_verified(reader, writer, key=KEY)
    assert b"secret" == writer.getvalue()


# -- what a failure leaves -----------------------------------------------------------------------


@pytest.mark.parametrize("break_it", ["flip", "cut", "add", "wrong key", "no format"])
def test_a_failed_decryption_leaves_the_target_and_nothing_else(
    break_it: str, tmp_path: Path, target: Path, way: str
) -> None:
    message = bytearray(sealed(os.urandom(200_000)))
    if break_it == "flip":
        message[-1] ^= 1
    broken = {"cut": message[:-1], "add": message + b"\0", "no format": message[1:]}
    (tmp_path / "encrypted").write_bytes(broken.get(break_it, message))
    key = files.new_key() if break_it == "wrong key" else KEY
    with pytest.raises(CryptoError):
        files.decrypt_file(tmp_path / "encrypted", target, key=key)
    assert BEFORE == target.read_bytes()


def test_the_same_target_written_twice_has_the_second(source: Path, target: Path, way: str) -> None:
    files.encrypt_file(source, target, key=KEY)
    first = target.read_bytes()
    files.encrypt_file(source, target, key=KEY)
    assert first != target.read_bytes()
    assert source.read_bytes() == opened(target.read_bytes())


def test_the_same_target_written_by_many_at_once_is_always_whole(
    tmp_path: Path, target: Path, way: str
) -> None:
    contents = [bytes([number]) * 300_000 for number in range(8)]
    start = threading.Barrier(len(contents))

    def write(number: int) -> None:
        (tmp_path / str(number)).write_bytes(contents[number])
        start.wait()
        files.encrypt_file(tmp_path / str(number), target, key=KEY)
        assert opened(target.read_bytes()) in contents

    with ThreadPoolExecutor(len(contents)) as pool:
        list(pool.map(write, range(len(contents))))


def test_a_file_may_be_encrypted_and_decrypted_in_its_place(target: Path, way: str) -> None:
    files.encrypt_file(target, target, key=KEY)
    assert BEFORE == opened(target.read_bytes())
    files.decrypt_file(target, target, key=KEY)
    assert BEFORE == target.read_bytes()


def test_a_new_file_is_its_owners_alone(source: Path, target: Path, way: str) -> None:
    target.chmod(0o644)
    files.encrypt_file(source, target, key=KEY)
    assert 0o600 == stat.S_IMODE(target.stat().st_mode)


def test_a_link_is_replaced_and_what_it_leads_to_is_not(
    source: Path, tmp_path: Path, target: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(target)
    files.encrypt_file(source, link, key=KEY)
    assert BEFORE == target.read_bytes()
    assert not link.is_symlink()


@pytest.mark.parametrize("way_in", ["missing", "a folder", "fails while it is read"])
def test_an_unreadable_source_leaves_the_target(way_in: str, tmp_path: Path, target: Path) -> None:
    unreadable = {"missing": tmp_path / "no", "a folder": tmp_path}.get(way_in, MEMORY)
    for way in (files.encrypt_file, files.decrypt_file):
        with pytest.raises(OSError, match="No such file|Is a directory|Input/output error"):
            way(unreadable, target, key=KEY)
    assert BEFORE == target.read_bytes()


MEMORY = Path("/proc/self/mem")
"""It opens, and to read its beginning is an I/O error, for root as well: like a failing disk."""


def test_a_target_that_is_no_file_is_refused_and_not_replaced(source: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for no_file in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(FileExistsError, match="not a file that could be replaced"):
            files.encrypt_file(source, no_file, key=KEY)
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_folder_that_is_not_there_is_named(source: Path, tmp_path: Path, way: str) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        files.encrypt_file(source, tmp_path / "nowhere" / "file", key=KEY)


def test_a_full_stream_is_told() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OSError) as caught:  # noqa: PT011
        files.encrypt(io.BytesIO(b"secret"), full, key=KEY)
    assert errno.ENOSPC == caught.value.errno


ON_A_FULL_DISK = """
import os, sys
from answerbook.crypto import files, replacing
source, target, key, way, replacing.OPEN_FILES = sys.argv[1:]
with open(target, "wb") as file:
    file.write(b"before")
try:
    getattr(files, way)(source, target, key=bytes.fromhex(key))
except OSError as error:
    print(error.strerror, os.listdir(os.path.dirname(target)), open(target).read())
"""


@pytest.mark.parametrize("open_files", ["/proc/self/fd", "/nowhere"])
@pytest.mark.parametrize("do", ["encrypt_file", "decrypt_file"])
def test_a_full_disk_leaves_the_target_and_nothing_else(
    do: str, open_files: str, tmp_path: Path
) -> None:
    plaintext = os.urandom(3_000_000)
    (tmp_path / "source").write_bytes(plaintext if do == "encrypt_file" else sealed(plaintext))
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        [
            *(*full_disk(disk), sys.executable, "-c", ON_A_FULL_DISK),
            *(tmp_path / "source", disk / "file", KEY.hex(), do, open_files),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.endswith(" ['file'] before\n"), done.stderr
    assert done.stdout.startswith(("No space left on device", "File too large")), done.stdout


def full_disk(disk: Path) -> list[str | Path]:
    """What a command begins with, so that `disk` has room for a megabyte in it.

    Where nobody may mount, each of its files has.
    """
    mounting = 'mount -t tmpfs -o size=1m none "$0" && exec "$@"'
    for namespaces in (["--user", "--map-root-user", "--mount"], ["--mount"]):
        command: list[str | Path] = ["unshare", *namespaces, "sh", "-c", mounting, disk]
        if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            return command
    return ["sh", "-c", 'ulimit -f 2048 && trap "" XFSZ && exec "$@"', "sh"]
