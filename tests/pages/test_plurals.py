"""Plural forms, numbers, money and dates in each language, as pages write them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bff.languages.catalogues import Catalogues

WORDS = Catalogues().words
POINTS = ("%(points)s point", "%(points)s points")


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0 نقطة"), (1, "نقطة واحدة"), (2, "نقطتان"), (3, "3 نقاط"), (10, "10 نقاط"), (11, "11 نقطة"),
        (99, "99 نقطة"), (100, "100 نقطة"), (103, "103 نقاط"),
    ],
)  # fmt: skip
def test_arabic_has_six_plural_forms(number: int, written: str) -> None:
    assert WORDS("ar").plural(*POINTS, number) % {"points": number} == written


@pytest.mark.parametrize(("tag", "written"), [("en", "0 points"), ("de", "0 Punkte"), ("fr", "0 point")])
def test_none_is_one_or_many_as_the_language_has_it(tag: str, written: str) -> None:
    assert WORDS(tag).plural(*POINTS, 0) % {"points": 0} == written


def test_a_million_points_are_of_points_in_french() -> None:
    french = WORDS("fr")
    assert french.plural(*POINTS, 10**6) % {"points": french.formats.number(10**6)} == "1\u202f000\u202f000 de points"


@pytest.mark.parametrize(
    ("tag", "dollars", "yen", "percent", "day"),
    [
        ("en", "$114.60", "¥1,500", "10%", "November 28, 2026"),
        ("fr", "114,60\xa0$US", "1\u202f500\xa0JPY", "10\xa0%", "28 novembre 2026"),
        ("de", "114,60\xa0$", "1.500\xa0¥", "10\xa0%", "28. November 2026"),
        ("es", "114,60\xa0US$", "1.500\xa0JPY", "10\xa0%", "28 de noviembre de 2026"),
        ("ar", "\u200f114.60\xa0\u200eUS$\u200e", "\u200f1,500\xa0\u200eJP¥\u200e", "10%", "28 نوفمبر 2026"),
    ],
)
def test_amounts_and_days_are_written_as_in_the_language(
    tag: str, dollars: str, yen: str, percent: str, day: str
) -> None:
    formats = WORDS(tag).formats
    assert formats.money(Decimal("114.6"), "USD") == dollars
    assert formats.money(Decimal(1500), "JPY") == yen
    assert formats.percent(10) == percent
    assert formats.day(datetime(2026, 11, 28, tzinfo=UTC)) == day


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [("30.00", "USD", "$30"), ("0.5", "USD", "$0.50"), ("1234567.891", "KWD", "KWD1,234,567.891")],
)
def test_whole_amounts_have_no_decimals_and_others_those_of_their_currency(
    amount: str, currency: str, written: str
) -> None:
    assert WORDS("en").formats.money(Decimal(amount), currency) == written
