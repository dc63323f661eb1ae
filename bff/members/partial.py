"""A part that a vendor fails to tell is None, and the rest of the page is there."""

from collections.abc import Awaitable
from typing import TypeVar

from bff.errors import Problem, UpstreamFailed, VendorRefused
from bff.vendors.okendo.row import Page

Item = TypeVar("Item")
Part = TypeVar("Part")


async def or_none(wanted: Awaitable[Part]) -> Part | None:
    """What was asked for, or None when a vendor fails or refuses."""
    try:
        return await wanted
    except (UpstreamFailed, VendorRefused):
        return None


async def or_none_unless_signed_out(wanted: Awaitable[Part]) -> Part | None:
    """The same, and None as well when Okendo refuses just this: what it says of the member decides who is blocked.

    Raises Problem with status 401, since the end of the sign-in is the end of the page.
    """
    try:
        return await or_none(wanted)
    except Problem as problem:
        if problem.status == 401:
            raise
        return None


def whole(page: Page[Item]) -> Page[Item]:
    """The page, unless more follows that cannot be asked for: to show it as the last would be to show a part as the
    whole. Raises UpstreamFailed."""
    if page.is_cut:
        raise UpstreamFailed("Okendo's list goes on where it cannot be followed.", sent=True)
    return page
