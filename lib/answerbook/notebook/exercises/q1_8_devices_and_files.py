"""Exercises of notebook 1_8_devices_and_files."""

import random
from collections.abc import Callable

from answerbook.notebook.exercises import Exercise

Fields = Callable[[bytes], list[int]]


def _copies(answer: object) -> str | None:
    if answer == 4:
        return None
    if answer == 1:
        return "That is QoS 2: at QoS 1 the broker does not remember the packet's number."
    return "Each PUBLISH arrived; only what the broker answered was lost."


copies = Exercise(
    solution=4,
    wrong=(1, 3, 2, "four"),
    test=_copies,
    because="Every PUBLISH that arrives is passed on; DUP tells the broker nothing it could use.",
)


def _named(bitmap: bytes) -> list[int]:
    bits = f"{int.from_bytes(bitmap, 'big'):064b}"
    return [number for number, bit in enumerate(bits, start=1) if bit == "1"]


def _fields(answer: Fields) -> str | None:
    if answer(bytes.fromhex("8000000000000001")) == [0, 63]:
        return "The first bit is number 1, not 0."
    chosen = random.Random(8583)
    for bitmap in (bytes(8), *(chosen.randbytes(8) for _ in range(50))):
        found, wanted = list(answer(bitmap)), _named(bitmap)
        if found != wanted:
            return f"For {bitmap.hex(' ')} it says {found[:4]}…, and {wanted[:4]}… are set."
    return None


def _without_leading_zeros(bitmap: bytes) -> list[int]:
    bits = f"{int.from_bytes(bitmap, 'big'):b}"
    return [number for number, bit in enumerate(bits, start=1) if bit == "1"]


fields = Exercise(
    solution=_named,
    wrong=(
        _without_leading_zeros,
        lambda bitmap: [number - 1 for number in _named(bitmap)],
        lambda bitmap: _named(bitmap[::-1]),
        lambda bitmap: [],
        [2, 3, 4],
    ),
    test=_fields,
    because="Bit 1 is the highest bit of the first byte, and leading zeros count.",
)
