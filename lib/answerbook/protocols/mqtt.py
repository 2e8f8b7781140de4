"""A local MQTT broker, amqtt, with one user and a password that is made anew each time.

Used by the notebook on devices and files. amqtt is the broker in pure Python that is kept up; it
speaks MQTT 3.1.1 with all three levels of service. It has no disk: its sessions and retained
messages end with its process. Some limits of its version 0.12 shape the lesson:

- What it had sent to a subscriber that was cut off, it does not send again
  (https://github.com/Yakifo/amqtt/issues/401). What a lost acknowledgement does is therefore shown
  between publisher and broker.
- It delivers at the level that the subscriber asked for; MQTT has the lower of that and the
  publisher's. And it keeps messages of QoS 0 too for a persistent session.
- A client that connects is sent the retained messages of all subscriptions, not of its own only.
- A session that was clean stays clean when its client comes back to keep it.
- A client that is silent for longer than its keep-alive is not given up.
"""

import asyncio
import logging
import secrets
import sys
import tempfile
from pathlib import Path
from threading import Thread
from typing import NoReturn

from answerbook.protocols import peer
from answerbook.protocols.endpoint import Endpoint

USER = "device"
LISTENER = "default"


class Broker(Endpoint):
    """A running broker, and who gets in. All sessions and retained messages end with it."""

    user = USER

    def __init__(self, running: peer.Peer, password: str) -> None:
        super().__init__(running)
        self.password = password


def serve(port: int = 0, password: str | None = None) -> Broker:
    """Serve MQTT 3.1.1 on loopback, by default on a free port.

    Give `password` to keep that of a broker that ran before; nobody gets in without it. Raises
    peer.PeerFailed when `port` is taken.
    """
    password = password or secrets.token_urlsafe(16)
    # A file rather than an argument, which every user of the machine could read.
    with tempfile.TemporaryDirectory(prefix="mqtt-") as folder:
        passwords = Path(folder, "passwords")
        passwords.touch(mode=0o600)
        passwords.write_text(f"{USER}:{_hashed(password)}\n")
        return Broker(peer.start(__name__, str(port), str(passwords)), password)


def _hashed(password: str) -> str:
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    # The cheapest that argon2 allows, in kibibytes: a random password needs no slow hash, and the
    # broker checks it again for each connection.
    return PasswordHash([Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)]).hash(password)


def _run(port: int, passwords: str) -> NoReturn:
    # What it has to say of a client that was cut off, nobody reads.
    logging.disable(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    try:
        bound = loop.run_until_complete(_start(port, passwords))
    except OSError as error:
        peer.refuse(port, error)
    Thread(target=loop.run_forever, daemon=True).start()
    peer.serve_until_told(f"mqtt://127.0.0.1:{bound}")


async def _start(port: int, passwords: str) -> int:
    """Start broker and listener; the port that it listens on."""
    from amqtt.adapters import (  # type: ignore[import-untyped]
        StreamReaderAdapter,
        StreamWriterAdapter,
    )
    from amqtt.broker import Broker as Amqtt  # type: ignore[import-untyped]

    # It does not say which port it took, so the listener is ours, and only hands connections over.
    authentication = "amqtt.plugins.authentication.FileAuthPlugin"
    broker = Amqtt(
        {
            "listeners": {LISTENER: {"type": "external", "bind": f"127.0.0.1:{port}"}},
            "plugins": {authentication: {"password_file": passwords}},
        }
    )

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await broker.external_connected(
            StreamReaderAdapter(reader), StreamWriterAdapter(writer), LISTENER
        )

    await broker.start()
    server = await asyncio.start_server(connected, "127.0.0.1", port)
    return int(server.sockets[0].getsockname()[1])


if __name__ == "__main__":
    _run(int(sys.argv[1]), sys.argv[2])
