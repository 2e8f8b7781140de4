"""The card network's host moves money once for each request, and gives it back once."""

import socket
from collections.abc import Iterator
from contextlib import closing

import iso8583
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from answerbook.protocols import card_network
from answerbook.protocols.card_network import OPENING_CENTS, SPEC, TEST_PAN, Host, NotServed, masked
from answerbook.protocols.endpoint import Endpoint
from answerbook.protocols.framing import Frames, framed

SECONDS = 10
Message = dict[str, str]

PURCHASE: Message = {
    "t": "0100",
    "2": TEST_PAN,
    "3": "000000",
    "4": f"{2_500:012}",
    "7": "1124101530",
    "11": "000042",
    "32": "12345",
    "41": "TERM0001",
    "49": "978",
}


@pytest.fixture
def running() -> Iterator[Endpoint]:
    with card_network.serve() as started:
        yield started


def ask(host: Host, request: Message) -> Message:
    raw, _ = iso8583.encode(dict(request), SPEC)
    return iso8583.decode(host.answer(bytes(raw)), SPEC)[0]


def left(answer: Message) -> int:
    return int(answer["54"][8:])


def reversal_of(request: Message, trace: str) -> Message:
    original = f"0100{request['11']}{request['7']}{request['32']:0>11}"
    return {**request, "t": "0400", "11": trace, "90": f"{original:0<42}"}


def read(connection: socket.socket, count: int) -> list[Message]:
    """`count` answers, or all until the host closes."""
    frames = Frames()
    found: list[bytes] = []
    while len(found) < count and (piece := connection.recv(4_096)):
        found += frames.feed(piece)
    return [iso8583.decode(message, SPEC)[0] for message in found]


def test_an_authorisation_is_answered_field_by_field() -> None:
    answer = ask(Host(), PURCHASE)
    assert ("0110", "00", "000001") == (answer["t"], answer["39"], answer["38"])
    assert OPENING_CENTS - 2_500 == left(answer)
    for field in ("2", "3", "4", "7", "11", "32", "41", "49"):
        assert PURCHASE[field] == answer[field]


def test_a_repeated_request_gets_the_first_answer_and_moves_no_money() -> None:
    host = Host()
    first = ask(host, PURCHASE)
    assert first == ask(host, PURCHASE) == ask(host, {**PURCHASE, "t": "0101"})
    assert left(first) - 2_500 == left(ask(host, {**PURCHASE, "11": "000043"}))


@pytest.mark.parametrize(
    ("field", "value"), [("11", "000043"), ("41", "TERM0002"), ("7", "1124101531")]
)
def test_trace_number_terminal_and_time_tell_requests_apart(field: str, value: str) -> None:
    host = Host()
    assert left(ask(host, PURCHASE)) - 2_500 == left(ask(host, {**PURCHASE, field: value}))


def test_a_reversal_gives_the_money_back_once() -> None:
    host = Host()
    ask(host, PURCHASE)
    reversal = reversal_of(PURCHASE, "000050")
    answer = ask(host, reversal)
    assert ("0410", "00", OPENING_CENTS) == (answer["t"], answer["39"], left(answer))
    assert answer == ask(host, {**reversal, "t": "0401"})
    another = ask(host, reversal_of(PURCHASE, "000051"))
    assert ("00", OPENING_CENTS) == (another["39"], left(another))


def test_a_reversal_of_what_never_arrived_is_not_found() -> None:
    answer = ask(Host(), reversal_of(PURCHASE, "000050"))
    assert ("25", OPENING_CENTS) == (answer["39"], left(answer))


def test_a_reversal_from_another_terminal_is_not_found() -> None:
    host = Host()
    ask(host, PURCHASE)
    answer = ask(host, {**reversal_of(PURCHASE, "000050"), "41": "TERM0002"})
    assert ("25", OPENING_CENTS - 2_500) == (answer["39"], left(answer))


def test_an_inquiry_moves_no_money() -> None:
    answer = ask(Host(), {**PURCHASE, "3": "310000"})
    assert ("00", OPENING_CENTS) == (answer["39"], left(answer))


def test_more_than_there_is_is_declined() -> None:
    answer = ask(Host(), {**PURCHASE, "4": f"{OPENING_CENTS + 1:012}"})
    assert ("51", OPENING_CENTS) == (answer["39"], left(answer))
    assert "38" not in answer


def test_an_unknown_card_is_declined_without_a_balance() -> None:
    answer = ask(Host(), {**PURCHASE, "2": "5555555555554444"})
    assert "14" == answer["39"]
    assert "54" not in answer


@pytest.mark.parametrize("field", ["2", "3", "4", "7", "11", "41"])
def test_a_missing_field_is_named_as_the_reason(field: str) -> None:
    answer = ask(Host(), {name: value for name, value in PURCHASE.items() if name != field})
    assert "30" == answer["39"]


def test_an_amount_that_is_no_number_is_a_format_error() -> None:
    assert "30" == ask(Host(), {**PURCHASE, "4": "twelve euros"})["39"]


def test_an_echo_test_is_answered() -> None:
    answer = ask(Host(), {"t": "0800", "7": "1124101530", "11": "000001"})
    assert ("0810", "00") == (answer["t"], answer["39"])


def test_a_message_of_another_type_is_not_served() -> None:
    with pytest.raises(NotServed, match="type 0220"):
        ask(Host(), {**PURCHASE, "t": "0220"})


@given(message=st.binary(max_size=300))
def test_garbage_raises_only_the_named_errors(message: bytes) -> None:
    with pytest.raises((iso8583.DecodeError, NotServed)):
        Host().answer(message)


fields = st.dictionaries(
    st.sampled_from([name for name in SPEC if name.isdigit() and name != "1"]),
    st.integers(0, 10**40),
)


@given(kind=st.sampled_from(["0100", "0101", "0400", "0401", "0800"]), values=fields)
def test_any_message_of_a_known_type_gets_an_answer(kind: str, values: dict[str, int]) -> None:
    request = {name: _of_length(name, value) for name, value in values.items()} | {"t": kind}
    answer = ask(Host(), request)
    assert f"{kind[:2]}10" == answer["t"]
    assert answer["39"] in {"00", "14", "25", "30", "51"}


def _of_length(name: str, value: int) -> str:
    """Digits that fit the field, whatever its length; binary fields want an even number."""
    width = min(SPEC[name]["max_len"] * (2 if SPEC[name]["data_enc"] == "b" else 1), 40)
    if SPEC[name]["len_type"] == 0:
        width = SPEC[name]["max_len"] * (2 if SPEC[name]["data_enc"] == "b" else 1)
    return f"{value:0{width}}"[-width:]


@settings(max_examples=50)
@given(cents=st.lists(st.integers(1, 4_000), max_size=8), reversed_too=st.integers(0, 8))
def test_the_account_holds_what_was_not_taken(cents: list[int], reversed_too: int) -> None:
    host, approved = Host(), {}
    for number, amount in enumerate(cents):
        request = {**PURCHASE, "11": f"{number:06}", "4": f"{amount:012}"}
        if ask(host, request)["39"] == "00":
            approved[number] = request
    given_back = list(approved)[:reversed_too]
    for number in given_back:
        ask(host, reversal_of(approved[number], f"{number + 100:06}"))
    kept = sum(cents[number] for number in approved if number not in given_back)
    assert OPENING_CENTS - kept == left(ask(host, {**PURCHASE, "11": "999999", "3": "310000"}))


def test_a_masked_number_shows_six_digits_and_four() -> None:
    assert "411111******1111" == masked(TEST_PAN)


def test_messages_in_one_piece_and_in_many_are_answered_in_order(running: Endpoint) -> None:
    raws = [iso8583.encode({**PURCHASE, "11": f"{n:06}"}, SPEC)[0] for n in range(3)]
    with closing(connect(running)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(framed(bytes(raws[0])) + framed(bytes(raws[1])))
        for byte in framed(bytes(raws[2])):
            connection.sendall(bytes([byte]))
        answers = read(connection, 3)
    assert ["000000", "000001", "000002"] == [answer["11"] for answer in answers]
    assert OPENING_CENTS - 7_500 == left(answers[-1])


@pytest.mark.parametrize(
    "garbage", [b"0082" + bytes(82), framed(b"no card message"), b"\0\0"], ids=repr
)
def test_the_host_closes_on_what_it_cannot_read(running: Endpoint, garbage: bytes) -> None:
    with closing(connect(running)) as connection:
        connection.sendall(garbage)
        assert [] == read(connection, 1)
    with closing(connect(running)) as connection:
        connection.sendall(framed(bytes(iso8583.encode(dict(PURCHASE), SPEC)[0])))
        assert ["00"] == [answer["39"] for answer in read(connection, 1)]


def test_what_came_before_what_the_host_cannot_read_is_answered(running: Endpoint) -> None:
    with closing(connect(running)) as connection:
        connection.sendall(framed(bytes(iso8583.encode(dict(PURCHASE), SPEC)[0])) + b"\0\0")
        assert ["00"] == [answer["39"] for answer in read(connection, 2)]


def connect(running: Endpoint) -> socket.socket:
    return socket.create_connection((running.host, running.port), timeout=SECONDS)
