"""The retailers whose accounts can be linked at the pretended Subtotal, each with its Link code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Retailer:
    """`code` is the last part of the Link URL: subtotal.com/docs/subtotal-link/link-urls."""

    id: str
    name: str
    code: str


RETAILERS = (
    Retailer("walmart", "Walmart", "wLm4rT7a"),
    Retailer("target", "Target", "tRg3t9Kb"),
    Retailer("amazon", "Amazon", "aMz0nQ2c"),
    Retailer("sephora", "Sephora", "sEph0R4d"),
    Retailer("costco", "Costco", "c0sTc0We"),
    Retailer("best-buy", "Best Buy", "bEstBuY8"),
)


def with_code(code: str) -> Retailer | None:
    return next((retailer for retailer in RETAILERS if retailer.code == code), None)


def with_id(retailer_id: str) -> Retailer | None:
    return next((retailer for retailer in RETAILERS if retailer.id == retailer_id), None)
