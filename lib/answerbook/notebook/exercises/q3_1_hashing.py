"""Exercises of notebook 3_1_hashing."""

import hashlib
import hmac
import itertools
import secrets
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType

from answerbook.notebook.attacks.md5_collision import COLLIDING_ONE, COLLIDING_OTHER
from answerbook.notebook.exercises import Exercise

ENDING = b"Pay on Friday."


def _invoices(answer: tuple[bytes, bytes]) -> str | None:
    one, other = answer
    if one == other:
        return "The two are the same."
    if hashlib.md5(one).digest() != hashlib.md5(other).digest():
        return (
            "Their MD5 differs. After 128 bytes the published pair has led MD5 into one state; "
            "what has to come then?"
        )
    if not (one.endswith(ENDING) and other.endswith(ENDING)):
        return f"They collide, and do not both end with {ENDING!r}."
    return None


invoices = Exercise(
    solution=(COLLIDING_ONE + ENDING, COLLIDING_OTHER + ENDING),
    wrong=(
        (COLLIDING_ONE, COLLIDING_OTHER),
        (ENDING + COLLIDING_ONE, ENDING + COLLIDING_OTHER),
        (b"10" + ENDING, b"99" + ENDING),
        (COLLIDING_ONE + ENDING, COLLIDING_ONE + ENDING),
        "79054025255fb1a26e4bc422aef54eb4",
    ),
    test=_invoices,
    because="Equal states and equal input give equal digests: any ending will do.",
)

Digest = Callable[..., bytes]

RECORDS = (
    (),
    (b"",),
    (b"", b""),
    (b"ann", b"admin"),
    (b"anna", b"dmin"),
    (b"annadmin",),
    (b"ann", b"admin", b""),
    (b"", b"ann", b"admin"),
    (b"admin", b"ann"),
    *((b"ann" + bytes([between]) + b"admin",) for between in range(256)),
    (b"ann\0", b"admin"),
    (b"ann", b"\0admin"),
    (b"3:ann5:admin",),
    (b"ann5:admin",),
    (b"\xff" + b"x" * 255,),
    (b"", b"x" * 255),
)
"""Lists of fields that a careless way of joining them confuses with each other."""


def _fields(answer: Digest) -> str | None:
    seen: dict[bytes, tuple[bytes, ...]] = {}
    for record in RECORDS:
        digest = answer(*record)
        if not isinstance(digest, bytes) or len(digest) < 32:
            return "It returns the 32 bytes of a digest: .digest(), not .hexdigest()."
        if digest != answer(*record):
            return "The same fields have another digest the second time."
        if digest in seen:
            return f"{seen[digest]!r:.60} and {record!r:.60} have the same digest."
        seen[digest] = record
    return None


def _with_lengths(*fields: bytes) -> bytes:
    joined = b"".join(len(field).to_bytes(8) + field for field in fields)
    return hashlib.sha256(joined).digest()


def _joined(*fields: bytes) -> bytes:
    return hashlib.sha256(b"".join(fields)).digest()


def _with_bars(*fields: bytes) -> bytes:
    return hashlib.sha256(b"|".join(fields)).digest()


def _with_zeros(*fields: bytes) -> bytes:
    return hashlib.sha256(b"".join(field + b"\0" for field in fields)).digest()


def _with_short_lengths(*fields: bytes) -> bytes:
    return hashlib.sha256(b"".join(bytes([len(f) % 256]) + f for f in fields)).digest()


def _in_any_order(*fields: bytes) -> bytes:
    return _with_lengths(*sorted(fields))


def _as_text(*fields: bytes) -> str:
    return hashlib.sha256(repr(fields).encode()).hexdigest()


fields = Exercise(
    solution=_with_lengths,
    wrong=(
        _joined,
        _with_bars,
        _with_zeros,
        _with_short_lengths,
        _in_any_order,
        _as_text,
        b"ann|admin",
    ),
    test=_fields,
    because="With its length before each field, the bytes can be read back in one way only.",
)

Verify = Callable[[bytes, bytes, str | None], object]

PREFIX = "sha256="


def _webhook(answer: Verify) -> str | None:
    secret, body = secrets.token_bytes(32), b'{"paid": true}'
    right = PREFIX + hmac.new(secret, body, "sha256").hexdigest()
    if answer(secret, body, right) is not True:
        return "It does not return True for a valid signature."
    longer_body = hmac.new(secret, body + b" ", "sha256").hexdigest()
    refused = {
        "is of another body": PREFIX + longer_body,
        "is of another key": PREFIX + hmac.new(secret[:-1], body, "sha256").hexdigest(),
        "is a bare hash of secret and body": PREFIX + hashlib.sha256(secret + body).hexdigest(),
        "lacks its prefix": right.removeprefix(PREFIX),
        "is for another algorithm": "sha1=" + right.removeprefix(PREFIX),
        "is cut short": right[:-2],
        "is a prefix and nothing else": PREFIX,
        "is empty": "",
        "is not ASCII": PREFIX + "é" * 64,
        "is not there (None)": None,
    }
    for what, header in refused.items():
        try:
            verdict = answer(secret, body, header)
        except Exception as error:  # noqa: BLE001
            return f"A header that {what} raises {type(error).__name__}: the sender crashes you."
        if verdict is not False:
            return f"A header that {what} is not answered with False."
    if "compare_digest" not in set(_names(answer)):
        return "Every verdict is right, and the clock tells how much of a guess is, too."
    return None


def _names(function: object) -> Iterator[str]:
    """What a function written in Python calls by name."""
    if isinstance(function, FunctionType):
        codes = [function.__code__]
        while codes:
            code = codes.pop()
            yield from itertools.chain(code.co_names, code.co_freevars)
            codes += [inner for inner in code.co_consts if isinstance(inner, CodeType)]


def _compared(secret: bytes, body: bytes, header: str | None) -> bool:
    expected = PREFIX + hmac.new(secret, body, "sha256").hexdigest()
    return hmac.compare_digest(expected.encode(), (header or "").encode())


def _by_equality(secret: bytes, body: bytes, header: str | None) -> bool:
    return PREFIX + hmac.new(secret, body, "sha256").hexdigest() == header


def _without_prefix(secret: bytes, body: bytes, header: str | None) -> bool:
    expected = hmac.new(secret, body, "sha256").hexdigest()
    return hmac.compare_digest(expected.encode(), (header or "").removeprefix(PREFIX).encode())


def _of_text(secret: bytes, body: bytes, header: str | None) -> bool:
    return hmac.compare_digest(PREFIX + hmac.new(secret, body, "sha256").hexdigest(), header or "")


def _by_its_end(secret: bytes, body: bytes, header: str | None) -> bool:
    return bool(header) and _by_equality(secret, body, PREFIX + str(header).rpartition("=")[2])


def _by_a_bare_hash(secret: bytes, body: bytes, header: str | None) -> bool:
    expected = PREFIX + hashlib.sha256(secret + body).hexdigest()
    return hmac.compare_digest(expected.encode(), (header or "").encode())


def _whatever_the_header_has(secret: bytes, body: bytes, header: str | None) -> bool:
    expected = PREFIX + hmac.new(secret, body, "sha256").hexdigest()
    given = (header or "").encode()
    return hmac.compare_digest(expected.encode()[: len(given)], given)


webhook = Exercise(
    solution=_compared,
    wrong=(
        _by_equality,
        _without_prefix,
        _of_text,
        _by_its_end,
        _by_a_bare_hash,
        _whatever_the_header_has,
        True,
    ),
    test=_webhook,
    because="Compared as bytes, whole, in constant time, and nothing that is sent makes it raise.",
)
