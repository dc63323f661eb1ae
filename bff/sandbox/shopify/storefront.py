"""The merchant's storefront, as much of it as links lead to: a coupon put into the cart, and a friend's invitation.

Shopify documents `/discount/{code}`; where Okendo's invitations lead is the merchant's choice.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bff.sandbox.pages import page

INVITED = "Whoever orders after coming here counts as this friend's."


async def discount(request: Request) -> Response:
    return page("storefront", title="Your cart", code=request.path_params["code"], words="")


async def invitation(request: Request) -> Response:
    return page("storefront", title="A friend invited you", code=None, words=INVITED)


async def checkout(request: Request) -> Response:
    return page("storefront", title="Checkout", code=None, words="Here the shop would take the order.")


ROUTES = [
    Route("/cart/c/{cart}", checkout),
    Route("/discount/{code}", discount),
    Route("/refer/{sender}", invitation),
]
