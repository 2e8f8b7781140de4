"""Exercises of notebook 3_2_passwords."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import psycopg

from answerbook.notebook.exercises import Exercise

WORDS, USERS, RATE = 10_000, 2_000, 40
HOURS = WORDS * USERS / RATE / 3600


def _whole_table(answer: float) -> str | None:
    if abs(answer - HOURS) < 1:
        return None
    if abs(answer - HOURS / USERS) < 0.01:
        return "That is for one user. What does a guess for one say about the next, with salts?"
    if abs(answer - HOURS * 3600) < 1:
        return "Those are seconds; hours are asked for."
    return "How many hashes are computed in all, and how many in an hour?"


whole_table = Exercise(
    solution=139,
    wrong=(0.07, 500_000, 250, 12.5, "139"),
    test=_whole_table,
    because="Each user has a salt, so each guess is computed for each user: 20 million hashes.",
)

Prehash = Callable[[str, bytes], bytes]
PEPPER, OTHER_PEPPER = b"p" * 32, b"q" * 32
MOST = 72


def _prehash(answer: Prehash) -> str | None:
    long = [answer("x" * 100 + end, PEPPER) for end in ("", "y", "z")]
    if not all(isinstance(made, bytes) for made in long):
        return "bcrypt takes bytes."
    # Of 300 raw digests of 32 bytes, some hold a zero with all but certainty.
    made = [answer(f"password {number}", PEPPER) for number in range(300)]
    if max(map(len, [*made, *long])) > MOST:
        return f"It is longer than {MOST} bytes for some password."
    if len(set(long)) < len(long):
        return "Two long passwords give the same: their ends do not count."
    if any(b"\0" in one for one in made):
        return "Some hold a zero byte, where many implementations of bcrypt stop reading."
    if answer("password", PEPPER) != answer("password", PEPPER):
        return "The same password gives something else each time, and can never be verified."
    if answer("password", PEPPER) == answer("password", OTHER_PEPPER):
        return "The pepper does not count: hashes from another leak could be tried in its place."
    return None


def _keyed(password: str, pepper: bytes) -> bytes:
    return base64.b64encode(hmac.digest(pepper, password.encode(), "sha256"))


def _cut(password: str, pepper: bytes) -> bytes:
    return (pepper + password.encode())[:MOST]


def _raw(password: str, pepper: bytes) -> bytes:
    return hmac.digest(pepper, password.encode(), "sha256")


def _without_pepper(password: str, pepper: bytes) -> bytes:
    del pepper
    return base64.b64encode(hashlib.sha256(password.encode()).digest())


def _too_long(password: str, pepper: bytes) -> bytes:
    return hmac.new(pepper, password.encode(), "sha512").hexdigest().encode()


def _text(password: str, pepper: bytes) -> Any:
    return _keyed(password, pepper).decode()


prehash = Exercise(
    solution=_keyed,
    wrong=(_cut, _raw, _without_pepper, _too_long, _text, b"p" * 44),
    test=_prehash,
    because="HMAC takes any length and needs the pepper; Base64 of 32 bytes has 44, none of them "
    "zero.",
)


def _swap(answer: str, connection: "psycopg.Connection[tuple[Any, ...]]") -> str | None:
    """Rows a and b have the same MD5; c's was changed by somebody after it was read."""
    read, changed = "1" * 32, "2" * 32
    with connection.transaction(force_rollback=True):
        connection.execute(
            "CREATE TEMPORARY TABLE login ON COMMIT DROP AS SELECT * FROM (VALUES"
            " ('a', %(read)s), ('b', %(read)s), ('c', %(changed)s)) AS one (name, password)",
            {"read": read, "changed": changed},
        )
        for name in ("a", "c"):
            connection.execute(
                f"UPDATE login SET password = 'wrapped' WHERE {answer}".encode(),
                {"name": name, "read": read},
            )
        found = dict(connection.execute("SELECT name, password FROM login").fetchall())
    if found["c"] != changed:
        return "Somebody has changed the password after it was read, and that is lost."
    if found["b"] != read:
        return "Another user with the same password gets this one's hash, and its salt."
    return None if found["a"] == "wrapped" else "Nothing is wrapped."


swap = Exercise(
    solution="name = %(name)s AND password = %(read)s",
    wrong=(
        "name = %(name)s",
        "password = %(read)s",
        "name = %(name)s AND length(password) = 32",
        "name = %(name)s AND password <> %(read)s",
        "true",
        32,
    ),
    test=_swap,
    because="Compare and swap: it writes only over what was read, whoever else is writing.",
)
