"""The published pair collides in MD5 and in nothing else; a secret at the end does not help."""

import hashlib
import hmac
import secrets

import pytest

from answerbook.notebook.attacks.md5_collision import COLLIDING_ONE, COLLIDING_OTHER


def test_pair_is_two_inputs_with_one_md5() -> None:
    assert COLLIDING_ONE != COLLIDING_OTHER
    assert 128 == len(COLLIDING_ONE) == len(COLLIDING_OTHER)
    digests = [hashlib.md5(each).hexdigest() for each in (COLLIDING_ONE, COLLIDING_OTHER)]
    assert ["79054025255fb1a26e4bc422aef54eb4"] * 2 == digests


@pytest.mark.parametrize("name", ["sha1", "sha256", "sha512", "sha3_256", "blake2b", "blake2s"])
def test_other_hashes_tell_the_pair_apart(name: str) -> None:
    digests = {hashlib.new(name, each).digest() for each in (COLLIDING_ONE, COLLIDING_OTHER)}
    assert 2 == len(digests)


def test_tag_of_one_is_a_tag_of_the_other_where_the_secret_comes_last() -> None:
    secret = secrets.token_bytes(16)
    tag = hashlib.md5(COLLIDING_ONE + secret).digest()
    assert tag == hashlib.md5(COLLIDING_OTHER + secret).digest()


def test_hmac_of_md5_tells_the_pair_apart() -> None:
    key = secrets.token_bytes(16)
    tag = hmac.digest(key, COLLIDING_ONE, "md5")
    assert tag != hmac.digest(key, COLLIDING_OTHER, "md5")
