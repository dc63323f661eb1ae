"""Numbers, money and dates as CLDR writes them in a locale.

Babel works out its patterns anew at each call, which takes a hundred times as long as a lookup. So what is the same for
every amount is asked of it once, and what was written is kept: pages show the same prices, amounts and days.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from babel import Locale
from babel.dates import format_date, format_skeleton, get_month_names
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision

KEPT = 2048
# Has every day that there is.
LEAP_YEAR = 2024
# The sign of a currency in Latin letters: among letters from right to left the "$" of "US$" would stand in front.
LATIN = re.compile(r"[A-Z]+\S?")


class _Around(NamedTuple):
    """What stands before and behind the number of an amount."""

    before: str
    behind: str
    decimals: int = 0


class Formats:
    """Western digits in every language, since coupon codes and the shop's own prices have them."""

    def __init__(self, locale: Locale) -> None:
        self._locale = locale
        self._marks = _marks(locale)
        self._has_thousands = format_decimal(1234567, locale=locale) == f"{1234567:,}".translate(self._marks)
        self._around = lru_cache(KEPT)(self._around_amount)
        self.number: Callable[..., str] = lru_cache(KEPT)(self._number)
        self.money: Callable[[Decimal, str], str] = lru_cache(KEPT)(self._money)
        self._day = lru_cache(KEPT)(self._written_day)
        before, _, behind = format_percent(Decimal("0.07"), locale=locale).partition("7")
        self._around_percent = _Around(before, behind)

    def _number(self, number: int | Decimal, decimals: int = 0) -> str:
        if self._has_thousands:
            return f"{number:,.{decimals}f}".translate(self._marks)
        pattern = f"{self._locale.decimal_formats[None].pattern.partition('.')[0]}.{'0' * decimals}"
        return format_decimal(number, pattern.removesuffix("."), self._locale)

    def _money(self, amount: Decimal, currency: str) -> str:
        """With the decimals of its currency, and none for a whole amount: `$30`, `$114.60`, `114,60 $US`."""
        around = self._around(currency)
        is_whole = amount == amount.to_integral_value()
        number = self.number(amount, 0 if is_whole else max(around.decimals, _decimals_of(amount)))
        return f"{around.before}{number}{around.behind}"

    def percent(self, number: float | Decimal) -> str:
        """Of a hundred: 10 is `10%` or `10 %`."""
        around, exact = self._around_percent, Decimal(str(number))
        return f"{around.before}{self.number(exact, _decimals_of(exact))}{around.behind}"

    def factor(self, number: float) -> str:
        """How many times: 1.5 is `1.5` or `1,5`."""
        exact = Decimal(str(number))
        return self.number(exact, _decimals_of(exact))

    def month_name(self, number: int) -> str:
        """Its name when it stands alone; 1 is January."""
        return str(get_month_names("wide", "stand-alone", self._locale)[number])

    def birthday(self, day: int, month: int) -> str:
        """A day of any year: `February 29` or `29 février`."""
        return str(format_skeleton("MMMMd", date(LEAP_YEAR, month, day), locale=self._locale))

    def day(self, moment: datetime) -> str:
        return self._day(moment.date())

    def month(self, moment: datetime) -> str:
        return format_skeleton("yMMMM", moment.date(), locale=self._locale)

    def _written_day(self, day: date) -> str:
        return format_date(day, "long", self._locale)

    def _around_amount(self, currency: str) -> _Around:
        decimals = get_currency_precision(currency)
        sample = format_currency(7, currency, locale=self._locale)
        before, _, behind = sample.partition(self.number(7, decimals))
        if self._locale.text_direction == "rtl":
            before, behind = (LATIN.sub("\u200e\\g<0>\u200e", part) for part in (before, behind))
        return _Around(before, behind, decimals)


def _marks(locale: Locale) -> dict[int, str]:
    """What stands between thousands, and before decimals."""
    thousands, decimals = format_decimal(1111, locale=locale)[1:-3], format_decimal(Decimal("0.7"), locale=locale)[1:-1]
    return {ord(","): thousands, ord("."): decimals}


def _decimals_of(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
