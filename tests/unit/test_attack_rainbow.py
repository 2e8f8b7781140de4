"""The rainbow table finds what lies on its chains, most of its space, nothing that is salted."""

import random
import secrets
from hashlib import md5
from string import ascii_lowercase, digits

import pytest

from answerbook.notebook.accounts import accounts
from answerbook.notebook.attacks.rainbow import RainbowTable

STEPS = 40


def digest(password: str) -> str:
    return md5(password.encode()).hexdigest()


@pytest.fixture(scope="module")
def table() -> RainbowTable:
    """Of the 17,576 passwords of three letters."""
    return RainbowTable(1_800, STEPS, length=3)


def test_every_password_on_a_chain_that_is_kept_is_recovered(table: RainbowTable) -> None:
    starts = table.starts()
    assert len(starts) == len(table)
    for _ in range(50):
        secret = table.at(secrets.choice(starts), secrets.randbelow(STEPS))
        assert secret == table.crack(digest(secret))


def test_most_random_passwords_are_recovered_and_none_wrongly(table: RainbowTable) -> None:
    chosen = ["".join(secrets.choice(ascii_lowercase) for _ in range(3)) for _ in range(300)]
    found = [table.crack(digest(secret)) for secret in chosen]
    assert {None} >= {
        guess for secret, guess in zip(chosen, found, strict=True) if guess != secret
    }, "another password with the same MD5"
    # 0.75 are expected; fewer than 0.6 of 300 are six standard deviations away.
    assert 0.6 < sum(guess is not None for guess in found) / len(found)


def test_salt_of_any_kind_defeats_the_table(table: RainbowTable) -> None:
    for start in random.sample(table.starts(), 30):
        secret, salt = table.at(start, STEPS // 2), secrets.token_hex(8)
        assert table.crack(digest(salt + secret)) is None
        assert table.crack(digest(secret + salt)) is None


def test_password_outside_of_the_space_is_not_found(table: RainbowTable) -> None:
    assert table.crack(digest("abcd")) is None
    assert table.crack(digest("ABC")) is None


def test_table_is_far_smaller_than_its_space_and_counts_its_work(table: RainbowTable) -> None:
    assert 26**3 == table.passwords
    assert 1_800 * STEPS == table.hashes
    assert 10 * len(table) < table.passwords


def test_any_alphabet_and_an_odd_length_are_covered() -> None:
    table = RainbowTable(600, 20, length=3, alphabet=digits, watched=list)
    assert 1_000 == table.passwords
    assert "042" in [table.crack(digest("042")), table.at(42, 0)]
    secret = table.at(table.starts()[-1], 19)
    assert len(secret) == 3
    assert secret == table.crack(digest(secret))


def test_invented_users_are_the_same_each_time_and_some_share_a_password() -> None:
    made = list(accounts(100))
    assert made == list(accounts(100))
    assert 100 == len({name for name, _ in made})
    short = [password for _, password in made if len(password) == 4]
    assert len(set(short)) < len(short) < 100
    assert all(set(password) <= set(ascii_lowercase) for password in short)
