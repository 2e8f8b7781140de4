"""ECB's pattern: a picture that its own ciphertext still shows, and a program that reads it there.

Notebook 3_3_aes draws a lock's display with a code on it (`draw`), encrypts the pixels with AES in
ECB, and shows what comes out (`pixels`). ECB encrypts equal blocks to equal blocks, so the block
that comes most often is the background, and what differs from it is the outline of the digits:
`read` compares it with digits that the attacker draws himself. No key is involved.
"""

from collections import Counter

WIDTH, HEIGHT = 388, 240
"""In pixels. Four bytes each: a row of WIDTH pixels is a whole number of AES's blocks of 16."""
DIGITS = 4

BYTES_A_PIXEL = 4
PIXELS_A_BLOCK = 16 // BYTES_A_PIXEL
BLOCKS_A_ROW = WIDTH // PIXELS_A_BLOCK

CASE = bytes((0, 114, 178, 255))
DISPLAY = bytes((32, 38, 46, 255))
LIT = bytes((240, 228, 66, 255))

FIRST, STEP = 44, 80
"""Left edges of the digits: the first one's, and from one to the next. Not on a block's edge."""
SEGMENTS = {
    "a": (10, 46, 50, 64),
    "b": (46, 60, 60, 116),
    "c": (46, 60, 124, 180),
    "d": (10, 46, 176, 190),
    "e": (-3, 11, 124, 180),
    "f": (-3, 11, 60, 116),
    "g": (10, 46, 113, 127),
}
"""Of a seven-segment digit: left and right from the digit's edge, top and bottom in the picture."""
LIGHTS = {
    "0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc",
    "5": "afgcd", "6": "afgedc", "7": "abc", "8": "abcdefg", "9": "abcdfg",
}  # fmt: skip

UNLIKELY = 0.05
"""Share of a place's blocks that differ from the nearest digit, from which on it is no digit."""


def draw(code: str) -> bytes:
    """The picture of a display that shows the `DIGITS` digits of `code`, row by row."""
    if len(code) != DIGITS or not set(code) <= set(LIGHTS):
        raise ValueError(f"A code has {DIGITS} digits, and is not {code!r}.")
    rows = [bytearray(CASE * WIDTH) for _ in range(HEIGHT)]
    _fill(rows, 14, WIDTH - 14, 18, HEIGHT - 18, DISPLAY)
    for place, digit in enumerate(code):
        edge = FIRST + STEP * place
        for light in LIGHTS[digit]:
            left, right, top, bottom = SEGMENTS[light]
            _fill(rows, edge + left, edge + right, top, bottom, LIT)
    return b"".join(rows)


def pixels(data: bytes) -> list[list[tuple[int, int, int]]]:
    """Rows of red, green and blue for `imshow`, of a picture or of its ciphertext taken for one.

    Each block is drawn in one colour, its first three bytes, so that equal blocks are seen to be
    equal: the four pixels of an encrypted block would have four colours, as stripes.
    """
    colours = [(block[0], block[1], block[2]) for block in _blocks(data)]
    wide = [colour for colour in colours for _ in range(PIXELS_A_BLOCK)]
    return [wide[at : at + WIDTH] for at in range(0, len(wide), WIDTH)]


def repeated(data: bytes) -> int:
    """How many of the blocks of 16 bytes are equal to an earlier one."""
    blocks = _blocks(data)
    return len(blocks) - len(set(blocks))


def read(ciphertext: bytes) -> str:
    """The code that the ciphertext of `draw(code)` shows; `?` for a place where no digit is seen.

    Compares outlines: where a block is not the most frequent one. ECB keeps outlines as they are.
    """
    seen = _outline(ciphertext)
    known = {digit: _outline(draw(digit * DIGITS)) for digit in LIGHTS}
    return "".join(_digit(seen, known, place) for place in range(DIGITS))


def _digit(seen: list[bool], known: dict[str, list[bool]], place: int) -> str:
    left = (FIRST + STEP * place - 3) // PIXELS_A_BLOCK
    right = left + STEP // PIXELS_A_BLOCK
    at = [row * BLOCKS_A_ROW + column for row in range(HEIGHT) for column in range(left, right)]
    differing = {
        digit: sum(seen[block] != outline[block] for block in at)
        for digit, outline in known.items()
    }
    nearest = min(differing, key=lambda digit: differing[digit])
    return nearest if differing[nearest] < UNLIKELY * len(at) else "?"


def _outline(data: bytes) -> list[bool]:
    blocks = _blocks(data)
    ((background, _),) = Counter(blocks).most_common(1)
    return [block != background for block in blocks]


def _blocks(data: bytes) -> list[bytes]:
    return [data[at : at + 16] for at in range(0, len(data), 16)]


def _fill(
    rows: list[bytearray], left: int, right: int, top: int, bottom: int, colour: bytes
) -> None:
    for row in rows[top:bottom]:
        row[left * BYTES_A_PIXEL : right * BYTES_A_PIXEL] = colour * (right - left)
