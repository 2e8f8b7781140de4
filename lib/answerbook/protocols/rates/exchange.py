"""What the currency desk does, whichever protocol it is asked through.

Amounts and rates are decimals, and travel as text: a binary float holds neither 0.1 nor a large
sum to the cent, and a number in JSON becomes a float in most languages. The rates are made up, and
fixed, so that a lesson can say what comes out.
"""

import decimal
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Contract = Literal["old", "new"]
"""Which release of the service a peer is."""

PER_EURO = {
    "EUR": Decimal(1),
    "CHF": Decimal("0.9400"),
    "GBP": Decimal("0.8400"),
    "JPY": Decimal("163.20"),
    "KWD": Decimal("0.3330"),
    "USD": Decimal("1.0850"),
}

MINOR_DIGITS = {"JPY": 0, "KWD": 3}
"""Decimals of a currency's smallest unit where they are not two (ISO 4217)."""

ROUNDINGS = {
    "half_even": decimal.ROUND_HALF_EVEN,
    "half_up": decimal.ROUND_HALF_UP,
    "down": decimal.ROUND_DOWN,
}
DEFAULT_ROUNDING = "half_even"

# Six significant digits: what Regulation (EC) 1103/97 gives the rates of the euro.
_QUOTING = decimal.Context(prec=6)
# Enough for every amount that is admitted, so that only the last step rounds.
_CONVERTING = decimal.Context(prec=40)
_AMOUNT = re.compile(r"[0-9]{1,18}(\.[0-9]{1,6})?")


class Refused(ValueError):
    """The desk cannot do what it was asked for; the message says why, to whoever asked."""


class UnknownCurrency(Refused):
    """A currency that the desk does not trade in."""

    def __init__(self, currency: str) -> None:
        super().__init__(f"no rate for {currency!r}: ask for one of {', '.join(PER_EURO)}")
        self.currency = currency


class BadAmount(Refused):
    """Not a text such as "12.50"."""


class BadRounding(Refused):
    """A way to round that is not in ROUNDINGS."""


@dataclass(frozen=True)
class Quote:
    """One unit of `base` costs `rate` of `counter`."""

    base: str
    counter: str
    rate: Decimal


@dataclass(frozen=True)
class Converted:
    """`amount` of `currency`, in its smallest units, and the rate that led to it."""

    amount: Decimal
    currency: str
    rate: Decimal


def quote(base: str, counter: str) -> Quote:
    """Raises UnknownCurrency for either, whatever came over the wire in its place."""
    for currency in (base, counter):
        if not isinstance(currency, str) or currency not in PER_EURO:
            raise UnknownCurrency(currency)
    return Quote(base, counter, _QUOTING.divide(PER_EURO[counter], PER_EURO[base]))


def quotes(base: str) -> Iterator[Quote]:
    """`base` in every other currency, by their codes. Raises UnknownCurrency before the first."""
    quote(base, base)
    return (quote(base, counter) for counter in sorted(PER_EURO) if counter != base)


def convert(amount: object, base: str, counter: str, rounding: str = DEFAULT_ROUNDING) -> Converted:
    """What `amount` of `base` is in `counter`. Raises Refused for each argument that is wrong.

    `amount` is the text that came over the wire: at most 18 digits, then at most 6 decimals. A
    number is refused, since it may have been rounded before it came here.
    """
    if not isinstance(amount, str) or not _AMOUNT.fullmatch(amount):
        raise BadAmount(f'{amount!r} is no amount: send a decimal as text, like "12.50"')
    if not isinstance(rounding, str) or rounding not in ROUNDINGS:
        raise BadRounding(f"no rounding {rounding!r}: ask for one of {', '.join(ROUNDINGS)}")
    found = quote(base, counter)
    exact = _CONVERTING.multiply(Decimal(amount), found.rate)
    smallest = Decimal(1).scaleb(-MINOR_DIGITS.get(counter, 2))
    rounded = exact.quantize(smallest, ROUNDINGS[rounding], _CONVERTING)
    return Converted(rounded, counter, found.rate)
