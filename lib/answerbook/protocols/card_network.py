"""A card network's host: ISO 8583 messages on a TCP socket, and one account behind it.

Used by the notebook on devices and files. pyiso8583 encodes and decodes; there is no maintained
Python server to take, so the socket here is as thin as it can be: frames in, frames out. What it
understands, in the version of 1987:

    0100, 0101 (repeat)   authorisation → 0110: 00 approved, 51 not enough money, 14 no such card,
                          30 a field is missing; processing code 31…: only asks for the balance
    0400, 0401 (repeat)   reversal of the message named in field 90 → 0410: 00, 25 not found
    0800                  echo test → 0810

Each answer has what is left on the account in field 54. A message that came before (the same
terminal, trace number and time) gets the answer of then, and moves no money. Anything that is no
frame, or no message of these, ends the connection.
"""

import asyncio
import sys
from threading import Thread
from typing import NoReturn

import iso8583
from iso8583.decoder import DecodedDict, SpecDict
from iso8583.specs import default, default_ascii

from answerbook.protocols import peer
from answerbook.protocols.endpoint import Endpoint
from answerbook.protocols.framing import FrameError, Frames, framed

SPEC: SpecDict = {**default_ascii, "p": default["p"], "1": default["1"]}
"""Text fields in ASCII and bitmaps in binary, one common way among many: each network prints its
own, and the two sides must have the same."""

TEST_PAN = "4111111111111111"
"""A number that payment companies publish for tests; no account anywhere has it."""
OPENING_CENTS = 10_000
EURO = "978"

APPROVED, UNKNOWN_CARD, NO_RECORD, MISSING_FIELD, NO_MONEY = "00", "14", "25", "30", "51"
INQUIRY = "31"
"""How a processing code begins that asks for the balance."""

ANSWERED_BY = {"0100": "0110", "0400": "0410", "0800": "0810"}
NEEDED = {
    "0100": ("2", "3", "4", "7", "11", "41"),
    "0400": ("2", "7", "11", "41", "90"),
    "0800": ("7", "11"),
}
ECHOED = ("2", "3", "4", "7", "11", "32", "37", "41", "49")
"""Fields of a request that its answer repeats, so that the sender finds what it belongs to."""


class NotServed(ValueError):
    """A message of a type that this host does not know."""


def serve(port: int = 0) -> Endpoint:
    """Serve the host on loopback, by default on a free port; the account is full again.

    Raises peer.PeerFailed when `port` is taken.
    """
    return Endpoint(peer.start(__name__, str(port)))


def masked(pan: str) -> str:
    """A card number as it may be shown: the first six digits and the last four."""
    return pan[:6] + "*" * (len(pan) - 10) + pan[-4:]


class Host:
    """The account, and the answers that were given."""

    def __init__(self) -> None:
        self._left = {TEST_PAN: OPENING_CENTS}
        self._answers: dict[tuple[str, ...], DecodedDict] = {}
        self._taken: dict[str, int] = {}
        """Cents by authorisation, named as a reversal names it; none after it was reversed."""

    def answer(self, message: bytes) -> bytes:
        """The answer to one message.

        Raises iso8583.DecodeError when it is none, and NotServed for a type that is not known.
        """
        request, _ = iso8583.decode(message, SPEC)
        # A repeat has a 1 as its last digit, and is the same request.
        kind = request["t"][:3] + request["t"][3:].replace("1", "0")
        if kind not in ANSWERED_BY:
            raise NotServed(f"A message of type {request['t']} is not served here.")
        seen = (kind, *(request.get(field, "") for field in ("41", "11", "7")))
        if seen not in self._answers:
            self._answers[seen] = self._first_answer(kind, request)
        answer, _ = iso8583.encode(dict(self._answers[seen]), SPEC)
        return bytes(answer)

    def _first_answer(self, kind: str, request: DecodedDict) -> DecodedDict:
        answer = {field: request[field] for field in ECHOED if field in request}
        answer["t"] = ANSWERED_BY[kind]
        answer["39"] = self._outcome(kind, request)
        if kind == "0100" and answer["39"] == APPROVED:
            answer["38"] = f"{len(self._answers) + 1:06}"
        if request.get("2") in self._left:
            answer["54"] = _amount(self._left[request["2"]])
        return answer

    def _outcome(self, kind: str, request: DecodedDict) -> str:
        if any(field not in request for field in NEEDED[kind]):
            return MISSING_FIELD
        if kind == "0800":
            return APPROVED
        if request["2"] not in self._left:
            return UNKNOWN_CARD
        return self._authorise(request) if kind == "0100" else self._reverse(request)

    def _authorise(self, request: DecodedDict) -> str:
        if request["3"].startswith(INQUIRY):
            return APPROVED
        if not request["4"].isdecimal():
            return MISSING_FIELD
        cents = int(request["4"])
        if cents > self._left[request["2"]]:
            return NO_MONEY
        self._left[request["2"]] -= cents
        self._taken[f"{request['41']} 0100{request['11']}{request['7']}"] = cents
        return APPROVED

    def _reverse(self, request: DecodedDict) -> str:
        """Give back what the authorisation took that field 90 names: type, trace number, time."""
        original = f"{request['41']} {request['90'][:20]}"
        if original not in self._taken:
            return NO_RECORD
        # It stays on record: a second reversal of it gives back nothing, and is no error.
        self._left[request["2"]] += self._taken[original]
        self._taken[original] = 0
        return APPROVED


def _amount(cents: int) -> str:
    """Field 54: account type 00, amount type 02 (available), currency, credit, twelve digits."""
    return f"0002{EURO}C{cents:012}"


async def _converse(host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one connection's messages, in order, until it ends or says what is no message."""
    frames = Frames()
    try:
        while piece := await reader.read(4_096):
            for message in frames.feed(piece):
                writer.write(framed(host.answer(message)))
            await writer.drain()
    except (FrameError, iso8583.DecodeError, NotServed, ConnectionError):
        pass
    finally:
        writer.close()


async def _start(port: int) -> int:
    """Start listening; the port that it listens on."""
    host = Host()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _converse(host, reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    return int(server.sockets[0].getsockname()[1])


def _run(port: int) -> NoReturn:
    loop = asyncio.new_event_loop()
    try:
        bound = loop.run_until_complete(_start(port))
    except OSError as error:
        peer.refuse(port, error)
    Thread(target=loop.run_forever, daemon=True).start()
    peer.serve_until_told(f"tcp://127.0.0.1:{bound}")


if __name__ == "__main__":
    _run(int(sys.argv[1]))
