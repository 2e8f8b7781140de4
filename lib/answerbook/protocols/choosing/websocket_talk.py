"""WebSocket: a message for each payload, and the receiver says which it has. Run as a program, it.

WebSocket has no acknowledgements, so this application brings its own: acknowledged is what the
receiver wrote into its ledger before it sent back the payload's number.
"""

import asyncio
import socket
from collections.abc import Iterator
from threading import Thread
from typing import TYPE_CHECKING

from websockets.sync.client import connect

from answerbook.protocols import peer
from answerbook.protocols.choosing import receiver
from answerbook.protocols.choosing.ledger import Ledger

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

TIMEOUT = 5


def send(url: str, payloads: Iterator[str]) -> None:
    with connect(url, compression=None) as connection:
        for payload in payloads:
            connection.send(payload)
            connection.recv(TIMEOUT)


def _run() -> None:
    port, ledger = receiver.listening()
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        peer.refuse(port, error)
    Thread(target=asyncio.run, args=(_serve(listener, ledger),), daemon=True).start()
    peer.serve_until_told(f"ws://127.0.0.1:{listener.getsockname()[1]}")


async def _serve(listener: socket.socket, ledger: Ledger) -> None:
    from websockets.asyncio.server import serve

    async def take(connection: "ServerConnection") -> None:
        async for message in connection:
            await connection.send(str(ledger.take(message)))

    async with serve(take, sock=listener, compression=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    _run()
