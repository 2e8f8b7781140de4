"""The currency desk is exact, and refuses what it cannot convert exactly."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answerbook.protocols.rates import exchange
from answerbook.protocols.rates.exchange import BadAmount, BadRounding, UnknownCurrency

currencies = st.sampled_from(sorted(exchange.PER_EURO))
amounts = st.from_regex(r"[0-9]{1,18}(\.[0-9]{1,6})?", fullmatch=True).filter(str.isascii)


@given(amount=amounts, base=currencies, counter=currencies)
def test_a_conversion_is_within_half_a_smallest_unit(amount: str, base: str, counter: str) -> None:
    done = exchange.convert(amount, base, counter)
    exact = Fraction(amount) * Fraction(done.rate)
    unit = Fraction(1, 10 ** exchange.MINOR_DIGITS.get(counter, 2))
    assert abs(exact - Fraction(done.amount)) <= unit / 2


@given(amount=amounts, base=currencies, counter=currencies)
def test_rounding_down_never_gives_more(amount: str, base: str, counter: str) -> None:
    down = exchange.convert(amount, base, counter, "down").amount
    assert down <= exchange.convert(amount, base, counter, "half_even").amount
    assert down <= exchange.convert(amount, base, counter, "half_up").amount


@given(amount=amounts, base=currencies, counter=currencies)
def test_what_is_sent_is_plain_decimal_text(amount: str, base: str, counter: str) -> None:
    done = exchange.convert(amount, base, counter)
    assert set(f"{done.amount} {done.rate}") <= set("0123456789. ")


@given(base=currencies)
def test_a_currency_in_itself_costs_one(base: str) -> None:
    assert Decimal(1) == exchange.quote(base, base).rate


@given(base=currencies, counter=currencies)
def test_there_and_back_again_loses_less_than_the_rates_digits(base: str, counter: str) -> None:
    there, back = exchange.quote(base, counter).rate, exchange.quote(counter, base).rate
    assert abs(there * back - 1) < Decimal("0.00002")


def test_half_a_cent_goes_where_the_rounding_says() -> None:
    results = {
        name: exchange.convert("1", "EUR", "USD", name).amount for name in exchange.ROUNDINGS
    }
    expected = {"half_even": Decimal("1.08"), "half_up": Decimal("1.09"), "down": Decimal("1.08")}
    assert expected == results


@pytest.mark.parametrize(
    ("currency", "amount"), [("JPY", "163"), ("KWD", "0.333"), ("CHF", "0.94")]
)
def test_a_currency_has_its_own_smallest_unit(currency: str, amount: str) -> None:
    assert amount == str(exchange.convert("1", "EUR", currency).amount)


def test_the_quotes_of_a_base_are_all_others() -> None:
    assert ["CHF", "EUR", "GBP", "KWD", "USD"] == [one.counter for one in exchange.quotes("JPY")]


@pytest.mark.parametrize(
    "amount",
    ["ten", "", "-1", "+1", "1e3", "NaN", "Infinity", ".5", "1.", "1 000", "1\n", "١", "1.1234567",
     "1" * 19, 1, 1.5, True, None, [], b"1"],
)  # fmt: skip
def test_what_is_no_amount_is_refused(amount: object) -> None:
    with pytest.raises(BadAmount, match="send a decimal as text"):
        exchange.convert(amount, "EUR", "USD")


@given(currency=st.text().filter(lambda text: text not in exchange.PER_EURO))
def test_an_unknown_currency_is_named(currency: str) -> None:
    with pytest.raises(UnknownCurrency) as caught:
        exchange.quote("EUR", currency)
    assert currency == caught.value.currency
    with pytest.raises(UnknownCurrency):
        exchange.quotes(currency)


def test_an_unknown_rounding_is_refused() -> None:
    with pytest.raises(BadRounding, match="half_even, half_up, down"):
        exchange.convert("1", "EUR", "USD", "up")
