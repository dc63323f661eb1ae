"""What a storefront hands in for a customer: a token of theirs, which Shopify vouches for, or a ticket made of one."""

import re
from typing import Annotated

import msgspec
from msgspec import UNSET
from starlette.requests import Request

from bff.errors import Problem, VendorRefused
from bff.schemas.requests import HandIn, TokenHandIn
from bff.sentences import N_
from bff.sessions.tickets import TicketPayload, Tickets
from bff.vendors.shopify.client import ShopifyClient
from bff.vendors.shopify.tokens import ShopifyTokens
from bff.web.state import WebState

# Shopify's access tokens live for an hour, and what is handed in has no refresh token.
HAND_IN_SECONDS = 3600
TOKEN = re.compile(r"[!-~]{8,4096}", re.ASCII)
ONE_OF = N_("Send one of customerAccessToken, storefrontCustomerAccessToken and, where it is taken, ticket.")
# How the document says so; of the three, one.
ONE_OF_THREE = Annotated[HandIn, msgspec.Meta(extra_json_schema={"minProperties": 1, "maxProperties": 1})]


class HandInState(WebState):
    shopify: ShopifyClient
    tickets: Tickets


async def admitted(request: Request[HandInState], given: HandIn) -> TicketPayload:
    """Whom this token or ticket signs in; a ticket is used up. Raises Problem `invalid_request`, `token_rejected`."""
    tokens = (given.customer_access_token, given.storefront_customer_access_token)
    if given.ticket is UNSET:
        return await admitted_by_token(request, given)
    if tokens != (UNSET, UNSET):
        raise Problem("invalid_request", ONE_OF)
    admission = await request.state["tickets"].take(str(given.ticket))
    if admission is None:
        raise Problem("token_rejected", "This ticket has been used already, or is too old.")
    return admission


async def admitted_by_token(request: Request[HandInState], given: TokenHandIn) -> TicketPayload:
    """Shopify itself says whose token this is; nothing else the client claims is believed.

    Raises Problem `invalid_request`, `feature_unavailable`, `token_rejected`.
    """
    shopify, begun_at = request.state["shopify"], request.state["clock"]()
    tokens = (given.customer_access_token, given.storefront_customer_access_token)
    account, legacy = (token if isinstance(token, str) else None for token in tokens)
    token = account or legacy or ""
    if (account is None) is (legacy is None) or not TOKEN.fullmatch(token):
        raise Problem("invalid_request", ONE_OF)
    if legacy is not None and not request.state["settings"].shopify.legacy_tokens:
        raise Problem("feature_unavailable", "Legacy Storefront tokens are not accepted here.")
    kind = "storefront" if legacy else "customer_account"
    try:
        customer = await (shopify.customer_of_legacy(token) if legacy else shopify.customer_of(token))
    except VendorRefused:
        raise Problem("token_rejected", "Shopify does not accept this token.") from None
    handed_in = ShopifyTokens(kind=kind, access_token=token, expires_at=begun_at + HAND_IN_SECONDS)
    return TicketPayload(handed_in, customer, begun_at)
