"""The file server lets in one key, shows its own, and serves one folder."""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import asyncssh
import pytest

from answerbook.protocols import sftp
from answerbook.protocols.wire import Wire

BLOCK_BYTES = 32_768
Result = TypeVar("Result")


@pytest.fixture(scope="module")
def key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
def server(key: asyncssh.SSHKey) -> Iterator[sftp.Server]:
    with sftp.serve(key.export_public_key()) as started:
        yield started


async def connect(
    server: sftp.Server,
    key: asyncssh.SSHKey,
    *,
    port: int | None = None,
    user: str | None = None,
    host_key: str | None = None,
) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        server.host,
        port or server.port,
        username=user or server.user,
        client_keys=[key],
        known_hosts=asyncssh.import_known_hosts(f"bank {host_key or server.host_key}"),
        host_key_alias="bank",
        config=None,
        agent_path=None,
    )


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(asyncio.wait_for(coroutine, 60))


def test_what_is_written_can_be_read_and_lies_in_the_folder(
    server: sftp.Server, key: asyncssh.SSHKey
) -> None:
    async def round_trip() -> bytes | str:
        read: bytes | str = ""
        async with await connect(server, key) as ssh, ssh.start_sftp_client() as ftp:
            async with ftp.open("a.bin", "wb") as remote:
                await remote.write(b"hello")
            async with ftp.open("/a.bin", "rb") as remote:
                read = await remote.read()
        return read

    assert b"hello" == run(round_trip())
    assert b"hello" == (server.folder / "a.bin").read_bytes()


def test_a_client_cannot_leave_the_folder(server: sftp.Server, key: asyncssh.SSHKey) -> None:
    async def climb() -> list[str]:
        names: set[str] = set()
        async with await connect(server, key) as ssh, ssh.start_sftp_client() as ftp:
            with pytest.raises(asyncssh.SFTPNoSuchFile):
                await ftp.stat("../../../../etc/passwd")
            names |= {str(name) for name in await ftp.listdir("/..")}
        return sorted(names)

    assert [".", ".."] == run(climb())


def test_another_host_key_is_refused(server: sftp.Server, key: asyncssh.SSHKey) -> None:
    with sftp.serve(key.export_public_key()) as impostor:
        assert server.host_key != impostor.host_key
        with pytest.raises(asyncssh.HostKeyNotVerifiable):
            run(connect(impostor, key, host_key=server.host_key))


def test_another_key_is_refused(server: sftp.Server) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        run(connect(server, asyncssh.generate_private_key("ssh-ed25519")))


def test_an_upload_that_was_cut_can_be_finished_on_a_new_connection(
    server: sftp.Server, key: asyncssh.SSHKey
) -> None:
    data = bytes(range(256)) * 8_000

    async def upload(port: int, start: int) -> None:
        async with (
            await connect(server, key, port=port) as ssh,
            ssh.start_sftp_client() as ftp,
            ftp.open("big", "r+b" if start else "wb") as remote,
        ):
            for offset in range(start, len(data), BLOCK_BYTES):
                await remote.write(data[offset : offset + BLOCK_BYTES], offset)

    with Wire(server.port) as wire:
        wire.cut_after(1_000_000)
        with pytest.raises((OSError, asyncssh.Error)):
            run(upload(wire.port, 0))
        there = (server.folder / "big").stat().st_size
        assert 0 < there < 1_000_000
        run(upload(wire.port, there))
    assert data == (server.folder / "big").read_bytes()


def test_a_posix_rename_replaces_where_a_plain_one_refuses(
    server: sftp.Server, key: asyncssh.SSHKey
) -> None:
    (server.folder / "old").write_bytes(b"old")
    (server.folder / "new").write_bytes(b"new")

    async def replace() -> None:
        async with await connect(server, key) as ssh, ssh.start_sftp_client() as ftp:
            with pytest.raises(asyncssh.SFTPFailure):
                await ftp.rename("new", "old")
            await ftp.posix_rename("new", "old")

    run(replace())
    assert {"old": b"new"} == {path.name: path.read_bytes() for path in server.folder.iterdir()}


def test_a_file_that_is_still_open_is_gone_with_the_server(
    server: sftp.Server, key: asyncssh.SSHKey
) -> None:
    async def leave_open() -> None:
        ssh = await connect(server, key)
        ftp = await ssh.start_sftp_client()
        remote = await ftp.open("half", "wb")
        await remote.write(b"half")
        server.stop()
        await ssh.wait_closed()

    run(leave_open())
    assert not server.folder.exists()
