"""HTTP/2 for TLS clients that ask for it, on the h2 library: correct rather than fast.

Streams are independent: a late answer holds back no other. A connection takes 100 at once, as the
library announces by itself.
"""

import asyncio
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from h2.errors import ErrorCodes

from answerbook.notify.emulator.answers import Answer, platform_error
from answerbook.notify.emulator.connection import MOST_BODY, Answers, Connection, Connections


@dataclass(slots=True)
class _Stream:
    method: bytes = b""
    target: bytes = b""
    authorization: str = ""
    body: list[bytes] = field(default_factory=list)
    size: int = 0


class Http2(Connection):
    """One client's connection."""

    def __init__(self, router: Answers, connections: Connections, *, plain: bool) -> None:
        super().__init__(router, connections, plain=plain)
        self._h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding=None)
        )
        self._streams: dict[int, _Stream] = {}
        self._unsent: dict[int, bytes] = {}
        """Bodies that wait until the client's window has room."""
        self._due = 0

    # -- what asyncio calls ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        try:
            events = self._h2.receive_data(data)
        except h2.exceptions.ProtocolError:
            self._flush()  # it has a GOAWAY ready
            if self._transport is not None:
                self._transport.close()
            return
        for event in events:
            self._happened(event)
        self._send_unsent()
        self._flush()

    def close_when_idle(self) -> None:
        if self._transport is not None and not self._due and not self._unsent:
            self._h2.close_connection(ErrorCodes.NO_ERROR)
            self._flush()
            self._transport.close()

    # -- requests --------------------------------------------------------------------------------

    def _happened(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                self._streams[event.stream_id] = _stream(event.headers)
            case h2.events.DataReceived():
                self._data(event)
            case h2.events.StreamEnded():
                stream = self._streams.pop(event.stream_id, None)
                if stream is not None:
                    self._take(event.stream_id, stream)
            case h2.events.StreamReset():
                self._streams.pop(event.stream_id, None)
                self._unsent.pop(event.stream_id, None)
            case h2.events.ConnectionTerminated():
                if self._transport is not None:
                    self._transport.close()

    def _data(self, event: h2.events.DataReceived) -> None:
        self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        stream = self._streams.get(event.stream_id)
        if stream is None:
            return
        stream.size += len(event.data)
        if stream.size > MOST_BODY:
            del self._streams[event.stream_id]
            why = f"A body has at most {MOST_BODY} bytes."
            self._give(event.stream_id, platform_error(413, "INVALID_ARGUMENT", why))
        else:
            stream.body.append(event.data)

    def _take(self, number: int, stream: _Stream) -> None:
        answer = self._router.answer(
            stream.method,
            stream.target,
            stream.authorization,
            b"".join(stream.body),
            plain=self._plain,
        )
        if not answer.delay and answer.fate == "answer":
            self._give(number, answer)
            return
        self._due += 1
        loop = asyncio.get_running_loop()
        self._late[number] = loop.call_later(answer.delay, self._give_late, number, answer)

    def _give_late(self, number: int, answer: Answer) -> None:
        del self._late[number]
        if answer.fate == "cut":
            self.abort()
        elif answer.fate == "hang":
            self._connections.hanging.add(self)
        elif answer.fate == "answer":
            self._due -= 1
            self._give(number, answer)
            self._flush()
            if self._connections.ending:
                self.close_when_idle()

    # -- answers ---------------------------------------------------------------------------------

    def _give(self, number: int, answer: Answer) -> None:
        headers = [
            (":status", str(answer.status)),
            ("content-type", answer.content_type),
            ("content-length", str(len(answer.body))),
            *answer.headers,
        ]
        try:
            self._h2.send_headers(number, headers)
        except h2.exceptions.ProtocolError:
            return  # the client has given the stream up
        self._unsent[number] = answer.body
        self._send_unsent()

    def _send_unsent(self) -> None:
        for number in list(self._unsent):
            try:
                self._send_some(number)
            except h2.exceptions.ProtocolError:
                self._unsent.pop(number, None)

    def _send_some(self, number: int) -> None:
        body = self._unsent[number]
        while True:
            room = min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size)
            part, body = body[: max(0, room)], body[max(0, room) :]
            if not body:
                self._h2.send_data(number, part, end_stream=True)
                del self._unsent[number]
                return
            if not part:
                self._unsent[number] = body
                return
            self._h2.send_data(number, part)

    def _flush(self) -> None:
        content = self._h2.data_to_send()
        if content and self._transport is not None:
            self._transport.write(content)


def _stream(headers: list[tuple[bytes, bytes]]) -> _Stream:
    stream = _Stream()
    for name, value in headers:
        if name == b":method":
            stream.method = value
        elif name == b":path":
            stream.target = value
        elif name == b"authorization":
            stream.authorization = value.decode("latin-1")
    return stream
