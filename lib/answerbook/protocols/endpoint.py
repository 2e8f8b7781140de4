"""A peer whose clients want a host and a port, where an HTTP client takes a URL.

Used by `mqtt`, `sftp` and `card_network`.
"""

from urllib.parse import urlsplit

from answerbook.protocols import peer
from answerbook.protocols.stopping import Stopping


class Endpoint(Stopping):
    """A running peer server. Ends at `stop`, with its `with` block, or with the interpreter."""

    host = "127.0.0.1"

    def __init__(self, running: peer.Peer) -> None:
        port = urlsplit(running.url).port
        assert port is not None, "a peer prints the port that it listens on"
        self.port = port
        self.pid = running.pid
        self._scheme = urlsplit(running.url).scheme
        self._peer = running

    @property
    def running(self) -> bool:
        return self._peer.running

    def stop(self) -> None:
        """End the process and wait until it is gone; its connections are cut off."""
        self._peer.stop()

    def __repr__(self) -> str:
        state = "" if self.running else ", stopped"
        return f"<{self._scheme} peer at {self.host}:{self.port}{state}>"
