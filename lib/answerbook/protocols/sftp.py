"""A local SFTP server, asyncssh, that lets in the owner of one key and serves an empty folder.

Used by the notebook on devices and files. The client makes its key pair and gives the public half
to `serve`, as one gives it to a bank's file desk; the server's own key is made anew each time, and
`host_key` is what its administrator would publish of it.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, NoReturn

from answerbook.protocols import peer
from answerbook.protocols.endpoint import Endpoint

if TYPE_CHECKING:
    import asyncssh

USER = "payments"
KEY = "ssh-ed25519"


class Server(Endpoint):
    """A running server, and what its administrator tells of it."""

    user = USER

    def __init__(self, running: peer.Peer, host_key: str, folder: Path) -> None:
        super().__init__(running)
        self.host_key = host_key
        """The public half of its key, as a line of `known_hosts` has it after the name."""
        self.folder = folder
        """What clients see as `/`. Gone when the server is."""

    def stop(self) -> None:
        super().stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def serve(client_key: str | bytes, port: int = 0) -> Server:
    """Serve SFTP on loopback to the owner of `client_key`, a public key in OpenSSH's format.

    Raises peer.PeerFailed when `port` is taken, and asyncssh.KeyImportError when it is no key.
    """
    import asyncssh

    authorized = asyncssh.import_public_key(client_key).export_public_key()
    host_key = asyncssh.generate_private_key(KEY)
    folder = Path(tempfile.mkdtemp(prefix="sftp-"))
    try:
        # The server reads both keys while it starts. Neither stays on the disk.
        with tempfile.TemporaryDirectory(prefix="sftp-keys-") as keys:
            Path(keys, "host").touch(mode=0o600)
            Path(keys, "host").write_bytes(host_key.export_private_key())
            Path(keys, "authorized").write_bytes(authorized)
            running = peer.start(__name__, str(port), keys, str(folder))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Server(running, host_key.export_public_key().decode().strip(), folder)


def _run(port: int, keys: Path, folder: Path) -> NoReturn:
    loop = asyncio.new_event_loop()
    try:
        bound = loop.run_until_complete(listen(port, keys, folder))
    except OSError as error:
        peer.refuse(port, error)
    Thread(target=loop.run_forever, daemon=True).start()
    print(f"sftp://127.0.0.1:{bound}", flush=True)
    sys.stdin.read()
    # Here rather than in the starter alone: the starter may have been killed.
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


async def listen(
    port: int, keys: Path, folder: Path, kind: "type[asyncssh.SFTPServer] | None" = None
) -> int:
    """Start listening in this loop; the port that it listens on. Raises OSError when it is taken.

    `keys` has the server's private key in `host`, and in `authorized` whom it lets in; `kind` does
    the work of a session, where asyncssh's own class would not.
    """
    import asyncssh

    listener = await asyncssh.listen(
        "127.0.0.1",
        port,
        server_host_keys=[asyncssh.read_private_key(keys / "host")],
        authorized_client_keys=asyncssh.read_authorized_keys(keys / "authorized"),
        sftp_factory=partial(kind or asyncssh.SFTPServer, chroot=os.fsencode(folder)),
    )
    return listener.get_port()


if __name__ == "__main__":
    _run(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
