"""Money: an amount with the currency's minor digits, and the currency, or nothing at all."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Self

from bff.schemas.base import Schema, described
from bff.vendors.amounts import decimal_of

# Currencies whose minor unit is not a hundredth (ISO 4217, list one).
OTHER_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
MINOR_DIGITS = {name: digits for digits, names in OTHER_DIGITS.items() for name in names.split()}


class Money(Schema, frozen=True):
    """An amount in a currency."""

    amount: Annotated[
        str,
        described("A decimal with the currency's minor digits, such as `30.00`", pattern=r"^-?[0-9]+(\.[0-9]+)?$"),
    ]
    currency_code: Annotated[str, described("ISO 4217, such as `USD`", pattern="^[A-Z]{3}$")]

    @property
    def value(self) -> Decimal:
        return Decimal(self.amount)

    @classmethod
    def of(cls, amount: Decimal | str | None, currency: str | None, rounding: str = ROUND_HALF_UP) -> Self | None:
        """The amount to the currency's last digit; None where the one or the other is not known, since an amount
        without its currency says nothing."""
        known = decimal_of(amount) if isinstance(amount, str) else amount
        if known is None or currency is None:
            return None
        smallest = Decimal(1).scaleb(-MINOR_DIGITS.get(currency, 2))
        return cls(amount=f"{known.quantize(smallest, rounding):f}", currency_code=currency)

    @classmethod
    def example(cls) -> Self:
        return cls(amount="30.00", currency_code="USD")
