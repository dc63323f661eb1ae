"""The names under which one customer is stored: Shopify writes ids in two forms, Subtotal may know an email alone."""

import re

GID = re.compile(r"gid://shopify/Customer/(\d{1,20})", re.ASCII)


def names_of(customer_id: str, email: str | None = None) -> tuple[str, ...]:
    """The id in both of Shopify's forms, or as it is when it is neither, and the email."""
    found = GID.fullmatch(customer_id)
    number = found[1] if found else customer_id if re.fullmatch(r"\d{1,20}", customer_id, re.ASCII) else None
    names = (customer_id,) if number is None else (f"gid://shopify/Customer/{number}", number)
    return (*names, email) if email else names
