"""SFTP: a file for each payload, written and then renamed. Run as a program, the server.

Acknowledged is what has its final name: the server wrote it into its ledger when it was renamed,
and then answered the rename. (Many partners look into the folder now and then instead.)
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Thread

import asyncssh

from answerbook.protocols import peer, sftp
from answerbook.protocols.choosing import receiver
from answerbook.protocols.choosing.line import Line, port_of
from answerbook.protocols.choosing.way import Way, direct

FILES = "files"


async def send(
    url: str, key: asyncssh.SSHKey, known_hosts: asyncssh.SSHKnownHosts, payloads: Iterator[str]
) -> None:
    async with (
        asyncssh.connect(
            "127.0.0.1",
            port_of(url),
            username=sftp.USER,
            client_keys=[key],
            known_hosts=known_hosts,
            host_key_alias="partner",
            config=None,
        ) as ssh,
        ssh.start_sftp_client() as ftp,
    ):
        for number, payload in enumerate(payloads):
            async with ftp.open("payload.part", "w") as remote:
                await remote.write(payload)
            await ftp.posix_rename("payload.part", f"{number}.json")


def open_way(folder: Path, line: Line) -> AbstractContextManager[Way]:
    key, host = (asyncssh.generate_private_key(sftp.KEY) for _ in range(2))
    (folder / FILES).mkdir()
    (folder / "host").touch(mode=0o600)
    (folder / "host").write_bytes(host.export_private_key())
    (folder / "authorized").write_bytes(key.export_public_key())
    known = asyncssh.import_known_hosts(f"partner {host.export_public_key().decode()}")
    return direct(__name__, send, folder, line, key, known)


def _run() -> None:
    port, ledger = receiver.listening()
    folder = Path(sys.argv[2])

    class Desk(asyncssh.SFTPServer):
        """Takes what is renamed into place."""

        def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
            super().posix_rename(oldpath, newpath)
            ledger.take(Path(os.fsdecode(self.map_path(newpath))).read_bytes())

    loop = asyncio.new_event_loop()
    try:
        bound = loop.run_until_complete(sftp.listen(port, folder, folder / FILES, Desk))
    except OSError as error:
        peer.refuse(port, error)
    Thread(target=loop.run_forever, daemon=True).start()
    peer.serve_until_told(f"sftp://127.0.0.1:{bound}")


if __name__ == "__main__":
    _run()
