"""Exercises of notebook 3_3_aes."""

import json
import secrets
from collections.abc import Callable

from Crypto.Cipher import AES
from Crypto.Random import get_random_bytes
from Crypto.Util.Padding import pad, unpad

from answerbook.notebook.exercises import Exercise

# -- an initial vector, flipped --------------------------------------------------------------------

Flip = Callable[[bytes, bytes, bytes], bytes]


def _flipped_iv(answer: Flip) -> str | None:
    known = b"user=ann;admin=0"
    wanted = b"user=bob;admin=1"
    key = get_random_bytes(32)
    for tail in (b"", b"; and a second block of text"):
        sender = AES.new(key, AES.MODE_CBC)
        iv, ciphertext = bytes(sender.iv), sender.encrypt(pad(known + tail, 16))
        changed = answer(iv, known, wanted)
        if len(changed) != len(iv):
            return f"An IV of AES has 16 bytes, and yours has {len(changed)}."
        read = unpad(AES.new(key, AES.MODE_CBC, iv=changed).decrypt(ciphertext), 16)
        if read != wanted + tail:
            return (
                f"The receiver reads {read[:16]!r}. CBC adds the IV to what it decrypted: each "
                "byte by which you change the IV, the first block changes too."
            )
    return None


def _xor(*parts: bytes) -> bytes:
    result = bytes(len(parts[0]))
    for part in parts:
        result = bytes(a ^ b for a, b in zip(result, part, strict=True))
    return result


def _difference_added(iv: bytes, known: bytes, wanted: bytes) -> bytes:
    return _xor(iv, known, wanted)


def _wanted_alone(iv: bytes, known: bytes, wanted: bytes) -> bytes:
    return wanted


def _known_not_taken_out(iv: bytes, known: bytes, wanted: bytes) -> bytes:
    return _xor(iv, wanted)


def _without_the_iv(iv: bytes, known: bytes, wanted: bytes) -> bytes:
    return _xor(known, wanted)


def _unchanged(iv: bytes, known: bytes, wanted: bytes) -> bytes:
    return iv


def _too_long(iv: bytes, known: bytes, wanted: bytes) -> bytes:
    return _xor(iv, known, wanted) + b"\0"


flipped_iv = Exercise(
    solution=_difference_added,
    wrong=(_wanted_alone, _known_not_taken_out, _without_the_iv, _unchanged, _too_long, b"iv"),
    test=_flipped_iv,
    because="No padding is wrong and no key is known: CBC alone says nothing about who wrote it.",
)

# -- associated data of several fields -------------------------------------------------------------

Encode = Callable[[list[str]], bytes]

LISTS: tuple[tuple[list[str], list[str]], ...] = (
    ([], [""]),
    (["ab", "c"], ["a", "bc"]),
    (["a", ""], ["", "a"]),
    (["a"], ["a", ""]),
    (["a,b"], ["a", "b"]),
    (["a|b"], ["a", "b"]),
    (["a:b"], ["a", "b"]),
    (["a;b"], ["a", "b"]),
    (["a/b"], ["a", "b"]),
    (["a b"], ["a", "b"]),
    (["a\0b"], ["a", "b"]),
    (["a\nb"], ["a", "b"]),
    (["a\x1fb"], ["a", "b"]),
    (["wage", "ann"], ["ann", "wage"]),
    (["é"], ["e"]),
    (["é"], ["?"]),
)
"""Pairs of different lists, which a careless encoding writes alike."""


def _unambiguous(answer: Encode) -> str | None:
    for one, other in LISTS:
        first, second = answer(list(one)), answer(list(other))
        if not isinstance(first, bytes) or not isinstance(second, bytes):
            return "Associated data is bytes."
        if answer(list(one)) != first:
            return "The same fields give other bytes the second time: the receiver could not check."
        if first == second:
            return f"{one} and {other} give the same bytes, so one passes for the other."
    token = secrets.token_hex(200)
    if answer([token]) == answer([token[:-1]]):
        return "A long field and a part of it give the same bytes."
    return None


def _as_json(fields: list[str]) -> bytes:
    return json.dumps(fields).encode()


def _joined(fields: list[str]) -> bytes:
    return "".join(fields).encode()


def _with_commas(fields: list[str]) -> bytes:
    return ",".join(fields).encode()


def _with_zero_bytes(fields: list[str]) -> bytes:
    return b"\0".join(field.encode() for field in fields)


def _sorted(fields: list[str]) -> bytes:
    return json.dumps(sorted(fields)).encode()


def _ascii_alone(fields: list[str]) -> bytes:
    return json.dumps([field.encode("ascii", "replace").decode() for field in fields]).encode()


def _salted(fields: list[str]) -> bytes:
    return get_random_bytes(16) + json.dumps(fields).encode()


def _as_text(fields: list[str]) -> str:
    return json.dumps(fields)


def _cut(fields: list[str]) -> bytes:
    return json.dumps(fields).encode()[:100]


unambiguous = Exercise(
    solution=_as_json,
    wrong=(
        _joined,
        _with_commas,
        _with_zero_bytes,
        _sorted,
        _ascii_alone,
        _salted,
        _as_text,
        _cut,
        b"wage|ann",
    ),
    test=_unambiguous,
    because="Fields that a reader could split in one way only are bound each by itself.",
)

# -- nonces that a key may see ---------------------------------------------------------------------

LIMIT = 2**32
SECONDS_A_DAY = 86_400


def _days(answer: float) -> str | None:
    a_day = 1_000 * SECONDS_A_DAY
    if abs(answer - LIMIT / a_day) < 1:
        return None
    if abs(answer - LIMIT / 1_000) < 1_000:
        return "Those are seconds."
    if answer > 10**6:
        return "That is the birthday of a 96-bit nonce. NIST stops long before a repeat is likely."
    return "SP 800-38D, 8.3, says how many messages: divide that by those of a day."


days = Exercise(
    solution=49.7,
    wrong=(4_294_967, 2**48 / 86_400_000, 365, 24.8, "seven weeks"),
    test=_days,
    because="A busy service has to change its key within weeks, or count its nonces, or take a "
    "longer nonce.",
)
