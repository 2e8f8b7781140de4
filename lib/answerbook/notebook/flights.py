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

CHANGE_CIPHER_SPEC, HANDSHAKE, APPLICATION_DATA = 20, 22, 23
"""Types of records, RFC 8446 section 5.1. In TLS 1.3 what is encrypted is all of the last."""
SERVER_HELLO, SERVER_KEY_EXCHANGE = 2, 12
KEY_SHARE, NAMED_CURVE = 51, 3
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
    """Of the key agreement; None where there was none, as in a session that goes on."""
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
    # Both sides are done, so that neither is None.
    assert version is not None
    assert cipher is not None
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
    for sender, flight in flights:
        rest = flight
        while rest:
            length = int.from_bytes(rest[3:5], "big")
            kind, content, rest = rest[0], rest[5 : 5 + length], rest[5 + length :]
            encrypted = kind == APPLICATION_DATA or (version != "TLSv1.3" and sender in changed)
            yield Record(sender, kind, content, encrypted)
            # In TLS 1.2 all after it is encrypted; in 1.3 it means nothing, and is sent for
            # middleboxes that know 1.2.
            if kind == CHANGE_CIPHER_SPEC:
                changed.add(sender)


def _group(records: tuple[Record, ...]) -> str | None:
    """What was agreed on, by name.

    In a ServerHello's key share (RFC 8446 section 4.2.8), or TLS 1.2's ServerKeyExchange (RFC 8422
    section 5.4).
    """
    for kind, message in _messages(records):
        number = b""
        if kind == SERVER_HELLO and message[2:34] != HELLO_RETRY:
            number = dict(_extensions(message)).get(KEY_SHARE, b"")[:2]
        elif kind == SERVER_KEY_EXCHANGE and message[0] == NAMED_CURVE:
            number = message[1:3]
        if number:
            return GROUPS.get(int.from_bytes(number, "big"), f"group 0x{number.hex()}")
    return None


def _messages(records: tuple[Record, ...]) -> Iterator[tuple[int, bytes]]:
    """The server's handshake messages that are in clear: type and content, RFC 8446 section 4."""
    for record in records:
        if record.sender == "server" and record.type == HANDSHAKE and not record.encrypted:
            said = record.content
            while said:
                length = int.from_bytes(said[1:4], "big")
                yield said[0], said[4 : 4 + length]
                said = said[4 + length :]


def _extensions(hello: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and content of a ServerHello's extensions.

    Before them come version (2 bytes), random (32), session (1 and its length), cipher (2),
    compression (1) and their own length (2).
    """
    position = 35 + hello[34] + 5
    while position + 4 <= len(hello):
        kind = int.from_bytes(hello[position : position + 2], "big")
        length = int.from_bytes(hello[position + 2 : position + 4], "big")
        yield kind, hello[position + 4 : position + 4 + length]
        position += 4 + length
