"""Exercises of notebook 3_6_files_and_keys."""

from collections.abc import Callable, Sequence
from typing import Any

from answerbook.crypto.envelope import Keyring, WrappedKey, wrap
from answerbook.crypto.files import encrypted_size, new_key
from answerbook.notebook.exercises import Exercise

PREFIX = bytes(range(7))

Nonce = Callable[[bytes, int, bool], bytes]


def _nonce(answer: Nonce) -> str | None:
    made: dict[bytes, tuple[int, bool]] = {}
    for place in (0, 1, 255, 256, 65_536, 2**32 - 1):
        for last in (False, True):
            found = answer(PREFIX, place, last)
            if len(found) != 12:
                return f"A nonce of GCM has 12 bytes here, and this one has {len(found)}."
            if found in made:
                return f"{made[found]} and {(place, last)} get the same nonce."
            made[found] = place, last
            if found[:7] != PREFIX:
                return "It begins with the file's prefix."
            if int.from_bytes(found[7:11]) != place:
                return f"Chunk {place} cannot be read out of bytes 7 to 10, the highest byte first."
            if found[11] != last:
                return "The last byte is 1 for the last chunk, and 0 for the others."
    try:
        answer(PREFIX, 2**32, False)
    except OverflowError:
        return None
    return "A chunk too many has to be an error, and not a nonce that was there before."


def _solution(prefix: bytes, place: int, last: bool) -> bytes:
    return prefix + place.to_bytes(4) + bytes([last])


def _little_endian(prefix: bytes, place: int, last: bool) -> bytes:
    return prefix + place.to_bytes(4, "little") + bytes([last])


def _without_the_flag(prefix: bytes, place: int, last: bool) -> bytes:
    return prefix + place.to_bytes(5)


def _too_short(prefix: bytes, place: int, last: bool) -> bytes:
    return prefix + place.to_bytes(4)


def _wraps_around(prefix: bytes, place: int, last: bool) -> bytes:
    return prefix + (place % 2**32).to_bytes(4) + bytes([last])


def _flag_first(prefix: bytes, place: int, last: bool) -> bytes:
    return prefix + bytes([last]) + place.to_bytes(4)


nonce = Exercise(
    solution=_solution,
    wrong=(_little_endian, _without_the_flag, _too_short, _wraps_around, _flag_first, b"12"),
    test=_nonce,
    because="Prefix, place and flag: no two chunks of a file can have the same nonce, and a reader "
    "who expects another chunk computes another nonce. to_bytes raises before it repeats one.",
)

PLAINTEXT_BYTES = 200_000
SIZE = encrypted_size(PLAINTEXT_BYTES)


def _size(answer: int) -> str | None:
    if answer == SIZE:
        return None
    if answer == SIZE - 20:
        return "Count the chunks again: the last one is not full."
    if answer == SIZE - 75:
        return "And the header."
    if answer in (SIZE - 4 * 4, SIZE - 4 * 16):
        return "Each chunk has a length before it and a tag behind it."
    return (
        f"It is {'less' if answer > SIZE else 'more'}: header, text, and 20 bytes for each chunk."
    )


size = Exercise(
    solution=200_155,
    wrong=(200_000, 200_075, 200_135, 200_080, 200_139, 200_091, 262_219, "155"),
    test=_size,
    because="75 bytes of header, and four chunks with 20 bytes each. The size of a file is one of "
    "the things that encryption does not hide.",
)

Destroyable = Callable[[Sequence[WrappedKey], str], bool]


def _destroyable(answer: Destroyable) -> str | None:
    ring = Keyring.new("2025")
    under: dict[str, WrappedKey] = {"2025": wrap(new_key(), ring)}
    for year in ("2026", "2027"):
        ring.add(year)
        under[year] = wrap(new_key(), ring)
    trials: Sequence[tuple[str, Sequence[str], bool]] = (
        ("2026", ("2027", "2027"), True),
        ("2026", ("2026", "2027"), False),
        ("2026", ("2027", "2026"), False),
        ("2026", ("2027", "2026", "2027"), False),
        ("2026", ("2026", "2026"), False),
        ("2025", ("2026", "2027"), True),
        ("2025", (), True),
    )
    for name, keks, expected in trials:
        found: Any = answer([under[kek] for kek in keks], name)
        if found is not True and found is not False:
            return "The answer is True or False."
        if found != expected:
            lost = "a file would be lost" if found else "no file would be lost"
            return f"KEK {name}, and keys under {', '.join(keks) or 'none'}: {lost}."
    return None


def _none_is_under_it(wrapped: Sequence[WrappedKey], name: str) -> bool:
    return all(each.kek != name for each in wrapped)


def _some_is_not(wrapped: Sequence[WrappedKey], name: str) -> bool:
    return any(each.kek != name for each in wrapped)


def _the_last_is_not(wrapped: Sequence[WrappedKey], name: str) -> bool:
    return not wrapped or wrapped[-1].kek != name


def _the_first_is_not(wrapped: Sequence[WrappedKey], name: str) -> bool:
    return not wrapped or wrapped[0].kek != name


def _is_not_the_newest(wrapped: Sequence[WrappedKey], name: str) -> bool:
    return name < "2027"


def _compares_the_record(wrapped: Sequence[WrappedKey], name: str) -> bool:
    return name not in wrapped  # type: ignore[comparison-overlap]


destroyable = Exercise(
    solution=_none_is_under_it,
    wrong=(
        _some_is_not,
        _the_last_is_not,
        _the_first_is_not,
        _is_not_the_newest,
        _compares_the_record,
        True,
    ),
    test=_destroyable,
    because="One key that was missed, in one backup, is one file lost: list them all before.",
)
