"""A TLS handshake as a wiretap sees it: who sent what, and how much of it is in clear.

    seen = handshake(client_context, server_context, "localhost")
    seen.group, seen.round_trips, seen.clear, seen.encrypted

Both sides run in this process and are joined by buffers in memory, so that every byte passes by
here; nothing is decrypted. For notebook 3_7_tls_and_tokens and its exercises.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Side = Literal["client", "server"]

CHANGE_CIPHER_SPEC, APPLICATION_DATA = 20, 23
"""Types of records, RFC 8446 section 5.1. In TLS 1.3 what is encrypted is all of the second."""
SERVER_HELLO, KEY_SHARE = 2, 51
HELLO_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random of a ServerHello that asks for another key share, RFC 8446 section 4.1.3."""
GROUPS = {
    0x0017: "secp256r1",
    0x0018: "secp384r1",
    0x0019: "secp521r1",
    0x001D: "x25519",
    0x001E: "x448",
    0x11EB: "SecP256r1MLKEM768",
    0x11EC: "X25519MLKEM768",
    0x11ED: "SecP384r1MLKEM1024",
}
"""From IANA's registry of TLS supported groups; the last three are hybrid with ML-KEM."""


@dataclass(frozen=True)
class Record:
    """One record, RFC 8446 section 5.1."""

    sender: Side
    type: int
    content: bytes
    """Without the header of five bytes."""
    encrypted: bool


@dataclass(frozen=True)
class Handshake:
    """What was sent until both sides were content, tickets for a later session included."""

    version: str
    cipher: str
    group: str | None
    """Of the key agreement; None in TLS 1.2, whose ServerHello does not name it."""
    round_trips: int
    """Answers that the client waited for before it could send a request."""
    records: tuple[Record, ...]

    @property
    def clear(self) -> bytes:
        """All that anyone on the way reads."""
        return b"".join(record.content for record in self.records if not record.encrypted)

    @property
    def encrypted(self) -> bytes:
        """All that he sees and cannot read."""
        return b"".join(record.content for record in self.records if record.encrypted)


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> Handshake:
    """Let a client that wants `name` and a server talk until neither has more to say.

    Raises what a side raises that refuses: ssl.SSLError, or the kind of it that says more.
    """
    to_client, from_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    to_server, from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, from_client, server_hostname=name)
    answering = server.wrap_bio(to_server, from_server, server_side=True)
    flights: list[tuple[Side, bytes]] = []
    client_done = server_done = answered = False
    round_trips = 0
    while not (client_done and server_done) or answered:
        if not client_done:
            client_done = _goes_on(asking)
            round_trips = sum(sender == "server" for sender, _ in flights)
        _pass_on("client", from_client, to_server, flights)
        server_done = server_done or _goes_on(answering)
        answered = _pass_on("server", from_server, to_client, flights)
    version, cipher = asking.version(), asking.cipher()
    assert version is not None and cipher is not None  # both sides are done
    records = tuple(_records(flights, version))
    return Handshake(version, cipher[0], _group(records), round_trips, records)


def _goes_on(side: ssl.SSLObject) -> bool:
    """Whether `side` has all that it wants; what it says next is in its outgoing buffer."""
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _pass_on(
    sender: Side, source: ssl.MemoryBIO, target: ssl.MemoryBIO, seen: list[tuple[Side, bytes]]
) -> bool:
    said = source.read()
    if said:
        seen.append((sender, said))
        target.write(said)
    return bool(said)


def _records(flights: list[tuple[Side, bytes]], version: str) -> Iterator[Record]:
    changed: set[Side] = set()
    for sender, said in flights:
        while said:
            length = int.from_bytes(said[3:5], "big")
            kind, content, said = said[0], said[5 : 5 + length], said[5 + length :]
            encrypted = kind == APPLICATION_DATA or (version != "TLSv1.3" and sender in changed)
            yield Record(sender, kind, content, encrypted)
            # In TLS 1.2 all after it is encrypted; in 1.3 it means nothing, and is sent for
            # middleboxes that know 1.2.
            if kind == CHANGE_CIPHER_SPEC:
                changed.add(sender)


def _group(records: tuple[Record, ...]) -> str | None:
    """What the ServerHello's key share is of, RFC 8446 section 4.2.8."""
    for record in records:
        hello = record.content
        if record.sender == "server" and not record.encrypted and hello[0] == SERVER_HELLO:
            if hello[6:38] == HELLO_RETRY:
                continue
            share = dict(_extensions(hello)).get(KEY_SHARE)
            if share is None:
                return None
            number = int.from_bytes(share[:2], "big")
            return GROUPS.get(number, f"group {number:#06x}")
    return None


def _extensions(hello: bytes) -> Iterator[tuple[int, bytes]]:
    """Of a ServerHello: after type and length (4), version (2), random (32), session, cipher (2),
    compression (1) and their own length (2)."""
    position = 39 + hello[38] + 5
    while position + 4 <= len(hello):
        kind = int.from_bytes(hello[position : position + 2], "big")
        length = int.from_bytes(hello[position + 2 : position + 4], "big")
        yield kind, hello[position + 4 : position + 4 + length]
        position += 4 + length
