"""The merchant's storefront, as much of it as links lead to: a coupon put into the cart, and a friend's invitation.

Shopify documents `/discount/{code}`; where Okendo's invitations lead is the merchant's choice.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bff.sandbox.pages import page


async def discount(request: Request) -> Response:
    return page("storefront", title="Your cart", code=request.path_params["code"])


async def invitation(request: Request) -> Response:
    return page("storefront", title="A friend invited you", code=None)


ROUTES = [Route("/discount/{code}", discount), Route("/refer/{sender}", invitation)]
