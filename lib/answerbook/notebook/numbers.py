"""Numbers as a reader wants them: three digits that mean something, groups only where they help."""

import math

LEAST_GROUPED = 100_000
"""From here on digits are grouped, so that a port (at most 65535) never is."""


def readable(number: float) -> str:
    """`number` with three significant digits, or all digits of an integer.

    >>> [readable(n) for n in (0.012345, 1.5, 45.678, 1234.5, 1_000_000, 65535)]
    ['0.0123', '1.50', '45.7', '1234', '1,000,000', '65535']
    """
    if isinstance(number, int):
        return _grouped(number)
    if not math.isfinite(number):
        return str(number)
    if number == 0:
        return "0"
    decimals = 2 - math.floor(math.log10(abs(number)))
    if decimals > 8:
        return f"{number:.2e}"
    # Rounding can carry into the next power of ten: 9.999 is 10.0, not 10.00.
    rounded = round(number, decimals)
    decimals = 2 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:.{decimals}f}" if decimals > 0 else _grouped(round(number))


def _grouped(number: int) -> str:
    return f"{number:,}" if abs(number) >= LEAST_GROUPED else str(number)
