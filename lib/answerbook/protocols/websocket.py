"""A local WebSocket server that tells everyone who is connected the same numbered prices.

Used by the notebook on push. It keeps nothing: who is not connected does not hear, which is how
WebSocket behaves unless an application adds a log of its own.
"""

import asyncio
import socket
import sys
from threading import Thread
from typing import TYPE_CHECKING

from answerbook.protocols import peer
from answerbook.protocols.ticks import ticking

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection


def serve(port: int = 0) -> peer.Peer:
    """Serve prices on loopback, by default on a free port; its `url` begins with ws://.

    Raises peer.PeerFailed when `port` is taken.
    """
    return peer.start(__name__, str(port))


def _run(port: int) -> None:
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        peer.refuse(port, error)
    Thread(target=asyncio.run, args=(_publish(listener),), daemon=True).start()
    peer.serve_until_told(f"ws://127.0.0.1:{listener.getsockname()[1]}")


async def _publish(listener: socket.socket) -> None:
    from websockets.asyncio.server import broadcast
    from websockets.asyncio.server import serve as listen

    # Uncompressed, so that the bytes on the wire can be explained one by one.
    async with listen(_hold, sock=listener, compression=None) as server:
        async for _, body in ticking():
            # Writes to each connection without waiting for any: a slow reader's messages pile up
            # in this process, until the ping that it does not answer ends the connection.
            broadcast(server.connections, body)


async def _hold(connection: "ServerConnection") -> None:
    """Keep a connection open until the client leaves; what it says is of no interest."""
    async for _ in connection:
        pass


if __name__ == "__main__":
    _run(int(sys.argv[1]))
