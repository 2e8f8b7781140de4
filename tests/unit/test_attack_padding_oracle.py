"""A message is read from a server that tells about padding, not from one that authenticates."""

import secrets

import pytest
from Crypto.Cipher import AES
from Crypto.Random import get_random_bytes
from Crypto.Util.Padding import unpad

from answerbook.notebook.attacks.padding_oracle import (
    BrokenServer,
    Resisted,
    SoundServer,
    recover,
)


def read(server: BrokenServer) -> bytes:
    found = dict(recover(server.token, server.accepts))
    return unpad(bytes(found[place] for place in sorted(found)), 16)


@pytest.mark.parametrize("length", [0, 1, 14, 15, 16, 17, 31, 32, secrets.randbelow(100)])
def test_random_message_of_any_length_is_read(length: int) -> None:
    message = get_random_bytes(length)
    assert message == read(BrokenServer(message))


def test_padding_of_two_bytes_is_not_taken_for_one() -> None:
    # Decrypted alone, the block ends in 3, 2. The attack puts a block before it that ends in 1 and
    # a guess: 0 makes it 2, 2, which is right padding, before 3 makes it the 1 that is sought.
    server = BrokenServer(b"")
    wanted = get_random_bytes(14) + b"\3\2"
    block = AES.new(server._key, AES.MODE_ECB).encrypt(wanted)
    front = b"\1" * 15
    assert server.accepts(front + b"\0" + block)
    assert server.accepts(front + b"\3" + block)
    found = dict(recover(bytes(16) + block, server.accepts))
    assert wanted == bytes(found[place] for place in range(16))


@pytest.mark.parametrize("end", [b"\1", b"\2\2", b"\3\3\3", b"\x10" * 16])
def test_message_that_ends_like_padding_is_read_with_its_end(end: bytes) -> None:
    message = get_random_bytes(16 - len(end)) + end
    assert message == read(BrokenServer(message))


def test_it_takes_at_most_256_questions_a_byte_and_a_few_more() -> None:
    server = BrokenServer(get_random_bytes(47))
    read(server)
    assert 48 <= server.asked <= 48 * 256 + 3 * 256


def test_server_that_authenticates_first_gives_no_byte_away() -> None:
    message = get_random_bytes(40)
    server = SoundServer(message)
    assert server.accepts(server.token)
    with pytest.raises(Resisted):
        next(recover(server.token, server.accepts))
    assert 1 + 256 == server.asked


def test_both_servers_accept_their_own_token() -> None:
    for server in (BrokenServer(b"hello"), SoundServer(b"hello")):
        assert server.accepts(server.token)
