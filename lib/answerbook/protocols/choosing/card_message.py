"""ISO 8583: an administrative message for each payload, framed. Run as a program, the receiver.

Acknowledged is what the receiver wrote into its ledger before it answered 0610 with code 00. A
field holds 999 characters at most, so a payload goes in two (48 and 60), and a message of the
collection's usual spec is what carries it.
"""

import asyncio
import socket
from collections.abc import Iterator
from threading import Thread

import iso8583

from answerbook.protocols import peer
from answerbook.protocols.card_network import APPROVED, SPEC
from answerbook.protocols.choosing import receiver
from answerbook.protocols.choosing.ledger import Ledger
from answerbook.protocols.choosing.line import port_of
from answerbook.protocols.framing import FrameError, Frames, framed

TIMEOUT = 5
HALF = 500
TRACE_NUMBERS = 1_000_000


def send(address: str, payloads: Iterator[str]) -> None:
    with socket.create_connection(("127.0.0.1", port_of(address)), TIMEOUT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        frames = Frames()
        for number, payload in enumerate(payloads):
            request = {"t": "0600", "11": f"{number % TRACE_NUMBERS:06}"}
            request |= {"48": payload[:HALF], "60": payload[HALF:]}
            connection.sendall(framed(bytes(iso8583.encode(request, SPEC)[0])))
            while not (answers := list(frames.feed(piece := connection.recv(4_096)))):
                if not piece:
                    raise ConnectionError("The host closed the connection.")
            if iso8583.decode(answers[0], SPEC)[0]["39"] != APPROVED:
                raise ValueError(f"The host refuses {request['11']}.")


def _run() -> None:
    port, ledger = receiver.listening()
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        peer.refuse(port, error)
    Thread(target=asyncio.run, args=(_serve(listener, ledger),), daemon=True).start()
    peer.serve_until_told(f"tcp://127.0.0.1:{listener.getsockname()[1]}")


async def _serve(listener: socket.socket, ledger: Ledger) -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = Frames()
        try:
            while piece := await reader.read(4_096):
                for message in frames.feed(piece):
                    writer.write(framed(_answer(ledger, message)))
                await writer.drain()
        except (FrameError, iso8583.DecodeError, KeyError, ValueError, ConnectionError):
            pass  # nothing that comes after it can be trusted
        finally:
            writer.close()

    async with await asyncio.start_server(converse, sock=listener) as server:
        await server.serve_forever()


def _answer(ledger: Ledger, message: bytes) -> bytes:
    request, _ = iso8583.decode(message, SPEC)
    ledger.take(request["48"] + request["60"])
    answer, _ = iso8583.encode({"t": "0610", "11": request["11"], "39": APPROVED}, SPEC)
    return bytes(answer)


if __name__ == "__main__":
    _run()
