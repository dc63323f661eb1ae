"""Okendo's ids as this service passes them on, and back.

What they look like is not public. One of letters, digits, - and _ stays as it is; any other, such as
`gid://okendo/RedemptionRule/42`, would change the meaning of an address, so we give it as `~` and base64url (RFC 4648
§5). Both kinds can stand in an address as they are, and no two ids become one.
"""

import base64
import binascii
import re
from unicodedata import category

PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
ENCODED = "~"
# Of an id in UTF-8, so that an address with one stays short enough for every browser and proxy.
MOST_BYTES = 1024


def url_safe(vendor_id: str) -> str | None:
    """The id as we pass it on; None for one that cannot be sent back in an address, however it is written there."""
    if PLAIN.fullmatch(vendor_id):
        return vendor_id
    if not is_usable(vendor_id):
        return None
    return ENCODED + base64.urlsafe_b64encode(vendor_id.encode()).decode().rstrip("=")


def as_sent(given: str) -> str:
    """The vendor's own id behind one of ours. A text that is none of ours stays as it is, strange to the vendor too."""
    encoded = given.removeprefix(ENCODED)
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return given
    return decoded if given.startswith(ENCODED) and url_safe(decoded) == given else given


def is_usable(vendor_id: str) -> bool:
    """Whether an address can hold it as a segment, percent-encoded: not one that is empty, a dot segment (RFC 3986
    §3.3), too long, or with a control character in it."""
    if vendor_id in {"", ".", ".."} or any(category(character) in {"Cc", "Cs"} for character in vendor_id):
        return False
    return len(vendor_id.encode()) <= MOST_BYTES
