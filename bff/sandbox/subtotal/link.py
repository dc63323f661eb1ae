"""The pretended Subtotal in the browser: the page on which a shopper links an account at a retailer.

Follows subtotal.com/docs/subtotal-link/{link-urls,retailer-selection,dynamic-links,link-tokens}. Here all of them are
under /link, and nobody is asked for a password.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from bff.sandbox.calls import Call, Operation, Refused
from bff.sandbox.pages import page
from bff.sandbox.subtotal.accounts import Connection
from bff.sandbox.subtotal.retailers import RETAILERS, Retailer, with_code, with_id
from bff.sandbox.world import World

LINK_TOKEN = "lt_v1_"
LONGEST = {"customer_id": 64, "email": 64, "mobile": 16}


@dataclass(frozen=True)
class LinkRequest:
    """Whose account is linked, and at which of these retailers; or else exactly one connection that is there already.

    `result` is what the address to go back to is told of a success.
    """

    retailers: tuple[Retailer, ...]
    customer_id: str = ""
    email: str | None = None
    mobile: str | None = None
    connection: Connection | None = None
    result: str = ""


def link(world: World, call: Call) -> Response:
    """Show what will be linked, and link it when the form comes back."""
    wanted, back = _read_request(world, call), _redirect_url(call)
    if call.request.method != "POST":
        return page("link", retailers=wanted.retailers, back=back, again=_address(call))
    linked = _linked(world, wanted, call.form().get("retailer", ""))
    if not back:
        return page("linked", retailer=_named(linked.retailer_id).name)
    return RedirectResponse(_with_result(back, wanted.result), 303, {"cache-control": "no-store"})


def _read_request(world: World, call: Call) -> LinkRequest:
    """What this address may do; refused when it is nobody's, or no longer."""
    code = call.path_value("code")
    if code == "select":
        return _selection(world, call.query)
    if code.startswith(LINK_TOKEN):
        return _of_token(world, code)
    if retailer := with_code(code):
        return _at(world, retailer, call.query)
    connection = world.accounts.connection_to_link(code)
    if connection is None:
        raise _refused(404, "This link is unknown or has expired.")
    return LinkRequest((_named(connection.retailer_id),), connection=connection)


def _selection(world: World, query: Mapping[str, str]) -> LinkRequest:
    if query.get("client_id") != world.config.subtotal_client_id:
        raise _refused(400, "This client_id is missing or not known.")
    return _of_customer(RETAILERS, query)


def _of_token(world: World, code: str) -> LinkRequest:
    """Customer and email are in the token; what the address says of them counts for nothing."""
    token = world.accounts.link_tokens.get(code)
    if token is None or token.status(world.clock.now()) != "active":
        raise _refused(404, "This link is unknown, was revoked or has expired.")
    return LinkRequest(RETAILERS, token.customer_id, token.email, result="subtotal_link_result=success")


def _at(world: World, retailer: Retailer, query: Mapping[str, str]) -> LinkRequest:
    """At one retailer; with `connection_id` the shopper signs in there again."""
    if "connection_id" not in query:
        return _of_customer((retailer,), query)
    connection = world.accounts.connections.get(query["connection_id"])
    if connection is None or connection.retailer_id != retailer.id:
        raise _refused(404, "There is no such connection at this retailer.")
    return LinkRequest((retailer,), connection=connection)


def _of_customer(retailers: tuple[Retailer, ...], query: Mapping[str, str]) -> LinkRequest:
    for name, limit in LONGEST.items():
        if len(query.get(name, "")) > limit:
            raise _refused(422, f"{name} may have at most {limit} characters.")
    return LinkRequest(retailers, query.get("customer_id", ""), query.get("email"), query.get("mobile"))


def _linked(world: World, wanted: LinkRequest, chosen: str) -> Connection:
    if wanted.connection:
        return world.accounts.set_status(wanted.connection, "active")
    known = {retailer.id for retailer in wanted.retailers}
    retailer_id = chosen if len(known) > 1 else wanted.retailers[0].id
    if retailer_id not in known:
        raise _refused(400, "Choose one of the retailers.")
    return world.accounts.link(wanted.customer_id, retailer_id, wanted.email, wanted.mobile)


def _redirect_url(call: Call) -> str:
    """The redirect_url; refused when no browser should be sent there."""
    address = call.query.get("redirect_url", "")
    try:
        parts = urlsplit(address)
    except ValueError:
        raise _refused(400, "The redirect_url is not an address.") from None
    if address and (parts.scheme not in ("http", "https") or not parts.netloc):
        raise _refused(400, "The redirect_url is not an address of a website.")
    return address


def _with_result(address: str, result: str) -> str:
    parts = urlsplit(address)
    return parts._replace(query="&".join(filter(None, (parts.query, result)))).geturl() if result else address


def _address(call: Call) -> str:
    url = call.request.url
    return f"{url.path}?{url.query}" if url.query else url.path


def _named(retailer_id: str) -> Retailer:
    return with_id(retailer_id) or Retailer(retailer_id, retailer_id, "")


def _refused(status: int, reason: str) -> Refused:
    return Refused(page("link_refused", status, reason=reason))


OPERATIONS = (Operation("subtotal", "subtotal_link", "GET POST", ("/link/{code}",), link),)
