"""How the commands of the control API are read: a value is what it should be, or the answer says what it should be."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from bff.sandbox.control.faults import BadCommand
from bff.sandbox.json import JsonObject
from bff.sandbox.okendo.members import Member
from bff.sandbox.world import World

Command = Callable[[World, JsonObject], tuple[int, JsonObject]]


def persona(world: World, body: JsonObject) -> Member:
    member = world.members.get(str(body.get("persona")))
    if member is None:
        raise BadCommand(f"unknown persona {body.get('persona')!r}; one of {', '.join(world.members)}")
    return member


def retailer(body: JsonObject) -> str:
    """Any name: tests link accounts at retailers of their own."""
    value = body.get("retailer")
    if not isinstance(value, str) or not 1 <= len(value) <= 26:
        raise BadCommand("retailer must be a text of 1 to 26 characters, such as 'walmart'")
    return value


def money(body: JsonObject, name: str) -> Decimal:
    """A JSON number or a decimal text, in whole cents."""
    value = body.get(name)
    try:
        total = Decimal(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else None
        if total is not None and 0 < total < 10**9 and total == total.quantize(Decimal("0.01")):
            return total
    except InvalidOperation:
        pass
    raise BadCommand(f"{name} must be an amount of money above zero with at most two decimals")


def moment(body: JsonObject, name: str) -> datetime | None:
    """A day or a time in ISO 8601, of UTC unless it says otherwise; None when it is left out."""
    value = body.get(name)
    if value is None:
        return None
    try:
        when = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise BadCommand(f"{name} must be a date such as 2026-08-07 or 2026-08-07T12:00:00Z") from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def number(body: JsonObject, name: str, otherwise: float) -> float:
    value = body.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise BadCommand(f"{name} must be a number")
    return float(value)


def address(body: JsonObject, name: str, otherwise: str) -> str:
    """The address of a web server; empty for null."""
    value = body.get(name, otherwise) or ""
    try:
        parts = urlsplit(value if isinstance(value, str) else "-")
        if not value or (parts.scheme in ("http", "https") and parts.hostname):
            return str(value)
    except ValueError:
        pass
    raise BadCommand(f"{name} must be an address that starts with http:// or https://, or null")
